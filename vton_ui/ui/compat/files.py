"""Where Gradio keeps files, how it names them, and which files its components hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import LocalContext
from gradio.data_classes import ImageData
from gradio.processing_utils import PUBLIC_HOSTNAME_WHITELIST as HUGGING_FACE_HOSTS
from gradio.processing_utils import hash_file, save_base64_to_cache
from gradio.utils import get_upload_folder

__all__ = ["HUGGING_FACE_HOSTS"]  # names that resolve to private addresses on a Space, and may be fetched from


def upload_folder() -> Path:
    """The folder of all uploads. GRADIO_TEMP_DIR is documented, its default is not."""
    return Path(get_upload_folder())


def content_name(path: Path) -> str:
    """The name of the folder in which Gradio keeps an upload or a copy of this content.

    Buys: *Forget* finds the copy of a result, and does not delete the copy of an example.
    Relies on: uploads lie in folders that are named by `hash_file`.
    """
    return str(hash_file(path))


def save_data_uri(address: str) -> Path:
    """Write what a data URI holds to the folder of uploads."""
    return Path(save_base64_to_cache(address, get_upload_folder()))


def register_upload(path: Path) -> None:
    """Have Gradio treat a file as an upload: it may be served, and is deleted with the others."""
    blocks = LocalContext.blocks.get(None)
    if blocks is not None:
        blocks.upload_file_set.add(str(path))


def current_request() -> gr.Request | None:
    """The request that this code works for."""
    return LocalContext.request.get(None)


def replace_download(component: Any, download: Callable[[str], Awaitable[str | None]]) -> None:
    """Have `download` decide about every file that is named to a component; on None Gradio takes it as before.

    Why: Gradio downloads whatever address it is given, without a limit of size. `download` may raise gr.Error.
    Relies on: `Block.async_move_resource_to_block_cache`, which preprocessing calls for every file.
    Delete when: Gradio can refuse addresses.
    """
    take_in = component.async_move_resource_to_block_cache

    async def move(source: Any) -> Any:
        return await download(str(source)) or await take_in(source)

    component.async_move_resource_to_block_cache = move


def image_path(payload: ImageData | None) -> str | None:
    """The uploaded file that a gr.Image holds."""
    return payload.path if payload else None
