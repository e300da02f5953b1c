"""Streams of events: several side by side, and one that a cancelled consumer does not take along."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from vton_ui.errors import AppFault, VtonError
from vton_ui.tryon.events import Event, Failed

T = TypeVar("T")

running: set[asyncio.Task[Any]] = set()
"""What goes on in the background; asyncio itself does not keep a task alive."""

_log = logging.getLogger(__name__)


async def merged(
    streams: Mapping[str, AsyncGenerator[Event, None]],
) -> AsyncGenerator[tuple[str, Event | Failed], None]:
    """The events of several streams as they come, each with the name of its stream.

    An error is the last event of its stream, and ends no other. The next event of a stream is only asked for when the
    consumer has dealt with the one before: a job is remembered before it is submitted.

    Args:
        streams: Each stream under its name; they are closed when this ends.
    """
    upcoming = {asyncio.ensure_future(anext(events, None)): name for name, events in streams.items()}
    try:
        while upcoming:
            done, _ = await asyncio.wait(upcoming, return_when=asyncio.FIRST_COMPLETED)
            for future in done:
                name, event = upcoming.pop(future), _event_of(future)
                if event is None:
                    continue
                yield name, event
                if not isinstance(event, Failed):
                    upcoming[asyncio.ensure_future(anext(streams[name], None))] = name
    finally:
        for future in upcoming:
            future.cancel()
        await asyncio.gather(*upcoming, return_exceptions=True)
        for events in streams.values():
            await events.aclose()


def _event_of(future: asyncio.Future[Event | None]) -> Event | Failed | None:
    try:
        return future.result()
    except VtonError as exc:
        return Failed(error=exc)
    except Exception as exc:
        error = AppFault("Something failed in this app.", "Try again; the photos are still here.")
        error.__cause__ = exc
        return Failed(error=error)


class Turns:
    """Lets so many go on at once, and the others in the order in which they asked."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._having: set[str] = set()
        self._waiting: dict[str, asyncio.Future[None]] = {}

    def wait(self, name: str) -> asyncio.Future[None]:
        """Done when it is the turn of this name. It may be cancelled; `leave` is to be called all the same."""
        turn = self._waiting[name] = asyncio.get_running_loop().create_future()
        self._next()
        return turn

    def leave(self, name: str) -> None:
        """Whoever has this name goes on no longer, or waits no longer."""
        self._waiting.pop(name, None)
        self._free += name in self._having
        self._having.discard(name)
        self._next()

    def _next(self) -> None:
        while self._free and self._waiting:
            name = next(iter(self._waiting))
            turn = self._waiting.pop(name)
            if not turn.done():
                self._free -= 1
                self._having.add(name)
                turn.set_result(None)


async def in_background(events: AsyncGenerator[T, None], cancel: Callable[[], object]) -> AsyncGenerator[T, None]:
    """The same events, one by one as they are asked for, each made in a task of its own.

    Only `stop` cancels a job, while Gradio cancels the consumer's task. So a cancelled consumer calls `cancel` and
    leaves at once, and the rest of the events is taken in the background, to the last word on what it cost. A consumer
    that just closes this generator, such as a closed tab, leaves the job running.

    Args:
        cancel: Sets `stop`, of one job or of several.
    """
    try:
        while True:
            upcoming = asyncio.ensure_future(anext(events, None))
            try:
                event = await asyncio.shield(upcoming)
            except asyncio.CancelledError:
                cancel()
                keep_running(_to_the_end(events, upcoming))
                raise
            if event is None:
                return
            yield event
    except GeneratorExit:
        await events.aclose()
        raise


async def _to_the_end(events: AsyncGenerator[T, None], upcoming: asyncio.Future[T | None]) -> None:
    try:
        while await upcoming is not None:
            upcoming = asyncio.ensure_future(anext(events, None))
    except VtonError as exc:
        _log.info("cancelled: %s %s", type(exc).__name__, exc.request_id or "")
    finally:
        await events.aclose()


def keep_running(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Start a task that ends when it is done, whoever still waits for it."""
    task = asyncio.create_task(work)
    running.add(task)
    task.add_done_callback(running.discard)
    return task
