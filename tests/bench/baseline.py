"""What anyone would write from fal's quickstart and Gradio's: `python -m tests.bench.baseline ADDRESSES`.

No straw man: photos keep the quality of a photo, the picture is handed to Gradio as a file, and nothing is done twice.
ADDRESSES is `FakeFal.addresses()` as JSON, as for tests.subprocess_app.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import fal_client
import fal_client.client
import gradio as gr
import httpx
from PIL import Image

CAT_VTON = "fal-ai/cat-vton"
FLUX_VTO = "fal-ai/flux-pro/v1/vto"


def upload(photo: Image.Image) -> str:
    """A photo's address at fal."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        photo.save(path, quality=95)
        return fal_client.upload_file(path)


def try_on(person: Image.Image, garment: Image.Image, model: str) -> str:
    """The person wearing the garment."""
    arguments = {"human_image_url": upload(person), "garment_image_url": upload(garment)}
    if model == CAT_VTON:
        arguments["cloth_type"] = "upper"
    else:
        arguments["prompt"] = "The person of image 1 wearing the garment of image 2."
    result = fal_client.subscribe(model, arguments=arguments, with_logs=True)
    image = result["image"] if model == CAT_VTON else result["images"][0]
    # fal's own address would do, and Gradio would download it; from a loopback address it refuses to.
    with tempfile.NamedTemporaryFile(suffix=Path(image["url"]).suffix, delete=False) as file:
        file.write(httpx.get(image["url"]).content)
    return file.name


if __name__ == "__main__":
    for name, address in json.loads(sys.argv[1]).items():
        setattr(fal_client.client, name, address)
    demo = gr.Interface(
        fn=try_on,
        inputs=[
            gr.Image(type="pil", label="Person"),
            gr.Image(type="pil", label="Garment"),
            gr.Dropdown([CAT_VTON, FLUX_VTO], label="Model"),
        ],
        outputs=gr.Image(label="Result"),
        api_name="try_on",
    )
    demo.launch()
