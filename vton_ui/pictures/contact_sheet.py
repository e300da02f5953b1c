"""One picture to share: the visitor's photo, then up to twelve looks, each with its caption.

CPU work: call it off the event loop.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Union

from PIL import Image, ImageDraw, ImageFont

from vton_ui.errors import InputError
from vton_ui.models.spec import Size
from vton_ui.pictures.framing import contained
from vton_ui.pictures.photos import read

MAX_LOOKS = 12
LONGEST_SIDE = 2400
CELL = (240, 640)
"""The least and the most width of a picture on the sheet, in pixels."""
LARGEST = Size(2 * CELL[1], LONGEST_SIDE)
"""No picture on any sheet is larger."""
SHAPE = 1.15
"""Width by height of the sheet that is best to look at."""
TALL = 2.3
"""About how many columns a photo takes that is two rows tall, captions and all."""
GRID = 8
FINER = 3
"""How much larger text is drawn before it is scaled down."""

PAPER, LINE, INK, QUIET = (250, 248, 244), (228, 221, 208), (33, 29, 23), (109, 101, 88)
"""The page's colours by day: see the theme."""
SYSTEM_FONTS = ("NotoSans-Regular.ttf", "DejaVuSans.ttf", "segoeui.ttf", "Arial Unicode.ttf", "Arial.ttf")
"""For names in letters that Pillow's own font does not have."""

Font = Union[ImageFont.FreeTypeFont, ImageFont.ImageFont]


@dataclass(frozen=True, kw_only=True)
class Captioned:
    """A look's file, and what stands under it: a title and smaller lines."""

    path: Path
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where things are, in pixels.

    Attributes:
        tall: The first picture, the photo, stands beside the others, two rows tall; else it is the first in their grid.
    """

    columns: int
    rows: int
    tall: bool
    cell: Size
    margin: int
    gap: int
    title: int
    small: int

    @property
    def row(self) -> int:
        """From the top of a row to the top of the next: picture, three lines of caption, gap."""
        return _up(self.cell.height + self.title * 1.9 + self.small * 1.45 * 2) + self.gap

    @property
    def photo(self) -> Size:
        """The cell of the photo."""
        if not self.tall:
            return self.cell
        height = self.row + self.cell.height
        return Size(round(height * self.cell.width / self.cell.height), height)

    @property
    def size(self) -> Size:
        """The whole sheet, with a line of text at its foot."""
        beside = self.photo.width + self.gap if self.tall else 0
        return Size(
            2 * self.margin + beside + self.columns * (self.cell.width + self.gap) - self.gap,
            2 * self.margin + self.rows * self.row + _up(self.small),
        )

    def at(self, index: int) -> tuple[int, int]:
        """The upper left corner of a picture's cell."""
        if not self.tall or index == 0:
            row, column = divmod(index, self.columns)
            return self.margin + column * (self.cell.width + self.gap), self.margin + row * self.row
        row, column = divmod(index - 1, self.columns)
        left = self.margin + self.photo.width + self.gap
        return left + column * (self.cell.width + self.gap), self.margin + row * self.row


def contact_sheet(photo: Path | None, looks: Sequence[Captioned], note: str) -> Image.Image:
    """The photo, where it is still there, and the looks on one sheet.

    Args:
        note: A line for the foot of the sheet.

    Raises:
        PhotoError: The photo cannot be read.
        InputError: There is no look, there are more than twelve, or a look is gone.
    """
    if not 1 <= len(looks) <= MAX_LOOKS:
        raise InputError(
            f"There are {len(looks)} looks.", f"Choose 1 to {MAX_LOOKS} for a contact sheet.", slot="Contact sheet"
        )
    before = None if photo is None else read(photo, slot="Photo", to=_no_larger)
    first = before or _opened(looks[0].path, LARGEST)
    layout = layout_of(len(looks) - (before is None), first.width / first.height, tall=before is not None)
    sheet = Image.new("RGB", layout.size, PAPER)
    if before is not None:
        _put(sheet, layout, 0, before, ("Photo",))
    for index, look in enumerate(looks, int(before is not None)):
        _put(sheet, layout, index, _opened(look.path, layout.cell), look.lines)
    _write(sheet, (layout.margin, layout.size.height - layout.margin - layout.small), note, layout.small, QUIET)
    return sheet


def layout_of(looks: int, ratio: float, *, tall: bool = True) -> Layout:
    """The layout for a first picture and so many more, of this width by height: near `SHAPE`, with few empty places.

    Args:
        tall: Whether the first picture may be two rows tall.
    """
    ratio = max(0.4, min(2.5, ratio))
    grids = [(columns, -(-(looks + 1) // columns), False) for columns in range(1, looks + 2)]
    if looks >= 4 and tall:
        grids.append((-(-looks // 2), 2, True))

    def across(columns: int, tall: bool) -> float:
        return columns + (TALL if tall else 0)

    def strain(grid: tuple[int, int, bool]) -> float:
        columns, rows, tall = grid
        filled = (looks + (not tall)) / (columns * rows)
        return abs(math.log(across(columns, tall) * ratio / (rows * 1.2) / SHAPE)) + 2.5 * (1 - filled)

    columns, rows, tall = min(grids, key=strain)
    least, most = CELL
    # A cell is a good tenth wider than its picture, for the gap, and a good quarter taller, for the caption.
    width = min(most, LONGEST_SIDE / across(columns, tall) / 1.12, LONGEST_SIDE / rows / 1.32 * ratio)
    width = max(least, int(width) // GRID * GRID)
    title = max(18, min(26, width // 18))
    return Layout(
        columns=columns,
        rows=rows,
        tall=tall,
        cell=Size(width, round(width / ratio)),
        margin=_up(width / 8),
        gap=_up(width / 14),
        title=title,
        small=round(title * 0.78),
    )


def _put(sheet: Image.Image, layout: Layout, index: int, picture: Image.Image, lines: Sequence[str]) -> None:
    """A picture in its cell, whole, with soft corners and a thin border, and its caption under it."""
    (left, top), cell = layout.at(index), layout.cell if index else layout.photo
    size = contained(Size(*picture.size), cell)
    x, y = left + (cell.width - size.width) // 2, top + (cell.height - size.height)
    radius = layout.title * 2 // 3
    way = Image.Resampling.HAMMING if size < picture.size else Image.Resampling.BICUBIC
    sheet.paste(picture.resize(size, way, reducing_gap=2), (x, y), _rounded(size, radius))
    edge = ImageDraw.Draw(sheet)
    edge.rounded_rectangle((x, y, x + size.width - 1, y + size.height - 1), radius, outline=LINE, width=1)
    y = top + cell.height + layout.title * 2 // 3
    for number, line in enumerate(lines):
        points, colour = (layout.small, QUIET) if number else (layout.title, INK)
        _write(sheet, (left, y), _shortened(line, points, cell.width), points, colour)
        y += round(points * 1.45)


def _no_larger(size: Size) -> Size:
    """The size, or as much of it as any sheet needs."""
    return min(size, contained(size, LARGEST))


def _opened(path: Path, size: Size) -> Image.Image:
    """A look's picture, decoded no finer than needed for this size.

    Raises:
        InputError: It is gone.
    """
    try:
        with Image.open(path, formats=("JPEG", "PNG")) as picture:
            picture.draft("RGB", size)
            return picture.convert("RGB")
    except OSError as exc:
        raise InputError("A look is no longer there.", "Choose others.", slot="Contact sheet") from exc


def _rounded(size: Size, radius: int) -> Image.Image:
    """A mask with soft corners; drawn larger, since Pillow draws corners with steps."""
    corner = Image.new("L", (radius * 4, radius * 4))
    ImageDraw.Draw(corner).ellipse((0, 0, radius * 8 - 1, radius * 8 - 1), fill=255)
    corner = corner.resize((radius, radius), Image.Resampling.BOX)
    mask = Image.new("L", size, 255)
    for turn in (0, 90, 180, 270):
        x = 0 if turn in (0, 90) else size.width - radius
        y = 0 if turn in (0, 270) else size.height - radius
        mask.paste(corner.rotate(turn), (x, y))
    return mask


def _write(sheet: Image.Image, at: tuple[int, int], text: str, points: int, colour: tuple[int, int, int]) -> None:
    """A line of text; drawn larger, since Pillow puts small letters on whole pixels, some too near, some too far."""
    font = _font_for(text, points * FINER)
    mask = Image.new("L", (round(font.getlength(text)) + points, points * 2 * FINER))
    ImageDraw.Draw(mask).text((0, 0), text, font=font, fill=255)
    sheet.paste(colour, at, mask.reduce(FINER))


def _shortened(text: str, points: int, width: int) -> str:
    """The text, or as much of its beginning as there is room for."""
    font, width = _font_for(text, points * FINER), width * FINER
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip(" ·+,") + "…"


def _font_for(text: str, points: int) -> Font:
    """Pillow's own font, or, for letters that it does not have, the first of the system's that has them all."""
    fonts = _fonts(points)
    return next((font for font in fonts if all(_has(font, letter) for letter in set(text))), fonts[0])


@lru_cache(maxsize=16)
def _fonts(points: int) -> list[Font]:
    fonts: list[Font] = [ImageFont.load_default(points)]
    for name in SYSTEM_FONTS:
        try:
            fonts.append(ImageFont.truetype(name, points))
        except OSError:
            continue
    return fonts


@lru_cache(maxsize=4096)
def _has(font: Font, letter: str) -> bool:
    """Whether a font can draw a letter: what it cannot, it draws as it draws a letter that there is not."""
    return letter.isspace() or bytes(font.getmask(letter)) != bytes(font.getmask("\U0010ffff"))


def _up(length: float) -> int:
    """On the grid, and no shorter."""
    return math.ceil(length / GRID) * GRID
