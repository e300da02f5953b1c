"""Who a visitor is, as far as the owner's caps go."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

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
        return f"address {_household(chain[-proxies])}"
    return f"address {_household(request.client.host) if request.client else 'unknown'}"


def _household(address: str) -> str:
    """The address; of an IPv6 one the first half, since one household has all of the second."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network(f"{parsed}/64", strict=False)) if isinstance(parsed, IPv6Address) else str(parsed)
