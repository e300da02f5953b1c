"""The steps of a call of the API, sent to its caller in the words of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import gradio as gr

from vton_ui.ui.compat.calls import send_step


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of a try-on.

    Attributes:
        words: What happens now.
        share: How far the work is, from 0 to 1; None if unknown.
        request_id: fal's name for the job, as soon as there is one.
    """

    words: str
    share: float | None
    request_id: str | None

    def __str__(self) -> str:
        """One line. It ends in the request id, because a caller may see only the last step."""
        return f"{self.words} · request id {self.request_id}" if self.request_id else self.words


def _over_http(step: Step) -> None:
    gr.Progress()(step.share, desc=str(step))
    send_step([None, {"status": step.words, "request_id": step.request_id}])


Listener = Callable[[Step], None]
_listener: ContextVar[Listener] = ContextVar("listener", default=_over_http)


def tell(step: Step) -> None:
    """Send a step to the caller."""
    _listener.get()(step)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Send the steps to this listener instead of the caller over HTTP."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
