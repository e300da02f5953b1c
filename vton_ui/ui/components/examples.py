"""The example pictures under a slot."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from PIL import Image

from vton_ui.ui.compat.files import content_name, upload_folder
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


def thumbnail(picture: Path) -> Path:
    """A small copy of an example in the folder of uploads, from which it is served; made once."""
    copy = upload_folder() / content_name(picture) / f"{picture.stem}-{SIDE}.webp"
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(picture) as opened:
            opened.draft("RGB", (2 * SIDE, 2 * SIDE))  # a quarter of the time
            opened.thumbnail((SIDE, SIDE))
            opened.save(copy, quality=80)
    return copy


def example_names(pictures: list[Path]) -> list[str]:
    """What is to be seen on each, in words."""
    return [_NAMES.get(path.stem) or tidied(path.name) for path in pictures]


def thumbnails(pictures: list[Path], elem_id: str) -> gr.Dataset:
    """A row of thumbnails to click on."""
    return gr.Dataset(
        components=[gr.Image(visible=False, render=False)],
        samples=[[str(thumbnail(path))] for path in pictures],
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
