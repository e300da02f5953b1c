"""The endpoints as an agent's tools (MCP): pictures as pictures, everything else as JSON."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr
from mcp.types import CallToolResult, ImageContent, TextContent

from vton_ui.ui.compat import ToolCall
from vton_ui.ui.progress import Step, heard_by
from vton_ui.ui.signatures import CALLER, KEY, is_free, parameters_of

_running_on: set[asyncio.Task[Any]] = set()
"""Orders whose agents have left."""


async def answer_tool(call: ToolCall) -> CallToolResult:
    """What an agent is answered."""
    names = parameters_of(call.endpoint)
    hidden = {KEY[0]: call.request.headers.get("x-fal-key"), CALLER[0]: call.request}
    public = [name for name in names if name not in hidden]
    if not call.arguments.keys() <= set(public):
        return _refused(f"There is a parameter too many. The parameters are {', '.join(public)}. Nothing was charged.")
    # What is missing is told by the endpoint itself, as where it is null.
    given = names | call.arguments
    given |= {name: value for name, value in hidden.items() if name in names}
    try:
        value = await _notify_steps(call.endpoint(**given), call)
    except gr.Error as exc:
        return _refused(exc.message)
    return await _result(value, call.root)


async def _notify_steps(work: Coroutine[Any, Any, Any], call: ToolCall) -> Any:
    """The outcome of `work`, whose steps the agent is told."""
    steps: asyncio.Queue[Step | None] = asyncio.Queue()
    with heard_by(steps.put_nowait):
        task = asyncio.create_task(work)
    task.add_done_callback(lambda _: steps.put_nowait(None))
    number = 0
    try:
        while step := await steps.get():
            number += 1
            await call.notify(number, str(step))
        return task.result()
    finally:
        if not task.done():  # the agent has hung up
            _left(task, free=is_free(call.endpoint))


def _left(task: asyncio.Task[Any], *, free: bool) -> None:
    """What becomes of a call whose agent has left: an order goes on, since it is paid."""
    if free:
        task.cancel()
    _running_on.add(task)
    task.add_done_callback(_over)


def _over(task: asyncio.Task[Any]) -> None:
    _running_on.discard(task)
    if not task.cancelled():
        task.exception()  # else it would be logged as one that nobody looked at


async def _result(value: Any, root: str) -> CallToolResult:
    images: list[ImageContent] = []
    facts: dict[str, Any] = {}
    for part in value if isinstance(value, tuple) else (value,):
        if isinstance(part, gr.FileData):
            picture = base64.b64encode(await asyncio.to_thread(Path(part.path).read_bytes)).decode()
            kind = "png" if part.path.endswith(".png") else "jpeg"
            images.append(ImageContent(type="image", data=picture, mimeType=f"image/{kind}"))
            facts["picture"] = f"{root}/gradio_api/file={quote(part.path)}"
        elif part is not None:
            facts |= part
    text = TextContent(type="text", text=json.dumps(facts))
    return CallToolResult(content=[*images, text], structuredContent=facts)


def _refused(words: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=words)], isError=True)
