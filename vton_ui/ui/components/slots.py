"""The two upload slots.

A file of their own: beside every file with a component class in it Gradio writes a .pyi at import, which type
checkers then read in its place.
"""

from __future__ import annotations

import gradio as gr
from gradio.components.gallery import GalleryData, GalleryImage
from gradio.data_classes import ImageData


class PersonPhoto(gr.Image):
    """gr.Image that hands over the visitor's own file, undecoded; Gradio's preprocessing fails with a bare "Error"."""

    def preprocess(self, payload: ImageData | None) -> str | None:  # type: ignore[override]
        """The uploaded file's path."""
        return payload.path if payload else None

    def get_block_name(self) -> str:
        """The name the browser knows it by."""
        return "image"


class GarmentPhotos(gr.Gallery):
    """gr.Gallery, likewise."""

    def preprocess(self, payload: GalleryData | None) -> list[str]:  # type: ignore[override]
        """The uploaded files' paths, in their order."""
        items = payload.root if payload else []
        return [item.image.path for item in items if isinstance(item, GalleryImage) and item.image.path]

    def get_block_name(self) -> str:
        """The name the browser knows it by."""
        return "gallery"
