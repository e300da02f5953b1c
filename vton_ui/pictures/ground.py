"""Cut things from plain grounds.

A mask is read as runs, a handful of (left, right) stretches per row: plain Python handles those in hundredths of
a second, where a flood fill pixel by pixel would take seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

from PIL import Image, ImageChops, ImageStat

AGREEING = 0.7
"""The share of a picture's rim that must have one colour for its ground to count as plain."""
LEAST_THING, LEAST_PART = 0.004, 0.03
"""Specks are no things: least area of the largest thing in the picture's, and of the others in the largest's."""
WHITE = re.compile(rb"\xff+")


class Blob(NamedTuple):
    """One connected area of a mask, in pixels."""

    box: tuple[int, int, int, int]
    """Left, top, right, bottom."""
    area: int
    runs: list[tuple[int, int, int]]
    """Row, left, right; top row first."""


def rows_of(mask: Image.Image) -> list[list[tuple[int, int]]]:
    """The white stretches (left, right) of each row of a black and white mask."""
    width, data = mask.width, mask.tobytes()
    rows = (data[start : start + width] for start in range(0, len(data), width))
    return [[found.span() for found in WHITE.finditer(row)] for row in rows]


def blobs(mask: Image.Image) -> list[Blob]:
    """The connected areas of a black and white mask, largest first."""
    runs = [(y, left, right) for y, row in enumerate(rows_of(mask)) for left, right in row]
    parent = list(range(len(runs)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = index = parent[parent[index]]
        return index

    above = 0
    for index, (y, left, right) in enumerate(runs):
        while (runs[above][0], runs[above][2]) <= (y - 1, left):
            above += 1
        other = above
        while runs[other][0] == y - 1 and runs[other][1] < right:
            parent[root(other)] = root(index)
            other += 1
    groups: dict[int, list[tuple[int, int, int]]] = {}
    for index, run in enumerate(runs):
        groups.setdefault(root(index), []).append(run)
    return sorted(map(blob, groups.values()), key=lambda each: -each.area)


def blob(runs: list[tuple[int, int, int]]) -> Blob:
    """The runs, top row first, with their box and area."""
    rows, lefts, rights = zip(*runs, strict=True)
    return Blob((min(lefts), rows[0], max(rights), rows[-1] + 1), sum(rights) - sum(lefts), runs)


def painted(size: tuple[int, int], found: Iterable[Blob]) -> Image.Image:
    """A mask with these blobs white."""
    width, height = size
    data = bytearray(width * height)
    for each in found:
        for y, left, right in each.runs:
            data[y * width + left : y * width + right] = b"\xff" * (right - left)
    return Image.frombytes("L", size, bytes(data))


def near(picture: Image.Image, colour: Iterable[int], tolerance: int) -> Image.Image:
    """White where no channel of the picture, RGB, is further than the tolerance, of 255, from the colour."""
    apart = ImageChops.difference(picture, Image.new("RGB", picture.size, tuple(colour)))
    return reduce(ImageChops.lighter, apart.split()).point(lambda value: 255 * (value <= tolerance))


def things(picture: Image.Image, *, tolerance: int) -> list[Blob]:
    """What stands on the picture's plain ground, largest first; nothing where the ground is not plain.

    The ground is what can be reached from the edges, so a pale patch inside a garment stays in the garment.
    """
    width, height = picture.size
    edge = max(1, min(width, height) // 60)
    rim = Image.new("L", picture.size, 255)
    rim.paste(0, (edge, edge, width - edge, height))  # not along the floor, which is often another colour
    alike = near(picture, ImageStat.Stat(picture, rim).median, tolerance)
    if ImageStat.Stat(alike, rim).mean[0] < 255 * AGREEING:
        return []
    ground = [each for each in blobs(alike) if min(each.box[:2]) == 0 or each.box[2] == width or each.box[3] == height]
    found = blobs(ImageChops.invert(painted(picture.size, ground)))
    if not found or found[0].area < width * height * LEAST_THING:
        return []
    return [each for each in found if each.area > found[0].area * LEAST_PART]
