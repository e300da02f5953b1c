"""Measure the outline of a person or a garment that was cut from its ground."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import TypeAlias

from PIL import Image

from vton_ui.pictures.ground import rows_of

Span: TypeAlias = tuple[float, float]
"""Left and right, in pixels."""
Stops: TypeAlias = Sequence[tuple[float, float]]
"""A table of (y, value)."""

SLOPE_SHARE = 0.62
"""Of the shoulders' half-width: a place on their slope that collars do not reach and sleeves do not move."""


def blend(stops: Stops, y: float) -> float:
    """The value at y, straight between the table's stops and constant beyond them."""
    for (y0, value0), (y1, value1) in pairwise(stops):
        if y <= y1:
            return value0 + (value1 - value0) * max((y - y0) / (y1 - y0), 0) if y1 > y0 else value1
    return stops[-1][1]


def smoothed(rows: Sequence[tuple[float, ...]], reach: int) -> list[tuple[float, ...]]:
    """Rows of numbers averaged with as many neighbours above as below, so that straight lines stay as they are."""
    sums = [list(accumulate(column, initial=0.0)) for column in zip(*rows, strict=True)]
    reaches = [min(reach, index, len(rows) - 1 - index) for index in range(len(rows))]
    return [
        tuple((total[index + near + 1] - total[index - near]) / (2 * near + 1) for total in sums)
        for index, near in enumerate(reaches)
    ]


class Shape:
    """A mask's outline, row by row, in the mask's pixels."""

    def __init__(self, mask: Image.Image) -> None:
        box = mask.getbbox() or (0, 0, mask.width, mask.height)
        self.left, self.top, self.right, self.bottom = box
        self.width, self.height = self.right - self.left, self.bottom - self.top
        self.middle = (self.left + self.right) / 2
        least = max(1, self.width // 60)
        self.rows = [[run for run in row if run[1] - run[0] >= least] for row in rows_of(mask)]

    def at(self, share: float) -> int:
        """The row this far down."""
        return min(max(round(self.top + share * self.height), self.top), self.bottom - 1)

    def outer(self, y: int) -> Span:
        """From the leftmost to the rightmost edge of a row."""
        row = self.rows[min(max(y, self.top), self.bottom - 1)]
        return (row[0][0], row[-1][1]) if row else (self.middle - 0.5, self.middle + 0.5)

    def half(self, y: int) -> float:
        """Half of a row's full width."""
        left, right = self.outer(y)
        return (right - left) / 2

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
        """The two runs either side of a gap near the middle: legs."""
        for before, after in pairwise(self.rows[y]):
            aside = abs((before[1] + after[0]) / 2 - self.middle)
            if aside < self.width * 0.07 + (after[0] - before[1]) * 0.3:
                return before, after
        return None

    def armpit(self, first: int, last: int) -> int | None:
        """The row, between these two, where both arms or sleeves part from the trunk."""
        parted = [bool(self.beside(y)) for y in range(first, min(last, self.bottom))]
        held = (first + index for index in range(len(parted) - 3) if all(parted[index : index + 4]))
        return next(held, None) or self.sleeve_hem(first, last)

    def sleeve_hem(self, first: int, last: int) -> int | None:
        """The row where short sleeves end at the trunk: just above, the outline runs steeply inwards."""
        step = max(2, self.height // 80)
        rows = range(first, min(last, self.bottom - step))
        steep = [y for y in rows if self.half(y) - self.half(y + step) > step * 1.1]
        if not steep or self.half(steep[0]) - self.half(steep[-1] + step) <= self.width * 0.04:
            return None
        return steep[-1] + step

    def crotch(self) -> int | None:
        """The row where the legs part, if they stay parted down to the hem."""
        y = self.at(0.92)
        while y > self.top and self.halves(y):
            y -= 1
        return y if self.at(0.1) < y < self.at(0.85) else None

    def shoulder(self, neck: int, armpit: int) -> tuple[int, float]:
        """Row and half-width of the shoulders' tips: where the outline bends most.

        That is where it is furthest from a straight line between the armpit and the neck's middle; the neck's own
        edge would be no good end, since collars differ.
        """
        reach, deep = self.half(armpit), armpit - neck
        halves = [(y, self.half(y)) for y in range(neck, armpit + 1)]
        return max(halves, key=lambda point: point[1] * deep - (point[0] - neck) * reach)

    def slope(self, neck: int, tip_half: float) -> int:
        """The row below the neck where the outline reaches `SLOPE_SHARE` of the tips' half-width."""
        return next((y for y in range(neck, self.bottom) if self.half(y) >= tip_half * SLOPE_SHARE), neck)
