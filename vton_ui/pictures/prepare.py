"""Photos and limits → the two pictures that are sent: made in workers, once, and shared while being made."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from typing_extensions import ParamSpec

from vton_ui.errors import VtonError
from vton_ui.models.spec import Limits
from vton_ui.pictures.photo_errors import damaged, too_heavy
from vton_ui.pictures.photos import MAX_BYTES
from vton_ui.pictures.pool import Unfinished, in_pool
from vton_ui.pictures.shared import SharedResults
from vton_ui.pictures.sheet import LAYOUT
from vton_ui.pictures.work import Picture, prepare_garment, prepare_person

P = ParamSpec("P")
T = TypeVar("T")

_pictures: SharedResults[Picture] = SharedResults(96)
"""A picture has about 0.3 MB, and 1 MB at most."""
_hashes: SharedResults[str] = SharedResults(1000)
_prefetching: set[asyncio.Task[None]] = set()
"""asyncio itself does not keep a task alive."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The two pictures of a request."""

    person: Picture
    garment: Picture


async def prepare(
    person: Path, garments: Sequence[tuple[Path, str]], limits: Limits, layout: str = LAYOUT.default
) -> Prepared:
    """The two pictures of a request, from memory if they were made before.

    Args:
        garments: The photos of the garments, each with the name of its slot.
        limits: What the model allows.
        layout: How several garments lie on their sheet.

    Raises:
        PhotoError: A photo cannot be used.
    """
    pictures = await asyncio.gather(_person(person, limits), _garment(garments, limits, layout))
    return Prepared(person=pictures[0], garment=pictures[1])


def prefetch(person: Path, garments: Sequence[tuple[Path, str]], limits: Limits, layout: str = LAYOUT.default) -> None:
    """Start preparing before the click. Errors are ignored here: `prepare` raises them again."""

    async def ignore_errors() -> None:
        with suppress(VtonError):
            await prepare(person, garments, limits, layout)

    task = asyncio.ensure_future(ignore_errors())
    _prefetching.add(task)
    task.add_done_callback(_prefetching.discard)


async def on_photos(slot: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of work on the photos of a slot, done in a worker.

    Raises:
        PhotoError: The work raised it, took too long or killed its worker.
    """
    try:
        return await in_pool(work, *args, **kwargs)
    except Unfinished as exc:
        raise (too_heavy if exc.late else damaged)(slot) from exc


def forget(photos: Collection[Path]) -> None:
    """Drop the pictures made from these photos, and those from photos that are deleted."""
    _pictures.forget(photos)
    _hashes.forget(photos)


async def _person(path: Path, limits: Limits) -> Picture:
    pixels, output, unscaled = limits.person_pixels, limits.output_size, limits.unscaled_pixels
    return await _pictures.get(
        ("person", await _content(path), pixels, output, unscaled),
        lambda: on_photos("Person", prepare_person, path, pixels, output, unscaled),
        [path],
    )


async def _garment(garments: Sequence[tuple[Path, str]], limits: Limits, layout: str) -> Picture:
    pixels, output, unscaled = limits.garment_pixels, limits.output_size, limits.unscaled_pixels
    paths, slots = [path for path, _ in garments], tuple(slot for _, slot in garments)
    contents = await asyncio.gather(*map(_content, paths))
    slot = slots[0] if len(slots) == 1 else "Garments"
    return await _pictures.get(
        ("garment", tuple(contents), slots, pixels, output, unscaled, layout),
        lambda: on_photos(slot, prepare_garment, garments, pixels, output, unscaled, layout),
        paths,
    )


async def _content(path: Path) -> str:
    """A photo's content as a hash, so that the same photo uploaded again is known, and another of the same name is not.

    A file is read again only when its times or its size changed.
    """
    return await _hashes.get(_stamp(path), lambda: asyncio.to_thread(_hash, path), [path])


def _stamp(path: Path) -> tuple[Path, int, int, int]:
    try:
        stat = path.stat()
    except OSError:
        return path, 0, 0, 0
    return path, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size


def _hash(path: Path) -> str:
    try:
        usable = path.stat().st_size <= MAX_BYTES
        return hashlib.sha256(path.read_bytes()).hexdigest() if usable else f"too large: {path}"
    except OSError:
        return f"missing: {path}"  # preparing it raises the right error
