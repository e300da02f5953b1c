"""The example garments, laid flat on white and cut on the same skeleton as the people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .bottoms import shoes, skirt, trousers
from .fabrics import FABRICS, FILTERS
from .shapes import group
from .tops import coat, dress, jacket, jumper, shirt, tee

WIDTH, HEIGHT, MARGIN = 900, 1200, 0.06


@dataclass(frozen=True, kw_only=True)
class Garment:
    """A garment's drawing and the box it fills: half its width, its top and bottom."""

    draw: Callable[[], str]
    half: float
    top: float
    bottom: float


GARMENTS = {
    "tee": Garment(draw=tee, half=160, top=162, bottom=530),
    "shirt": Garment(draw=shirt, half=201, top=155, bottom=582),
    "jacket": Garment(draw=jacket, half=204, top=153, bottom=503),
    "coat": Garment(draw=coat, half=207, top=152, bottom=750),
    "jumper": Garment(draw=jumper, half=204, top=162, bottom=535),
    "trousers": Garment(draw=trousers, half=108, top=380, bottom=957),
    "skirt": Garment(draw=skirt, half=142, top=380, bottom=667),
    "dress": Garment(draw=dress, half=160, top=166, bottom=739),
    "shoes": Garment(draw=shoes, half=66, top=894, bottom=1007),
}
"""The example garments by file name."""


def laid_flat(garment: Garment) -> str:
    """The garment filling its picture, with a faint shadow where it touches the ground, as an SVG document."""
    space = 1 - 2 * MARGIN
    size = min(WIDTH * space / (2 * garment.half), HEIGHT * space / (garment.bottom - garment.top))
    middle = (garment.top + garment.bottom) / 2
    placed = group(
        [garment.draw()],
        transform=f"translate({WIDTH / 2} {HEIGHT / 2}) scale({size:.4f}) translate(0 {-middle})",
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"<defs>{''.join(each.svg(name) for name, each in FABRICS.items())}{FILTERS}</defs>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>{group([placed], filter="url(#whole)")}</svg>'
    )
