"""What is put around Gradio's own web app: which doors are open, how much is taken in, and what goes out with it."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vton_ui.disk import disk_full
from vton_ui.quota import UploadQuota
from vton_ui.session_uploads import SessionUploads
from vton_ui.ui.web.intake import Intake, Refused, is_upload
from vton_ui.ui.web.names import real_path, with_public_paths
from vton_ui.ui.web.uploads import MAX_FILE_BYTES
from vton_ui.ui.web.visitor import browser_in

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

NO_FILE = "There is no such file."
DRAIN_SECONDS = 1.0
# Gradio looks for the arguments and files of these without a look whether they are there.
_FROM_OUTSIDE = re.compile(r"/gradio_api/(?:call/v2/|upload)")

_log = logging.getLogger(__name__)


class Guard:
    """ASGI middleware around Gradio's app.

    Args:
        uploaded: How much each visitor may upload.
        session_uploads: Which uploads are whose.
    """

    def __init__(self, app: ASGIApp, *, uploaded: UploadQuota, session_uploads: SessionUploads) -> None:
        self.app, self._session_uploads = app, session_uploads
        self._intake = Intake(uploaded=uploaded)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer, body = _Answer(send, scope, self._session_uploads), _Body(receive)
        try:
            await self.app(_opened(scope), await self._intake.taken_in(scope, body.receive), answer.send)
            return
        except Refused as exc:
            refused = exc
        except Exception as exc:
            refused = _refusal(scope, exc)
        if not answer.started:  # else the connection breaks off, which is all that can still be said
            await body.drain()
            await _in_words(scope, refused)(scope, receive, answer.send)


def _refusal(scope: Scope, exc: Exception) -> Refused:
    """What a visitor is told of an error that nobody caught."""
    full = disk_full(exc)
    if full is not None:
        return Refused(507, str(full))
    # Gradio raises at arguments it does not know and files that are none, and uvicorn would log all of its frames
    if isinstance(exc, (TypeError, KeyError)) and _FROM_OUTSIDE.search(scope["path"]):
        return Refused(422, "This request is malformed: something in it is missing or unknown. See /gradio_api/info.")
    _log.error("failed: %s", where(exc))
    return Refused(500, "Something failed in this app. Try again.")


def _in_words(scope: Scope, refused: Refused) -> Response:
    """A refusal; of an upload as plain text, which is what the page shows."""
    if is_upload(scope):
        return PlainTextResponse(str(refused), refused.status)
    return JSONResponse({"detail": str(refused)}, refused.status)


class _Body:
    """A request's body on its way in."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._over = receive, False

    async def receive(self) -> Message:
        """The next piece."""
        message = await self._receive()
        self._over = not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Take in the rest and drop it: browsers show no answer that comes while they still send."""
        rest = MAX_FILE_BYTES
        with suppress(TimeoutError, asyncio.TimeoutError):
            while rest > 0 and not self._over:
                rest -= len((await asyncio.wait_for(self.receive(), DRAIN_SECONDS)).get("body", b""))


def _opened(scope: Scope) -> Scope:
    """The request, with the real path of the file that it asks for."""
    file = _FILE.fullmatch(scope["path"])
    if file is None:
        if _CLOSED.search(scope["path"]):
            raise Refused(403, "This is closed here.")
        return scope
    path = real_path(file["path"])
    if path is None:
        raise Refused(403, NO_FILE)
    # Gradio answers a range with all headers of the request, keys and cookies among them: it gets the whole file.
    headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"range"]
    return {**scope, "path": file["route"] + path, "headers": headers}


class _Answer:
    """An answer on its way out."""

    def __init__(self, send: Send, scope: Scope, session_uploads: SessionUploads) -> None:
        self._send, self._scope, self._session_uploads = send, scope, session_uploads
        self._is_file = _FILE.fullmatch(scope["path"]) is not None
        self.started = self._is_text = self._is_list = self._replaced = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            if self._is_file and message["status"] >= 400:
                await self._no_file(message["status"])
                return
            headers = [(name.lower(), value) for name, value in message["headers"]]
            self._is_text = not self._is_file and dict(headers).get(b"content-type", b"").startswith(_TEXTS)
            self._is_list = message["status"] == 200 and is_upload(self._scope)
            ours = SAFE + SAFE_FILE * self._is_file
            replaced = {name for name, _ in ours} | ({b"content-length"} if self._is_text else set())
            message = {**message, "headers": [*(pair for pair in headers if pair[0] not in replaced), *ours]}
        elif self._replaced:
            return
        elif self._is_text and message.get("body"):
            if self._is_list:
                self._session_uploads.add_upload(
                    browser_in(Headers(scope=self._scope)), map(Path, json.loads(message["body"]))
                )
            # Gradio sends a page, an object and an event in one piece each.
            message = {**message, "body": with_public_paths(message["body"])}
        await self._send(message)

    async def _no_file(self, status: int) -> None:
        """In the place of Gradio's own words, which tell where the file would lie."""
        self._replaced = True
        body = b"" if self._scope["method"] == "HEAD" else json.dumps({"detail": NO_FILE}).encode()
        headers = [(b"content-type", b"application/json"), *SAFE, *SAFE_FILE]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


async def malformed(request: Any, exc: Exception) -> JSONResponse:
    """The answer to a request that FastAPI cannot read; its own would repeat it all."""
    return JSONResponse({"detail": "This request is malformed."}, 422)


def where(exc: BaseException) -> str:
    """An error as the log may tell it: its kind and its line, and nothing of what a visitor sent."""
    frames = traceback.extract_tb(exc.__traceback__)
    return type(exc).__name__ + (f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "")
