"""The slot of the person's photo.

It has a file of its own, because Gradio writes a .pyi beside every file with a component class, and type checkers
then read that instead.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from vton_ui.ui.compat.files import image_path


class PersonPhoto(gr.Image):
    """gr.Image that passes on the visitor's own file, undecoded; Gradio's preprocessing fails with a bare "Error"."""

    def preprocess(self, payload: Any) -> str | None:  # type: ignore[override]
        """The uploaded file's path."""
        return image_path(payload)

    def get_block_name(self) -> str:
        """The name under which the browser finds the component's script."""
        return "image"
