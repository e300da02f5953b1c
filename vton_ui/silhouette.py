"""Cut things from plain grounds, and read the outline of what was cut.

Everything works on runs: a mask's row is a handful of (left, right) stretches, which plain Python handles
at full size in a few hundredths of a second, where a flood fill pixel by pixel would take seconds.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import reduce
from typing import TypeAlias

from PIL import Image, ImageChops, ImageFilter, ImageStat

Span: TypeAlias = tuple[float, float]
Runs: TypeAlias = list[list[tuple[int, int]]]


@dataclass(frozen=True, kw_only=True)
class Blob:
    """One connected area of a mask: its box (left, top, right, bottom) and its runs (y, left, right)."""

    box: tuple[int, int, int, int]
    area: int
    runs: list[tuple[int, int, int]]


def runs_of(mask: Image.Image) -> Runs:
    """The white stretches of each row of a black and white mask."""
    width, data = mask.width, mask.tobytes()
    white = re.compile(rb"\xff+")
    return [
        [found.span() for found in white.finditer(data[start : start + width])]
        for start in range(0, width * mask.height, width)
    ]


def blobs(mask: Image.Image) -> list[Blob]:
    """The connected areas of a black and white mask, largest first."""
    parent: list[int] = []

    def root(label: int) -> int:
        while parent[label] != label:
            parent[label] = label = parent[parent[label]]
        return label

    labelled: list[tuple[int, int, int, int]] = []
    above: list[tuple[int, int, int]] = []
    for y, row in enumerate(runs_of(mask)):
        current, start = [], 0
        for left, right in row:
            label = len(parent)
            parent.append(label)
            while start < len(above) and above[start][1] <= left:
                start += 1
            for other in above[start:]:
                if other[0] >= right:
                    break
                parent[root(other[2])] = root(label)
            current.append((left, right, label))
            labelled.append((y, left, right, label))
        above = current
    groups: dict[int, list[tuple[int, int, int]]] = {}
    for y, left, right, label in labelled:
        groups.setdefault(root(label), []).append((y, left, right))
    return sorted(map(blob, groups.values()), key=lambda each: -each.area)


def blob(runs: list[tuple[int, int, int]]) -> Blob:
    """The runs, top row first, with their box and area."""
    box = (min(run[1] for run in runs), runs[0][0], max(run[2] for run in runs), runs[-1][0] + 1)
    return Blob(box=box, area=sum(right - left for _, left, right in runs), runs=runs)


def painted(size: tuple[int, int], found: Iterable[Blob]) -> Image.Image:
    """A mask with these blobs white."""
    width, height = size
    data = bytearray(width * height)
    for each in found:
        for y, left, right in each.runs:
            data[y * width + left : y * width + right] = b"\xff" * (right - left)
    return Image.frombytes("L", size, bytes(data))


def ground_colour(picture: Image.Image) -> tuple[int, ...] | None:
    """The colour along the picture's edges, or None where they do not agree on one; the floor may differ."""
    width, height = picture.size
    edge = max(1, min(width, height) // 60)
    strips = [
        picture.crop(box) for box in ((0, 0, width, edge), (0, 0, edge, height), (width - edge, 0, width, height))
    ]
    border = Image.new("RGB", (edge, width + 2 * height))
    border.paste(strips[0].transpose(Image.Transpose.ROTATE_90), (0, 0))
    border.paste(strips[1], (0, width))
    border.paste(strips[2], (0, width + height))
    colour = tuple(ImageStat.Stat(border).median)
    agreeing = ImageStat.Stat(near(border, colour, 34)).mean[0] / 255
    return colour if agreeing > 0.7 else None


def near(picture: Image.Image, colour: tuple[int, ...], tolerance: int) -> Image.Image:
    """White where the picture has this colour."""
    apart = ImageChops.difference(picture, Image.new("RGB", picture.size, colour))
    return reduce(ImageChops.lighter, apart.split()).point(lambda value: 255 if value <= tolerance else 0)


def subjects(picture: Image.Image, *, tolerance: int) -> list[Blob] | None:
    """What stands on the plain ground, largest first, or None where there is no plain ground.

    The ground is what can be reached from the edges, so a pale patch inside a garment stays in the garment.
    """
    colour = ground_colour(picture)
    if colour is None:
        return None
    width, height = picture.size
    reached = [
        each
        for each in blobs(near(picture, colour, tolerance))
        if each.box[0] == 0 or each.box[1] == 0 or each.box[2] == width or each.box[3] == height
    ]
    things = blobs(ImageChops.invert(painted(picture.size, reached)))
    if not things or things[0].area < width * height * 0.004:
        return None
    return [each for each in things if each.area > things[0].area * 0.03]


def subject(picture: Image.Image, *, tolerance: int) -> Image.Image | None:
    """A mask of what stands on the plain ground, or None where there is no plain ground."""
    found = subjects(picture, tolerance=tolerance)
    return None if found is None else painted(picture.size, found)


def softened(mask: Image.Image) -> Image.Image:
    """The mask a pixel smaller and feathered, so that no rim of the ground comes along."""
    return mask.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.GaussianBlur(0.8))


def neck_hollow(picture: Image.Image, mask: Image.Image) -> Image.Image | None:
    """What shows of a garment's own back through its neck: a small even patch in the middle of its top edge.

    On a person the throat is there. None where there is no such patch, or it cannot be told from the front.
    """
    left, top, right, bottom = mask.getbbox() or (0, 0, *mask.size)
    upper = (0, 0, mask.width, top + (bottom - top) * 2 // 5)
    for x in (round(left + (right - left) * share) for share in (0.5, 0.455, 0.545)):  # a label may hang in the middle
        column = mask.crop((x, 0, x + 1, mask.height)).getbbox()
        if column is None or column[1] > top + (bottom - top) * 0.3:
            continue
        patch = even_patch(
            picture.crop(upper),
            mask.crop(upper),
            (x, min(column[1] + max(3, (bottom - top) // 250), bottom - 1)),
        )
        if patch is not None:
            hollow = Image.new("L", mask.size, 0)
            hollow.paste(patch)
            return hollow
    return None


def even_patch(picture: Image.Image, mask: Image.Image, seed: tuple[int, int]) -> Image.Image | None:
    """The patch of one colour around the seed, filled, if it is neither a speck nor a large part."""
    x, y = seed
    colour = ImageStat.Stat(picture.crop((x - 1, y - 1, x + 2, y + 2))).median
    alike = ImageChops.multiply(near(picture, tuple(colour), 17), mask).point(lambda value: 255 if value > 127 else 0)
    found = [each for each in blobs(alike) if any(row == y and x0 <= x < x1 for row, x0, x1 in each.runs)]
    least = ImageStat.Stat(mask).sum[0] / 255 * 0.004
    if not found or not least < found[0].area < least * 30:
        return None
    edges: dict[int, tuple[int, int]] = {}
    for row, x0, x1 in found[0].runs:
        known = edges.get(row, (x0, x1))
        edges[row] = (min(known[0], x0), max(known[1], x1))
    filled = painted(mask.size, [blob([(row, *edge) for row, edge in sorted(edges.items())])])
    return filled.filter(ImageFilter.MaxFilter(3))


SLOPE = 0.62
"""A place on the shoulder that collars do not reach and sleeves do not move."""


class Shape:
    """A mask's outline, row by row."""

    def __init__(self, mask: Image.Image, middle: float | None = None) -> None:
        box = mask.getbbox() or (0, 0, mask.width, mask.height)
        self.left, self.top, self.right, self.bottom = box
        self.width, self.height = self.right - self.left, self.bottom - self.top
        least = max(1, self.width // 60)
        self.rows = [[run for run in row if run[1] - run[0] >= least] for row in runs_of(mask)]
        self.middle = (self.left + self.right) / 2 if middle is None else middle

    def at(self, share: float) -> int:
        """The row this far down."""
        return min(max(round(self.top + share * self.height), self.top), self.bottom - 1)

    def outer(self, y: int) -> Span:
        """From the leftmost to the rightmost edge of a row."""
        row = self.rows[min(max(y, self.top), self.bottom - 1)]
        return (row[0][0], row[-1][1]) if row else (self.middle - 0.5, self.middle + 0.5)

    def centre(self, y: int) -> Span | None:
        """The run across the middle line."""
        return next((run for run in self.rows[y] if run[0] <= self.middle < run[1]), None)

    def beside(self, y: int) -> tuple[Span, Span] | None:
        """What hangs left and right of the central run: arms or sleeves."""
        centre = self.centre(y)
        if centre is None:
            return None
        left = [run for run in self.rows[y] if run[1] <= centre[0]]
        right = [run for run in self.rows[y] if run[0] >= centre[1]]
        return (left[-1], right[0]) if left and right else None

    def halves(self, y: int) -> tuple[Span, Span] | None:
        """The two runs either side of a gap at the middle: legs."""
        row = self.rows[y]
        for before, after in itertools.pairwise(row):
            if abs((before[1] + after[0]) / 2 - self.middle) < self.width * 0.07 + (after[0] - before[1]) * 0.3:
                return before, after
        return None

    def armpit(self, first: int, last: int) -> int | None:
        """The row where both arms part from the trunk."""
        held = 0
        for y in range(first, min(last, self.bottom)):
            held = held + 1 if self.beside(y) else 0
            if held == 4:
                return y - 3
        return self.sleeve_hem(first, last)

    def sleeve_hem(self, first: int, last: int) -> int | None:
        """The row where short sleeves end at the trunk: above it the outline runs steeply inwards."""
        step = max(2, self.height // 80)
        steep = [
            y + step
            for y in range(first, min(last, self.bottom - step))
            if self.half(y) - self.half(y + step) > step * 1.1
        ]
        return steep[-1] if steep and self.half(steep[0] - step) - self.half(steep[-1]) > self.width * 0.04 else None

    def half(self, y: int) -> float:
        """Half of a row's full width."""
        left, right = self.outer(y)
        return (right - left) / 2

    def crotch(self) -> int | None:
        """The row where the legs part, if they stay parted down to the hem."""
        y = self.at(0.92)
        while y > self.top and self.halves(y):
            y -= 1
        return y if self.at(0.1) < y < self.at(0.85) else None

    def shoulder(self, neck: int, armpit: int) -> tuple[int, float]:
        """Row and half-width of the shoulders' tips: where the outline bends most from neck to arm."""
        halves = [(y, self.half(y)) for y in range(neck, armpit + 1)]
        (y0, w0), (y1, w1) = halves[0], halves[-1]
        return max(halves, key=lambda point: (point[1] - w0) * (y1 - y0) - (point[0] - y0) * (w1 - w0))

    def slope(self, neck: int, tip_half: float) -> int:
        """The row below the neck where the outline reaches `SLOPE` of the tips' width."""
        return next((y for y in range(neck, self.bottom) if self.half(y) >= tip_half * SLOPE), neck)


def blend(stops: list[tuple[float, float]], y: float) -> float:
    """The value at y of a table of (y, value), straight between its stops and constant beyond them."""
    for (y0, value0), (y1, value1) in itertools.pairwise(stops):
        if y <= y1:
            return value0 + (value1 - value0) * max((y - y0) / (y1 - y0), 0) if y1 > y0 else value1
    return stops[-1][1]


def smoothed(spans: list[Span], reach: int) -> list[Span]:
    """Spans averaged with their neighbours up and down."""

    def averaged(values: list[float]) -> list[float]:
        total, sums = 0.0, [0.0]
        for value in values:
            total += value
            sums.append(total)
        bounds = [(max(0, index - reach), min(len(values), index + reach + 1)) for index in range(len(values))]
        return [(sums[end] - sums[start]) / (end - start) for start, end in bounds]

    return list(zip(averaged([left for left, _ in spans]), averaged([right for _, right in spans]), strict=True))


TRUNK = [
    (140, 30),
    (165, 36),
    (190, 100),
    (214, 112),
    (268, 90),
    (385, 80),
    (486, 98),
    (735, 88),
    (850, 82),
    (1000, 76),
]


ARM = (
    [(180, 84), (216, 90), (366, 140), (497, 174), (600, 190)],
    [(180, 20), (216, 26), (366, 20), (497, 13), (600, 12)],
)


LEG = [(500, 50), (952, 54)], [(500, 50), (545, 47), (735, 28), (795, 31), (915, 18), (1000, 22)]
"""Half-widths, or middle lines and half-widths, by height, in thousandths of a standing person's height."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Where a person's parts are, in pixels; spans are listed for every row of the photo."""

    height: float
    middle: float
    top: float
    neck: int
    tip: int
    """The row of the shoulders' tips."""
    tip_half: float
    slope: int
    """The row where the shoulders' slope has reached `SLOPE` of the tips' width."""
    armpit: int
    crotch: int
    parted: int
    """The row from which the legs are seen to be two; a dress hides them down to its hem."""
    trunk: list[Span]
    arms: tuple[list[Span], list[Span]]
    legs: tuple[list[Span], list[Span]]
    mask: Image.Image | None

    def row(self, thousandths: float) -> int:
        """The row at this height of a standing person, never outside a photo's list of rows."""
        return min(max(round(self.top + self.height * thousandths / 1000), 0), len(self.trunk) - 1)


def expected(size: tuple[int, int], top: float, height: float, middle: float) -> Figure:
    """A person of ordinary proportions standing there."""
    unit = height / 1000

    def spans(centre: Callable[[float], float], half: Callable[[float], float]) -> list[Span]:
        rows: list[Span] = []
        for start in range(0, size[1], 4):  # every fourth row is fine enough for a guess
            y = (start - top) / unit
            rows += [(middle + unit * (centre(y) - half(y)), middle + unit * (centre(y) + half(y)))] * 4
        return rows[: size[1]]

    def limb(table: tuple[list[tuple[float, float]], list[tuple[float, float]]], side: int) -> list[Span]:
        return spans(lambda y: side * blend(table[0], y), lambda y: blend(table[1], y))

    def row(thousandths: float) -> int:
        return min(max(round(top + unit * thousandths), 0), size[1] - 1)

    return Figure(
        height=height,
        middle=middle,
        top=top,
        neck=row(150),
        tip=row(190),
        tip_half=106 * unit,
        slope=row(177),
        armpit=row(275),
        crotch=row(535),
        parted=row(535),
        trunk=spans(lambda _: 0, lambda y: blend(TRUNK, y)),
        arms=(limb(ARM, -1), limb(ARM, 1)),
        legs=(limb(LEG, -1), limb(LEG, 1)),
        mask=None,
    )


def measure(photo: Image.Image) -> Figure:
    """The person's figure from the silhouette, or where it would ordinarily be if the ground is not plain."""
    width, height = photo.size
    found = subjects(photo, tolerance=34)
    usual = expected(photo.size, height * 0.05, min(height * 0.9, width * 2.2), width / 2)
    if found is None:
        return usual
    mask = painted(photo.size, found[:1])
    shape = Shape(mask)
    if shape.height < height * 0.4 or shape.height < shape.width * 1.6:
        return usual
    head = [sum(shape.outer(y)) / 2 for y in range(shape.top, shape.at(0.1))]
    shape.middle = sorted(head)[len(head) // 2]
    figure = measured(photo.size, shape, mask)
    plausible = 0.07 < figure.tip_half / figure.height < 0.2
    return figure if plausible else usual


def measured(size: tuple[int, int], shape: Shape, mask: Image.Image) -> Figure:
    """The figure whose outline this is; what the outline does not show is taken from ordinary proportions."""
    usual = expected(size, shape.top, shape.height, shape.middle)
    necks = range(shape.at(0.11), shape.at(0.19))
    neck = min(necks, key=shape.half, default=usual.neck)
    armpit = shape.armpit(shape.at(0.2), shape.at(0.42))
    tip, half = shape.shoulder(neck, armpit or usual.armpit)
    # Shorts and dresses hide where the legs part; nobody's legs part that far down.
    crotch = min(shape.crotch() or usual.crotch, shape.at(0.55))
    figure = replace(
        usual,
        neck=neck,
        tip=tip,
        tip_half=half,
        slope=shape.slope(neck, half),
        armpit=armpit or usual.armpit,
        crotch=crotch,
        mask=mask,
    )
    figure = with_legs(figure, shape)
    return figure if armpit is None else with_arms(figure, shape)


def with_legs(figure: Figure, shape: Shape) -> Figure:
    """The figure with its legs, and the trunk around them, as the outline shows them."""
    trunk, left, right = list(figure.trunk), list(figure.legs[0]), list(figure.legs[1])
    hidden = []
    for y in range(figure.crotch + 1, shape.bottom):
        halves, centre = shape.halves(y), shape.centre(y)
        if halves:
            left[y], right[y] = halves
            trunk[y] = (halves[0][0], halves[1][1])
        elif centre:
            hidden.append(y)
            trunk[y] = centre
    parted = hidden[-1] if hidden else figure.crotch
    below = min(parted + 2, shape.bottom - 1)
    for y in hidden:
        share = (y - figure.crotch) / max(below - figure.crotch, 1)
        inner = [shape.middle + (edge - shape.middle) * share for edge in (left[below][1], right[below][0])]
        left[y], right[y] = (trunk[y][0], inner[0]), (inner[1], trunk[y][1])
    reach = max(1, round(shape.height * 0.008))
    return replace(figure, parted=parted, trunk=trunk, legs=(smoothed(left, reach), smoothed(right, reach)))


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
    reach = max(1, round(shape.height * 0.008))
    return replace(figure, trunk=smoothed(trunk, reach), arms=(smoothed(left, reach), smoothed(right, reach)))
