"""Lay garments as cards on a photo, beside the person: for photos on which no figure can be measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

SHAPE = 4 / 3
"""Height of a card, in its width."""
GAP, PADDING, CORNER = 0.02, 0.08, 0.09
"""Between cards in the photo's mean side; inside a card, and its corners' radius, in its width."""
SIDE_SHARE, LOW_SHARE, TALLEST = 0.3, 0.34, 0.36
"""The most that cards take of a photo's width beside the person, of its height below; and one card of its height."""
WORTH = 1.25
"""How much larger the cards must become for an arrangement that comes later in the list."""
PAPER, EDGE, SHADOW = (255, 255, 255), (221, 215, 206), (24, 22, 20)
SMOOTH = 4
"""Corners are drawn so many times larger, and reduced."""
LOOKED_AT = 96
"""Pixels of the longer side of the copy on which calm places are looked for."""


class Grid(NamedTuple):
    """An arrangement of cards: how many, the width of one, and whether it lies below the person, not beside."""

    columns: int
    rows: int
    width: float
    below: bool

    def size(self, gap: float) -> tuple[float, float]:
        """Width and height, without a gap around it."""
        return self.columns * (self.width + gap) - gap, self.rows * (self.width * SHAPE + gap) - gap


def laid_beside(photo: Image.Image, garments: Sequence[Image.Image], floor: int) -> Image.Image:
    """The photo with a card of each garment, where it holds the least detail.

    Args:
        photo: RGB.
        garments: one to six, RGBA, each cut close.
        floor: the row of the photo below which nothing may lie.
    """
    gap = GAP * (photo.width * photo.height) ** 0.5
    grid = arranged(len(garments), photo.size, floor, gap)
    left, top = calmest(photo, grid, floor, gap)
    size = (max(1, round(grid.width)), max(1, round(grid.width * SHAPE)))
    laid = photo.copy()
    for index, garment in enumerate(garments):
        row, column = divmod(index, grid.columns)
        at = round(left + column * (grid.width + gap)), round(top + row * (grid.width * SHAPE + gap))
        lay(laid, card(garment, size), at)
    return laid


def arranged(count: int, size: tuple[int, int], floor: int, gap: float) -> Grid:
    """The arrangement of so many cards: one column, if others do not make the cards much larger."""
    width, height = size
    best: Grid | None = None
    for columns in (1, 2, 3):
        rows = -(-count // columns)
        across = (width * SIDE_SHARE - gap * columns) / columns
        down = min((floor - gap * (rows + 1)) / rows, height * TALLEST)
        best = larger(best, Grid(columns, rows, min(across, down / SHAPE), below=False))
    for rows in (1, 2):
        columns = -(-count // rows)
        across = (width - gap * (columns + 1)) / columns
        best = larger(best, Grid(columns, rows, min(across, height * LOW_SHARE / rows / SHAPE - gap), below=True))
    assert best
    return best._replace(width=max(best.width, 1.0))


def larger(best: Grid | None, other: Grid) -> Grid:
    """The other arrangement if its cards are worth it."""
    return other if best is None or other.width > best.width * (WORTH if not other.below else 2 * WORTH) else best


def calmest(photo: Image.Image, grid: Grid, floor: int, gap: float) -> tuple[float, float]:
    """Left and top of the place for all cards that hides the least: edges and skin."""
    width, height = grid.size(gap)
    right, low = max(photo.width - gap - width, 0), max(floor - gap - height, 0)
    across = [(photo.width - width) / 2] if grid.below else [gap, right]
    down = [low] if grid.below else [low, (gap + low) / 2, gap]
    detail, scale = detail_of(photo)

    def hidden(place: tuple[float, float]) -> float:
        left, top = (int(each / scale) for each in place)
        box = (left, top, left + max(1, round(width / scale)), top + max(1, round(height / scale)))
        return ImageStat.Stat(detail.crop(box)).mean[0]

    return min([(x, y) for y in down for x in across], key=hidden)


def detail_of(photo: Image.Image) -> tuple[Image.Image, float]:
    """Where a small copy of the photo has edges, or the colours of skin; and how many times smaller it is."""
    scale = max(photo.size) / LOOKED_AT
    small = photo.resize([max(1, round(side / scale)) for side in photo.size], Image.Resampling.BOX)
    edges = small.convert("L").filter(ImageFilter.FIND_EDGES).filter(ImageFilter.BoxBlur(1))
    _, blue, red = small.convert("YCbCr").split()
    skin = ImageChops.multiply(
        blue.point(lambda value: 255 * (77 <= value <= 127)), red.point(lambda value: 255 * (133 <= value <= 173))
    )
    # A draft may be the photo of the next one: its cards are not covered by others.
    paper = small.convert("L").point(lambda value: 255 * (value >= 253))
    return ImageChops.add(ImageChops.lighter(edges, paper), skin.point(lambda value: value // 2)), scale


def card(garment: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A card of this size, RGBA, with round corners and the garment in its middle."""
    width, height = size
    radius, line = CORNER * width, max(1, width // 120)
    corners = Image.new("L", (width * SMOOTH, height * SMOOTH))
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, *(side - 1 for side in corners.size)), radius * SMOOTH, fill=255)
    paper = Image.new("RGB", size, PAPER)
    ImageDraw.Draw(paper).rounded_rectangle((0, 0, width - 1, height - 1), radius, outline=EDGE, width=line)
    room = [max(1, round(side - 2 * PADDING * width)) for side in size]
    scale = min(room[0] / garment.width, room[1] / garment.height)
    fitted = garment.resize([max(1, round(side * scale)) for side in garment.size], Image.Resampling.LANCZOS)
    paper.paste(fitted, ((width - fitted.width) // 2, (height - fitted.height) // 2), fitted)
    paper.putalpha(corners.resize(size, Image.Resampling.BOX))
    return paper


def lay(photo: Image.Image, laid: Image.Image, at: tuple[int, int]) -> None:
    """Put a card on the photo, with a soft shadow below it."""
    soft = max(1, laid.width // 24)
    cast = Image.new("L", (laid.width + 6 * soft, laid.height + 6 * soft))
    cast.paste(laid.getchannel("A").point(lambda value: value // 3), (3 * soft, 3 * soft))
    photo.paste(SHADOW, (at[0] - 3 * soft, at[1] - 2 * soft), cast.filter(ImageFilter.GaussianBlur(soft)))
    photo.paste(laid, at, laid)
