"""The limits of a request's body: its size, the visitor's quota, and JSON that can be worked with."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope

from vton_ui.disk import check_room
from vton_ui.errors import DiskFull, RateLimited
from vton_ui.pictures.photos import MAX_BYTES
from vton_ui.quota import UploadQuota
from vton_ui.ui.compat.calls import replayed
from vton_ui.ui.compat.files import upload_folder
from vton_ui.ui.compat.routes import MCP, UPLOAD
from vton_ui.ui.web.visitor import visitor_in

MAX_BODY = 2_000_000
MAX_MCP_BODY = 2 * MAX_BYTES
"""Agents may have no other way to send photos than inside the call, where base64 adds a third."""
MAX_UPLOAD_BODY = 8 * MAX_BYTES
"""A person and six garments; Gradio itself limits every single file."""
MOST_VALUES = 50_000
"""Values of a JSON body, each of which takes far more memory than its bytes."""
PHOTO_BYTES = 100_000
"""JSON of this size has a photo in it and counts as an upload; without a photo it has a tenth of it."""

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class Refused(Exception):
    """A request that the guard answers itself."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


async def limited(scope: Scope, receive: Receive, uploaded: UploadQuota) -> Receive:
    """The request's body, up to the limits. Whatever is no upload is read at once and checked.

    Raises:
        Refused: It is too much, or cannot be worked with.
    """
    counted = _Counted(scope, receive, uploaded)
    if scope["method"] != "POST" or is_upload(scope):
        return counted.receive
    try:
        body = await Request(scope, counted.receive).body()
    except ClientDisconnect as exc:
        raise Refused(400, "The request breaks off.") from exc
    if sum(map(body.count, (b"[", b"{", b","))) > MOST_VALUES:
        raise Refused(400, "This request has too many values in it.")
    await asyncio.to_thread(_check_json, body)
    return replayed(body, receive)


class _Counted:
    """A body that is counted as it arrives."""

    def __init__(self, scope: Scope, receive: Receive, uploaded: UploadQuota) -> None:
        headers = Headers(scope=scope)
        self._receive, self._uploaded, self._visitor = receive, uploaded, visitor_in(headers)
        self._limit, self._free = _limit(scope), 0 if is_upload(scope) else PHOTO_BYTES
        self._received = self._charged = 0
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self._limit:
            raise _too_large(self._limit)
        self._length = int(length)
        if self._length > self._free:
            self._admit(self._length, counting=False)

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self._limit:
            raise _too_large(self._limit)
        if self._received > self._free:
            self._admit(self._received - self._charged, counting=True)
            self._charged = self._received
        return message

    def _admit(self, size: int, *, counting: bool) -> None:
        try:
            check_room(upload_folder(), max(size, self._length - self._received))
            (self._uploaded.count if counting else self._uploaded.check)(self._visitor, size)
        except RateLimited as exc:
            raise Refused(429, str(exc)) from exc
        except DiskFull as exc:
            raise Refused(507, str(exc)) from exc


def is_upload(scope: Scope) -> bool:
    """Whether a request uploads files."""
    return bool(scope["path"].endswith(UPLOAD))


def _limit(scope: Scope) -> int:
    if is_upload(scope):
        return MAX_UPLOAD_BODY
    return MAX_MCP_BODY if MCP in scope["path"] else MAX_BODY


def _too_large(limit: int) -> Refused:
    return Refused(413, f"This is more than {limit // 10**6} MB. Send photos to /gradio_api/upload, up to 30 MB each.")


def _check_json(body: bytes) -> None:
    """Refuse numbers and text that JSON cannot express: they would become an error of ours later.

    A body that is no JSON at all is left to its reader.
    """
    try:
        read = json.loads(body, parse_constant=_refuse_number, parse_float=_finite)
        if _SURROGATE.search(body):
            json.dumps(read, ensure_ascii=False).encode()
    except UnicodeEncodeError as exc:
        raise Refused(400, "The text in this request is broken: it has half a character in it.") from exc
    except RecursionError as exc:
        raise Refused(400, "This request is nested too deeply.") from exc
    except json.JSONDecodeError:
        return
    except ValueError as exc:  # an integer of thousands of digits
        if not isinstance(exc, UnicodeDecodeError):
            raise Refused(400, "A number in this request is too large.") from exc


def _refuse_number(name: str) -> Any:
    raise Refused(400, f"{name} is no number that can be used here.")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise Refused(400, "A number in this request is too large.")
    return number
