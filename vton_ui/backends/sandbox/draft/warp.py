"""Stretch a piece of cloth, row by row, from its own outline to the place where it is worn."""

from __future__ import annotations

from bisect import bisect
from typing import NamedTuple, TypeAlias

from PIL import Image

from vton_ui.pictures.outline import smoothed

ROWS, STEP = 2, 3
"""Rows of a garment from one `Row` to the next, and of the photo warped at once: few enough for smooth edges."""
RIM = 2.0
"""Pixels beyond the outline that are warped too, for the feathered edge."""


class Row(NamedTuple):
    """One row of a strip: where it lies on the photo, and what lies there, in pixels of the garment's picture."""

    y: float
    left: float
    right: float
    own_y: float
    own_left: float
    own_right: float


Strip: TypeAlias = list[Row]
"""A sleeve, a leg, a trunk: top row first."""


def placed(strip: Strip, zoom: int, left: int, top: int) -> Strip:
    """The strip on a photo so many times larger, from whose corner so much is cut off."""
    return [
        each._replace(y=each.y * zoom - top, left=each.left * zoom - left, right=each.right * zoom - left)
        for each in strip
    ]


def warped(cut: Image.Image, strip: Strip, size: tuple[int, int]) -> Image.Image:
    """The strip, cut from a garment's picture (RGBA), on an empty layer of this size."""
    scale = max((each.right - each.left) / max(each.own_right - each.own_left, 1) for each in strip)
    # Bilinear sampling skips pixels when it shrinks a lot; shrink properly first.
    shrink = max(1, int(1 / max(scale, 0.05)))
    table = [Row(*each) for each in smoothed(sorted(strip), 2)]
    heights = [each.y for each in table]
    bottom, mesh = min(size[1], round(heights[-1])), []
    for y in range(max(0, round(heights[0])), bottom, STEP):
        end = min(y + STEP, bottom)
        upper, lower = row_at(table, heights, y), row_at(table, heights, end)
        left, right = max(0, round(upper.left - RIM)), min(size[0], round(upper.right + RIM))
        if left < right:
            quad = (*own(upper, left), *own(lower, left), *own(lower, right), *own(upper, right))
            mesh.append(((left, y, right, end), [value / shrink for value in quad]))
    source = cut.reduce(shrink) if shrink > 1 else cut
    return source.transform(size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def row_at(table: Strip, heights: list[float], y: float) -> Row:
    """The strip at a row of the photo, interpolated between its neighbours in the table."""
    index = min(max(bisect(heights, y), 1), len(table) - 1)
    one, two = table[index - 1], table[index]
    share = min(max((y - one.y) / (two.y - one.y), 0), 1) if two.y > one.y else 0
    return Row(*(a + (b - a) * share for a, b in zip(one, two, strict=True)))


def own(row: Row, x: float) -> tuple[float, float]:
    """The point of the garment's picture that belongs to an x of this row."""
    scale = (row.own_right - row.own_left) / max(row.right - row.left, 1)
    return row.own_left + (x - row.left) * scale, row.own_y
