"""Several garments → one sheet, by the rules that work for FLUX (see `sheet`)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageStat

from vton_ui.errors import GarmentsError
from vton_ui.models.spec import Choice, Size
from vton_ui.pictures.ground import near

MAX_GARMENTS = 6
LAYOUT = Choice(
    name="layout",
    label="Layout",
    choices=(("auto", "Automatic"), ("row", "One row"), ("grid", "Two rows")),
    default="auto",
)
"""How the garments lie on the sheet; by itself two lie side by side, and more in two rows."""
GROUND = (255, 255, 255)
GAP = 12 / 512
"""The gap between cells, as a share of a cell's side."""

_PLAIN_SPREAD = 12.0
"""Standard deviation, of 255, up to which a picture's rim counts as one plain colour."""
_INK = 18
"""Difference from the background, of 255, from which a pixel belongs to the garment."""


def grid(count: int, layout: str = LAYOUT.default) -> tuple[int, int]:
    """Columns and rows for so many garments; by themselves 2 side by side, 3–4 in 2×2, 5–6 in 3×2.

    Raises:
        GarmentsError: There is none, or there are more than six.
    """
    if count < 1:
        raise GarmentsError("There is no garment yet.", "Add a photo of a garment.", slot="Garments")
    if count > MAX_GARMENTS:
        raise GarmentsError(
            f"There are {count} garments.",
            f"Use at most {MAX_GARMENTS}; take {count - MAX_GARMENTS} away.",
            slot="Garments",
        )
    side_by_side = layout == "row" or (layout == "auto" and count == 2)
    rows = 1 if count == 1 or side_by_side else 2
    return -(-count // rows), rows


def trim(image: Image.Image) -> Image.Image:
    """The picture without its plain margin; unchanged if its rim is not plain, or if nothing would be left."""
    rim = max(1, min(image.size) // 100)
    outside = Image.new("1", image.size, 1)
    outside.paste(0, (rim, rim, image.width - rim, image.height - rim))
    stats = ImageStat.Stat(image, outside)
    if max(stats.stddev) > _PLAIN_SPREAD:
        return image
    box = ImageChops.invert(near(image, stats.median, _INK - 1)).getbbox()
    if box is None:
        return image
    left, top, right, bottom = box
    return image.crop(
        (max(0, left - rim), max(0, top - rim), min(image.width, right + rim), min(image.height, bottom + rim))
    )


def cells(sizes: Sequence[Size], pixels: int, layout: str = LAYOUT.default) -> tuple[Size, Size, int]:
    """The size of the sheet, of a cell and of a gap, in pixels.

    The cell has the garments' mean shape, is as large as the sheet's `pixels` allow, and no larger than the
    largest garment needs.
    """
    columns, rows = grid(len(sizes), layout)
    shape = math.exp(sum(math.log(size.width / size.height) for size in sizes) / len(sizes))
    shape = min(2.0, max(0.5, shape))
    # All in units of the cell's height: width is `shape`, and a gap goes around every cell.
    gap = GAP * math.sqrt(shape)
    area = (columns * (shape + gap) + gap) * (rows * (1 + gap) + gap)
    needed = max(max(size.width / shape, size.height) for size in sizes)
    height = min(math.sqrt(pixels / area), needed)
    cell = Size(max(1, math.floor(height * shape)), max(1, math.floor(height)))
    space = max(1, math.floor(height * gap))
    whole = Size(columns * (cell.width + space) + space, rows * (cell.height + space) + space)
    return whole, cell, space


def sheet(garments: Sequence[Image.Image], *, pixels: int, layout: str = LAYOUT.default) -> Image.Image:
    """One picture of all garments; a single one is returned unchanged.

    White background, plain gaps. Every piece loses its plain margin and keeps its shape; nothing is cropped or
    enlarged. The order is the one given (head to toe works best).

    Args:
        garments: 1 to 6 RGB pictures.
        pixels: The most pixels the sheet may have.
        layout: See `LAYOUT`.

    Raises:
        GarmentsError: There are none, or more than six.
    """
    columns, _ = grid(len(garments), layout)
    if len(garments) == 1:
        return garments[0]
    pieces = [trim(garment) for garment in garments]
    size, cell, gap = cells([Size(*piece.size) for piece in pieces], pixels, layout)
    picture = Image.new("RGB", size, GROUND)
    for index, piece in enumerate(pieces):
        row, column = divmod(index, columns)
        scale = min(1.0, cell.width / piece.width, cell.height / piece.height)
        fitted = Size(max(1, round(piece.width * scale)), max(1, round(piece.height * scale)))
        scaled = piece if fitted == piece.size else piece.resize(fitted, Image.Resampling.LANCZOS)
        left = gap + column * (cell.width + gap) + (cell.width - fitted.width) // 2
        top = gap + row * (cell.height + gap) + (cell.height - fitted.height) // 2
        picture.paste(scaled, (left, top))
    return picture
