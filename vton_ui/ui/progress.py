"""Tells callers of the API how their try-on goes, in the words of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import gradio as gr

from vton_ui.ui.compat import send_step


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something that happened.

    Attributes:
        words: What it is.
        share: How far the work is, from 0 to 1; None where nobody knows.
        request_id: fal's name for the job, as soon as there is one.
    """

    words: str
    share: float | None
    request_id: str | None

    def __str__(self) -> str:
        """One line, which ends in the request id: a caller may get to see the last one only."""
        return f"{self.words} · request id {self.request_id}" if self.request_id else self.words


def _over_http(step: Step) -> None:
    gr.Progress()(step.share, desc=str(step))
    send_step([None, {"status": step.words, "request_id": step.request_id}])


Listener = Callable[[Step], None]
_listener: ContextVar[Listener] = ContextVar("listener", default=_over_http)


def tell(step: Step) -> None:
    """Tell the caller of this call."""
    _listener.get()(step)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Have another listener than the caller over HTTP."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
