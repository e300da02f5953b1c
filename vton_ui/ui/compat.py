"""Every reach into what Gradio does not document, one function each. All were written against Gradio 6.31."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote

import gradio as gr
from fastapi import FastAPI
from gradio.context import LocalContext
from gradio.queueing import Event
from gradio.route_utils import get_root_url
from gradio.server_messages import ProcessGeneratingMessage
from gradio_client import utils as client_utils  # type: ignore[import-untyped]
from mcp.types import CallToolResult
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

T = TypeVar("T")

LISTENING_SECONDS = 0.2
"""How often it is looked whether a caller still listens."""


class CancelOne:
    """ASGI middleware: /gradio_api/cancel ends the call that it names.

    Why: Gradio ends every call of the same session and endpoint, so that a script that cancels one of two try-ons
    loses both, paid. Here the one task is cancelled, and Gradio does the rest with an endpoint that is none.
    Relies on: the names of the queue's tasks (`gradio.utils.set_task_name`), the fields of `CancelBody`.
    Delete when: Gradio's `cancel_tasks` looks at the event's id.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Cancel the one call, then hand the request on."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith("/gradio_api/cancel"):
            await self.app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
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
        whole: list[Message] = [{"type": "http.request", "body": body}]

        async def replayed() -> Message:
            return whole.pop() if whole else await receive()

        headers = [(key, value) for key, value in scope["headers"] if key.lower() != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await self.app({**scope, "headers": headers}, replayed, send)


async def wrong_arguments(request: Any, exc: Exception) -> JSONResponse:
    """The answer to a call whose arguments have the wrong names.

    Why: gradio_client's `construct_args`, which /gradio_api/call/v2/… uses, raises a bare TypeError, which would be
    told as a fault of this app; a name in it may be anything, of any length.
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
    """Tell who reads /gradio_api/call/… of a step on the way, as Gradio tells of a generator's.

    Why: that stream leaves out Gradio's progress, and a generator would end with its caller's connection, while an
    order is followed to its end. Buys: curl is told the request id as soon as there is one.
    Delete when: /gradio_api/call/… streams progress.
    """
    blocks, event = LocalContext.blocks.get(None), _event()
    if blocks and event and event.data and event.data.simple_format:
        blocks._queue.send_message(event, ProcessGeneratingMessage(output={"data": values}, success=True))


async def while_heard(work: Coroutine[Any, Any, T]) -> T:
    """The outcome of `work`, which is cancelled when the caller hangs up.

    Why: Gradio runs a handler to its end, whoever listens, so that a caller who left holds a place of the workers.
    Relies on: `Event.alive`, which the queue takes away when the event's stream is closed.
    Delete when: Gradio cancels the handler of a caller who left.
    """
    task, event = asyncio.ensure_future(work), _event()
    try:
        while not task.done() and (event is None or event.alive):
            await asyncio.wait({task}, timeout=LISTENING_SECONDS)
        if not task.done():
            raise gr.Error("The caller has left.", print_exception=False)
        return task.result()
    finally:
        if task.cancel():
            await asyncio.wait({task})


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """An agent's call of an endpoint.

    Attributes:
        endpoint: The function that was given to `gr.api`.
        arguments: As the agent gave them; nobody has checked them.
        request: The request that brought it.
        root: The public address of the app.
        notify: Sends the number and the words of a step, if the agent wants to hear of any.
    """

    endpoint: Callable[..., Coroutine[Any, Any, Any]]
    arguments: dict[str, Any]
    request: gr.Request
    root: str
    notify: Callable[[int, str], Awaitable[None]]


def serve_tools(blocks: gr.Blocks, answer: Callable[[ToolCall], Awaitable[CallToolResult]]) -> None:
    """Have `answer` answer the tool calls of agents, and describe the tools as the endpoints do.

    Why: Gradio calls itself over HTTP for each, as one client for all agents, which hides who called; it returns
    objects as Python's repr, repeats the arguments in its refusals, and names a tool that does not exist.
    Relies on: `Blocks.mcp_server_obj` and the attributes of it that are used here; `Server.call_tool` is the public
    way of the mcp package.
    Delete when: Gradio returns dicts as structured content, and calls without a loopback.
    """
    tools = blocks.mcp_server_obj
    assert tools is not None
    server, described, schema_of = tools.mcp_server, tools.get_fn_description, tools.get_input_schema

    def get_fn_description(block_fn: Any, tool_name: str) -> tuple[str, dict[str, str]]:
        description, parameters = described(block_fn, tool_name)
        return description.replace(tools._file_data_tool_description, ""), parameters

    def get_input_schema(tool_name: str, parameters: dict[str, str] | None = None) -> tuple[dict[str, Any], Any]:
        schema, positions = schema_of(tool_name, parameters)
        for kind in schema["properties"].values():
            # Text has no fields that it could require.
            for text in (kind, kind.get("items", {})):
                text.pop("required", None)
        return schema, positions

    async def call_tool(name: str, arguments: dict[str, Any]) -> CallToolResult:
        context, selected = server.request_context, tools.get_selected_tools_from_request()
        request: Any = context.request
        path = tools.tool_to_endpoint.get(name) if selected is None or name in selected else None
        block_fn = tools.get_block_fn_from_endpoint_name(path) if path else None
        if block_fn is None or block_fn.fn is None:
            raise ValueError("There is no such tool here.")
        token = context.meta.progressToken if context.meta else None

        async def notify(number: int, words: str) -> None:
            if token is not None:
                await context.session.send_progress_notification(
                    token, number, message=words, related_request_id=str(context.request_id)
                )

        caller = gr.Request(request)
        LocalContext.blocks.set(blocks)
        LocalContext.request.set(caller)
        root = get_root_url(request, tools.get_route_path(request), tools.root_path)
        return await answer(
            ToolCall(endpoint=block_fn.fn, arguments=arguments, request=caller, root=root, notify=notify)
        )

    tools.get_fn_description = get_fn_description  # type: ignore[method-assign]
    tools.get_input_schema = get_input_schema  # type: ignore[method-assign]
    # The endpoints check what they are given, and their refusals do not repeat it.
    server.call_tool(validate_input=False)(call_tool)


_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff%?#]")
_strip = client_utils.strip_invalid_filename_characters


def put_outermost(app: FastAPI, wrap: Callable[[ASGIApp], ASGIApp]) -> None:
    """Put a middleware around all others, while the app starts.

    Gradio 6.31 adds its own CORS middleware around those of `app_kwargs`: it answers preflights, and adds its headers
    to all answers. Delete when Gradio has a setting for origins (its pull request 13562), or adds its own innermost.
    """
    assert app.middleware_stack is not None
    app.middleware_stack = wrap(app.middleware_stack)


def believe_no_forwarded_headers() -> None:
    """Have the address of a connection be the one it comes from.

    Gradio 6.31 gives no way to uvicorn's `proxy_headers`, which believes X-Forwarded-For of whoever calls from this
    machine: Gradio's own MCP, and so whatever a visitor wrote there. Delete when `launch` takes that argument.
    """
    os.environ["FORWARDED_ALLOW_IPS"] = ""


def clean_file_names() -> None:
    """Have uploads named so that they can be asked for again.

    Gradio 6.31 keeps percent signs, which is how browsers send a newline in a name, question marks and hashes, and puts
    them unquoted into the address of the file; and it refuses "..". Delete when "a%0Ab.jpg" can be uploaded and shown.
    """
    client_utils.strip_invalid_filename_characters = _clean


def _clean(filename: str, *args: Any, **kwargs: Any) -> str:
    name = _UNFIT.sub("", unquote(filename)).strip(" .")
    return str(_strip(name or "file", *args, **kwargs))
