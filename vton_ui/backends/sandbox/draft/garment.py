"""A garment cut from its picture, several from a sheet, and where each is worn."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageFilter, ImageStat

from vton_ui.pictures.cutting import shrunk
from vton_ui.pictures.ground import Blob, blob, blobs, near, painted, things
from vton_ui.pictures.outline import Shape

SIDE, SHEET_SIDE = 800, 1600
"""Longest sides, in pixels, that pictures are used at: about as large as garments come out on a photo."""
TOLERANCE = 20
"""How far, of 255, a garment's ground may be from plain; pale garments on white are not much further."""
MARGIN = 3
PATCH_TOLERANCE = 17
LEAST_HOLLOW, LARGEST_HOLLOW = 0.004, 0.12
"""Areas of the hollow at the neck, in the upper garment's."""


class Garment:
    """One garment without its ground: its picture cut close to it, its mask and outline, in the same pixels."""

    def __init__(self, picture: Image.Image, parts: list[Blob]) -> None:
        mask = painted(picture.size, parts)
        left, top, right, bottom = mask.getbbox() or (0, 0, *picture.size)
        box = (left - MARGIN, top - MARGIN, right + MARGIN, bottom + MARGIN)
        self.picture, self.mask = picture.crop(box), mask.crop(box)
        self.shape = Shape(self.mask)
        self.armpit = self.shape.armpit(self.shape.at(0.12), self.shape.at(0.85))
        """The row where sleeves part from the trunk, if there are any."""
        self.crotch = self.shape.crotch()
        """The row where legs part, if there are any."""
        self.parts = parts

    def cut(self, *, open_neck: bool) -> Image.Image:
        """The garment's picture, RGBA; the hollow of its neck clear as well, if wanted."""
        hollow = self.hollow() if open_neck else None
        mask = ImageChops.subtract(self.mask, hollow) if hollow else self.mask
        cut = self.picture.copy()
        # A pixel smaller and feathered, so that no rim of the ground is left.
        cut.putalpha(mask.filter(ImageFilter.GaussianBlur(1.2)).point(lambda value: max(0, 2 * value - 255)))
        return cut

    def hollow(self) -> Image.Image | None:
        """A mask of the garment's own back, seen through its neck: on a person the throat is there.

        It is a small even patch in the middle of the top edge. None where there is none, or it looks like the front.
        """
        shape = self.shape
        upper = (0, 0, self.mask.width, shape.at(0.4))
        for share in (0.5, 0.455, 0.545):  # a label may hang in the middle
            x = round(shape.left + shape.width * share)
            column = self.mask.crop((x, 0, x + 1, self.mask.height)).getbbox()
            if column is None or column[1] > shape.at(0.3):
                continue
            seed = (x, column[1] + max(3, shape.height // 250))
            patch = even_patch(self.picture.crop(upper), self.mask.crop(upper), seed)
            if patch:
                return patch.crop((0, 0, *self.mask.size))
        return None

    def region(self) -> str:
        """Guess from the outline where the garment is worn: a cloth type of CatVTON's, or "feet"."""
        shape = self.shape
        tall = shape.height / max(shape.width, 1)
        if len(self.parts) == 2 and is_pair(*self.parts) and tall < 1.3:
            return "feet"
        if self.armpit:
            _, tip_half = shape.shoulder(shape.top, self.armpit)
            if shape.height <= tip_half * 2 * 2.1:
                return "upper"
            sleeves = shape.half(shape.at(0.35)) > tip_half * 1.5 or shape.beside(shape.at(0.45))
            return "outer" if sleeves else "overall"
        if self.crotch:
            return "lower"
        if tall < 0.6:
            return "feet"
        flat_top = (
            shape.half(shape.at(0.02)) > shape.half(shape.at(0.25)) * 0.62 and len(shape.rows[shape.at(0.04)]) == 1
        )
        return "lower" if flat_top else "overall" if tall > 1.6 else "upper"


def whole(picture: Image.Image) -> Garment:
    """The picture's garment, whatever it consists of; all of the picture where its ground is not plain."""
    picture = shrunk(picture, SIDE)
    found = things(picture, tolerance=TOLERANCE)
    return Garment(picture, found or blobs(Image.new("L", picture.size, 255)))


def garments_of(sheet: Image.Image) -> list[Garment]:
    """The garments of a sheet; the two shoes of a pair are one garment."""
    picture = shrunk(sheet, SHEET_SIDE)
    groups: list[list[Blob]] = []
    for found in things(picture, tolerance=TOLERANCE):
        mate = next((group for group in groups if len(group) == 1 and is_pair(group[0], found)), None)
        if mate:
            mate.append(found)
        else:
            groups.append([found])
    return [Garment(picture, group) for group in groups] or [whole(sheet)]


def is_pair(one: Blob, other: Blob) -> bool:
    """Whether two blobs look like a pair of shoes: alike, side by side, neither long nor wide."""
    (left, top, right, bottom), (left2, top2, right2, bottom2) = one.box, other.box
    width, height = right - left, bottom - top
    alike = abs(one.area - other.area) < one.area * 0.12 and abs(height - (bottom2 - top2)) < height * 0.08
    gap = max(left, left2) - min(right, right2)
    return alike and abs(top - top2) < height * 0.15 and 0 <= gap < width * 0.8 and height < width * 2.6


def even_patch(picture: Image.Image, mask: Image.Image, seed: tuple[int, int]) -> Image.Image | None:
    """A mask of the patch of one colour around the seed, filled, if it is neither a speck nor a large part."""
    x, y = seed
    colour = ImageStat.Stat(picture.crop((x - 1, y - 1, x + 2, y + 2))).median
    alike = ImageChops.multiply(near(picture, colour, PATCH_TOLERANCE), mask)
    found = next((each for each in blobs(alike) if any(row == y and x0 <= x < x1 for row, x0, x1 in each.runs)), None)
    area = ImageStat.Stat(mask).sum[0] / 255
    if found is None or not LEAST_HOLLOW < found.area / area < LARGEST_HOLLOW:
        return None
    edges: dict[int, tuple[int, int]] = {}
    for row, x0, x1 in found.runs:
        left, right = edges.get(row, (x0, x1))
        edges[row] = (min(left, x0), max(right, x1))
    filled = painted(mask.size, [blob([(row, *edge) for row, edge in edges.items()])])
    return filled.filter(ImageFilter.MaxFilter(3))
