"""The prepared pictures of photos, made once: when they are chosen, so that they are ready at the click."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from vton_ui.errors import VtonError
from vton_ui.pool import in_pool
from vton_ui.prepare import Picture, Prepared, prepare_garment, prepare_person
from vton_ui.request import Request, named
from vton_ui.spec import Size

REMEMBERED = 48
"""Pictures of each kind kept in memory; one has about 0.3 MB."""

_under_way: set[asyncio.Future[None]] = set()
"""Held, or the loop would let go of them."""

Stamped = tuple[Path, int, int]
"""A file, with its time and size: another photo under the same name is another photo."""


async def prepared(request: Request) -> Prepared:
    """The two pictures of a request, from memory where they were made before.

    Raises:
        PhotoError: A photo cannot be used.
    """
    model, values = request.model, request.values
    fixed = model.output_size(values)
    garments = tuple((_stamped(path), slot) for path, slot in named(request.garments))
    person, garment = await asyncio.gather(
        in_pool(_person, _stamped(request.person), model.person_pixels(values), fixed),
        in_pool(_garment, garments, model.garment_pixels(values), fixed),
    )
    return Prepared(person=person, garment=garment)


def prepare_soon(request: Request) -> None:
    """Have the pictures made by the time of the click; what is wrong with them is told then."""

    async def prepare() -> None:
        with suppress(VtonError):
            await prepared(request)

    task = asyncio.ensure_future(prepare())
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)


def forget() -> None:
    """Keep none of them any longer."""
    _person.cache_clear()
    _garment.cache_clear()


def _stamped(path: Path) -> Stamped:
    try:
        stat = path.stat()
    except OSError:
        return path, 0, 0  # preparing it tells what is wrong
    return path, stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=REMEMBERED)
def _person(stamped: Stamped, pixels: int, fixed: Size | None) -> Picture:
    return prepare_person(stamped[0], pixels, fixed)


@lru_cache(maxsize=REMEMBERED)
def _garment(stamped: tuple[tuple[Stamped, str], ...], pixels: int, fixed: Size | None) -> Picture:
    return prepare_garment([(path, slot) for (path, _, _), slot in stamped], pixels, fixed)
