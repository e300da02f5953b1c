"""What Gradio and httpx alone take for a try-on: `python -m tests.bench.bare ADDRESSES`.

The same requests to fal over the same connections as this app's, and nothing else: no look at the photos, no page, no
budget, no guard, nothing marked or kept. Less than this no app on Gradio and httpx can take for many visitors at once.
ADDRESSES is `FakeFal.addresses()` as JSON, as for tests.subprocess_app.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import fal_client.client
import gradio as gr

from vton_ui.backends.fal.backend import FalBackend
from vton_ui.models import CAT_VTON
from vton_ui.tryon.lookup import unknown_job


async def try_on(backend: FalBackend, person: Any, garment: Any) -> gr.FileData:
    """The person wearing the garment."""
    photos = [await asyncio.to_thread(Path(file["path"]).read_bytes) for file in (person, garment)]
    urls = await asyncio.gather(*(backend.upload(photo, role="photo") for photo in photos))
    arguments = {"human_image_url": urls[0], "garment_image_url": urls[1], "cloth_type": "upper"}
    job = unknown_job(CAT_VTON, await backend.submit(CAT_VTON.endpoint, arguments))
    async for _ in backend.follow(job):
        pass
    picture = (await backend.fetch(job, CAT_VTON.read)).picture
    return gr.FileData(path=await asyncio.to_thread(_saved, picture))


def _saved(picture: bytes) -> str:
    with tempfile.NamedTemporaryFile(suffix=".png", delete=False) as file:
        file.write(picture)
    return file.name


def main() -> None:
    """Serve it."""
    for name, address in json.loads(sys.argv[1]).items():
        setattr(fal_client.client, name, address)
    backend = FalBackend(os.environ["FAL_KEY"], api_url=os.environ["FAL_API_URL"])

    async def run(person: gr.FileData, garment: gr.FileData, model: str) -> gr.FileData:
        return await try_on(backend, person, garment)

    with gr.Blocks(analytics_enabled=False) as demo:
        gr.api(run, api_name="try_on", concurrency_limit=None)
    demo.queue(default_concurrency_limit=None).launch(max_threads=200)


if __name__ == "__main__":
    main()
