"""The endpoints as the tools of agents (MCP): pictures as images, everything else as JSON."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import gradio as gr
from mcp.types import CallToolResult, ImageContent, TextContent

from vton_ui.tryon.streams import keep_running
from vton_ui.ui.compat.mcp import ToolCall
from vton_ui.ui.compat.routes import file_address
from vton_ui.ui.progress import Step, listening
from vton_ui.ui.signatures import CALLER, KEY, is_free, parameters_of


async def answer_tool(call: ToolCall) -> CallToolResult:
    """The answer to an agent's call."""
    names = parameters_of(call.endpoint)
    hidden = {KEY[0]: call.request.headers.get("x-fal-key"), CALLER[0]: call.request}
    public = [name for name in names if name not in hidden]
    if not call.arguments.keys() <= set(public):
        return _refused(f"There is a parameter too many. The parameters are {', '.join(public)}. Nothing was charged.")
    # The endpoint itself refuses what is missing, in the same words as what is null.
    given = names | call.arguments
    given |= {name: value for name, value in hidden.items() if name in names}
    try:
        value = await _notify_steps(call.endpoint(**given), call)
    except gr.Error as exc:
        return _refused(exc.message)
    return await _result(value, call.root)


async def _notify_steps(work: Coroutine[Any, Any, Any], call: ToolCall) -> Any:
    """The outcome of `work`; its steps are sent to the agent."""
    steps: asyncio.Queue[Step | None] = asyncio.Queue()
    with listening(steps.put_nowait):
        task = keep_running(work)
    task.add_done_callback(lambda _: steps.put_nowait(None))
    number = 0
    try:
        while step := await steps.get():
            number += 1
            await call.notify(number, str(step))
        return task.result()
    finally:
        if not task.done():  # the agent has disconnected
            # Or asyncio would log that its error was never retrieved.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            if is_free(call.endpoint):  # a paid job is followed to its end
                task.cancel()


async def _result(value: Any, root: str) -> CallToolResult:
    images: list[ImageContent] = []
    facts: dict[str, Any] = {}
    for part in value if isinstance(value, tuple) else (value,):
        if isinstance(part, gr.FileData):
            picture = base64.b64encode(await asyncio.to_thread(Path(part.path).read_bytes)).decode()
            kind = "png" if part.path.endswith(".png") else "jpeg"
            images.append(ImageContent(type="image", data=picture, mimeType=f"image/{kind}"))
            facts["picture"] = file_address(root, part.path)
        elif part is not None:
            facts |= part
    text = TextContent(type="text", text=json.dumps(facts))
    return CallToolResult(content=[*images, text], structuredContent=facts)


def _refused(words: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=words)], isError=True)
