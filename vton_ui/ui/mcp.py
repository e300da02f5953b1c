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
from vton_ui.ui.progress import Caller, Step, calling
from vton_ui.ui.signatures import CALLER, KEY, Answer, is_free, parameters_of


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
        value = await _notify_steps(_last(call.endpoint(**given)), call)
    except gr.Error as exc:
        return _refused(exc.message)
    return await _result(value, call.root)


async def _notify_steps(work: Coroutine[Any, Any, Any], call: ToolCall) -> Any:
    """The outcome of `work`; its steps are sent to the agent."""
    steps: asyncio.Queue[Step | None] = asyncio.Queue()
    left = asyncio.Event()
    with calling(Caller(tell=steps.put_nowait, connected=lambda: not left.is_set())):
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
            left.set()
            # Or asyncio would log that its error was never retrieved.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            if is_free(call.endpoint):  # a paid job is followed to its end
                task.cancel()


async def _last(answer: Answer) -> Any:
    """The answer of an endpoint, or the last one that it streams."""
    if isinstance(answer, Coroutine):
        return await answer
    return [value async for value in answer][-1]


async def _result(value: Any, root: str) -> CallToolResult:
    images: list[ImageContent] = []
    facts: dict[str, Any] = {}
    for part in value if isinstance(value, tuple) else (value,):
        if isinstance(part, gr.FileData):
            images.append(await _image(part.path))
            facts["picture"] = file_address(root, part.path)
        elif isinstance(part, list) and all("path" in file for file in part):
            images += [await _image(file["path"]) for file in part]
            facts["pictures"] = [file_address(root, file["path"]) for file in part]
        elif isinstance(part, list):
            facts["looks"] = part
        elif part is not None:
            facts |= part
    text = TextContent(type="text", text=json.dumps(facts))
    return CallToolResult(content=[*images, text], structuredContent=facts)


async def _image(path: str) -> ImageContent:
    picture = base64.b64encode(await asyncio.to_thread(Path(path).read_bytes)).decode()
    return ImageContent(type="image", data=picture, mimeType=f"image/{'png' if path.endswith('.png') else 'jpeg'}")


def _refused(words: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=words)], isError=True)
