"""The example pictures under a slot."""

from __future__ import annotations

from pathlib import Path

import gradio as gr


def examples(folder: Path, kind: str) -> list[Path]:
    """The example pictures of a kind ("people" or "garments"), by name."""
    return sorted((folder / kind).glob("*.jpg"))


def thumbnails(pictures: list[Path], elem_id: str) -> gr.Dataset:
    """A row of thumbnails to click on."""
    return gr.Dataset(
        components=[gr.Image(visible=False, render=False)],
        samples=[[str(path)] for path in pictures],
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
