"""Which files a visitor may name, how they get here and are shown, and how they go again."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import secrets
import shutil
import socket
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import gradio as gr
from gradio.context import LocalContext
from gradio.processing_utils import PUBLIC_HOSTNAME_WHITELIST, hash_file, save_base64_to_cache
from gradio.utils import get_upload_folder
from safehttpx import AsyncSecureTransport, get, matches_domain_whitelist  # type: ignore[import-untyped]

from vton_ui.disk import check_room, disk_full
from vton_ui.errors import DiskFull, PhotoError, RateLimited
from vton_ui.quota import UploadQuota
from vton_ui.studio import Studio
from vton_ui.ui.web.names import real_path
from vton_ui.ui.web.visitor import visitor_of

MAX_FILE_BYTES = 30_000_000
DOWNLOAD_SECONDS = 20.0
"""All the time that a photo behind an address has to arrive."""


def own(path: Any, *, slot: str, examples: Path) -> Path:
    """The path, if it is an upload or an example; a visitor must not name any other file of the server.

    Raises:
        PhotoError: It is neither.
    """
    try:
        real = Path(path).resolve()
        there = real.is_file()
    except (OSError, RuntimeError, TypeError, ValueError) as exc:
        raise PhotoError("The photo is no upload of yours.", "Upload it first.", slot=slot) from exc
    # In this order, so that nobody learns which other files there are.
    if not any(real.is_relative_to(Path(root).resolve()) for root in (get_upload_folder(), examples)):
        raise PhotoError("The photo is no upload of yours.", "Upload it first.", slot=slot)
    if not there:
        raise PhotoError("The photo is no longer there.", "Upload it again.", slot=slot)
    return real


def visible_upload(browser: str, path: Any, *, slot: str, studio: Studio) -> Path:
    """The same for a file that a browser shows, and has not given up since it uploaded it."""
    real = own(path, slot=slot, examples=studio.examples)
    if studio.session_uploads.is_forgotten(browser, real):
        raise PhotoError("The photo is no longer there.", "Upload it again.", slot=slot)
    studio.session_uploads.add(browser, [real])
    return real


def forget_uploads(browser: str, studio: Studio) -> None:
    """Take away a browser's right to its uploads, and delete those that nobody else has; examples are everybody's."""
    theirs = studio.session_uploads.paths(browser)
    kept = {path for path in theirs if path.parent.name in _example_hashes(studio.examples.resolve())}
    kept |= {path for path in theirs if path.is_relative_to(studio.examples.resolve())}
    for path in studio.session_uploads.forget(browser, keep=kept):
        path.unlink(missing_ok=True)


@lru_cache(maxsize=8)
def _example_hashes(examples: Path) -> frozenset[str]:
    """The folders in which Gradio keeps copies of the examples: it names uploads by their content."""
    return frozenset(hash_file(path) for path in examples.rglob("*.jpg"))


async def fetched(address: str, *, slot: str | None = None, quota: UploadQuota | None = None) -> Path:
    """The file behind a data URI or a public web address, which is how agents name files.

    Args:
        address: Of what is behind it, the same holds as of an upload.
        slot: Where it goes.
        quota: What a download counts towards; a data URI came inside a request, which is counted as it comes.

    Raises:
        PhotoError: There is none, it is on a private network, too large, or too slow.
        RateLimited: It is more than the visitor may bring.
        DiskFull: There is no room for it.
    """
    folder = get_upload_folder()
    try:
        uploaded = _uploaded(address)
        if uploaded:
            return uploaded
        if address.startswith("data:"):
            path = Path(save_base64_to_cache(address, folder))
        else:
            photo = await asyncio.wait_for(_downloaded(address), DOWNLOAD_SECONDS)
            check_room(Path(folder), len(photo))
            if quota is not None:
                quota.count(visitor_of(LocalContext.request.get(None)), len(photo))
            path = written(photo, "photo")
    except (RateLimited, DiskFull):
        raise
    except Exception as exc:  # whatever the network, a name server or a decoder has to say
        full = disk_full(exc)
        if full is not None:
            raise full from exc
        raise PhotoError(
            "The photo cannot be fetched from this address.", "Upload the file, or give a public one.", slot=slot
        ) from exc
    blocks = LocalContext.blocks.get(None)
    if blocks is not None:
        blocks.upload_file_set.add(str(path))  # deleted with the uploads
    return path


def _uploaded(address: str) -> Path | None:
    """The upload that an address of this server means: it is often a private one, and never worth a download."""
    named = unquote(urlsplit(address).path.partition("/file=")[2])
    path = Path(real_path(named) or named)
    here = path.is_file() and path.resolve().is_relative_to(Path(get_upload_folder()).resolve())
    return path if here else None


async def _downloaded(address: str) -> bytes:
    """What a public web address answers with, after a few redirections, each looked at in the same way."""
    for _ in range(5):
        host = urlsplit(address).hostname or ""
        # On a Space the names of Hugging Face lead to private addresses, and are meant to.
        at = host if matches_domain_whitelist(host, PUBLIC_HOSTNAME_WHITELIST) else await _public_address(host)
        response = await get(address, _transport=_Limited(at), timeout=DOWNLOAD_SECONDS)
        if not response.has_redirect_location:
            return bytes(response.raise_for_status().content)
        address = urljoin(address, response.headers["location"])
    raise ValueError("too many redirections")


async def _public_address(host: str) -> str:
    """An address of a host all of whose addresses are public. Nobody but the local name server is asked."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    addresses = [str(address[4][0]) for address in found]
    for address in map(ipaddress.ip_address, addresses):
        if not address.is_global or address.is_multicast:
            raise ValueError("a private address")
    return addresses[0]


class _Limited(AsyncSecureTransport):  # type: ignore[misc]
    """Takes no more than a photo may have, and unpacks nothing."""

    async def handle_async_request(self, request: Any) -> Any:
        """The answer, read to its end."""
        request.headers["accept-encoding"] = "identity"
        response: Any = await super().handle_async_request(request)
        body = bytearray()
        try:
            async for part in response.stream:
                body += part
                if len(body) > MAX_FILE_BYTES:
                    raise ValueError("too large")
        finally:
            await response.aclose()
        kept = {name: value for name, value in response.headers.items() if name == "location"}
        return type(response)(response.status_code, headers=kept, content=bytes(body))


def written(data: bytes, stem: str) -> Path:
    """A JPEG of the server's own making, or one that it fetched, as a file among the uploads."""
    path = Path(get_upload_folder()) / secrets.token_urlsafe(16) / f"{stem}.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return path


def refuse_addresses(component: Any) -> None:
    """Have a component of the page take uploads only: Gradio would download whatever address it is given."""
    inward = component.async_move_resource_to_block_cache

    async def move(source: Any) -> Any:
        if str(source).lower().startswith(("http:", "https:")):
            raise gr.Error("Upload the photo; addresses are not opened here.", print_exception=False)
        return await inward(source)

    component.async_move_resource_to_block_cache = move


def sweep(folder: Path, *, older_than: float, kept: str) -> None:
    """Delete whatever has lain in a folder for so many seconds, but for what `kept` names.

    Gradio's own cleaning knows only the files that it noted since it was started, and does not note all of them.
    """
    for path in sorted(folder.rglob("*"), reverse=True):  # files before the folder they are in
        own_name = path.relative_to(folder).parts[0]
        with suppress(OSError):  # not empty, or deleted by another hand
            if own_name not in kept and path.lstat().st_ctime < time.time() - older_than:
                path.rmdir() if path.is_dir() else path.unlink()


def offered(path: Path) -> Path:
    """A kept result as a second name of the same file where Gradio serves files from.

    Gradio would hash and copy it there, and hold up all other visitors for as long.
    """
    name = Path(get_upload_folder()) / secrets.token_urlsafe(16) / path.name
    name.parent.mkdir(parents=True)
    for copy in (os.link, shutil.copyfile):  # the uploads may be on another disk, or on one that knows no second names
        with suppress(OSError):
            copy(path, name)
            return name
    return path
