"""The sandbox's free local draft: garments cut from their pictures and laid over the person. No AI.

`pictures.ground` cuts things from plain grounds, `pictures.outline` reads their shape and `pictures.figure` measures
the person; `garment` measures the garments. `tops` and `bottoms` take a garment apart along its seams and say where
each strip lies on the figure; `warp` stretches it there, and `dressing` blends it into the photo. Where there is no
figure to be measured, `cards` lays the garments beside the person, and `stamp` says so.
"""

from __future__ import annotations

from PIL import Image

from vton_ui.backends.sandbox.draft.cards import laid_beside
from vton_ui.backends.sandbox.draft.dressing import ROOM, dressed
from vton_ui.backends.sandbox.draft.garment import Garment, garments_of, whole
from vton_ui.backends.sandbox.draft.stamp import LAID_STAMP, stamp_top, stamped
from vton_ui.pictures.figure import Figure, measure
from vton_ui.pictures.sheet import MAX_GARMENTS

__all__ = ["drape", "drape_sheet", "stamped_draft"]


def stamped_draft(person: Image.Image, garment: Image.Image, region: str | None) -> Image.Image:
    """The draft with its stamp: the person dressed, or the garments beside a person who cannot be measured.

    Args:
        person: the photo, RGB.
        garment: one garment's picture or, without a region, a sheet of up to six, RGB.
        region: see `drape`.

    Returns:
        The draft, RGB, of the size of `person`.
    """
    figure = measure(person)
    if figure is None:
        garments = [whole(garment)] if region else garments_of(garment)
        # A garment of many loose parts could make more cards than there are garments.
        cut = [each.cut(open_neck=False) for each in in_reading_order(garments[:MAX_GARMENTS])]
        return stamped(laid_beside(person, cut, stamp_top(person.size, LAID_STAMP)), LAID_STAMP)
    return stamped(drape(person, figure, garment, region=region) if region else drape_sheet(person, figure, garment))


def drape(person: Image.Image, figure: Figure, garment: Image.Image, *, region: str) -> Image.Image:
    """Lay a garment, cut from its plain ground, over the person where its kind is worn.

    Args:
        figure: the person's, measured on the photo.
        garment: one garment's picture, RGB; where its ground is not plain, the whole picture is the garment.
        region: one of CatVTON's cloth types: upper, lower, overall, inner or outer.
    """
    return dressed(person, figure, whole(garment), region)


def drape_sheet(person: Image.Image, figure: Figure, sheet: Image.Image) -> Image.Image:
    """Lay each garment of a sheet, or a picture's only one, over the person where its shape says.

    Args:
        figure: the person's, measured on the photo.
        sheet: one to six garments on white with gaps between them, RGB.
    """
    regions = list(ROOM)
    garments = [(each.region(), each) for each in garments_of(sheet)]
    garments.sort(key=lambda pair: (regions.index(pair[0]), pair[1].shape.width))
    for below, (region, garment) in enumerate(garments):
        person = dressed(person, figure, garment, region, below)
    return person


def in_reading_order(garments: list[Garment]) -> list[Garment]:
    """The garments of a sheet row by row, each from left to right."""
    rows: list[list[Garment]] = []
    for each in sorted(garments, key=lambda garment: garment.parts[0].box[1] + garment.parts[0].box[3]):
        middle = (each.parts[0].box[1] + each.parts[0].box[3]) / 2
        if rows and middle < rows[-1][0].parts[0].box[3]:
            rows[-1].append(each)
        else:
            rows.append([each])
    return [each for row in rows for each in sorted(row, key=lambda garment: garment.parts[0].box[0])]
