"""What Gradio remembers of each visitor, without what this app has no use for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from fastapi import FastAPI
from gradio import Blocks
from gradio.state_holder import SessionState, StateHolder


class _Session(SessionState):
    """A session without descriptions.

    Gradio's begins with a description of every component on the page, for links to a page as it stood, which are not
    offered here: 15 ms of the event loop for each visitor, and for each call of the API.
    """

    def __init__(self, blocks: Blocks) -> None:
        super().__init__(SimpleNamespace(default_config=blocks.default_config, blocks={}))  # type: ignore[arg-type]

    def _update_value_in_config(self, key: int, value: Any) -> None:
        pass


class _Sessions(StateHolder):
    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = _Session(self.blocks)
        return super().__getitem__(session_id)


def keep_light(app: FastAPI, blocks: Blocks) -> None:
    """Have an app remember no more of its visitors than it needs."""
    app.state_holder = _Sessions()  # type: ignore[attr-defined,no-untyped-call]
    app.state_holder.set_blocks(blocks)  # type: ignore[attr-defined]


def forget_gone(blocks: Blocks) -> None:
    """Drop what Gradio's queue keeps for good of visitors who are gone: which of their events are not over yet.

    Those whose messages it still keeps, or whose events still run, may come back to it.
    """
    queue = blocks._queue
    gone = [
        session
        for session, events in queue.pending_event_ids_session.items()
        if session not in queue.pending_messages_per_session and events.isdisjoint(queue.event_ids_to_events)
    ]
    for session in gone:
        del queue.pending_event_ids_session[session]
