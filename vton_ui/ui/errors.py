"""Errors for the visitor: known ones as they are, others logged and shown without details."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from vton_ui.disk import disk_full
from vton_ui.errors import AppFault, Cost, VtonError
from vton_ui.ui.web.guard import where

_UNEXPECTED = "Something failed in this app; its log says what. Try again. fal may have charged if an order was sent."

_log = logging.getLogger(__name__)


def translate_error(exc: BaseException) -> VtonError:
    """The error for a card on the page."""
    if isinstance(exc, VtonError) and not isinstance(exc, AppFault):
        _log.info("failed: %s %s", type(exc).__name__, exc.request_id or "")
        return exc
    cause = exc.__cause__ if isinstance(exc, AppFault) and exc.__cause__ else exc
    full = disk_full(cause, Cost.MAYBE)
    if full is not None:
        return full
    _log.error("unexpected: %s", where(cause))
    return AppFault("Something failed in this app.", "Try again; the photos are still here.")


@contextmanager
def translate_errors(cost: Cost = Cost.NOTHING) -> Iterator[None]:
    """Turn errors into Gradio's, whose text reaches the caller of the API."""
    try:
        yield
    except gr.Error:
        raise
    except VtonError as exc:
        raise gr.Error(str(exc), print_exception=False) from exc
    except Exception as exc:
        full = disk_full(exc, cost)
        if full is not None:
            raise gr.Error(str(full), print_exception=False) from exc
        _log.error("unexpected: %s", where(exc))
        raise gr.Error(_UNEXPECTED, print_exception=False) from exc
