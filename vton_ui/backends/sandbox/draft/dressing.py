"""Put a garment on the person: warped into place, below head and hands, with shadow and shading."""

from __future__ import annotations

from typing import TypeAlias

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from vton_ui.backends.sandbox.draft.bottoms import bottoms, shoes
from vton_ui.backends.sandbox.draft.garment import Garment
from vton_ui.backends.sandbox.draft.tops import tops
from vton_ui.backends.sandbox.draft.warp import Strip, placed, warped
from vton_ui.pictures.figure import CHIN, KNUCKLES, THROAT, WRIST, Figure

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom, in pixels of the photo."""

ROOM = {"feet": 1.12, "lower": 1.05, "overall": 1.05, "inner": 1.0, "upper": 1.05, "outer": 1.1}
"""CatVTON's cloth types, and feet, in the order in which they go on; each with its width in body widths."""
LAYER = 0.02
"""How much wider a garment is for each one below it."""
SHADOW, SHADOW_STRENGTH = (40, 28, 30), 0.38


def dressed(person: Image.Image, figure: Figure, garment: Garment, region: str, below: int = 0) -> Image.Image:
    """The person with one more garment on, over so many others.

    Args:
        person: the photo, RGB, with what is on already.
        figure: the person's, measured on the photo as it came.
        garment: what to put on.
        region: where it is worn: a key of `ROOM`.
        below: how many garments are on already.
    """
    plan = {"lower": bottoms, "feet": shoes}.get(region, tops)
    strips = plan(figure, garment, ROOM[region] + LAYER * below)
    box = around(strips, figure, person.size)
    size = (box[2] - box[0], box[3] - box[1])
    cut, layer = garment.cut(open_neck=plan is tops), Image.new("RGBA", size)
    for strip in strips:
        layer.alpha_composite(warped(cut, placed(strip, figure.zoom, box[0], box[1]), size))
    covered = ImageChops.subtract(layer.getchannel("A"), part(bare(figure, region), figure, box))
    ground = shaded(person.crop(box), covered, figure, box)
    if region == "lower" and garment.crotch:
        ground = without_skirt(ground, person, figure, box)
    relief = part(figure.relief, figure, box)
    cloth = ImageChops.soft_light(layer.convert("RGB"), Image.merge("RGB", (relief,) * 3))
    result = person.copy()
    result.paste(Image.composite(cloth, ground, covered), box)
    return result


def around(strips: list[Strip], figure: Figure, size: tuple[int, int]) -> Box:
    """The part of the photo, one pixel of it at least, that the strips and their shadow lie in."""
    rows, margin = [row for strip in strips for row in strip], figure.height * 0.025 + 2

    def within(least: float, most: float, side: int) -> tuple[int, int]:
        first, end = round((least - margin) * figure.zoom), round((most + margin) * figure.zoom)
        return min(max(first, 0), side - 1), min(max(end, 1), side)

    left, right = within(min(each.left for each in rows), max(each.right for each in rows), size[0])
    top, bottom = within(min(each.y for each in rows), max(each.y for each in rows), size[1])
    return left, top, right, bottom


def part(small: Image.Image, figure: Figure, box: Box) -> Image.Image:
    """The box's part of a picture that is as small as the figure is measured, at the photo's own size."""
    left, top, right, bottom = (edge / figure.zoom for edge in box)
    return small.resize((box[2] - box[0], box[3] - box[1]), Image.Resampling.BILINEAR, (left, top, right, bottom))


def bare(figure: Figure, region: str) -> Image.Image:
    """A mask, as small as the figure's, of what a garment there does not cover: head, throat and hands."""
    mask = Image.new("L", figure.mask.size)
    if region == "feet":
        return mask
    draw, unit, middle = ImageDraw.Draw(mask), figure.height / 1000, figure.middle
    if region != "lower":
        head, throat, low = 70 * unit, 27 * unit, figure.row(THROAT)
        draw.rectangle((middle - head, 0, middle + head, figure.row(CHIN)), fill=255)
        draw.rectangle((middle - throat, 0, middle + throat, low), fill=255)
        draw.ellipse((middle - throat, low - 22 * unit, middle + throat, low + 22 * unit), fill=255)
    for arm in figure.arms:
        for y in range(figure.row(WRIST), figure.row(KNUCKLES)):
            draw.line((arm[y][0], y, arm[y][1], y), fill=255)
    return ImageChops.multiply(mask, figure.mask)


def without_skirt(ground: Image.Image, person: Image.Image, figure: Figure, box: Box) -> Image.Image:
    """The box of the photo without a dress that hangs between the legs, since trousers would not cover it."""
    if figure.parted - figure.crotch < figure.height * 0.02:
        return ground
    mask = Image.new("L", figure.mask.size)
    draw = ImageDraw.Draw(mask)
    for y in range(figure.crotch, figure.parted + 2):
        draw.line((figure.legs[0][y][1], y, figure.legs[1][y][0], y), fill=255)
    edge = person.crop((0, box[1], max(1, person.width // 50), box[3]))
    return Image.composite(edge.resize(ground.size, Image.Resampling.BOX), ground, part(mask, figure, box))


def shaded(ground: Image.Image, covered: Image.Image, figure: Figure, box: Box) -> Image.Image:
    """The box of the photo under the shadow that a garment casts down on the body."""
    down, third = figure.height * figure.zoom * 0.006, 3
    # Blurred at a third of its size: it looks the same and takes a fraction of the time.
    cast = covered.reduce(third).filter(ImageFilter.GaussianBlur(down / third)).resize(ground.size)
    cast = cast.transform(ground.size, Image.Transform.AFFINE, (1, 0, -down / 6, 0, 1, -down))
    cast = ImageChops.multiply(cast, part(figure.mask, figure, box))
    return Image.composite(
        Image.new("RGB", ground.size, SHADOW), ground, cast.point(lambda value: round(value * SHADOW_STRENGTH))
    )
