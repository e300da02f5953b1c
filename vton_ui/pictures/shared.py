"""The prepared pictures of photos, made once: when they are chosen, so that they are ready at the click."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from typing_extensions import ParamSpec

from vton_ui.errors import VtonError
from vton_ui.models.spec import Size
from vton_ui.pictures.photos import damaged, too_heavy
from vton_ui.pictures.pool import Unfinished, in_pool
from vton_ui.pictures.prepare import Picture, Prepared, prepare_garment, prepare_person
from vton_ui.tryon.request import Request, named

P = ParamSpec("P")
T = TypeVar("T")

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
        _persons.get(_stamped(request.person), model.person_pixels(values), fixed),
        _garments.get(garments, model.garment_pixels(values), fixed),
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


async def on_photos(slot: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The outcome of work on the photos of a slot, done in the pool.

    Raises:
        PhotoError: The work says so, or came to nothing.
    """
    try:
        return await in_pool(work, *args, **kwargs)
    except Unfinished as exc:
        raise (too_heavy if exc.late else damaged)(slot) from exc


def forget() -> None:
    """Keep none of them any longer."""
    _persons.forget()
    _garments.forget()


def _stamped(path: Path) -> Stamped:
    try:
        stat = path.stat()
    except OSError:
        return path, 0, 0  # preparing it tells what is wrong
    return path, stat.st_mtime_ns, stat.st_size


async def _person(stamped: Stamped, pixels: int, fixed: Size | None) -> Picture:
    return await on_photos("Person", prepare_person, stamped[0], pixels, fixed)


async def _garment(stamped: tuple[tuple[Stamped, str], ...], pixels: int, fixed: Size | None) -> Picture:
    garments = [(path, slot) for (path, _, _), slot in stamped]
    slot = garments[0][1] if len(garments) == 1 else "Garments"
    return await on_photos(slot, prepare_garment, garments, pixels, fixed)


@dataclass(eq=False)
class _Making(Generic[T]):
    """Something made once, and how many wait for it."""

    task: asyncio.Task[T]
    waiting: int = 0


class _Shared(Generic[T]):
    """What `make` makes of its arguments, the last ones remembered.

    Those who ask for the same at the same time wait for one and the same work; when the last of them leaves, it is
    stopped. Errors are not remembered.
    """

    def __init__(self, make: Callable[..., Coroutine[Any, Any, T]]) -> None:
        self._make = make
        self._known: OrderedDict[tuple[Hashable, ...], _Making[T]] = OrderedDict()

    async def get(self, *args: Hashable) -> T:
        """Raises what `make` raises."""
        key = (asyncio.get_running_loop(), *args)  # a task belongs to its loop
        making = self._known.get(key)
        if making is None:
            making = self._known[key] = _Making(asyncio.ensure_future(self._make(*args)))
        self._known.move_to_end(key)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        making.waiting += 1
        try:
            return await asyncio.shield(making.task)
        except BaseException:
            if self._known.get(key) is making and (making.task.done() or making.waiting == 1):
                del self._known[key]
            raise
        finally:
            making.waiting -= 1
            if not making.waiting:
                making.task.cancel()  # no matter to one that is done

    def forget(self) -> None:
        """Remember nothing; what is being made is still made for those who wait for it."""
        self._known.clear()


_persons = _Shared(_person)
_garments = _Shared(_garment)
