"""What the stand-in for fal bills, in dollars: computed by fal's published formula, from the pictures that it got."""

from __future__ import annotations

import io
from decimal import Decimal

from PIL import Image

from tests.fake_fal.schemas import CAT_VTON, MEGAPIXEL
from tests.fake_fal.server import FakeFal, Job


def bill_of(fal: FakeFal) -> Decimal:
    """What all jobs together cost that fal bills."""
    return sum((_cost(fal, job) for job in list(fal.jobs.values()) if job.billed), Decimal(0))


def _cost(fal: FakeFal, job: Job) -> Decimal:
    if job.endpoint == CAT_VTON:
        return Decimal(str(fal.prices[CAT_VTON][0]))
    person, garment = (_megapixels(fal.fetch(job.arguments[name])) for name in ("human_image_url", "garment_image_url"))
    # A result has the size of the person's picture.
    return Decimal("0.0375") + Decimal("0.005") * (person + garment - 1) + Decimal("0.005") * person


def _megapixels(picture: bytes | None) -> int:
    assert picture
    with Image.open(io.BytesIO(picture)) as image:
        return -(-image.width * image.height // MEGAPIXEL)
