"""A question in the page before something that cannot be undone, in the place of the button that does it."""

from __future__ import annotations

from pathlib import Path

import gradio as gr


def confirmation(elem_id: str, *, yes: str, no: str, back: str) -> gr.HTML:
    """The component, whose value is the question or empty. It fires `submit` for yes and `clear` for no.

    Args:
        yes: The words on the button that does it.
        no: Those on the other one.
        back: What is focused when the question is gone, as a CSS selector.
    """
    markup, style, script = (
        Path(__file__).with_suffix(f".{ending}").read_text(encoding="utf-8") for ending in ("html", "css", "js")
    )
    markup = markup.replace("NAME", elem_id).replace("YES", yes).replace("NO", no)
    script = script.replace("BACK", back)
    return gr.HTML(
        "",
        html_template=markup,
        css_template=style,
        js_on_load=script,
        apply_default_css=False,
        padding=False,
        elem_id=elem_id,
    )
