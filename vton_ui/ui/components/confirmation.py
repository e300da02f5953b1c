"""The question before a costly plan is ordered, in the place of the button."""

from __future__ import annotations

from pathlib import Path

import gradio as gr


def confirmation() -> gr.HTML:
    """The component, whose value is the question or empty. It fires `submit` for Order and `clear` for Not now."""
    markup, style, script = (
        Path(__file__).with_suffix(f".{ending}").read_text(encoding="utf-8") for ending in ("html", "css", "js")
    )
    return gr.HTML(
        "",
        html_template=markup,
        css_template=style,
        js_on_load=script,
        apply_default_css=False,
        padding=False,
        elem_id="confirm",
    )
