"""What stands first in the page: what has to run, to be fetched or to be known before Gradio's own scripts."""

from __future__ import annotations

from html import escape
from pathlib import Path

import gradio as gr

from vton_ui.ui.compat.assets import page_files
from vton_ui.ui.web.theme import PALETTE

INSTALL = "install"
"""The path of what an installed page needs, below the page's own: a sub-path changes nothing."""

_EARLY = Path(__file__).with_name("early.js")


def first_in_head(demo: gr.Blocks) -> str:
    """The HTML; its addresses are relative to the page."""
    light, dark = PALETTE["paper"]
    return "".join(
        (
            f"<script>{_EARLY.read_text('utf-8')}</script>",
            *(_fetched(file) for file in _files(demo)),
            f'<meta name="theme-color" media="(prefers-color-scheme: light)" content="{light}">',
            f'<meta name="theme-color" media="(prefers-color-scheme: dark)" content="{dark}">',
            # Before Gradio's own, which is absolute, and has no icon for a phone: the first one counts.
            f'<link rel="manifest" href="{INSTALL}/app.webmanifest">',
            f'<link rel="icon" type="image/svg+xml" href="{INSTALL}/icon.svg">',
            f'<link rel="apple-touch-icon" href="{INSTALL}/apple-touch-180.png">',
        )
    )


def _files(demo: gr.Blocks) -> list[str]:
    """What the page loads at first; what is not drawn is loaded when it is."""
    drawn = {part["type"] for part in demo.config["components"] if part["props"].get("visible") is not False}
    return page_files(sorted(drawn))


def _fetched(file: str) -> str:
    address = escape(f"assets/{file}")
    if file.endswith(".css"):
        return f'<link rel="preload" as="style" crossorigin href="{address}">'
    return f'<link rel="modulepreload" href="{address}">'
