"""How answers travel: what is compressed, and what a browser keeps."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import brotli  # type: ignore[import-untyped]
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vton_ui.ui.compat import routes
from vton_ui.ui.compat.assets import put_first
from vton_ui.ui.web.head import first_in_head
from vton_ui.ui.web.uploads import is_example

ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: bytes(brotli.compress(body, quality=6)),
    "gzip": lambda body: gzip.compress(body, 6, mtime=0),
}
"""The best first. Browsers take Brotli over TLS and on this machine only."""
FOR_GOOD = "max-age=31536000, immutable"
UNCHANGED = ("etag", "cache-control", "vary", "set-cookie", "x-content-type-options", "referrer-policy")
"""The headers that an answer without its body keeps."""


class Delivery:
    """ASGI middleware: completes the page's head, compresses the page, and has browsers keep what never changes.

    Gradio compresses only what has an address with a file extension. The page is asked for at every visit; whoever has
    it already is told so, without its body. It holds nothing of the visitor, so its size tells nothing either.
    """

    def __init__(self, app: ASGIApp, *, examples: Path) -> None:
        self._app, self._examples = app, examples
        self._head = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
        elif scope["path"] in routes.DESCRIPTIONS:
            await self._app(scope, receive, _Whole(send, Headers(scope=scope), self._first(scope)).send)
        elif (lasting := self._lasting(scope["path"])) is not None:
            await self._app(scope, receive, _kept(send, lasting))
        else:
            await self._app(scope, receive, send)

    def _first(self, scope: Scope) -> bytes:
        """What stands first in the head, if it is the page that is asked for."""
        if scope["path"] != routes.PAGE:
            return b""
        if not self._head:
            self._head = first_in_head(scope["app"].get_blocks()).encode()
        return self._head

    def _lasting(self, path: str) -> str | None:
        """The Cache-Control of an address that has its content's hash in it; None if it has none."""
        if routes.HASHED.fullmatch(path):
            return f"public, {FOR_GOOD}"
        file = routes.file_path(path)
        return f"private, {FOR_GOOD}" if file is not None and is_example(file, self._examples) else None


def _kept(send: Send, lasting: str) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            MutableHeaders(scope=message)["cache-control"] = lasting
        await send(message)

    return sent


class _Whole:
    """An answer that is sent as a whole: compressed, or not at all if the browser has it."""

    def __init__(self, send: Send, asked: Headers, first: bytes) -> None:
        self._send, self._asked, self._first = send, asked, first
        self._start: Message = {}
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        headers = MutableHeaders(raw=list(self._start["headers"]))
        if self._start["status"] == 200 and "content-encoding" not in headers:
            await asyncio.to_thread(self._pack, headers)
        await self._send({**self._start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": self._body})

    def _pack(self, headers: MutableHeaders) -> None:
        self._body = put_first(self._first, self._body)
        accepted = self._asked.get("accept-encoding", "")
        encoding = next((name for name in ENCODINGS if name in accepted), "")
        digest = hashlib.blake2b(self._body, digest_size=16).hexdigest()
        tag = f'"{digest}{encoding}"'
        headers["etag"], headers["cache-control"] = tag, "private, no-cache"
        headers.add_vary_header("Accept-Encoding")
        if tag in self._asked.get("if-none-match", ""):
            self._start["status"], self._body = 304, b""
            for name in set(headers) - set(UNCHANGED):
                del headers[name]
            return
        if encoding:
            self._body = _compressed(self._body, encoding)
            headers["content-encoding"] = encoding
        headers["content-length"] = str(len(self._body))


@lru_cache(maxsize=8)
def _compressed(body: bytes, encoding: str) -> bytes:
    """Remembered, since every visitor is sent the same page."""
    return ENCODINGS[encoding](body)
