"""The example pictures under a slot."""

from __future__ import annotations

import base64
import html
import io
from functools import lru_cache
from pathlib import Path

import gradio as gr
from PIL import Image

from vton_ui.ui.components.garments import tidied

SIDE = 176
"""The most pixels on a side of a thumbnail: the largest is shown at 66 × 88, on a dense screen twice that."""

_NAMES = {
    "ada": "Ada, slim, short curls",
    "henrik": "Henrik, broad, grey beard and glasses",
    "kofi": "Kofi, tall, short beard",
    "marta": "Marta, plus-size, dark bob",
    "mei": "Mei, slight, fringe and top knot",
    "tee": "Striped tee",
    "shirt": "Pale blue shirt",
    "jacket": "Denim jacket",
    "coat": "Camel coat",
    "jumper": "Mustard jumper",
    "trousers": "Olive trousers",
    "skirt": "Pleated check skirt",
    "dress": "Green dotted dress",
    "shoes": "Burgundy shoes",
}
"""Our examples; those of an owner are called what their files are called."""


def examples(folder: Path, kind: str) -> list[Path]:
    """The example pictures of a kind ("people" or "garments"), by name."""
    return sorted((folder / kind).glob("*.jpg"))


@lru_cache(maxsize=256)
def thumbnail(picture: Path) -> str:
    """A small copy of an example, as HTML that contains it: a request for each would delay the page's first event."""
    small = io.BytesIO()
    with Image.open(picture) as opened:
        opened.draft("RGB", (2 * SIDE, 2 * SIDE))  # a quarter of the time
        opened.thumbnail((SIDE, SIDE))
        opened.save(small, "WEBP", quality=75)
    data = base64.b64encode(small.getvalue()).decode()
    return f'<img src="data:image/webp;base64,{data}" alt="{html.escape(example_name(picture))}, example">'


def example_name(picture: Path) -> str:
    """What is to be seen on it, in words."""
    return _NAMES.get(picture.stem) or tidied(picture.name)


def thumbnails(pictures: list[Path], elem_id: str) -> gr.Dataset:
    """A row of thumbnails to click on."""
    return gr.Dataset(
        components=[gr.HTML(visible=False, render=False)],
        samples=[[thumbnail(path)] for path in pictures],
        sample_labels=None,
        type="index",
        layout="gallery",
        label="Examples",
        show_label=False,
        elem_id=elem_id,
        elem_classes="examples",
        samples_per_page=20,
        container=False,
    )
