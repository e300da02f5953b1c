"""Photos that are given as a web address or a data URI, which is how agents name files."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import gradio as gr
from safehttpx import AsyncSecureTransport, get, matches_domain_whitelist  # type: ignore[import-untyped]

from vton_ui.disk import check_room, disk_full
from vton_ui.errors import DiskFull, PhotoError, RateLimited
from vton_ui.pictures import photos
from vton_ui.quota import UploadQuota
from vton_ui.ui.compat.files import (
    HUGGING_FACE_HOSTS,
    current_request,
    register_upload,
    replace_download,
    save_data_uri,
    upload_folder,
)
from vton_ui.ui.compat.routes import path_in
from vton_ui.ui.web.uploads import written
from vton_ui.ui.web.visitor import visitor_of

SCHEMES = ("http://", "https://", "data:")
ADDRESS_BYTES = 100_000
"""What an address counts as at least, so that nobody has this server ask thousands of them."""
DOWNLOAD_SECONDS = 20.0
"""For the whole photo behind an address."""
MAX_REDIRECTIONS = 5


async def fetched(address: str, *, slot: str | None = None, quota: UploadQuota | None = None) -> Path:
    """The file behind a data URI or a public web address, in the folder of uploads.

    Args:
        address: What it leads to has the limits of an upload.
        quota: Counts a download. A data URI came inside a request, which is counted already.

    Raises:
        PhotoError: There is none, or it is on a private network, too large, or too slow.
        RateLimited: It exceeds the visitor's quota.
        DiskFull: There is no room for it.
    """
    try:
        upload = _upload_at(address)
        if upload:
            return upload
        path = save_data_uri(address) if address.startswith("data:") else await _fetch(address, quota)
    except (RateLimited, DiskFull):
        raise
    except Exception as exc:  # of the network, the name server or the decoder
        full = disk_full(exc)
        if full is not None:
            raise full from exc
        raise PhotoError(
            "The photo cannot be fetched from this address.", "Upload the file, or give a public one.", slot=slot
        ) from exc
    register_upload(path)
    return path


def refuse_addresses(component: Any) -> None:
    """Have a component of the page take uploads only: Gradio would download from any address."""

    async def refuse(source: str) -> None:
        if source.lower().startswith(("http:", "https:")):
            raise gr.Error("Upload the photo; addresses are not opened here.", print_exception=False)

    replace_download(component, refuse)


def _upload_at(address: str) -> Path | None:
    """The upload at an address of this server, which is often a private address, and needs no download."""
    path = path_in(address)
    return path if path.is_file() and path.resolve().is_relative_to(upload_folder().resolve()) else None


async def _fetch(address: str, quota: UploadQuota | None) -> Path:
    visitor = visitor_of(current_request())
    if quota is not None:
        quota.count(visitor, ADDRESS_BYTES)
    photo = await asyncio.wait_for(_downloaded(address), DOWNLOAD_SECONDS)
    check_room(upload_folder(), len(photo))
    if quota is not None:
        quota.count(visitor, max(0, len(photo) - ADDRESS_BYTES))
    return written(photo, "photo")


async def _downloaded(address: str) -> bytes:
    """The body at a public web address. Every redirection is checked like the first address."""
    for _ in range(MAX_REDIRECTIONS):
        host = urlsplit(address).hostname or ""
        at = host if matches_domain_whitelist(host, HUGGING_FACE_HOSTS) else await _public_address(host)
        response = await get(address, _transport=_Limited(at), timeout=DOWNLOAD_SECONDS)
        if not response.has_redirect_location:
            return bytes(response.raise_for_status().content)
        address = urljoin(address, response.headers["location"])
    raise ValueError("too many redirections")


async def _public_address(host: str) -> str:
    """An address of a host all of whose addresses are public. Only the local name server is asked."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    addresses = [str(address[4][0]) for address in found]
    for address in map(ipaddress.ip_address, addresses):
        if not address.is_global or address.is_multicast:
            raise ValueError("a private address")
    return addresses[0]


class _Limited(AsyncSecureTransport):  # type: ignore[misc]
    """Reads at most as many bytes as a photo may have, and decompresses nothing."""

    async def handle_async_request(self, request: Any) -> Any:
        request.headers["accept-encoding"] = "identity"
        response: Any = await super().handle_async_request(request)
        body = bytearray()
        try:
            async for part in response.stream:
                body += part
                if len(body) > photos.MAX_BYTES:
                    raise ValueError("too large")
        finally:
            await response.aclose()
        kept = {name: value for name, value in response.headers.items() if name == "location"}
        return type(response)(response.status_code, headers=kept, content=bytes(body))
