"""What is put around Gradio's own web app: which doors are open, how much is taken in, and what goes out with it."""

from __future__ import annotations

import logging
import re
import traceback
from pathlib import Path
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vton_ui.ui.names import real_path, with_public_paths, with_real_paths
from vton_ui.ui.uploads import MAX_FILE_BYTES

MAX_BODY = 2_000_000
MAX_MCP_BODY = 2 * MAX_FILE_BYTES
"""Agents may have no other way to bring photos than inside the call, each a third larger than it is."""
MAX_UPLOAD_BODY = 8 * MAX_FILE_BYTES
"""A person and six garments; Gradio itself looks at every single file."""

SAFE = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"))
# A file that is opened by itself must not run as a page. Nobody between here and the visitor keeps it.
SAFE_FILE = (
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    (b"cache-control", b"private"),
)

_FILE = re.compile(r"(?P<route>.*/file[=/])(?P<path>.*)", re.DOTALL)
# Doors that this app has no use for: a proxy, a video converter, state written to disk, a poll twenty times a second.
_CLOSED = re.compile(r"/(?:proxy=|process_recording|component_server|deep_link|custom_component/|dev/reload)")
_TEXTS = (b"application/json", b"text/html", b"text/event-stream", b"text/plain")

_log = logging.getLogger(__name__)


class Guard:
    """ASGI middleware around Gradio's app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send, is_file=_FILE.fullmatch(scope["path"]) is not None)
        try:
            await self.app(_opened(scope), await _taken_in(scope, receive), answer.send)
            return
        except _Refused as exc:
            instead = JSONResponse({"detail": str(exc)}, exc.status)
        except Exception as exc:  # Gradio raises at nonsense, and uvicorn would log all of its frames
            _log.error("failed: %s", where(exc))
            instead = JSONResponse({"detail": "Something failed in this app. Try again."}, 500)
        if not answer.started:  # else the connection breaks off, which is all that can still be said
            await instead(scope, receive, answer.send)


class _Refused(Exception):
    """A request that is answered here."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def _opened(scope: Scope) -> Scope:
    """The request, with the real path of the file that it asks for."""
    file = _FILE.fullmatch(scope["path"])
    if file is None:
        if _CLOSED.search(scope["path"]):
            raise _Refused(403, "This is closed here.")
        return scope
    path = real_path(file["path"])
    if path is None:
        raise _Refused(403, "There is no such file.")
    # Gradio answers a range with all headers of the request, keys and cookies among them: it gets the whole file.
    headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"range"]
    return {**scope, "path": file["route"] + path, "headers": headers}


async def _taken_in(scope: Scope, receive: Receive) -> Receive:
    """The request's body, up to the limit; what is no upload is read at once, and its files get their real paths."""
    limits = {"/gradio_api/upload": MAX_UPLOAD_BODY, "/gradio_api/mcp": MAX_MCP_BODY}
    limit = next((limits[route] for route in limits if route in scope["path"]), MAX_BODY)
    length = dict(scope["headers"]).get(b"content-length", b"0")
    if not length.isdigit() or int(length) > limit:
        raise _too_large(limit)
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise _too_large(limit)
        return message

    if limit != MAX_BODY or scope["method"] != "POST":
        return counted
    body, more = b"", True
    while more:
        message = await counted()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    whole: list[Message] = [{"type": "http.request", "body": with_real_paths(body)}]

    async def replayed() -> Message:
        return whole.pop() if whole else await receive()

    return replayed


def _too_large(limit: int) -> _Refused:
    return _Refused(413, f"This is more than {limit // 10**6} MB. Send photos to /gradio_api/upload, up to 30 MB each.")


class _Answer:
    """An answer on its way out."""

    def __init__(self, send: Send, *, is_file: bool) -> None:
        self._send, self._is_file = send, is_file
        self.started = self._is_text = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = [(name.lower(), value) for name, value in message["headers"]]
            self._is_text = not self._is_file and dict(headers).get(b"content-type", b"").startswith(_TEXTS)
            ours = SAFE + SAFE_FILE * self._is_file
            replaced = {name for name, _ in ours} | ({b"content-length"} if self._is_text else set())
            message = {**message, "headers": [*(pair for pair in headers if pair[0] not in replaced), *ours]}
        elif self._is_text and message.get("body"):
            # Gradio sends a page, an object and an event in one piece each.
            message = {**message, "body": with_public_paths(message["body"])}
        await self._send(message)


async def malformed(request: Any, exc: Exception) -> JSONResponse:
    """The answer to a request that FastAPI cannot read; its own would repeat it all."""
    return JSONResponse({"detail": "This request is malformed."}, 422)


def where(exc: BaseException) -> str:
    """An error as the log may tell it: its kind and its line, and nothing of what a visitor sent."""
    frames = traceback.extract_tb(exc.__traceback__)
    return type(exc).__name__ + (f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "")
