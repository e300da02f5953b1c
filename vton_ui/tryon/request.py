"""A visitor's request: checked, priced, and with its seed chosen."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from vton_ui.errors import GarmentsError, PhotoError
from vton_ui.models.options import check, complete
from vton_ui.models.spec import ModelSpec, Size, Values
from vton_ui.money import pricing
from vton_ui.pictures.framing import fitted
from vton_ui.pictures.photos import measure
from vton_ui.pictures.sheet import LAYOUT
from vton_ui.tryon.backend import Backend

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Request:
    """A visitor's request.

    Attributes:
        values: The model's options, checked; the seed is chosen.
        private: Whether fal shall store no record of it.
        layout: How several garments lie on their sheet.
        names: The garments' names, one for each, or none; they come from the visitor.
    """

    model: ModelSpec
    person: Path
    garments: tuple[Path, ...]
    values: Values
    private: bool = False
    layout: str = LAYOUT.default
    names: tuple[str, ...] = ()


def new_request(
    model: ModelSpec,
    person: Path | None,
    garments: Sequence[Path],
    given: Mapping[str, Any],
    *,
    private: bool = False,
    names: Sequence[str] | None = None,
    layout: Any = None,
) -> Request:
    """A request, checked as far as it can be without decoding a photo; a missing seed is chosen here.

    Without `names` the garments are called what their files are.

    Raises:
        InputError: A photo is missing, there are too many garments, or a setting is out of range.
    """
    if person is None:
        raise PhotoError("There is no photo of a person yet.", "Add one.", slot="Person")
    if not garments:
        raise GarmentsError("There is no garment yet.", "Add a photo of one.", slot="Garments")
    if len(garments) > model.max_garments:
        raise GarmentsError(
            f"{model.title} takes {model.max_garments} at most, and there are {len(garments)} garments.",
            f"Take {len(garments) - model.max_garments} away, or choose a model that takes more.",
            slot="Garments",
        )
    values = complete(model, given)
    if values.get("seed") is None:
        values["seed"] = random.SystemRandom().randrange(2**31)
    return Request(
        model=model,
        person=person,
        garments=tuple(garments),
        values=values,
        names=tuple(names or map(name_of, garments)),
        private=private,
        layout=str(check(LAYOUT, layout)),
    )


def name_of(garment: Path) -> str:
    """What a garment is called whose visitor gave it no name."""
    return garment.stem.replace("_", " ").replace("-", " ")


def estimate(request: Request, live: pricing.UnitPrice | None = None) -> pricing.Estimate:
    """What the request will cost, from the photos' headers alone; the sizes are those `prepare` sends.

    Raises:
        PhotoError: A photo cannot be used.
    """
    model, values = request.model, request.values
    fixed = model.output_size(values)
    person = fixed or fitted(measure(request.person, slot="Person"), model.person_pixels(values))
    garments = [measure(path, slot=slot) for path, slot in named(request.garments)]
    limit = model.garment_pixels(values)
    # A sheet has the limit's pixels at most, whatever is on it, and limits are whole steps of the price.
    garment = fixed or (fitted(garments[0], limit) if len(garments) == 1 else Size(limit, 1))
    return pricing.estimate_pictures(model, person=person, garment=garment, output=person, live=live)


def named(garments: Sequence[T]) -> list[tuple[T, str]]:
    """Every garment with the name of its slot."""
    if len(garments) == 1:
        return [(garments[0], "Garment")]
    return [(path, f"Garment {number}") for number, path in enumerate(garments, 1)]


async def live_price(model: ModelSpec, backend: Backend) -> pricing.UnitPrice | None:
    """fal's price for a model without a published price; not asked for otherwise."""
    return await backend.price(model.endpoint) if model.price is None else None
