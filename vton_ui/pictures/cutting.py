"""A garment's picture made ready: cropped to a box, its plain ground made white, and what kind of garment it shows."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeAlias

from PIL import Image, ImageFilter

from vton_ui.pictures.ground import Blob, painted, rows_of, things

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom, as shares of the picture's width and height."""

TOLERANCE = 20
"""How far, of 255, a garment's ground may be from plain."""
CUT_SIDE, GUESS_SIDE = 1600, 400
"""Longest sides, in pixels, that grounds are looked for at: finer costs seconds and shows nothing more."""
WHITE = (255, 255, 255)


def cropped(image: Image.Image, box: Box) -> Image.Image:
    """The part of the picture inside the box, at least one pixel wide and high."""
    left, top = min(int(box[0] * image.width), image.width - 1), min(int(box[1] * image.height), image.height - 1)
    right, bottom = round(box[2] * image.width), round(box[3] * image.height)
    return image.crop((left, top, max(right, left + 1), max(bottom, top + 1)))


def cut_out(image: Image.Image) -> Image.Image | None:
    """The picture, RGB, with its plain ground made white behind a soft edge; None where the ground is not plain.

    What lies inside the garment stays, however much it looks like the ground.
    """
    small = _shrunk(image, CUT_SIDE)
    found = things(small, tolerance=TOLERANCE)
    if not found:
        return None
    # Half a pixel smaller before it is softened, so that no rim of the ground comes along.
    mask = painted(small.size, found).filter(ImageFilter.GaussianBlur(1.2)).point(lambda value: max(0, 2 * value - 255))
    white = Image.new("RGB", image.size, WHITE)
    white.paste(image, mask=mask.resize(image.size, Image.Resampling.BICUBIC))
    return white


def guess_kind(image: Image.Image) -> str:
    """The cloth type of CatVTON's that the garment's outline suggests; "upper" where there is none to be seen."""
    small = _shrunk(image, GUESS_SIDE)
    found = things(small, tolerance=TOLERANCE)
    if not found:
        return "upper"
    return _Outline(small.size, found).kind()


class _Outline:
    """The white stretches of each row, from the top of a garment to its bottom."""

    def __init__(self, size: tuple[int, int], found: list[Blob]) -> None:
        mask = painted(size, found)
        self.left, top, self.right, bottom = mask.getbbox() or (0, 0, *size)
        self.width, self.height = self.right - self.left, bottom - top
        self.tall = self.height / self.width
        self._rows = rows_of(mask)[top:bottom]

    def kind(self) -> str:
        """Legs and waists are bottoms; of the rest, what is short is a top, and what is long has sleeves or not."""
        crotch = self._crotch()
        if crotch is not None:
            return "overall" if crotch > 0.45 and self.tall > 1.9 else "lower"  # a jumpsuit; trousers, or shoes
        if self._starts_at_waist():
            return "lower"
        # Sleeves make a top look wide, so its length is measured against its trunk.
        if self.height < self._trunk() * 1.6:
            return "upper"
        return "outer" if len(self._row(0.45)) >= 3 else "overall"

    def _starts_at_waist(self) -> bool:
        """Whether it is narrowest at its top, as a skirt is; a dress is narrower at its own waist."""
        widths = [self._span(share / 100) for share in range(2, 65, 3)]
        narrows = any(width < max(widths[: index + 1]) * 0.92 for index, width in enumerate(widths))
        return not narrows and widths[0] > self._span(0.25) * 0.62 and len(self._row(0.04)) == 1

    def _row(self, share: float) -> list[tuple[int, int]]:
        least = max(1, self.width // 60)
        row = self._rows[min(int(share * self.height), self.height - 1)]
        return [run for run in row if run[1] - run[0] >= least]

    def _span(self, share: float) -> int:
        row = self._row(share)
        return row[-1][1] - row[0][0] if row else 0

    def _trunk(self) -> float:
        """The widest that the stretch across the middle line is below the armpits."""
        middle = (self.left + self.right) / 2
        rows = (self._row(share / 100) for share in range(30, 60, 5))
        across = [right - left for row in rows for left, right in row if left <= middle < right]
        return float(max(across, default=self.width))

    def _crotch(self) -> float | None:
        """How far down legs part, if they stay parted down to the hem; 0 for a pair of shoes."""
        share = 0.92
        while share > 0 and self._parted(share):
            share -= 0.02
        return max(share, 0.0) if share < 0.85 else None

    def _parted(self, share: float) -> bool:
        middle = (self.left + self.right) / 2
        gaps = ((before[1], after[0]) for before, after in pairwise(self._row(share)))
        return any(abs((left + right) / 2 - middle) < self.width * 0.07 + (right - left) * 0.3 for left, right in gaps)


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    """The picture, or a smaller copy with no side longer than this."""
    copy = image.copy()
    copy.thumbnail((side, side), Image.Resampling.BILINEAR)
    return copy
