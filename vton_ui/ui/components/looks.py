"""The looks of one click as tiles, and the strip of all that are kept; both open in the same viewer.

Every click comes as one of two events, which `actions.read_action` reads: `run` if it starts or follows a try-on,
`action` otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from vton_ui.ui.components.tiles import station_value, strip_value

_TILES = ("tile", "wall", "zoom", "viewer")


def station(*, elem_id: str) -> gr.HTML:
    """The result station: the looks of one click in the frame of the photo. Its values: `tiles.station_value`."""
    return _component("station", station_value(()), elem_id)


def strip(*, elem_id: str) -> gr.HTML:
    """The strip "Looks": what a browser has kept, to filter, sort, choose and open. Its values: `tiles.strip_value`."""
    return _component("strip", strip_value(()), elem_id)


def _component(kind: str, value: Any, elem_id: str) -> gr.HTML:
    # A plain gr.HTML, not a class of our own: beside a class Gradio writes a .pyi at import.
    return gr.HTML(
        value,
        html_template=_files("html", kind, "tile", "viewer"),
        css_template=_files("css", "tile", kind, "viewer"),
        js_on_load=_files("js", *_TILES, kind),
        apply_default_css=False,
        elem_id=elem_id,
    )


def _files(ending: str, *names: str) -> str:
    """Files of this folder, one after the other; scripts share one scope, in which `element` is the component's."""
    return "\n".join(Path(__file__).with_name(f"{name}.{ending}").read_text(encoding="utf-8") for name in names)
