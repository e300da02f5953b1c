"""What is put around Gradio's own web app: what it may be asked, how much it takes, and what it may answer.

Gradio gives every file by its path on this server and asks for it by that path. Here the folder of uploads goes by
the name of `PUBLIC`: the real name is put in on the way in and taken out on the way out, so that no answer tells
where anything lies, and no other file can be asked for.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from vton_ui.ui.uploads import MAX_FILE_BYTES, PUBLIC, real

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

MAX_BODY = 2_000_000
MAX_MCP_BODY = 2 * MAX_FILE_BYTES
"""Agents have no other way to bring a photo than inside the call, a third larger than it is."""
MAX_UPLOAD_BODY = 8 * MAX_FILE_BYTES
"""A person and six garments; Gradio itself looks at every single file."""

SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)
SAFE_FILE = (
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    (b"cache-control", b"private"),
)

_FILE = re.compile(r"(?P<route>.*/(?:gradio_api/)?file[=/])(?P<path>.*)", re.DOTALL)
# Doors that this app has no use for: a proxy, a video converter, state written to disk, a poll twenty times a second.
_CLOSED = re.compile(r"/(?:proxy=|process_recording|component_server|deep_link|custom_component/|dev/reload)")
_IN_JSON = re.compile(rb'("path"\s*:\s*")' + PUBLIC.encode() + rb"(?=[/\\])")
_TEXTS = (b"application/json", b"text/html", b"text/event-stream", b"text/plain")

_log = logging.getLogger(__name__)


class Guard:
    """ASGI middleware around Gradio's app; `folder` is where it keeps uploads."""

    def __init__(self, app: App, folder: Path) -> None:
        self.app = app
        roots = {str(folder.absolute()), str(folder.resolve())}
        spelled = {way for root in roots for way in (root, json.dumps(root)[1:-1], quote(root))}
        any_root = b"|".join(re.escape(way.encode()) for way in sorted(spelled, key=len, reverse=True))
        self.names_folder = re.compile(rb"(?<![\w/.-])(?:" + any_root + rb")(?=[/\\]|%5C)")
        self.root_in_json = rb"\g<1>" + json.dumps(str(folder.absolute()))[1:-1].replace("\\", r"\\").encode()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send, self.names_folder, is_file=bool(_FILE.fullmatch(scope["path"])))
        try:
            scope = _opened(scope)
            await self.app(scope, await self._limited(scope, receive), answer.send)
        except _Refused as exc:
            await answer.say(exc.status, str(exc))
        except Exception as exc:  # Gradio raises at nonsense, and uvicorn would log all of its frames
            _log.error("failed: %s", where(exc))
            await answer.say(500, "Something failed in this app. Try again.")

    async def _limited(self, scope: Message, receive: Receive) -> Receive:
        """The request's body, up to the limit; where it is JSON, with the folder's real name in it."""
        path, headers = scope["path"], dict(scope["headers"])
        limit = MAX_BODY
        if "/gradio_api/upload" in path:
            limit = MAX_UPLOAD_BODY
        elif "/gradio_api/mcp" in path:
            limit = MAX_MCP_BODY
        length = headers.get(b"content-length", b"0")
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
        body, message = b"", {}
        while message.get("type") != "http.disconnect" and message.get("more_body", True):
            message = await counted()
            body += message.get("body", b"")
        whole: list[Message] = [{"type": "http.request", "body": _IN_JSON.sub(self.root_in_json, body)}]

        async def replayed() -> Message:
            return whole.pop() if whole else await receive()

        return replayed


class _Refused(Exception):
    """A request that is answered here."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def _too_large(limit: int) -> _Refused:
    return _Refused(413, f"This is more than {limit // 1_000_000} MB. Send photos to /gradio_api/upload, 30 MB each.")


def _opened(scope: Message) -> Message:
    """The request with the real path of the file that it asks for."""
    path: str = scope["path"]
    file = _FILE.fullmatch(path)
    if file is None:
        if _CLOSED.search(path):
            raise _Refused(403, "There is nothing here.")
        return scope
    wanted = real(file["path"])
    if wanted is None:
        raise _Refused(403, "There is no such file.")
    # Gradio answers a range with all headers of the request, keys and cookies included: it gets the whole file.
    headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"range"]
    return {**scope, "path": file["route"] + wanted, "headers": headers}


class _Answer:
    """An answer on its way out."""

    def __init__(self, send: Send, names_folder: re.Pattern[bytes], *, is_file: bool) -> None:
        self._send, self._names_folder, self._is_file = send, names_folder, is_file
        self._started = self._is_text = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._started = True
            headers = [(name.lower(), value) for name, value in message["headers"]]
            kind = dict(headers).get(b"content-type", b"")
            self._is_text = not self._is_file and kind.startswith(_TEXTS)
            ours = SAFE + (SAFE_FILE if self._is_file else ())
            dropped = {name for name, _ in ours} | ({b"content-length"} if self._is_text else set())
            message = {**message, "headers": [pair for pair in headers if pair[0] not in dropped] + list(ours)}
        elif self._is_text and message.get("body"):
            # Gradio sends a page, an object and an event each in one piece.
            message = {**message, "body": self._names_folder.sub(PUBLIC.encode(), message["body"])}
        await self._send(message)

    async def say(self, status: int, words: str) -> None:
        if self._started:
            return  # the connection breaks off, which is all that can still be said
        kind = (b"content-type", b"application/json")
        await self.send({"type": "http.response.start", "status": status, "headers": [kind]})
        await self.send({"type": "http.response.body", "body": json.dumps({"detail": words}).encode()})


def where(exc: BaseException) -> str:
    """An error as the log may tell it: its kind and the line, with nothing of what a visitor sent."""
    frame = exc.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f" at {Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else ""
    return type(exc).__name__ + place
