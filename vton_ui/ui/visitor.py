"""Who a visitor is, as far as the owner's caps go."""

from __future__ import annotations

import gradio as gr


def visitor_of(request: gr.Request | None, proxies: int) -> str:
    """The user name if signed in, else the address.

    Args:
        request: The request of the event.
        proxies: How many proxies of one's own stand before the server. Each appends the address it was called from
            to X-Forwarded-For, so that many from the right can be believed; all before them a visitor can forge.
    """
    if request is None:
        return "unknown"
    name = getattr(request, "username", None)
    if name:
        return f"user {name}"
    chain = [part.strip() for part in str(request.headers.get("x-forwarded-for") or "").split(",") if part.strip()]
    if proxies and len(chain) >= proxies:
        return f"address {chain[-proxies]}"
    return f"address {request.client.host if request.client else 'unknown'}"
