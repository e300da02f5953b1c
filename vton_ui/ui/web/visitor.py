"""Who calls: the visitor, for the owner's limits, and the browser, for its own jobs and files."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network

import gradio as gr
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-vton-visitor"
"""The header in which `Visitors` passes the visitor on; what a visitor sends under this name is dropped."""
COOKIE = "vton-browser"
COOKIE_SECONDS = 365 * 86400

_ID = re.compile(r"[A-Za-z0-9_-]{22,64}")
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](?::\d+)?|(?P<v4>\d+\.\d+\.\d+\.\d+):\d+")


class Visitors:
    """ASGI middleware: identifies the visitor, and gives every browser a secret name in a cookie.

    Args:
        proxies: How many proxies of the owner's stand before the server. Each appends the address it was called from
            to X-Forwarded-For, so that many from the right are reliable; a visitor can forge all before them.
    """

    def __init__(self, app: ASGIApp, *, proxies: int) -> None:
        self._app, self._proxies = app, proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        visitor = _address(scope, headers, self._proxies).encode("ascii", "backslashreplace")
        others = [pair for pair in scope["headers"] if pair[0].lower() != HEADER.encode()]

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["method"] == "GET" and _is_page(message):
                message = {**message, "headers": [*message["headers"], *_cookie(scope, headers)]}
            await send(message)

        await self._app({**scope, "headers": [*others, (HEADER.encode(), visitor)]}, receive, sent)


def visitor_of(request: gr.Request | None) -> str:
    """The user name if signed in, otherwise the address."""
    if request is None:
        return "unknown"
    name = getattr(request, "username", None)
    return f"user {name}" if name else visitor_in(request.headers)


def visitor_in(headers: Headers) -> str:
    """The address that `Visitors` has written into a request."""
    return headers.get(HEADER) or "unknown"


def cookie_of(request: gr.Request | None) -> str:
    """The secret name in the browser's cookie; empty without one: nobody comes back who cannot be known again."""
    return "" if request is None else _browser_id(request.headers) or ""


def browser_of(request: gr.Request | None) -> str:
    """The browser by its cookie; without one, the visitor."""
    found = None if request is None else _browser_id(request.headers)
    return f"browser {found}" if found else visitor_of(request)


def browser_in(headers: Headers) -> str:
    """The same from headers only, without the signed-in user."""
    found = _browser_id(headers)
    return f"browser {found}" if found else visitor_in(headers)


def _browser_id(headers: Headers) -> str | None:
    found = cookie_parser(headers.get("cookie") or "").get(COOKIE, "")
    return found if _ID.fullmatch(found) else None


def _is_page(message: Message) -> bool:
    kinds = [value for name, value in message["headers"] if name.lower() == b"content-type"]
    return any(kind.startswith(b"text/html") for kind in kinds)


def _cookie(scope: Scope, headers: Headers) -> list[tuple[bytes, bytes]]:
    """The browser's name; an old one is kept. No shared cache may give the page to another browser."""
    name = _browser_id(headers) or secrets.token_urlsafe(24)
    forwarded = (headers.get("x-forwarded-proto") or "").partition(",")[0].strip()
    # On a Space the page is in another site's frame, where browsers keep only cookies of this kind.
    secure = (forwarded or scope.get("scheme")) == "https"
    site = "SameSite=None; Secure; Partitioned" if secure else "SameSite=Lax"
    cookie = f"{COOKIE}={name}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; {site}"
    return [(b"set-cookie", cookie.encode()), (b"cache-control", b"private")]


def _address(scope: Scope, headers: Headers, proxies: int) -> str:
    """The visitor by address: the caller of the owner's outermost proxy, otherwise the connection's."""
    chain = _chain(headers.getlist("x-forwarded-for"))
    if 0 < proxies <= len(chain):
        return f"address {_network(chain[-proxies])}"
    return f"address {_network(scope['client'][0]) if scope.get('client') else 'unknown'}"


def _chain(lines: Iterable[str]) -> list[str]:
    """The addresses of X-Forwarded-For, which may come in several lines."""
    whole = ",".join(lines)
    return [part.strip() for part in whole.split(",")] if whole.strip() else []


def _network(address: str) -> str:
    """An address without its port; of IPv6 only the first half, since one household has the whole second half."""
    found = _WITH_PORT.fullmatch(address)
    bare = (found["v6"] or found["v4"]) if found else address
    try:
        parsed = ip_address(bare.partition("%")[0])
    except ValueError:
        return address[:100]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ip_network((int(parsed) >> 64 << 64, 64)))
