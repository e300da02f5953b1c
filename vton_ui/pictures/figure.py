"""Measure the person: where shoulders, arms and legs are.

Levels of the body and ordinary proportions are in thousandths of a standing person's height, from the crown down.
"""

from __future__ import annotations

from functools import cached_property

from PIL import Image, ImageChops, ImageFilter

from vton_ui.pictures.ground import painted, things
from vton_ui.pictures.outline import Shape, Span, Stops, blend, smoothed

SIDE = 640
"""About how many pixels the longer side has when measured; a finer outline would only cost time."""
TOLERANCE = 34
"""How far, of 255, a photo's ground may be from plain."""
LARGEST_OTHER = 0.5
"""Area of the next largest thing, in the person's: where it is larger, it may be the one to dress."""

CHIN, NECK, THROAT, SLOPE, TIP, ARMPIT = 136, 150, 168, 177, 190, 275
WAIST, WRIST, CROTCH, KNUCKLES, ANKLE, SOLE = 386, 505, 535, 600, 955, 985
TIP_HALF = 106

TRUNK_HALF: Stops = [
    *[(140, 30), (165, 36), (190, 100), (214, 112), (268, 90)],
    *[(385, 80), (486, 98), (735, 88), (850, 82), (1000, 76)],
]
ARM_MIDDLE: Stops = [(180, 84), (216, 90), (366, 140), (497, 174), (600, 190)]
ARM_HALF: Stops = [(180, 20), (216, 26), (366, 20), (497, 13), (600, 12)]
LEG_MIDDLE: Stops = [(500, 50), (952, 54)]
LEG_HALF: Stops = [(500, 50), (545, 47), (735, 28), (795, 31), (915, 18), (1000, 22)]
"""Distances from the middle line, and half-widths, by level."""


class Figure:
    """Where a person's parts are, in pixels of the photo reduced `zoom` times; spans are listed for every row.

    It begins with ordinary proportions, `height` tall below `top`; `read` and its helpers put in what an outline shows.
    """

    def __init__(self, photo: Image.Image, mask: Image.Image, *, top: float, height: float, middle: float) -> None:
        self.photo, self.mask, self.top, self.height, self.middle = photo, mask, top, height, middle
        self.zoom = 1
        self.neck, self.armpit, self.crotch = self.row(NECK), self.row(ARMPIT), self.row(CROTCH)
        self.parted = self.crotch
        """The row from which the legs are seen to be two; a dress hides them down to its hem."""
        self.tip, self.tip_half = self.row(TIP), TIP_HALF * height / 1000
        """The row of the shoulders' tips, and half the way between them."""
        self.slope = self.row(SLOPE)
        """The row where the shoulders' slope has reached `outline.SLOPE_SHARE` of `tip_half`."""
        self.trunk = self.ordinary([(0, 0)], TRUNK_HALF, 1)
        self.arms = [self.ordinary(ARM_MIDDLE, ARM_HALF, side) for side in (-1, 1)]
        self.legs = [self.ordinary(LEG_MIDDLE, LEG_HALF, side) for side in (-1, 1)]

    def ordinary(self, middles: Stops, halves: Stops, side: int) -> list[Span]:
        """The spans of a part of the body by its tables; side -1 is left on the photo, 1 right."""
        unit, spans = self.height / 1000, []
        for y in range(self.photo.height):
            level = (y - self.top) / unit
            centre, half = self.middle + side * unit * blend(middles, level), unit * blend(halves, level)
            spans.append((centre - half, centre + half))
        return spans

    def row(self, level: float) -> int:
        """The row at this level of the body, never outside the photo."""
        return min(max(round(self.top + self.height * level / 1000), 0), self.photo.height - 1)

    def across(self, part: list[Span], y: float) -> Span:
        """The span of a part of the body at a row, or at the nearest row of the photo."""
        return part[min(max(round(y), 0), len(part) - 1)]

    def around(self, y: float, room: float) -> Span:
        """The trunk at a row, and a little more, inside a garment as wide as this in body widths."""
        left, right = self.across(self.trunk, y)
        beyond = (right - left) * (room - 1) / 2 + 1
        return left - beyond, right + beyond

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

    def read(self, shape: Shape) -> None:
        """Measure what a standing person's outline shows."""
        self.neck = min(range(shape.at(0.11), shape.at(0.19)), key=shape.half, default=self.neck)
        armpit = shape.armpit(shape.at(0.2), shape.at(0.42))
        self.armpit = armpit or self.armpit
        self.tip, self.tip_half = shape.shoulder(self.neck, self.armpit)
        self.slope = shape.slope(self.neck, self.tip_half)
        # Shorts and dresses hide where the legs part; nobody's legs part further down.
        self.crotch = min(shape.crotch() or self.crotch, shape.at(0.55))
        self.read_legs(shape)
        if armpit:
            self.read_arms(shape)
        # Not the wrinkles of what is worn.
        reach = max(1, round(self.height * 0.008))
        for part in (self.trunk, *self.arms, *self.legs):
            part[:] = [(left, right) for left, right in smoothed(part, reach)]

    def read_legs(self, shape: Shape) -> None:
        """The legs, and the trunk around them."""
        (left, right), trunk, hidden = self.legs, self.trunk, []
        for y in range(self.crotch + 1, shape.bottom):
            if halves := shape.halves(y):
                left[y], right[y] = halves
                trunk[y] = (halves[0][0], halves[1][1])
            elif centre := shape.centre(y):
                trunk[y] = centre
                hidden.append(y)
        self.parted = hidden[-1] if hidden else self.crotch
        below = min(self.parted + 2, shape.bottom - 1)
        for y in hidden:  # the gap between the legs opens evenly, from the crotch to where it is seen
            share = (y - self.crotch) / max(below - self.crotch, 1)
            left[y] = (trunk[y][0], self.middle + (left[below][1] - self.middle) * share)
            right[y] = (self.middle + (right[below][0] - self.middle) * share, trunk[y][1])

    def read_arms(self, shape: Shape) -> None:
        """The arms, and the trunk between them."""
        (left, right), trunk = self.arms, self.trunk
        for y in range(self.armpit, shape.bottom):
            beside, row = shape.beside(y), shape.rows[y]
            if y <= self.crotch:
                trunk[y] = shape.centre(y) or trunk[y]
            if beside and y < self.crotch:
                left[y], right[y] = beside
            elif y > self.crotch and len(row) >= 4:  # hands beside legs
                left[y], right[y] = row[0], row[-1]
        # Above the armpits arms and trunk are one outline; the chest is a little wider than just below them.
        room = self.height * 0.004
        chest = (trunk[self.armpit][0] - room, trunk[self.armpit][1] + room)
        for y in range(self.neck, self.armpit):
            outer = shape.outer(y)
            trunk[y], left[y], right[y] = chest, (outer[0], chest[0]), (chest[1], outer[1])


def measure(photo: Image.Image) -> Figure | None:
    """The person's figure from the silhouette; None where no standing person can be made out on a plain ground.

    Args:
        photo: one person, standing and seen from the front, RGB.
    """
    zoom = max(1, round(max(photo.size) / SIDE))
    small = photo.reduce(zoom)
    found = things(small, tolerance=TOLERANCE)
    if len(found) > 1 and found[1].area > found[0].area * LARGEST_OTHER:
        return None
    figure = figure_of(small, painted(small.size, found[:1]))
    if figure:
        figure.zoom = zoom
    return figure


def figure_of(photo: Image.Image, mask: Image.Image) -> Figure | None:
    """The figure whose silhouette this is, if it can be a standing person's."""
    shape = Shape(mask)
    cut_off = shape.left == 0 or shape.top == 0 or shape.right == mask.width
    if cut_off or shape.height < max(photo.height * 0.4, shape.width * 1.6):
        return None
    head = sorted(sum(shape.outer(y)) / 2 for y in range(shape.top, shape.at(0.1)))
    shape.middle = head[len(head) // 2]
    figure = Figure(photo, mask, top=shape.top, height=shape.height, middle=shape.middle)
    figure.read(shape)
    return figure if _has_head(figure, shape) and _stands(shape) else None


def _has_head(figure: Figure, shape: Shape) -> bool:
    """Whether a head, a neck and shoulders are where a whole body has them."""
    head = range(shape.at(0.015), shape.at(0.1))
    widest = max((shape.half(y) for y in head), default=0.0) / shape.height
    shoulders, neck = figure.tip_half / shape.height, shape.half(figure.neck) / shape.height
    return (
        all(len(shape.rows[y]) == 1 for y in head)
        and 0.02 < widest < 0.1
        and 0.07 < shoulders < 0.2
        and 0.015 < neck < shoulders * 0.75
        # Still narrowing further down: the figure is cut off below, and this is not yet the neck.
        and figure.neck < shape.at(0.185)
    )


def _stands(shape: Shape) -> bool:
    """Whether the feet are below the head, and the legs part below the trunk and not only at a sitter's knees."""
    low = range(shape.at(0.75), shape.at(0.97))
    feet = sum(sum(shape.outer(y)) / 2 for y in low) / max(len(low), 1)
    if abs(feet - shape.middle) > shape.height * 0.12:
        return False
    crotch = shape.crotch()
    if crotch is None:
        return True
    apart = max(shape.half(y) for y in low) > shape.height * 0.135
    return shape.at(0.42) < crotch and not (apart and crotch > shape.at(0.62))
