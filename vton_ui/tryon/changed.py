"""What kept looks changed of their photos: compared once, and kept beside the picture for as long as that is."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vton_ui.errors import PhotoError
from vton_ui.pictures.changes import marked_changes
from vton_ui.pictures.prepare import on_photos
from vton_ui.pictures.shared import SharedResults

_PREFIX = "changed-"


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What a look changed of its photo.

    Attributes:
        share_outside: Of the pixels outside the middle of the body, those that changed: 0 to 1.
        overlay: The file of a picture that marks what changed, to be laid over the look.
    """

    share_outside: float
    overlay: Path


_in_the_making: SharedResults[Changed] = SharedResults(64)


def kept_change(result: Path) -> Changed | None:
    """What is known of a kept picture; None if it was not compared yet."""
    try:
        for path in result.parent.iterdir():
            if path.name.startswith(_PREFIX):
                return Changed(share_outside=float(path.stem.removeprefix(_PREFIX)), overlay=path)
    except (OSError, ValueError):
        pass
    return None


async def change_of(photo: Path, result: Path) -> Changed:
    """What a kept picture changed of the photo it was made from; compared in a worker if it was not yet.

    Raises:
        PhotoError: One of them is gone, or they have different shapes.
    """
    known = kept_change(result)
    if known is not None:
        return known
    return await _in_the_making.get((photo, result), lambda: _compare(photo, result), [result])


async def _compare(photo: Path, result: Path) -> Changed:
    return await on_photos("Look", compare_and_keep, photo, result)


def compare_and_keep(photo: Path, result: Path) -> Changed:
    """For workers: compare, and write the overlay beside the picture. Errors as `change_of`."""
    share, overlay = marked_changes(photo, result)
    folder, path = result.parent, result.with_name(f"{_PREFIX}{share:.6f}.png")
    try:
        as_it_was = folder.stat()
        unfinished = folder / "unfinished"
        unfinished.write_bytes(overlay)
        unfinished.replace(path)
        # A folder is deleted by its age, which this file must not change.
        os.utime(folder, ns=(as_it_was.st_atime_ns, as_it_was.st_mtime_ns))
    except OSError as exc:
        raise PhotoError("The look is no longer there.", "Choose another.", slot="Look") from exc
    if not result.is_file():  # deleted meanwhile; nothing of it must stay
        with suppress(OSError):
            shutil.rmtree(folder)
        raise PhotoError("The look is no longer there.", "Choose another.", slot="Look")
    return Changed(share_outside=share, overlay=path)
