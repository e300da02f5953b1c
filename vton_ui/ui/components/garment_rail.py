"""The rail of garments: added, ordered, cropped and cut out in the browser, checked here.

A component class has a file of its own: beside it Gradio writes a .pyi at import, which type checkers then read in its
place. What the rail's value is made of is in `garments.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from vton_ui.ui.components.garments import MAX_READ, MIN_CROP, Garment, read

_HERE = Path(__file__).parent
# One after the other they are the body of one function.
_SCRIPTS = tuple(f"garment_rail{part}.js" for part in ("_crop", "_drag", "_cards", "_keys", ""))


def _text(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


_TEMPLATE, _STYLE, _SCRIPT = _text("garment_rail.html"), _text("garment_rail.css"), _text(*_SCRIPTS)


class GarmentRail(gr.HTML):
    """Garments as cards in their order.

    To handlers its value is a list of `Garment`, and it takes one. `input` fires when the visitor changed something,
    `change` whenever the value is another. Handlers answer with `shown(...)` what the server made of the garments.

    Other scripts add files with `document.querySelector('#garments').dispatchEvent(new CustomEvent('add-files',
    {detail: [...files]}))`.
    """

    def __init__(
        self,
        value: Sequence[Garment] | None = None,
        *,
        kinds: Sequence[Sequence[str]] = (),
        kind_control: str = "",
        max_garments: int = 6,
        added: Sequence[dict[str, Any]] = (),
        previews: Sequence[dict[str, Any]] = (),
        order: Sequence[str] = (),
        elem_id: str | None = "garments",
        **block: Any,
    ) -> None:
        """A rail.

        Args:
            kinds: What a garment can be, as (value, label); none where the model does not ask. The cards of several
                garments ask for it; of one garment alone it is asked elsewhere on the page.
            kind_control: A CSS selector of the radio buttons there. What the visitor chooses there counts at once
                and goes before any guess, for a garment that stands alone and until others join it.
            max_garments: How many can be added.
            added: Garments that join those on the rail; see `joining`.
            previews: What the server made of the garments; see `shown`.
            order: The ids of the garments in the order proposed; see `shown`.
            block: What any Gradio component takes: visible, render, key and so on.
        """
        own: dict[str, Any] = {
            "kinds": [list(kind) for kind in kinds],
            "kind_control": kind_control,
            "max_garments": min(max_garments, MAX_READ),
            "added": list(added),
            "previews": list(previews),
            "order": list(order),
            "min_crop": MIN_CROP,
        }
        # As attributes too: an update of one is read from them.
        for name, prop in own.items():
            setattr(self, name, prop)
        fixed: dict[str, Any] = {"html_template": _TEMPLATE, "css_template": _STYLE, "js_on_load": _SCRIPT}
        super().__init__(value, **fixed, **own, apply_default_css=False, elem_id=elem_id, **block)

    def preprocess(self, payload: Any) -> list[Garment]:  # type: ignore[override]
        """The garments that can be read of what a browser sent."""
        return read(payload)

    def postprocess(self, value: Sequence[Garment] | None) -> list[dict[str, Any]]:  # type: ignore[override]
        """The garments as the browser gets them."""
        return [garment.as_json() for garment in value or ()]

    def api_info(self) -> dict[str, Any]:
        """The value's schema; the rail is for the page, not for the API."""
        return {"type": "array", "items": {"type": "object"}}

    def get_block_name(self) -> str:
        """The name the browser knows it by."""
        return "html"
