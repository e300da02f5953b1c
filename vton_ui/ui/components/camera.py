"""The button that opens a phone's camera for the person's photo; seen on touch screens only."""

from __future__ import annotations

from pathlib import Path

import gradio as gr


def camera(elem_id: str) -> gr.HTML:
    """The component; it has no value, since the photo goes into the person's slot as if it had been chosen there."""
    markup, script = (Path(__file__).with_suffix(f".{ending}").read_text(encoding="utf-8") for ending in ("html", "js"))
    return gr.HTML("", html_template=markup, js_on_load=script, apply_default_css=False, padding=False, elem_id=elem_id)
