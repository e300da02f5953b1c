"""A page with nothing on it but the rail of garments, its value as JSON, and what the server makes of garments."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder
from PIL import Image

from tests.conftest import poll_less
from vton_ui.models import CAT_VTON
from vton_ui.pictures.cutting import cropped, cut_out, guess_kind
from vton_ui.ui.components.garment_rail import GarmentRail
from vton_ui.ui.components.garments import Garment, Preview, joining, kinds, new, proposed_order, shown
from vton_ui.ui.web.theme import palette_css, theme

REFUSED = "The ground is not plain enough to cut out."
WEB = Path(__file__).parents[2] / "vton_ui" / "ui" / "web"
EXAMPLES = Path(__file__).parents[2] / "assets" / "garments"
# On the studio's page a paste is the person's as long as there is none.
PERSON = '<div id="person"><img alt=""></div>'


def preview(garment: Garment) -> Preview:
    """What becomes of one garment."""
    made = Preview(id=garment.id, crop=garment.crop, cut_out=garment.cut_out)
    path = Path(garment.path).resolve()
    if not any(path.is_relative_to(root.resolve()) for root in (Path(get_upload_folder()), EXAMPLES)):
        return made
    return Preview(**{**asdict(made), **_facts(path, garment.crop, garment.cut_out)})


@cache
def _facts(path: Path, crop: Any, cut_out_asked: bool) -> dict[str, Any]:
    """Of a photo and what is to become of it: its kind, where the picture is that was made, and why there is none."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    part = cropped(image, crop) if crop else image
    cut = cut_out(part) if cut_out_asked else part
    facts: dict[str, Any] = {"kind": guess_kind(part), "refused": None if cut else REFUSED}
    if crop or cut is not part:
        target = Path(get_upload_folder()) / secrets.token_hex(8) / "view.png"
        target.parent.mkdir(parents=True)
        (cut or part).save(target)
        facts["path"] = str(target)
    return facts


async def look_at(garments: list[Garment]) -> Any:
    """What becomes of all, and the order proposed."""
    previews = [await asyncio.to_thread(preview, garment) for garment in garments]
    guesses = {made.id: made.kind for made in previews}
    known = [
        Garment(**{**asdict(garment), "kind": guesses[garment.id] if garment.guessed else garment.kind})
        for garment in garments
    ]
    return shown(previews, [garment.id for garment in proposed_order(known)])


def build() -> gr.Blocks:
    """The page: the rail asks for kinds until it is told that the model does not."""
    with gr.Blocks(title="Rail", analytics_enabled=False, fill_width=True) as demo:
        with gr.Row(elem_id="desk"):
            for place in ("person", "garments", "result"):
                with gr.Column(elem_classes="station", min_width=300):
                    gr.HTML(f"<h2>{place.title()}</h2>{PERSON if place == 'person' else ''}", padding=False)
                    if place == "garments":
                        rail = GarmentRail(kinds=kinds([CAT_VTON]), kind_control="#said", padding=False)
        value = gr.Textbox(elem_id="value", label="Value")
        gr.Radio([(label, kind) for kind, label in kinds([CAT_VTON])], label="Kind", elem_id="said")
        asks = gr.Checkbox(True, label="Asks", elem_id="asks")
        example, clear = gr.Button("Example", elem_id="example"), gr.Button("Clear", elem_id="clear")
        quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
        rail.change(lambda found: json.dumps([one.as_json() for one in found]), rail, value, **quiet)
        rail.input(look_at, rail, rail, trigger_mode="always_last", **quiet)
        asks.input(lambda on: gr.update(kinds=kinds([CAT_VTON] if on else [])), asks, rail, **quiet)
        clear.click(list, None, rail, **quiet)
        example.click(_example, None, rail, trigger_mode="multiple", **quiet)
    return demo  # type: ignore[no-any-return]


def _example() -> Any:
    return joining([new(str(EXAMPLES / "dress.jpg"))])


@contextmanager
def serving_rail() -> Iterator[str]:
    """The page on a port of its own; yields its address."""
    demo = build()
    poll_less(demo)
    _, url, _ = demo.launch(
        theme=theme(),
        css=palette_css() + (WEB / "style.css").read_text("utf-8"),
        head=f"<script>{(WEB / 'photos.js').read_text('utf-8')}</script>",
        allowed_paths=[str(EXAMPLES)],
        max_file_size=2_000_000,
        run_history=False,
        prevent_thread_lock=True,
        quiet=True,
        server_name="127.0.0.1",
    )
    try:
        yield url
    finally:
        demo.close(verbose=False)
