"""What one click asks for: models × ways to wear the garments × variations, as requests. Pure; nothing runs here."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from vton_ui.errors import GarmentsError, InputError, OptionError, PhotoError
from vton_ui.models.options import check, complete, shortened
from vton_ui.models.spec import Choice, ModelSpec, Number, Value
from vton_ui.money.pricing import Estimate, UnitPrice, total_of
from vton_ui.pictures.framing import contained, fitted
from vton_ui.pictures.photos import MIN_SIDE, measure
from vton_ui.pictures.sheet import grid
from vton_ui.tryon.look_source import Worn
from vton_ui.tryon.request import Request, estimate, name_of, new_request

MAX_LOOKS = 12
"""An outfit that is put on step by step is one look."""
LONGEST_NAME = 40

WEAR = Choice(
    name="wear",
    label="Wear them",
    choices=(("together", "Together"), ("each", "Each on its own")),
    default="together",
)
VARIATIONS = Number(name="variations", label="Pictures", minimum=1, maximum=8, default=1)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One request of a plan.

    Attributes:
        id: Its name within the plan.
        label: What its look is called beside its model; the garments' names in it come from the visitor.
        request: What to ask for.
        step: What the look puts on in this step, if it takes several.
        after: The item whose picture is this one's person, where it is a further step of the same look.
    """

    id: str
    label: str
    request: Request
    step: str = ""
    after: str | None = None


Plan = tuple[Item, ...]


def known(names: Any, registry: Mapping[str, ModelSpec]) -> tuple[ModelSpec, ...]:
    """The models of these names.

    Raises:
        OptionError: It is no list of names, there are none, or one is unknown or there twice.
    """
    cure = f"Give a list of one or more of {', '.join(registry)}."
    if not isinstance(names, (list, tuple)) or not names:
        raise OptionError("There is no model to try on with.", cure, slot="models")
    found: list[ModelSpec] = []
    for name in names:
        model = registry.get(name) if isinstance(name, str) else None
        if model is None:
            raise OptionError(f"{shortened(name)} is no model here.", cure, slot="models")
        if model in found:
            raise OptionError(f"{name} is there twice.", "Name each model once.", slot="models")
        found.append(model)
    return tuple(found)


def new_plan(
    models: Sequence[ModelSpec],
    person: Path | None,
    garments: Sequence[Path],
    given: Mapping[str, Mapping[str, Any]],
    *,
    wear: Any = None,
    variations: Any = None,
    cloth_types: Sequence[str | None] | None = None,
    names: Sequence[str] | None = None,
    private: bool = False,
    layout: Any = None,
) -> Plan:
    """The requests of one click, all checked; what comes first is to be shown first.

    Args:
        models: One or more, each once: see `known`.
        garments: In the order in which they are put on.
        given: Option values by model name, then by option name. Without a seed, each variation gets a new one, the
            same for all models and garments, so that their pictures differ by nothing else.
        wear: See `WEAR`. Together, a model that takes one garment puts them on one after another.
        variations: See `VARIATIONS`; the seeds count up from the given one.
        cloth_types: One for each garment, or None; it goes before the one in `given`.
        names: The garments' names for the labels; without them, the names of their files.
        private: Whether fal is to store no record of it.
        layout: How several garments lie on their sheet.

    Raises:
        InputError: A photo is missing, a setting is out of range, or it would be too many garments or looks.
    """
    wear, variations = check_wish(len(models), len(garments), wear, variations, cloth_types)
    worn = _garments(garments, cloth_types, names)
    outfits = [[garment] for garment in worn] if wear == "each" else [worn]
    fresh = random.SystemRandom().sample(range(2**31), variations)
    plan: list[Item] = []
    looks = 0
    for model in models:
        values = complete(model, given.get(model.name, {}))
        for outfit in outfits:
            for index in range(variations):
                looks += 1
                seed = fresh[index] if values.get("seed") is None else int(values["seed"] or 0) + index
                label = f" · {index + 1} of {variations}" if variations > 1 else ""
                plan += _look(str(looks), label, model, person, outfit, {**values, "seed": seed}, private, layout)
    return tuple(plan)


def check_wish(models: int, garments: int, wear: Any, variations: Any, cloth_types: Any) -> tuple[str, int]:
    """`WEAR` and `VARIATIONS`, and that there is one of `cloth_types` for each garment, unless it is None.

    Raises:
        InputError: One of them is wrong, or it would be too many garments or looks.
    """
    wear, variations = str(check(WEAR, wear)), int(check(VARIATIONS, variations) or 1)
    outfits = garments if wear == "each" else 1
    grid(min(garments, 1) if wear == "each" else garments)  # says what is wrong with none, or with too many
    count = models * outfits * variations
    if count > MAX_LOOKS:
        raise OptionError(
            f"That makes {count} looks, and one click makes {MAX_LOOKS} at most.",
            "Take fewer pictures of each, fewer garments or fewer models.",
            slot=VARIATIONS.label,
        )
    if cloth_types is not None and (not isinstance(cloth_types, (list, tuple)) or len(cloth_types) != garments):
        given = len(cloth_types) if isinstance(cloth_types, (list, tuple)) else "no list of"
        raise GarmentsError(
            f"There are {garments} garments and {given} cloth_types.",
            "Give one cloth_type for each garment, in their order.",
            slot="cloth_types",
        )
    return wear, variations


def looks_of(plan: Plan) -> list[Plan]:
    """The plan's items look by look; the steps of a look in the order in which they run."""
    looks: list[Plan] = []
    for item in plan:
        if item.after is None:
            looks.append((item,))
        else:
            looks[-1] += (item,)
    return looks


def estimates(plan: Plan, live: Mapping[str, UnitPrice | None]) -> dict[str, Estimate]:
    """What each item will cost, by its id.

    Args:
        live: fal's live prices by model name, for models whose prices are not published.

    Raises:
        PhotoError: A photo cannot be used, or an outfit's steps would be too small.
    """
    found: dict[str, Estimate] = {}
    known: dict[object, Estimate] = {}
    for item in plan:
        request = item.request
        # A seed costs nothing, and reading the photos once more does.
        values = tuple((name, value) for name, value in request.values.items() if name != "seed")
        key = request.model.name, request.person, request.garments, values
        if key not in known:
            known[key] = estimate(request, live.get(request.model.name))
            if item.after is not None:
                _check_step(request)
        found[item.id] = known[key]
    return found


def _check_step(request: Request) -> None:
    """PhotoError if the picture of the step before would be too small to go on with."""
    size, fixed = measure(request.person, slot="Person"), request.model.output_size(request.values)
    width, height = contained(size, fixed) if fixed else fitted(size, request.model.person_pixels(request.values))
    if min(width, height) < MIN_SIDE:
        raise PhotoError(
            f"Each step of this outfit makes a picture of {width} × {height} pixels, too small for the next one.",
            "Choose a larger shape of the picture, or try each garment on its own.",
            slot="Person",
        )


def cost(plan: Plan, live: Mapping[str, UnitPrice | None]) -> Decimal | None:
    """What the whole plan will cost; None where a part has no known price. Arguments and errors: see `estimates`."""
    return total_of(each.total for each in estimates(plan, live).values())


def to_dict(item: Item) -> dict[str, Any]:
    """An item as JSON."""
    request = item.request
    return {
        "id": item.id,
        "label": item.label,
        "step": item.step,
        "after": item.after,
        "model": request.model.name,
        "person": str(request.person),
        "garments": [str(path) for path in request.garments],
        "values": dict(request.values),
        "private": request.private,
        "names": list(request.names),
        "layout": request.layout,
    }


def item_of(data: Mapping[str, Any], models: Mapping[str, ModelSpec]) -> Item | None:
    """An item from `to_dict`, checked anew; None where this version of the app does not know its model or its options.

    Whether its photos are still there is not checked.
    """
    try:
        request = new_request(
            models[data["model"]],
            Path(data["person"]),
            [Path(path) for path in data["garments"]],
            data["values"],
            private=data["private"],
            names=data["names"],
            layout=data["layout"],
        )
        return Item(id=data["id"], label=data["label"], request=request, step=data["step"], after=data["after"])
    except (KeyError, TypeError, AttributeError, InputError):
        return None


def _garments(
    photos: Sequence[Path], cloth_types: Sequence[str | None] | None, names: Sequence[str] | None
) -> list[Worn]:
    """The garments with their kinds and names."""
    kinds = [None] * len(photos) if cloth_types is None else cloth_types
    names = names or [name_of(photo) for photo in photos]
    return [
        Worn(path=photo, name=_short(name), cloth_type=kind)
        for photo, name, kind in zip(photos, names, kinds, strict=True)
    ]


def _short(name: str) -> str:
    """A name that fits a tile."""
    words = " ".join(name.split())
    return words if len(words) <= LONGEST_NAME else words[: LONGEST_NAME - 1].rstrip() + "…"


def _look(
    number: str,
    ending: str,
    model: ModelSpec,
    person: Path | None,
    outfit: Sequence[Worn],
    values: Mapping[str, Value],
    private: bool,
    layout: Any,
) -> list[Item]:
    """The items of one look: one, or a step for each garment where the model takes no more."""
    steps = [[garment] for garment in outfit] if model.max_garments == 1 else [outfit]
    items: list[Item] = []
    for index, worn in enumerate(steps, 1):
        kind = worn[0].cloth_type if len(worn) == 1 else None
        request = new_request(
            model,
            person,
            [garment.path for garment in worn],
            values if kind in (None, "") else {**values, "cloth_type": kind},
            private=private,
            names=[garment.name for garment in worn],
            layout=layout,
        )
        items.append(
            Item(
                id=number if len(steps) == 1 else f"{number}-{index}",
                label=f"{_what(outfit)}{ending}",
                request=request,
                step=_what(worn) if len(steps) > 1 else "",
                after=items[-1].id if items else None,
            )
        )
    return items


def _what(worn: Sequence[Worn]) -> str:
    """Garments in a few words."""
    return " + ".join(garment.name for garment in worn) if len(worn) <= 2 else f"{len(worn)} garments"
