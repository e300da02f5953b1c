"""gr.Blocks and its web app: errors, sessions, inputs, middleware."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gradio as gr
from fastapi import FastAPI
from gradio.context import get_blocks_context
from gradio.state_holder import SessionState, StateHolder
from starlette.types import ASGIApp


class QuietBlocks(gr.Blocks):
    """gr.Blocks that neither prints an error nor sends its text to the browser.

    Why: Gradio prints tracebacks with a visitor's inputs, and what preprocessing raises reaches the page as it is, with
    its paths. Buys: no photo's name, prompt or key in the log.
    Relies on: `Blocks.process_api`, which every event passes.
    Delete when: `launch` takes a handler for errors.
    """

    @abstractmethod
    def explain(self, exc: Exception) -> str:
        """The message for an unexpected error."""

    async def process_api(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """One event, from the visitor's inputs to the page's outputs."""
        try:
            return await super().process_api(*args, **kwargs)
        except gr.Error as exc:
            exc.print_exception = False
            raise
        except Exception as exc:
            raise gr.Error(self.explain(exc), print_exception=False) from None


def endpoint_inputs() -> list[Any]:
    """The inputs of all endpoints that were added to the current gr.Blocks.

    Why: `gr.api` makes them by itself and returns nothing. Relies on: `BlocksConfig.fns`, `BlockFunction.inputs`.
    Delete when: `gr.api` returns its inputs.
    """
    blocks = get_blocks_context()
    return [block for fn in blocks.fns.values() for block in fn.inputs] if blocks else []


def put_outermost(app: FastAPI, wrap: Callable[[ASGIApp], ASGIApp]) -> None:
    """Put a middleware around all others. To be called when the app's lifespan begins.

    Why: Gradio adds its CORS middleware around those of `app_kwargs`; it answers preflights itself and adds its headers
    to every answer. Buys: pages of other sites read nothing (Gradio's issue 13594).
    Relies on: `Starlette.middleware_stack`, which is built by then.
    Delete when: Gradio has a setting for origins (its pull request 13562 was closed), or adds its own innermost.
    """
    assert app.middleware_stack is not None
    app.middleware_stack = wrap(app.middleware_stack)


class _Session(SessionState):
    """A session that keeps no description of the page's components."""

    def __init__(self, blocks: gr.Blocks) -> None:
        super().__init__(SimpleNamespace(default_config=blocks.default_config, blocks={}))  # type: ignore[arg-type]
        self.blocks_config.config_for_block = lambda *_: {}  # type: ignore[method-assign]


class _Sessions(StateHolder):
    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = _Session(self.blocks)
        return super().__getitem__(session_id)


def keep_sessions_light(app: FastAPI, blocks: gr.Blocks) -> None:
    """Have Gradio describe no component for a session.

    Why: it is for deep links, which are closed here. Buys: time of the event loop, 9 ms for each visitor and each call
    of the API, and two fifths of the processor's time of a try-on: Gradio describes all its outputs twice at each step.
    Relies on: `app.state_holder`, `StateHolder.session_data`, `SessionState.blocks_config` (each session has its own).
    Delete when: Gradio builds the description when a link is made.
    """
    app.state_holder = _Sessions()  # type: ignore[attr-defined,no-untyped-call]
    app.state_holder.set_blocks(blocks)  # type: ignore[attr-defined]


def drop_finished_sessions(blocks: gr.Blocks) -> None:
    """Drop the queue's record of sessions that are over.

    Why: Gradio never removes it, so that anybody can make the server's memory grow with session names.
    Relies on: the queue's dictionaries. A session whose messages or events are still there is kept.
    Delete when: Gradio drops them with the session's messages.
    """
    queue = blocks._queue
    finished = [
        session
        for session, events in queue.pending_event_ids_session.items()
        if session not in queue.pending_messages_per_session and events.isdisjoint(queue.event_ids_to_events)
    ]
    for session in finished:
        del queue.pending_event_ids_session[session]
