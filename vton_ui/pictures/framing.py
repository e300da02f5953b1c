"""Sizes within limits; padding a photo to a larger picture, and cutting a result back to the photo."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageStat

from vton_ui.models.spec import Size


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Where a photo lies inside a padded picture: the padded size and the photo's box in it, in pixels."""

    width: int
    height: int
    left: int
    top: int
    right: int
    bottom: int


def fitted(size: Size, pixels: int) -> Size:
    """The largest size of the same shape with at most `pixels` pixels, and never larger than it was."""
    if size.pixels <= pixels:
        return size
    scale = math.sqrt(pixels / size.pixels)
    width, height = size.width * scale, size.height * scale
    # Rounding the long side down and deriving the short one from it keeps the shape within one pixel.
    if width >= height:
        width = math.floor(width)
        return Size(width, max(1, min(math.floor(pixels / width), round(width * size.height / size.width))))
    height = math.floor(height)
    return Size(max(1, min(math.floor(pixels / height), round(height * size.width / size.height))), height)


def contained(size: Size, into: Size) -> Size:
    """The size of the same shape that touches two sides of `into`."""
    scale = min(into.width / size.width, into.height / size.height)
    return Size(
        max(1, min(into.width, round(size.width * scale))),
        max(1, min(into.height, round(size.height * scale))),
    )


def pad(image: Image.Image, size: Size, *, colour: tuple[int, int, int]) -> tuple[Image.Image, Frame]:
    """The picture centred on a background of exactly `size`, scaled to touch two of its sides, never cropped."""
    inner = contained(Size(*image.size), size)
    left, top = (size.width - inner.width) // 2, (size.height - inner.height) // 2
    frame = Frame(
        width=size.width,
        height=size.height,
        left=left,
        top=top,
        right=left + inner.width,
        bottom=top + inner.height,
    )
    scaled = image if image.size == inner else image.resize(inner, Image.Resampling.LANCZOS)
    if inner == size:
        return scaled, frame
    padded = Image.new("RGB", size, colour)
    padded.paste(scaled, (left, top))
    return padded, frame


def unpad(image: Image.Image, frame: Frame) -> Image.Image:
    """The part of a result that lies over the photo. The result may be larger or smaller than what was sent."""
    across, down = image.width / frame.width, image.height / frame.height
    box = (
        round(frame.left * across),
        round(frame.top * down),
        max(round(frame.left * across) + 1, round(frame.right * across)),
        max(round(frame.top * down) + 1, round(frame.bottom * down)),
    )
    return image if box == (0, 0, *image.size) else image.crop(box)


def edge_colour(image: Image.Image) -> tuple[int, int, int]:
    """The mean colour along a picture's edge, the least noticeable colour for padding."""
    inside = Image.new("L", image.size, 255)
    rim = max(1, min(image.size) // 100)
    inside.paste(0, (rim, rim, image.width - rim, image.height - rim))
    red, green, blue = ImageStat.Stat(image, inside).mean
    return round(red), round(green), round(blue)
