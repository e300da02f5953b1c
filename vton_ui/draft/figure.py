"""Measure the person: where shoulders, arms and legs are.

Levels of the body and ordinary proportions are in thousandths of a standing person's height, from the crown down.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from PIL import Image, ImageChops, ImageFilter

from vton_ui.draft.ground import painted, things
from vton_ui.draft.outline import Shape, Span, Stops, blend, smoothed

SIDE = 640
"""About how many pixels the longer side has when measured; a finer outline would only cost time."""
TOLERANCE = 34
"""How far, of 255, a photo's ground may be from plain."""

CHIN, THROAT, NECK, TIP, ARMPIT, WAIST, WRIST, KNUCKLES, CROTCH, SOLE = 136, 168, 150, 190, 275, 386, 505, 600, 535, 985
SLOPE_LEVEL, TIP_HALF = 177, 106

TRUNK_HALF: Stops = [
    *[(140, 30), (165, 36), (190, 100), (214, 112), (268, 90)],
    *[(385, 80), (486, 98), (735, 88), (850, 82), (1000, 76)],
]
ARM_MIDDLE: Stops = [(180, 84), (216, 90), (366, 140), (497, 174), (600, 190)]
ARM_HALF: Stops = [(180, 20), (216, 26), (366, 20), (497, 13), (600, 12)]
LEG_MIDDLE: Stops = [(500, 50), (952, 54)]
LEG_HALF: Stops = [(500, 50), (545, 47), (735, 28), (795, 31), (915, 18), (1000, 22)]
"""Distances from the middle line, and half-widths, by level."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Where a person's parts are, in pixels of the photo reduced `zoom` times; spans are listed for every row."""

    photo: Image.Image
    zoom: int
    mask: Image.Image
    """The person's silhouette; all white where the photo's ground is not plain."""
    height: float
    middle: float
    top: float
    neck: int
    tip: int
    """The row of the shoulders' tips."""
    tip_half: float
    slope: int
    """The row where the shoulders' slope has reached `outline.SLOPE` of the tips' half-width."""
    armpit: int
    crotch: int
    parted: int
    """The row from which the legs are seen to be two; a dress hides them down to its hem."""
    trunk: list[Span]
    arms: tuple[list[Span], list[Span]]
    legs: tuple[list[Span], list[Span]]

    def row(self, level: float) -> int:
        """The row at this level of the body, never outside the photo."""
        return min(max(round(self.top + self.height * level / 1000), 0), self.photo.height - 1)

    def across(self, part: list[Span], y: float) -> Span:
        """The span of a part of the body at a row, or at the nearest row of the photo."""
        return part[min(max(round(y), 0), len(part) - 1)]

    @cached_property
    def relief(self) -> Image.Image:
        """The body's roundness: grey, darker and lighter where the person is, dark along the outline."""
        unit = self.height / 1000
        # Coarser than the seams of what is worn below, which must not print through.
        light = self.photo.convert("L").filter(ImageFilter.GaussianBlur(7 * unit))
        around = light.filter(ImageFilter.GaussianBlur(28 * unit))
        relief = ImageChops.subtract(light, around, scale=5, offset=128)
        relief.paste(128, mask=ImageChops.invert(self.mask))
        inside = self.mask.filter(ImageFilter.GaussianBlur(16 * unit))
        return ImageChops.multiply(relief, inside.point(lambda value: min(255, 200 + value * 2 // 7)))


def measure(photo: Image.Image) -> Figure:
    """The person's figure from the silhouette, or where it would ordinarily be if the ground is not plain.

    Args:
        photo: one person, standing and seen from the front, RGB.
    """
    zoom = max(1, round(max(photo.size) / SIDE))
    small = photo.reduce(zoom)
    found = things(small, tolerance=TOLERANCE)
    figure = measured(small, zoom, painted(small.size, found[:1])) if found else None
    if figure:
        return figure
    width, height = small.size
    everywhere = Image.new("L", small.size, 255)
    return ordinary(small, zoom, everywhere, height * 0.05, min(height * 0.9, width * 2.2), width / 2)


def ordinary(photo: Image.Image, zoom: int, mask: Image.Image, top: float, height: float, middle: float) -> Figure:
    """A person of ordinary proportions standing there."""
    unit = height / 1000
    levels = [(y - top) / unit for y in range(photo.height)]

    def right(middles: Stops, halves: Stops) -> list[Span]:
        parts = ((middle + unit * blend(middles, level), unit * blend(halves, level)) for level in levels)
        return [(centre - half, centre + half) for centre, half in parts]

    def both(middles: Stops, halves: Stops) -> tuple[list[Span], list[Span]]:
        spans = right(middles, halves)
        return [(2 * middle - outer, 2 * middle - inner) for inner, outer in spans], spans

    def row(level: float) -> int:
        return min(max(round(top + unit * level), 0), photo.height - 1)

    return Figure(
        photo=photo,
        zoom=zoom,
        mask=mask,
        height=height,
        middle=middle,
        top=top,
        neck=row(NECK),
        tip=row(TIP),
        tip_half=TIP_HALF * unit,
        slope=row(SLOPE_LEVEL),
        armpit=row(ARMPIT),
        crotch=row(CROTCH),
        parted=row(CROTCH),
        trunk=right([(0, 0)], TRUNK_HALF),
        arms=both(ARM_MIDDLE, ARM_HALF),
        legs=both(LEG_MIDDLE, LEG_HALF),
    )


def measured(photo: Image.Image, zoom: int, mask: Image.Image) -> Figure | None:
    """The figure whose silhouette this is, if it can be a standing person's.

    What the outline does not show is taken from ordinary proportions.
    """
    shape = Shape(mask)
    if shape.height < photo.height * 0.4 or shape.height < shape.width * 1.6:
        return None
    head = sorted(sum(shape.outer(y)) / 2 for y in range(shape.top, shape.at(0.1)))
    shape.middle = head[len(head) // 2]
    usual = ordinary(photo, zoom, mask, shape.top, shape.height, shape.middle)
    neck = min(range(shape.at(0.11), shape.at(0.19)), key=shape.half, default=usual.neck)
    armpit = shape.armpit(shape.at(0.2), shape.at(0.42))
    tip, half = shape.shoulder(neck, armpit or usual.armpit)
    if not 0.07 < half / shape.height < 0.2:
        return None
    figure = replace(
        usual,
        neck=neck,
        tip=tip,
        tip_half=half,
        slope=shape.slope(neck, half),
        armpit=armpit or usual.armpit,
        # Shorts and dresses hide where the legs part; nobody's legs part further down.
        crotch=min(shape.crotch() or usual.crotch, shape.at(0.55)),
    )
    figure = with_legs(figure, shape)
    return with_arms(figure, shape) if armpit else figure


def with_legs(figure: Figure, shape: Shape) -> Figure:
    """The figure with its legs, and the trunk around them, as the outline shows them."""
    trunk, left, right, hidden = list(figure.trunk), list(figure.legs[0]), list(figure.legs[1]), []
    for y in range(figure.crotch + 1, shape.bottom):
        if halves := shape.halves(y):
            left[y], right[y] = halves
            trunk[y] = (halves[0][0], halves[1][1])
        elif centre := shape.centre(y):
            trunk[y] = centre
            hidden.append(y)
    parted = hidden[-1] if hidden else figure.crotch
    below = min(parted + 2, shape.bottom - 1)
    for y in hidden:  # the gap between the legs opens evenly, from the crotch to where it is seen
        share = (y - figure.crotch) / max(below - figure.crotch, 1)
        left[y] = (trunk[y][0], shape.middle + (left[below][1] - shape.middle) * share)
        right[y] = (shape.middle + (right[below][0] - shape.middle) * share, trunk[y][1])
    return replace(figure, parted=parted, trunk=trunk, legs=(evened(left, shape), evened(right, shape)))


def with_arms(figure: Figure, shape: Shape) -> Figure:
    """The figure with its arms, and the trunk between them, as the outline shows them."""
    trunk, left, right = list(figure.trunk), list(figure.arms[0]), list(figure.arms[1])
    for y in range(figure.armpit, shape.bottom):
        beside, row = shape.beside(y), shape.rows[y]
        if y <= figure.crotch:
            trunk[y] = shape.centre(y) or trunk[y]
        if beside and y < figure.crotch:
            left[y], right[y] = beside
        elif y > figure.crotch and len(row) >= 4:
            left[y], right[y] = row[0], row[-1]
    # Above the armpits arms and trunk are one outline; the chest is a little wider than just below them.
    room = shape.height * 0.004
    chest = (trunk[figure.armpit][0] - room, trunk[figure.armpit][1] + room)
    for y in range(figure.neck, figure.armpit):
        outer = shape.outer(y)
        trunk[y], left[y], right[y] = chest, (outer[0], chest[0]), (chest[1], outer[1])
    return replace(figure, trunk=evened(trunk, shape), arms=(evened(left, shape), evened(right, shape)))


def evened(spans: Iterable[Span], shape: Shape) -> list[Span]:
    """The spans without the wrinkles of what is worn."""
    return [(left, right) for left, right in smoothed(list(spans), max(1, round(shape.height * 0.008)))]
