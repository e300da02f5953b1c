"""Which files on this server a visitor may name, and how the page can show them."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from gradio.context import LocalContext
from gradio.processing_utils import async_ssrf_protected_download, save_base64_to_cache
from gradio.utils import get_upload_folder

from vton_ui.errors import PhotoError
from vton_ui.photos import fitted, read, shows_in_browser, to_jpeg

SHOWN_PIXELS = 2_000_000
"""Pixels kept of a photo that the browser cannot show and that is therefore converted on arrival."""


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


async def fetched(address: str, *, slot: str | None = None) -> Path:
    """The file behind a data URI or a public web address, which is how agents name files.

    Raises:
        PhotoError: There is none, or it is on a private network.
    """
    folder = get_upload_folder()
    try:
        uploaded = _uploaded(address)
        if uploaded:
            return uploaded
        if address.startswith("data:"):
            path = save_base64_to_cache(address, folder)
        else:
            path = await async_ssrf_protected_download(address, folder)
    except Exception as exc:  # whatever the network, a name server or a decoder has to say
        raise PhotoError(
            "The photo cannot be fetched from this address.", "Upload the file, or give a public one.", slot=slot
        ) from exc
    blocks = LocalContext.blocks.get(None)
    if blocks is not None:
        blocks.upload_file_set.add(path)  # deleted with the uploads
    return Path(path)


def _uploaded(address: str) -> Path | None:
    """The upload that an address of this server means: it is often a private one, and never worth a download."""
    path = Path(unquote(urlsplit(address).path.partition("/file=")[2]))
    here = path.is_file() and path.resolve().is_relative_to(Path(get_upload_folder()).resolve())
    return path if here else None


def showable(path: Path, *, slot: str) -> Path:
    """The photo, or a JPEG of it where browsers cannot show its format (HEIC, TIFF). CPU work.

    Raises:
        PhotoError: The photo cannot be used.
    """
    if shows_in_browser(path, slot=slot):
        return path
    folder = Path(get_upload_folder()) / secrets.token_urlsafe(16)
    folder.mkdir(parents=True)
    shown = folder / f"{path.stem}.jpg"
    shown.write_bytes(to_jpeg(read(path, slot=slot, to=lambda size: fitted(size, SHOWN_PIXELS))))
    return shown
