"""A garment's picture made ready: cropped to a box, its plain ground made white, and what kind of garment it shows."""

from __future__ import annotations

from typing import TypeAlias

from PIL import Image, ImageFilter

from vton_ui.pictures.ground import painted, things
from vton_ui.pictures.outline import Shape

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
    small = shrunk(image, CUT_SIDE)
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
    small = shrunk(image, GUESS_SIDE)
    found = things(small, tolerance=TOLERANCE)
    return _kind(Shape(painted(small.size, found))) if found else "upper"


def _kind(shape: Shape) -> str:
    """Legs and waists are bottoms; of the rest, what is short is a top, and what is long has sleeves or not."""
    crotch = _crotch(shape)
    if crotch is not None:
        jumpsuit = crotch > 0.45 and shape.height > 1.9 * shape.width
        return "overall" if jumpsuit else "lower"  # trousers, or shoes
    if _starts_at_waist(shape):
        return "lower"
    # Sleeves make a top look wide, so its length is measured against its trunk.
    if shape.height < _trunk(shape) * 1.6:
        return "upper"
    return "outer" if len(shape.rows[shape.at(0.45)]) >= 3 else "overall"


def _crotch(shape: Shape) -> float | None:
    """How far down legs part, if they stay parted down to the hem; 0 for a pair of shoes."""
    share = 0.92
    while share > 0 and shape.halves(shape.at(share)):
        share -= 0.02
    return max(share, 0.0) if share < 0.85 else None


def _starts_at_waist(shape: Shape) -> bool:
    """Whether it is narrowest at its top, as a skirt is; a dress is narrower at its own waist."""
    halves = [shape.half(shape.at(share / 100)) for share in range(2, 65, 3)]
    narrows = any(half < max(halves[: index + 1]) * 0.92 for index, half in enumerate(halves))
    one = len(shape.rows[shape.at(0.04)]) == 1
    return not narrows and halves[0] > shape.half(shape.at(0.25)) * 0.62 and one


def _trunk(shape: Shape) -> float:
    """The widest that the stretch across the middle line is below the armpits."""
    across = filter(None, (shape.centre(shape.at(share / 100)) for share in range(30, 60, 5)))
    return max((right - left for left, right in across), default=shape.width)


def shrunk(picture: Image.Image, side: int) -> Image.Image:
    """The picture, or a smaller copy with no side longer than this."""
    copy = picture.copy()
    copy.thumbnail((side, side), Image.Resampling.BILINEAR)
    return copy
