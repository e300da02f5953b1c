"""The folder of uploads: which files a visitor may name, what the server writes there, and how files are deleted."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Collection
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from vton_ui.errors import PhotoError
from vton_ui.studio import Studio
from vton_ui.ui.compat.files import content_name, upload_folder


def own(path: Any, *, slot: str, examples: Path) -> Path:
    """The path, if it is an upload or an example; a visitor must not name any other file of the server.

    Raises:
        PhotoError: It is neither.
    """
    try:
        real = Path(path).resolve()
        exists = real.is_file()
    except (OSError, RuntimeError, TypeError, ValueError) as exc:
        raise PhotoError("The photo is no upload of yours.", "Upload it first.", slot=slot) from exc
    # In this order, so that nobody learns which other files exist.
    if not any(real.is_relative_to(root.resolve()) for root in (upload_folder(), examples)):
        raise PhotoError("The photo is no upload of yours.", "Upload it first.", slot=slot)
    if not exists:
        raise PhotoError("The photo is no longer there.", "Upload it again.", slot=slot)
    return real


def is_upload_path(path: str) -> bool:
    """Whether this is an absolute path inside the folder of uploads, whether or not the file exists.

    "http://host/../../uploads/…" leads there too, but is relative, and Gradio would open it as an address.
    """
    try:
        return Path(path).is_absolute() and Path(path).resolve().is_relative_to(upload_folder().resolve())
    except (OSError, RuntimeError, ValueError):
        return False


def visible_upload(browser: str, path: Any, *, slot: str, studio: Studio) -> Path:
    """The same as `own` for a file on a browser's page. PhotoError also if the browser has forgotten it."""
    real = own(path, slot=slot, examples=studio.examples)
    if studio.session_uploads.is_forgotten(browser, real):
        raise PhotoError("The photo is no longer there.", "Upload it again.", slot=slot)
    studio.session_uploads.add(browser, [real])
    return real


def forget_uploads(browser: str, studio: Studio) -> set[Path]:
    """Delete a browser's uploads; those that others have only lose this owner, and examples stay.

    Returns:
        The files that were deleted.
    """
    examples, uploads = studio.examples.resolve(), studio.session_uploads.paths(browser)
    kept = {path for path in uploads if path.parent.name in example_folders(examples) or path.is_relative_to(examples)}
    deleted = studio.session_uploads.forget(browser, keep=kept)
    for path in deleted:
        path.unlink(missing_ok=True)
    return deleted


@lru_cache(maxsize=8)
def example_folders(examples: Path) -> frozenset[str]:
    """The folders in which Gradio keeps copies of the examples, or uploads with the same content."""
    return frozenset(content_name(path) for path in examples.rglob("*.jpg"))


def written(data: bytes, stem: str) -> Path:
    """Write a JPEG that the server made or fetched to the folder of uploads."""
    path = upload_folder() / secrets.token_urlsafe(16) / f"{stem}.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return path


def offered(path: Path) -> Path:
    """A kept result as a second name of the same file in the folder of uploads, from which Gradio serves.

    Gradio would hash and copy it there, and block the event loop meanwhile.
    """
    name = upload_folder() / secrets.token_urlsafe(16) / path.name
    name.parent.mkdir(parents=True)
    for copy in (os.link, shutil.copyfile):  # the uploads may be on another disk, or on one without hard links
        with suppress(OSError):
            copy(path, name)
            return name
    return path


def example_copy(path: Path) -> Path:
    """An example in the folder of uploads, from which it is served; where Gradio keeps its own copies, too.

    Gradio deletes a file that it has served for a component an hour after the last change, so each pick touches it.
    """
    copy = upload_folder() / content_name(path) / path.name
    if copy.exists():
        os.utime(copy)
    else:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=copy.parent, delete=False) as file:
            file.write(path.read_bytes())
        os.replace(file.name, copy)  # another visitor never sees half of it
    return copy


def is_example(path: str, examples: Path) -> bool:
    """Whether a file in the folder of uploads is a copy of an example.

    Its address has the hash of the example's content in it. Whoever uploads the same content gets the same address.
    """
    return is_upload_path(path) and Path(path).parent.name in example_folders(examples.resolve())


def delete_old(folder: Path, *, older_than: float, kept: Collection[str]) -> None:
    """Delete what has been in a folder for so many seconds, except the folders in it with these names.

    Gradio's own cleaning covers only files that it noted since its start, and it does not note all of them.
    """
    for path in sorted(folder.rglob("*"), reverse=True):  # files before the folder they are in
        own_name = path.relative_to(folder).parts[0]
        with suppress(OSError):  # not empty, or already deleted
            if own_name not in kept and path.lstat().st_ctime < time.time() - older_than:
                path.rmdir() if path.is_dir() else path.unlink()
