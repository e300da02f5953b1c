"""What a request costs, line by line. Pure; dollars are Decimal, and None where a price is unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from vton_ui.models.spec import MegapixelPrice, ModelSpec, PicturePrice, Size

MEGAPIXEL = 1024 * 1024
"""Pixels. fal's worked example (two 1024×1024 inputs are two megapixels) holds only for this reading."""

NOT_PUBLISHED = "fal publishes no price for this model"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of an estimate; `usd` is None where the price is unknown."""

    what: str
    usd: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a request will cost; `total` is None where the price is unknown."""

    lines: tuple[Line, ...]
    total: Decimal | None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class UnitPrice:
    """fal's live price of an endpoint: dollars for each unit ("image", "compute second", …)."""

    usd: Decimal
    unit: str


def megapixels(size: Size) -> int:
    """How many megapixels a picture is billed as: rounded up, at least 1."""
    return max(1, -(-size.pixels // MEGAPIXEL))


def estimate_pictures(
    model: ModelSpec, *, person: Size, garment: Size, output: Size, live: UnitPrice | None = None
) -> Estimate:
    """What one request costs.

    Args:
        person: The person's picture as it will be sent.
        garment: The garment's picture, or the sheet, as it will be sent.
        output: The picture that will come back.
        live: fal's live price, for a model whose price is not published.
    """
    if isinstance(model.price, PicturePrice):
        return Estimate(lines=(Line(what="One picture", usd=model.price.usd),), total=model.price.usd)
    if model.price is not None:
        return _by_megapixel(model.price, person, garment, output)
    if live is None:
        return Estimate(lines=(Line(what=NOT_PUBLISHED, usd=None),), total=None, note=NOT_PUBLISHED)
    return _by_unit(live, output)


def total_of(costs: Iterable[Decimal | None]) -> Decimal | None:
    """What several cost together; None where the price of one is unknown."""
    each = list(costs)
    return None if None in each else sum(filter(None, each), Decimal(0))


def money(usd: Decimal | None) -> str:
    """Dollars for the eye: four decimals under a dollar, two above."""
    if usd is None:
        return "price not published"
    return f"${usd:.4f}" if usd < 1 else f"${usd:.2f}"


def _by_megapixel(price: MegapixelPrice, person: Size, garment: Size, output: Size) -> Estimate:
    first = megapixels(person)
    lines = [Line(what="Photo, first megapixel", usd=price.first_input)]
    if first > 1:
        lines.append(Line(what=f"Photo, {first - 1} MP more", usd=price.extra_input * (first - 1)))
    garment_mp, output_mp = megapixels(garment), megapixels(output)
    lines.append(Line(what=f"Garments, {garment_mp} MP", usd=price.extra_input * garment_mp))
    lines.append(Line(what=f"Result, {output_mp} MP", usd=price.output * output_mp))
    return Estimate(lines=tuple(lines), total=total_of(line.usd for line in lines))


def _by_unit(live: UnitPrice, output: Size) -> Estimate:
    unit = live.unit.lower().rstrip("s")
    if unit == "image":
        line = Line(what="One picture, fal's live price", usd=live.usd)
    elif unit == "megapixel":
        count = megapixels(output)
        line = Line(what=f"Result, {count} MP, fal's live price", usd=live.usd * count)
    else:
        rate = f"fal's live price is ${live.usd} per {unit}"
        return Estimate(lines=(Line(what=rate, usd=None),), total=None, note=rate)
    return Estimate(lines=(line,), total=line.usd)
