"""Who may call the server: under which host names, and from pages of which sites.

Any page in a visitor's browser can send requests to a server that the browser reaches, one at home included. Gradio
answers them all, and lets their page read the answers (its issue 13594).
"""

from __future__ import annotations

import asyncio
import re
import socket
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NETLOC = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9_.-]+))(?::(?P<port>\d{1,5}))?", re.IGNORECASE)
_PORTS = {"http": "80", "https": "443"}
_NOT_THIS_NAME = "This server does not answer to the name it was called by. Its owner can add the name to VTON_HOSTS."
_NOT_THIS_SITE = (
    "Pages of other sites may not use this server. Its owner can allow a site by naming its origin in VTON_ORIGINS."
)


class Origins:
    """The outermost ASGI middleware: pages of other sites can neither change nor read anything.

    Args:
        hosts: Further names of the server, in lower case; "*.example.com" means all names below.
        origins: Sites whose pages may call it, as scheme://host[:port].
    """

    def __init__(self, app: ASGIApp, *, hosts: tuple[str, ...], origins: tuple[str, ...]) -> None:
        self._app, self._hosts = app, hosts
        self._origins = frozenset(_origin(origin) for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Somebody else's name may resolve to this server (DNS rebinding), and its page would count as our own.
        if not await self._answers_to(_header(scope, b"host")):
            await JSONResponse({"detail": _NOT_THIS_NAME}, 400)(scope, receive, send)
            return
        origin = _header(scope, b"origin")
        named = origin is not None and _origin(origin) in self._origins
        foreign = origin is not None and not named and not _is_own(origin, _header(scope, b"host") or "")
        if foreign and scope["method"] not in ("GET", "HEAD"):
            await JSONResponse({"detail": _NOT_THIS_SITE}, 403)(scope, receive, send)
            return
        granted = _granted(origin or "") if named else []
        if named and scope["method"] == "OPTIONS":
            await _preflight(scope, granted)(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if not pair[0].lower().startswith(b"access-control-")]
                message = {**message, "headers": kept + granted}
            await send(message)

        await self._app(scope, receive, sent)

    async def _answers_to(self, netloc: str | None) -> bool:
        host, _ = _parts(netloc or "")
        if not host:
            return False
        # Rebinding needs a name, so a numeric address is always right.
        if _is_address(host) or host == "localhost" or host.endswith(".localhost"):
            return True
        if any(host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in self._hosts):
            return True
        return host in await asyncio.to_thread(_machine_names)


def _header(scope: Scope, wanted: bytes) -> str | None:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == wanted]
    return ", ".join(values) if values else None


def _parts(netloc: str) -> tuple[str, str | None]:
    """Host and port of what stands in a Host header; no host if it is malformed."""
    found = _NETLOC.fullmatch(netloc.strip())
    if found is None:
        return "", None
    return (found["v6"] or found["name"]).lower().rstrip("."), found["port"]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _origin(origin: str) -> tuple[str, str, str | None]:
    """Scheme, host and port of an origin, without the default port; no host if it is malformed or "null"."""
    try:
        scheme, netloc, *rest = urlsplit(origin.strip())
    except ValueError:
        return "", "", None
    host, port = _parts(netloc)
    if scheme not in _PORTS or any(rest):
        return "", "", None
    return scheme, host, None if port == _PORTS[scheme] else port


def _is_own(origin: str, netloc: str) -> bool:
    """Whether an origin is the one that the request came to. A proxy may have terminated TLS."""
    scheme, host, port = _origin(origin)
    ours, our_port = _parts(netloc)
    return bool(host) and (host, port) == (ours, None if our_port == _PORTS[scheme] else our_port)


@lru_cache(maxsize=1)
def _machine_names() -> frozenset[str]:
    """This machine's names in its network. Asks the name server; call it off the event loop."""
    names = {name.lower().rstrip(".") for name in (socket.gethostname(), socket.getfqdn())}
    names |= {name.partition(".")[0] for name in names}
    return frozenset(names | {f"{name}.local" for name in names})


def _granted(origin: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]


def _preflight(scope: Scope, granted: list[tuple[bytes, bytes]]) -> Response:
    """The answer to a browser's CORS preflight."""
    response = PlainTextResponse("OK")
    requested = _header(scope, b"access-control-request-headers") or ""
    response.raw_headers += [
        *granted,
        (b"access-control-allow-methods", b"GET, HEAD, POST"),
        (b"access-control-allow-headers", requested.encode("latin-1")),
        (b"access-control-max-age", b"600"),
    ]
    return response
