"""The middleware around Gradio's web app: closed routes, limits of bodies, headers, and errors without details."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vton_ui.disk import disk_full
from vton_ui.pictures import photos
from vton_ui.quota import UploadQuota
from vton_ui.session_uploads import SessionUploads
from vton_ui.ui.compat import routes
from vton_ui.ui.web.intake import Refused, is_upload, limited
from vton_ui.ui.web.kept import kept_picture
from vton_ui.ui.web.uploads import is_upload_path
from vton_ui.ui.web.visitor import browser_in

SAFE = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"))
# A file that is opened by itself must not run as a page. Shared caches must not keep it.
SAFE_FILE = (
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    (b"cache-control", b"private"),
)

NO_FILE = "There is no such file."
DRAIN_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Guard:
    """ASGI middleware around Gradio's app. Arguments: see `Studio`."""

    def __init__(self, app: ASGIApp, *, store: Path, uploaded: UploadQuota, session_uploads: SessionUploads) -> None:
        self.app, self._store = app, store
        self._uploaded, self._session_uploads = uploaded, session_uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer, body = _Answer(send, scope, self._session_uploads), _Body(receive)
        try:
            received = await limited(scope, body.receive, self._uploaded)
            await self.app(_checked(scope, self._store), received, answer.send)
            return
        except Refused as exc:
            refused = exc
        except Exception as exc:
            refused = _refusal(scope, exc)
        if not answer.started:  # otherwise closing the connection is the only signal left
            await body.drain()
            await _response(scope, refused)(scope, receive, answer.send)


def _refusal(scope: Scope, exc: Exception) -> Refused:
    """The answer to an error that nothing else handled."""
    full = disk_full(exc)
    if full is not None:
        return Refused(507, str(full))
    # Refused here, because uvicorn would log every frame of Gradio's own error.
    if isinstance(exc, (TypeError, KeyError)) and routes.UNCHECKED.search(scope["path"]):
        return Refused(422, "This request is malformed: something in it is missing or unknown. See /gradio_api/info.")
    _log.error("failed: %s", where(exc))
    return Refused(500, "Something failed in this app. Try again.")


def _response(scope: Scope, refused: Refused) -> Response:
    """A refusal; of an upload as plain text, which is what the page shows."""
    if is_upload(scope):
        return PlainTextResponse(str(refused), refused.status)
    return JSONResponse({"detail": str(refused)}, refused.status)


class _Body:
    """A request's body on its way in."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._over = receive, False

    async def receive(self) -> Message:
        message = await self._receive()
        self._over = not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Read the rest and drop it: browsers show no answer that comes while they still send."""
        rest = photos.MAX_BYTES
        with suppress(TimeoutError, asyncio.TimeoutError):
            while rest > 0 and not self._over:
                rest -= len((await asyncio.wait_for(self.receive(), DRAIN_SECONDS)).get("body", b""))


def _checked(scope: Scope, store: Path) -> Scope:
    """The request as Gradio may see it. Of files it serves uploads, with them copies of examples, and kept pictures.

    Raises:
        Refused: The route is closed, or the file is not served.
    """
    path = routes.file_path(scope["path"])
    if path is None:
        if routes.CLOSED.search(scope["path"]):
            raise Refused(403, "This is closed here.")
        return scope
    picture = kept_picture(path, store)
    if picture is not None:
        scope = {**scope, "path": scope["path"].removesuffix(path) + str(picture)}
    elif not is_upload_path(path):
        raise Refused(403, NO_FILE)
    # Gradio answers a range with all headers of the request, keys and cookies among them: it gets the whole file.
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name.lower() != b"range"]}


class _Answer:
    """An answer on its way out."""

    def __init__(self, send: Send, scope: Scope, session_uploads: SessionUploads) -> None:
        self._send, self._scope, self._session_uploads = send, scope, session_uploads
        self._is_file = routes.file_path(scope["path"]) is not None
        self.started = self._lists_uploads = self._replaced = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            if self._is_file and message["status"] >= 400:
                await self._no_file(message["status"])
                return
            self._lists_uploads = message["status"] == 200 and is_upload(self._scope)
            ours = SAFE + SAFE_FILE * self._is_file
            kept = [pair for pair in message["headers"] if pair[0].lower() not in dict(ours)]
            message = {**message, "headers": [*kept, *ours]}
        elif self._replaced:
            return
        elif self._lists_uploads and message.get("body"):
            browser = browser_in(Headers(scope=self._scope))
            self._session_uploads.add_upload(browser, map(Path, json.loads(message["body"])))
        await self._send(message)

    async def _no_file(self, status: int) -> None:
        """Replace Gradio's answer, which has the file's path in it."""
        self._replaced = True
        body = b"" if self._scope["method"] == "HEAD" else json.dumps({"detail": NO_FILE}).encode()
        headers = [(b"content-type", b"application/json"), *SAFE, *SAFE_FILE]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


async def malformed(request: Any, exc: Exception) -> JSONResponse:
    """The answer to a request that FastAPI cannot read; FastAPI's own would repeat the request."""
    return JSONResponse({"detail": "This request is malformed."}, 422)


def where(exc: BaseException) -> str:
    """An error for the log: its type and its line, and nothing that a visitor sent."""
    frames = traceback.extract_tb(exc.__traceback__)
    return type(exc).__name__ + (f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "")
