"""The queue and its events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, TypeVar

import gradio as gr
from gradio.context import LocalContext
from gradio.queueing import Event
from gradio.server_messages import ProcessGeneratingMessage
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vton_ui.ui.compat.routes import CANCEL

T = TypeVar("T")

DISCONNECT_CHECK_SECONDS = 0.2


class CancelOne:
    """ASGI middleware: a cancel request ends the call that it names, and no other.

    Why: Gradio ends every call of the same session and endpoint. A script that cancels one of two try-ons would lose
    both, paid. Here the one task is cancelled, and Gradio gets the request with an endpoint that does not exist.
    Relies on: the names of the queue's tasks (`gradio.utils.set_task_name`), the fields of `CancelBody`.
    Delete when: Gradio's `cancel_tasks` looks at the event's id.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith(CANCEL):
            await self.app(scope, receive, send)
            return
        body = await Request(scope, receive).body()
        try:
            named = json.loads(body)
            name = f"{named['session_hash']}_{named['fn_index']}<gradio-sep>{named['event_id']}"
            body = json.dumps({**named, "fn_index": -1}).encode()
        except (ValueError, TypeError, KeyError):
            name = ""  # Gradio refuses it
        tasks = [task for task in asyncio.all_tasks() if task.get_name() == name]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        headers = [(key, value) for key, value in scope["headers"] if key.lower() != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await self.app({**scope, "headers": headers}, replayed(body, receive), send)


def replayed(body: bytes, receive: Receive) -> Receive:
    """A body that was read already, for the app behind a middleware."""
    whole: list[Message] = [{"type": "http.request", "body": body}]

    async def replay() -> Message:
        return whole.pop() if whole else await receive()

    return replay


async def wrong_arguments(request: Any, exc: Exception) -> JSONResponse:
    """The answer to a call whose arguments have the wrong names.

    Why: gradio_client's `construct_args`, which /gradio_api/call/v2/… uses, raises a bare TypeError. It would be
    reported as a fault of this app, with a name in it that may be anything, of any length.
    Delete when: that route answers with 422.
    """
    _, missing, name = str(exc).partition("No value provided for required argument: ")
    if missing:
        return JSONResponse({"detail": f"{name} is missing. Nothing was charged."}, 422)
    if "is not a valid key-word argument" in str(exc):
        words = (
            "There is a parameter that this endpoint does not have; /gradio_api/info lists them. Nothing was charged."
        )
        return JSONResponse({"detail": words}, 422)
    raise exc


def _event() -> Event | None:
    """The queue's event that this code runs in."""
    blocks, event_id = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    return blocks._queue.event_ids_to_events.get(event_id) if blocks and event_id else None


def send_step(values: list[Any]) -> None:
    """Send a step to a reader of /gradio_api/call/…, in the form of a generator's step.

    Why: that stream leaves out Gradio's progress. A generator would end with its caller's connection, while a job has
    to be followed to its end. Buys: curl receives the request id as soon as fal has given it.
    Delete when: /gradio_api/call/… streams progress.
    """
    blocks, event = LocalContext.blocks.get(None), _event()
    if blocks and event and event.data and event.data.simple_format:
        blocks._queue.send_message(event, ProcessGeneratingMessage(output={"data": values}, success=True))


def is_connected() -> bool:
    """Whether the caller of the queue's event that this code runs in still listens: see `run_while_connected`."""
    event = _event()
    return event is None or event.alive


async def run_while_connected(work: Coroutine[Any, Any, T]) -> T:
    """The outcome of `work`, which is cancelled when the caller disconnects.

    Why: Gradio runs a handler to its end whether or not anybody listens: callers who left would keep workers busy.
    Relies on: `Event.alive`, which the queue clears when the event's stream is closed.
    Delete when: Gradio cancels the handler of a caller who left.
    """
    task = asyncio.ensure_future(work)
    try:
        while not task.done() and is_connected():
            await asyncio.wait({task}, timeout=DISCONNECT_CHECK_SECONDS)
        if not task.done():
            raise gr.Error("The caller has left.", print_exception=False)
        return task.result()
    finally:
        if task.cancel():
            await asyncio.wait({task})
