"""The steps of a call of the API, sent to its caller in the words of the page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import gradio as gr

from vton_ui.ui.compat.calls import DISCONNECT_CHECK_SECONDS, is_connected, send_step


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of a try-on.

    Attributes:
        words: What happens now.
        share: How far the work is, from 0 to 1; None if unknown.
        request_id: fal's name for the job, as soon as there is one.
        streamed: Whether it is one of what the endpoint streams, for readers who get nothing else.
    """

    words: str
    share: float | None
    request_id: str | None
    streamed: bool = True

    def __str__(self) -> str:
        """One line. It ends in the request id, because a caller may see only the last step."""
        return f"{self.words} · request id {self.request_id}" if self.request_id else self.words


def _over_http(step: Step) -> None:
    gr.Progress()(step.share, desc=str(step))
    if step.streamed:
        send_step([None, {"status": step.words, "request_id": step.request_id}])


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who waits for the answer of a call: what tells them a step, and whether they are still there."""

    tell: Callable[[Step], None]
    connected: Callable[[], bool]


_HTTP = Caller(tell=_over_http, connected=is_connected)
_caller: ContextVar[Caller] = ContextVar("caller", default=_HTTP)


def tell(step: Step) -> None:
    """Send a step to the caller."""
    _caller.get().tell(step)


async def when_left(leave: Callable[[], None]) -> None:
    """Call `leave` when the caller has left."""
    connected = _caller.get().connected
    while connected():  # noqa: ASYNC110 - Gradio only sets a flag
        await asyncio.sleep(DISCONNECT_CHECK_SECONDS)
    leave()


@contextmanager
def calling(caller: Caller) -> Iterator[None]:
    """What is called meanwhile is called by this caller, instead of one over HTTP."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)
