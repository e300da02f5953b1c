"""The sandbox's free local draft: garments cut from their pictures and laid over the person. No AI.

`pictures.ground` cuts things from plain grounds, `pictures.outline` reads their shape and `pictures.figure` measures
the person; `garment` measures the garments. `tops` and `bottoms` take a garment apart along its seams and say where
each strip lies on the figure; `warp` stretches it there, and `dressing` blends it into the photo.
"""

from __future__ import annotations

from PIL import Image

from vton_ui.backends.sandbox.draft.dressing import ROOM, dressed
from vton_ui.backends.sandbox.draft.garment import garments_of, whole
from vton_ui.pictures.figure import measure

__all__ = ["drape", "drape_sheet"]


def drape(person: Image.Image, garment: Image.Image, *, region: str) -> Image.Image:
    """Lay a garment, cut from its plain ground, over the person where its kind is worn.

    Args:
        person: the photo to dress, RGB.
        garment: one garment's picture, RGB; where its ground is not plain, the whole picture is the garment.
        region: one of CatVTON's cloth types: upper, lower, overall, inner or outer.

    Returns:
        The draft, RGB, of the size of `person`.
    """
    return dressed(person, measure(person), whole(garment), region)


def drape_sheet(person: Image.Image, sheet: Image.Image) -> Image.Image:
    """Lay each garment of a sheet, or a picture's only one, over the person where its shape says.

    Args:
        person: the photo to dress, RGB.
        sheet: one to six garments on white with gaps between them, RGB.

    Returns:
        The draft, RGB, of the size of `person`.
    """
    figure, regions = measure(person), list(ROOM)
    garments = [(each.region(), each) for each in garments_of(sheet)]
    garments.sort(key=lambda pair: (regions.index(pair[0]), pair[1].shape.width))
    for below, (region, garment) in enumerate(garments):
        person = dressed(person, figure, garment, region, below)
    return person
