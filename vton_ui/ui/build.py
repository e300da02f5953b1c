"""The page and the API as one gr.Blocks, and how it wants to be launched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from vton_ui.studio import Studio
from vton_ui.ui.api import add_endpoints
from vton_ui.ui.page import lay_out
from vton_ui.ui.theme import palette_css, theme
from vton_ui.ui.wire import wire

TITLE = "Try-on studio"
MAX_UPLOAD = "30mb"
CACHE_SECONDS = 3600


def build(studio: Studio) -> gr.Blocks:
    """The whole app, ready to be launched."""
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(CACHE_SECONDS, CACHE_SECONDS)
    ) as demo:
        # First, so that the endpoints get the names they ask for; the page's own events take others.
        add_endpoints(studio)
        wire(lay_out(studio), studio)
    # Try-ons wait for fal, not for this machine, so nobody needs to wait for another visitor's.
    demo.queue(default_concurrency_limit=None, api_open=False)
    return demo  # type: ignore[no-any-return]


def launch_options(studio: Studio) -> dict[str, Any]:
    """The arguments of `demo.launch` that the app relies on."""
    studio.store.mkdir(parents=True, exist_ok=True)
    return {
        "theme": theme(),
        "css": palette_css() + Path(__file__).with_name("style.css").read_text(encoding="utf-8"),
        "allowed_paths": [str(studio.store), str(studio.examples)],
        "max_file_size": MAX_UPLOAD,
        "max_threads": 200,
        "mcp_server": True,
        "footer_links": ["api"],
        # On by default, it writes every public event's inputs to the browser's storage in plain text.
        "run_history": False,
        "enable_monitoring": False,
        "state_session_capacity": 1000,
    }
