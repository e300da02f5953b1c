"""Photos to try on: as large and as hard to compress as a phone's, each one new."""

from __future__ import annotations

import io
import random
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops

PHONE = (3024, 4032)
"""12 megapixels, about 2.7 MB."""
SHRUNK = (1080, 1440)
"""What the page shrinks it to in the browser, about 0.2 MB; CatVTON gets it unscaled."""
READY = (768, 1024)
"""CatVTON's own size."""

# Where a camera sees it, a scene is smooth and its sensor is not: broad and middling waves, and a grain that is
# mostly gone once the photo is scaled down. The strengths are such that 12 MP at quality 88 have 2.7 MB, as a phone's.
_WAVES = ((512, 50.0), (64, 14.0))
_GRAIN = 8.0
_CELL = 16
"""Pixels of a phone's photo in which waves hardly change."""
_QUALITY = 88


def photo(size: tuple[int, int]) -> bytes:
    """A JPEG file without metadata that differs from all others in some of its pixels."""
    image = scene(size).copy()
    dice = random.SystemRandom()
    side = image.width // 8
    colour = (dice.randrange(256), dice.randrange(256), dice.randrange(256))
    left = dice.randrange(image.width - side)
    image.paste(colour, (left, 0, left + side, side))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY, subsampling=0 if size == READY else 2)
    return buffer.getvalue()


@lru_cache(maxsize=8)
def scene(size: tuple[int, int]) -> Image.Image:
    """The picture that all photos of a size have in common."""
    dice = np.random.default_rng(1)
    width, height = PHONE[0] // _CELL, PHONE[1] // _CELL
    pixels = np.full((height, width, 3), 128, np.float32)
    for length, strength in _WAVES:
        waves = dice.normal(0, strength, (PHONE[1] // length + 2, PHONE[0] // length + 2, 3)).astype(np.float32)
        for channel in range(3):
            wave = Image.fromarray(waves[..., channel]).resize((width, height), Image.Resampling.BICUBIC)
            pixels[..., channel] += np.asarray(wave)
    smooth = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    grain = 128 + dice.normal(0, _GRAIN * size[0] / PHONE[0], (512, 512, 3))
    tile = Image.fromarray(np.clip(np.rint(grain), 0, 255).astype(np.uint8))
    rough = Image.new("RGB", size)
    for left in range(0, size[0], tile.width):
        for top in range(0, size[1], tile.height):
            rough.paste(tile, (left, top))
    return ImageChops.add(smooth, rough, offset=-128)


@lru_cache(maxsize=8)
def result(size: tuple[int, int], format: str) -> bytes:
    """A picture as a model would send it."""
    buffer = io.BytesIO()
    scene(READY).resize(size).save(buffer, format, **({"quality": 92} if format == "JPEG" else {"compress_level": 6}))
    return buffer.getvalue()
