"""Photos to try on: as large and as hard to compress as a phone's, and each one never seen before."""

from __future__ import annotations

import io
import random
from functools import lru_cache

import numpy as np
from PIL import Image

PHONE = (3024, 4032)
"""12 megapixels, about 2.7 MB."""
SHRUNK = (1080, 1440)
"""What the page makes of it in the browser, about 0.2 MB."""
READY = (768, 1024)
"""What CatVTON works on: such a photo could go to fal as it is."""

# Where a camera sees it, a scene is smooth and its sensor is not: broad and middling waves, and a grain that is gone
# once the photo is scaled down. The strengths are such that 12 MP at quality 88 have 2.7 MB, as from a phone.
_WAVES = ((512, 50.0), (64, 14.0))
_GRAIN = 8.0
_QUALITY = 88


def photo(size: tuple[int, int]) -> bytes:
    """A JPEG file without metadata that differs from all others in some of its pixels."""
    image = scene(size).copy()
    dice = random.SystemRandom()
    side = image.width // 8
    colour = (dice.randrange(256), dice.randrange(256), dice.randrange(256))
    image.paste(colour, (left := dice.randrange(image.width - side), 0, left + side, side))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY, subsampling=0 if size == READY else 2)
    return buffer.getvalue()


@lru_cache(maxsize=8)
def scene(size: tuple[int, int]) -> Image.Image:
    """The picture that all photos of a size have in common."""
    if size != PHONE:
        return scene(PHONE).resize(size, Image.Resampling.LANCZOS)
    width, height = size
    dice = np.random.default_rng(1)
    pixels = np.full((height, width, 3), 128, np.float32)
    for length, strength in _WAVES:
        waves = dice.normal(0, strength, (height // length + 2, width // length + 2, 3)).astype(np.float32)
        for channel in range(3):
            wave = Image.fromarray(waves[..., channel]).resize(size, Image.Resampling.BICUBIC)
            pixels[..., channel] += np.asarray(wave)
    grain = dice.normal(0, _GRAIN, (512, 512, 3)).astype(np.float32)
    pixels += np.tile(grain, (height // 512 + 1, width // 512 + 1, 1))[:height, :width]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


@lru_cache(maxsize=8)
def result(size: tuple[int, int], format: str) -> bytes:
    """A picture as a model would send it."""
    buffer = io.BytesIO()
    scene(READY).resize(size).save(buffer, format, **({"quality": 92} if format == "JPEG" else {"compress_level": 6}))
    return buffer.getvalue()
