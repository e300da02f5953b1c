"""The tools of agents (MCP)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.context import LocalContext
from gradio.mcp import GradioMCPServer
from gradio.route_utils import get_root_url
from mcp.types import CallToolResult


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """An agent's call of an endpoint.

    Attributes:
        endpoint: The function that was given to `gr.api`.
        arguments: As the agent sent them, unchecked.
        request: The HTTP request of the call.
        root: The public address of the app.
        notify: Sends the number and the words of a step, if the agent asked for progress.
    """

    endpoint: Callable[..., Coroutine[Any, Any, Any] | AsyncGenerator[Any, None]]
    arguments: dict[str, Any]
    request: gr.Request
    root: str
    notify: Callable[[int, str], Awaitable[None]]


def serve_tools(blocks: gr.Blocks, answer: Callable[[ToolCall], Awaitable[CallToolResult]]) -> None:
    """Have `answer` answer the tool calls of agents, and describe the tools as the endpoints do.

    Why: for each call Gradio calls itself over HTTP, as one client for all agents, which hides the caller. It returns
    objects as Python's repr, repeats the arguments in its refusals, and names a tool that does not exist.
    Relies on: `Blocks.mcp_server_obj` and those of its attributes that are used here. `Server.call_tool` is public in
    the mcp package.
    Delete when: Gradio returns dicts as structured content, and calls without a loopback.
    """
    tools = blocks.mcp_server_obj
    assert tools is not None
    server = tools.mcp_server
    _describe(tools)

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

    # The endpoints check what they are given, and their refusals do not repeat it.
    server.call_tool(validate_input=False)(call_tool)


def _describe(tools: GradioMCPServer) -> None:
    """Leave out of the tools' descriptions what does not work here."""
    described, schema_of = tools.get_fn_description, tools.get_input_schema

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

    tools.get_fn_description = get_fn_description  # type: ignore[method-assign]
    tools.get_input_schema = get_input_schema  # type: ignore[method-assign]
