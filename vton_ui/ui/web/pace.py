"""How fast requests that make work are let in."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from vton_ui.admission import Admission


class Pace:
    """ASGI middleware: uploads, clicks and calls one after the other, what is only looked at as it comes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._admission = Admission()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request in its turn."""
        if scope["type"] == "http" and scope["method"] == "POST":
            await self._admission.turn()
        await self.app(scope, receive, send)
