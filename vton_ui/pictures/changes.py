"""What a look changed of the visitor's photo: how much, how much outside the body, and a picture that marks it.

CPU work, about a tenth of a second: call it off the event loop.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Union

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from vton_ui.errors import PhotoError
from vton_ui.models.spec import Size
from vton_ui.pictures.figure import SOLE, WRIST, Figure, measure
from vton_ui.pictures.framing import fitted
from vton_ui.pictures.outline import blend
from vton_ui.pictures.photos import measure as size_of
from vton_ui.pictures.photos import read

Source = Union[Image.Image, Path, bytes]
"""A picture, or its file: any that `photos.read` takes."""

PIXELS = 250_000
"""The pictures are compared at this size: JPEG's noise and half a pixel's shift are mostly gone by then."""
SHAPES_APART = 0.02
"""How much the two pictures' ratios may differ: models round their sides to multiples of 16."""
SHIFT = 10
"""By how much, of 255, a model may make a whole picture lighter, darker or more colourful: that is no change."""
VISIBLE = 16
"""The difference, of 255 in any channel, from which a pixel has visibly changed."""
RIM = 2
"""Pixels along the edges, where models and scaling leave their traces: nothing is compared there."""

BODY_BOX = (0.25, 0.18, 0.75, 0.97)
"""Left, top, right, bottom of where a garment is expected, as shares of the frame, for want of a figure."""
MARGIN, HEM = 0.04, 0.2
"""What a garment may stand off the body, and how far a skirt may reach from the middle, in heights of the person."""

FINGERTIPS = 640
"""A level of the body, see `figure`."""
DENSE, CLOSE = 90, 3
"""How many, of 255, of the 5 × 5 pixels around one must have changed; and how far, in pixels, holes are closed."""

LIGHT, DARK, TINT = (255, 255, 255, 245), (26, 12, 24, 245), (214, 22, 140, 110)
"""Magenta, which neither skin nor rooms have; the light and the dark line around it need no sense of colour."""
EDGE = ((40, (*LIGHT[:3], 0)), (56, LIGHT), (88, LIGHT), (104, DARK), (132, DARK), (152, TINT))
"""RGBA by the blurred mask's level, from outside to inside."""
PALETTE = bytes(
    round(blend([(near, colour[channel]) for near, colour in EDGE], level))
    for level in range(256)
    for channel in range(4)
)
"""RGBA for each level."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Changes:
    """What a look changed of the photo.

    Attributes:
        share: Of all pixels, those that visibly changed: 0 to 1.
        share_outside: Of the pixels outside the middle of the body (see `body_of`), those that changed: 0 to 1.
        overlay: Of the look's size, to be laid over it: tint and outline where it changed, else clear. Its mode is P,
            with a palette of RGBA: as a file half of what RGBA takes, and written in an eighth of the time.
    """

    share: float
    share_outside: float
    overlay: Image.Image


def compare(photo: Source, look: Source) -> Changes:
    """What the look changed of the photo it was made from; another scale and a slightly other exposure are nothing.

    Raises:
        PhotoError: One cannot be read, or the look has another shape than the photo.
    """
    photo_size, look_size = _size(photo), _size(look)
    shapes = sorted(size.width / size.height for size in (photo_size, look_size))
    if shapes[1] / shapes[0] > 1 + SHAPES_APART:
        raise PhotoError(
            "The look has another shape than the photo.", "Compare it with the photo it was made from.", slot="Look"
        )
    size = fitted(min(photo_size, look_size, key=lambda each: each.pixels), PIXELS)
    before, after = _scaled(photo, size), _scaled(look, size)
    changed = _cleaned(_apart(_exposed_like(before, after), after))
    outside = ImageChops.invert(body_of(before))
    return Changes(
        share=_mean(changed),
        share_outside=_mean(changed, outside),
        overlay=_overlay(changed, look_size),
    )


def marked_changes(photo: Path, look: Path) -> tuple[float, bytes]:
    """For workers: the share that changed outside the middle of the body, and the overlay as a PNG.

    Raises:
        PhotoError: As `compare`.
    """
    changes, file = compare(photo, look), io.BytesIO()
    changes.overlay.save(file, "PNG", compress_level=1)
    return changes.share_outside, file.getvalue()


def body_of(photo: Image.Image) -> Image.Image:
    """A mask of the middle of the body, where a garment is expected: from neck to soles, without head and hands.

    Where the photo shows a standing person on a plain ground, it follows the figure; else it is `BODY_BOX`.
    """
    small = photo.reduce(2)
    figure, mask = measure(small), Image.new("L", small.size)
    draw = ImageDraw.Draw(mask)
    if figure is None:
        left, top, right, bottom = BODY_BOX
        draw.rectangle((left * mask.width, top * mask.height, right * mask.width, bottom * mask.height), fill=255)
    else:
        for y in range(figure.neck, min(figure.row(SOLE) + round(MARGIN * figure.height), mask.height)):
            left, right = _across(figure, y)
            draw.line((left, y, right, y), fill=255)
    return mask.resize(photo.size, Image.Resampling.NEAREST)


def _across(figure: Figure, y: int) -> tuple[float, float]:
    """From where to where a garment may be in a row of the figure."""
    margin, hem = MARGIN * figure.height, HEM * figure.height
    (left, right), (left_arm, right_arm) = figure.trunk[y], (arm[y] for arm in figure.arms)
    if y < figure.row(WRIST):
        return min(left, left_arm[0]) - margin, max(right, right_arm[1]) + margin
    if y < figure.row(FINGERTIPS):
        return max(left - margin, left_arm[1]), min(right + margin, right_arm[0])
    return min(left - margin, figure.middle - hem), max(right + margin, figure.middle + hem)


def _size(source: Source) -> Size:
    return Size(*source.size) if isinstance(source, Image.Image) else size_of(source, slot="Look")


def _scaled(source: Source, size: Size) -> Image.Image:
    """The picture in RGB at this size."""
    if not isinstance(source, Image.Image):
        return read(source, slot="Look", to=lambda _: size)
    return source.convert("RGB").resize(size, Image.Resampling.HAMMING, reducing_gap=2)


def _exposed_like(photo: Image.Image, look: Image.Image) -> Image.Image:
    """The photo with the look's exposure, as far as that differs by no more than `SHIFT`."""
    tables: list[int] = []
    for before, after in zip(_tiny(photo), _tiny(look), strict=True):
        gain, offset = _line(list(zip(before, after, strict=True)))
        shifts = [gain * level + offset - level for level in range(256)]
        tables += [round(level + max(-SHIFT, min(SHIFT, shift))) for level, shift in enumerate(shifts)]
    return photo.point([max(0, min(255, level)) for level in tables])


def _tiny(picture: Image.Image) -> list[bytes]:
    """The channels of a very small copy: enough to see the exposure, and quickly gone through."""
    picture = picture.reduce(max(1, round(max(picture.size) / 48)))
    return [channel.tobytes() for channel in picture.split()]


def _line(pairs: list[tuple[int, int]]) -> tuple[float, float]:
    """Gain and offset from before to after, fitted to the pixels that nothing else happened to."""
    gain, offset = 1.0, 0.0
    for reach in (3 * SHIFT, SHIFT, SHIFT / 2):
        near = [(before, after) for before, after in pairs if abs(gain * before + offset - after) <= reach]
        if len(near) < len(pairs) / 8:
            return gain, offset
        count = len(near)
        mean_before, mean_after = sum(before for before, _ in near) / count, sum(after for _, after in near) / count
        spread = sum((before - mean_before) ** 2 for before, _ in near)
        slope = sum((before - mean_before) * (after - mean_after) for before, after in near)
        # Of a picture that is all one colour, only the offset can be told.
        gain = slope / spread if spread > count else 1.0
        offset = mean_after - gain * mean_before
    return gain, offset


def _apart(before: Image.Image, after: Image.Image) -> Image.Image:
    """How far each pixel is from all that lies around it in the other picture, whichever way that is more."""
    found = []
    for one, other in ((before, after), (after, before)):
        darkest, lightest = _around(other)
        found.append(ImageChops.lighter(ImageChops.subtract(one, lightest), ImageChops.subtract(darkest, one)))
    red, green, blue = ImageChops.lighter(*found).split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def _around(picture: Image.Image) -> tuple[Image.Image, Image.Image]:
    """The darkest and the lightest of each pixel and its eight neighbours, channel by channel."""
    darkest = lightest = picture
    for x, y in ((1, 0), (0, 1)):
        there, back = ImageChops.offset(darkest, x, y), ImageChops.offset(darkest, -x, -y)
        darkest = ImageChops.darker(ImageChops.darker(darkest, there), back)
        there, back = ImageChops.offset(lightest, x, y), ImageChops.offset(lightest, -x, -y)
        lightest = ImageChops.lighter(ImageChops.lighter(lightest, there), back)
    return darkest, lightest


def _cleaned(apart: Image.Image) -> Image.Image:
    """A mask of what has visibly changed: without lone pixels, and without holes where old and new are alike."""
    mask = Image.new("L", apart.size)
    inner = (RIM, RIM, apart.width - RIM, apart.height - RIM)
    mask.paste(apart.crop(inner).point(lambda value: 255 * (value >= VISIBLE)), inner)
    dense = mask.filter(ImageFilter.BoxBlur(2)).point(lambda value: 255 * (value >= DENSE))
    wide = dense.filter(ImageFilter.BoxBlur(CLOSE)).point(lambda value: 255 * (value > 0))
    return wide.filter(ImageFilter.BoxBlur(CLOSE)).point(lambda value: 255 * (value == 255))


def _mean(mask: Image.Image, within: Image.Image | None = None) -> float:
    """The white share of a mask, or of the part of it that lies within another."""
    if within is not None and not within.getbbox():
        return 0.0
    return ImageStat.Stat(mask, within).mean[0] / 255


def _overlay(changed: Image.Image, size: Size) -> Image.Image:
    """Tint inside, and along the edge a dark and a light line, which stand out on any ground."""
    # Blurred, the mask tells how far the edge is, and grows to the look's size without steps.
    near = changed.filter(ImageFilter.GaussianBlur(2)).resize(size, Image.Resampling.BICUBIC)
    # Levels that look the same become one, which packs well.
    near = near.point([min(max(level, EDGE[0][0]), EDGE[-1][0]) for level in range(256)])
    near.putpalette(PALETTE, "RGBA")
    return near
