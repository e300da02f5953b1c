"""The looks of one click as tiles, and the strip of all that are kept; both open in the same viewer.

Every click comes as the event `action`; `actions.read_action` reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from vton_ui.ui.components.tiles import Tile, value

_TILES = ("tile", "wall", "zoom", "viewer")


def station(tiles: Sequence[Tile] = (), *, elem_id: str = "looks") -> gr.HTML:
    """The result station: the looks of one click in the frame of the photo. Its values come from `tiles.value`."""
    return _component("station", tiles, elem_id)


def strip(tiles: Sequence[Tile] = (), *, elem_id: str = "kept") -> gr.HTML:
    """The strip "Looks": what a browser has kept, to filter, sort, choose and open. Values as the station's."""
    return _component("strip", tiles, elem_id)


def _component(kind: str, tiles: Sequence[Tile], elem_id: str) -> gr.HTML:
    # A plain gr.HTML, not a class of our own: beside a class Gradio writes a .pyi at import.
    return gr.HTML(
        value(tiles),
        html_template=_files("html", kind, "tile", "viewer"),
        css_template=_files("css", "tile", kind, "viewer"),
        js_on_load=_files("js", *_TILES, kind),
        apply_default_css=False,
        elem_id=elem_id,
    )


def _files(ending: str, *names: str) -> str:
    """Files of this folder, one after the other; scripts share one scope, in which `element` is the component's."""
    return "\n".join(Path(__file__).with_name(f"{name}.{ending}").read_text(encoding="utf-8") for name in names)
