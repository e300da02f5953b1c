"""What a request costs: fal's own example, the lines, and the price of what is really sent."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from vton_ui.models import CAT_VTON, FLUX_VTO, MODELS
from vton_ui.models.spec import ModelSpec, Size
from vton_ui.money.pricing import Estimate, UnitPrice, estimate_pictures, megapixels, money
from vton_ui.pictures.work import prepare_garment, prepare_person
from vton_ui.tryon.request import estimate as estimate_of_request
from vton_ui.tryon.request import named, new_request

MEGAPIXEL = Size(1024, 1024)
SECOND = UnitPrice(usd=Decimal("0.00125"), unit="compute seconds")

sizes = st.builds(Size, st.integers(1, 3000), st.integers(1, 3000))


def total_of_lines(found: Estimate) -> Decimal:
    return sum((line.usd for line in found.lines if line.usd is not None), Decimal(0))


def test_fals_example() -> None:
    """Two 1024×1024 inputs and a 1024×1024 output cost $0.0475."""
    found = estimate_pictures(FLUX_VTO, person=MEGAPIXEL, garment=MEGAPIXEL, output=MEGAPIXEL)
    assert found.total == Decimal("0.0475")
    assert [line.usd for line in found.lines] == [Decimal("0.0375"), Decimal("0.005"), Decimal("0.005")]
    assert money(found.total) == "$0.0475"


def test_more_megapixels() -> None:
    """Every further megapixel of the photo has a line, and every picture is rounded up by itself."""
    found = estimate_pictures(FLUX_VTO, person=Size(2000, 1000), garment=Size(1025, 1024), output=Size(10, 10))
    assert [line.usd for line in found.lines] == [Decimal(usd) for usd in ("0.0375", "0.005", "0.010", "0.005")]
    assert found.total == Decimal("0.0575")


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (Size(1, 1), 1),
        (Size(1000, 1000), 1),
        (Size(1024, 1024), 1),
        (Size(1025, 1024), 2),
        (Size(2000, 1000), 2),
        (Size(2048, 1024), 2),
    ],
    ids=str,
)
def test_megapixels(size: Size, expected: int) -> None:
    """Pictures are billed in whole megapixels of 1024·1024, at least one."""
    assert megapixels(size) == expected


@given(person=sizes, garment=sizes, output=sizes, more=st.tuples(*[st.integers(0, 2000)] * 3))
def test_flux(person: Size, garment: Size, output: Size, more: tuple[int, int, int]) -> None:
    """The lines add up to the total; it follows fal's formula; nothing larger is ever cheaper."""
    found = estimate_pictures(FLUX_VTO, person=person, garment=garment, output=output)
    assert total_of_lines(found) == found.total
    extra = megapixels(person) + megapixels(garment) - 1
    assert found.total == Decimal("0.0375") + Decimal("0.005") * (extra + megapixels(output))
    larger = [Size(size.width + by, size.height) for size, by in zip((person, garment, output), more, strict=True)]
    dearer = estimate_pictures(FLUX_VTO, person=larger[0], garment=larger[1], output=larger[2]).total
    assert dearer is not None
    assert found.total is not None
    assert dearer >= found.total


def test_not_published() -> None:
    """An unknown price is shown as unknown, never as zero."""
    found = estimate_pictures(CAT_VTON, person=MEGAPIXEL, garment=MEGAPIXEL, output=MEGAPIXEL)
    assert found.total is None
    assert [line.usd for line in found.lines] == [None]
    assert "publishes no price" in found.note
    assert money(found.total) == "price not published"


@pytest.mark.parametrize(
    ("live", "total"),
    [
        (UnitPrice(usd=Decimal("0.04"), unit="image"), Decimal("0.04")),
        (UnitPrice(usd=Decimal("0.04"), unit="images"), Decimal("0.04")),
        (UnitPrice(usd=Decimal("0.02"), unit="Megapixels"), Decimal("0.04")),
        (SECOND, None),
        (UnitPrice(usd=Decimal(3), unit="GPU hour"), None),
    ],
    ids=lambda value: getattr(value, "unit", repr(value)),
)
def test_live_price(live: UnitPrice, total: Decimal | None) -> None:
    """fal's live price is used where the number of units is known; otherwise it is shown and the total unknown."""
    found = estimate_pictures(CAT_VTON, person=MEGAPIXEL, garment=MEGAPIXEL, output=Size(1024, 1025), live=live)
    assert found.total == total
    if total is None:
        assert str(live.usd) in found.note
        assert [line.usd for line in found.lines] == [None]
    else:
        assert total_of_lines(found) == total


def test_live_price_does_not_replace_a_published_one() -> None:
    """The published price of FLUX is used before the live one."""
    found = estimate_pictures(FLUX_VTO, person=MEGAPIXEL, garment=MEGAPIXEL, output=MEGAPIXEL, live=SECOND)
    assert found.total == Decimal("0.0475")


@pytest.mark.parametrize(
    ("usd", "expected"),
    [("0.0475", "$0.0475"), ("0.05", "$0.0500"), ("0.9999", "$0.9999"), ("1", "$1.00"), ("12.345", "$12.34")],
)
def test_money(usd: str, expected: str) -> None:
    """Four decimals under a dollar, two above."""
    assert money(Decimal(usd)) == expected


sides = st.tuples(st.integers(256, 1700), st.integers(256, 1700))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(photo=sides, garments=st.lists(sides, min_size=1, max_size=6), full_size=st.booleans(), turned=st.booleans())
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.slow
def test_estimate_is_the_price_of_what_is_sent(
    model: ModelSpec,
    photo: tuple[int, int],
    garments: list[tuple[int, int]],
    full_size: bool,
    turned: bool,
    tmp_path: Path,
) -> None:
    """What is shown before the click, from headers alone, is the price of the pictures that are then made."""
    person = written(tmp_path / "person.jpg", photo, turned)
    pieces = [
        written(tmp_path / f"garment{index}.jpg", size, turned)
        for index, size in enumerate(garments[: model.max_garments])
    ]
    request = new_request(model, person, pieces, {"full_size": full_size})
    fixed = model.output_size(request.values)
    unscaled = model.unscaled_pixels
    sent = prepare_person(person, model.person_pixels(request.values), fixed, unscaled)
    garment = prepare_garment(named(pieces), model.garment_pixels(request.values), fixed, unscaled)
    actual = estimate_pictures(model, person=sent.size, garment=garment.size, output=fixed or sent.size)
    assert estimate_of_request(request) == actual
    assert (actual.total is None) == (model.price is None)
    assert Image.open(io.BytesIO(sent.jpeg)).size == sent.size
    assert Image.open(io.BytesIO(garment.jpeg)).size == garment.size
    assert sent.size.pixels <= max(unscaled, model.person_pixels(request.values))
    assert garment.size.pixels <= max(unscaled, model.garment_pixels(request.values))


def written(path: Path, size: tuple[int, int], turned: bool) -> Path:
    exif = Image.Exif()
    exif[0x0112] = 6 if turned else 1
    Image.new("L", size, 90).save(path, "JPEG", exif=exif)
    return path
