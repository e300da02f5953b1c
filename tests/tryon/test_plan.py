"""What one click asks for: how many looks, in which order, with which seeds, kinds and labels, and for how much."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.conftest import photo_bytes
from vton_ui.errors import Cost, GarmentsError, InputError, OptionError, PhotoError
from vton_ui.models import CAT_VTON, FLUX_VTO, MODELS
from vton_ui.models.spec import Choice, ModelSpec
from vton_ui.money.pricing import UnitPrice
from vton_ui.pictures.sheet import MAX_GARMENTS
from vton_ui.tryon.plan import MAX_LOOKS, VARIATIONS, WEAR, Plan, cost, item_of, known, looks_of, new_plan, to_dict
from vton_ui.tryon.request import estimate

PERSON = Path("ada.jpg")
GARMENTS = [Path(f"{name}.jpg") for name in ("tee", "trousers", "coat", "shoes", "skirt", "dress")]
KIND = next(option for option in CAT_VTON.options if isinstance(option, Choice) and option.name == "cloth_type")
KINDS = [kind for kind, _ in KIND.choices]
BOTH = (FLUX_VTO, CAT_VTON)

a_plan = st.fixed_dictionaries(
    {
        "models": st.sampled_from([(FLUX_VTO,), (CAT_VTON,), BOTH, BOTH[::-1]]),
        "garments": st.permutations(GARMENTS).flatmap(
            lambda order: st.integers(1, len(order)).map(lambda count: order[:count])
        ),
        "wear": st.sampled_from(["together", "each"]),
        "variations": st.integers(1, 8),
        "seed": st.none() | st.integers(0, 2**31 - 8),
    }
)


def planned(garments: Sequence[Path] = GARMENTS[:1], models: Sequence[ModelSpec] = BOTH, **options: Any) -> Plan:
    """A plan with the same option values for every model."""
    ours = {name: options.pop(name) for name in ("wear", "variations", "cloth_types", "names") if name in options}
    return new_plan(models, PERSON, garments, {model.name: options for model in models}, **ours)


def looks_in(wish: Mapping[str, Any]) -> int:
    outfits = len(wish["garments"]) if wish["wear"] == "each" else 1
    return len(wish["models"]) * outfits * int(wish["variations"])


# What a plan is made of


@settings(max_examples=30, deadline=None)
@given(a_plan)
def test_they_multiply(wish: Mapping[str, Any]) -> None:
    """Models × outfits × variations looks, or a refusal where that is too many; a chain is one look."""
    if looks_in(wish) > MAX_LOOKS:
        with pytest.raises(OptionError, match=f"makes {looks_in(wish)} looks"):
            planned(**wish)
    else:
        assert len(looks_of(planned(**wish))) == looks_in(wish)


@settings(max_examples=30, deadline=None)
@given(a_plan)
def test_items_hang_together(wish: Mapping[str, Any]) -> None:
    """Ids and labels are there once; a step follows the step before it, with the same model and seed."""
    assume(looks_in(wish) <= MAX_LOOKS)
    plan = planned(**wish)
    assert len({item.id for item in plan}) == len(plan)
    assert len({(item.request.model.name, item.label, item.step) for item in plan}) == len(plan)
    assert [item for look in looks_of(plan) for item in look] == list(plan)
    for look in looks_of(plan):
        assert [item.after for item in look] == [None, *(item.id for item in look[:-1])]
        assert len({(item.request.model.name, item.request.values["seed"]) for item in look}) == 1
        assert {item.request.person for item in look} == {PERSON}


@settings(max_examples=30, deadline=None)
@given(a_plan)
def test_garments_are_worn_in_order(wish: Mapping[str, Any]) -> None:
    """Together, each look has all garments in their order; each on its own, every look has one, in turn."""
    assume(looks_in(wish) <= MAX_LOOKS)
    worn = [[photo for item in look for photo in item.request.garments] for look in looks_of(planned(**wish))]
    garments, variations = list(wish["garments"]), wish["variations"]
    outfits = [[photo] for photo in garments] if wish["wear"] == "each" else [garments]
    assert worn == [outfit for outfit in outfits for _ in range(variations)] * len(wish["models"])


@settings(max_examples=30, deadline=None)
@given(a_plan)
def test_no_request_has_too_many_garments(wish: Mapping[str, Any]) -> None:
    """A sheet for the model that takes one, and one garment after another for the other."""
    assume(looks_in(wish) <= MAX_LOOKS)
    for look in looks_of(planned(**wish)):
        model = look[0].request.model
        assert all(len(item.request.garments) <= model.max_garments for item in look)
        assert len(look) == 1 or model is CAT_VTON


@settings(max_examples=30, deadline=None)
@given(a_plan)
def test_seeds(wish: Mapping[str, Any]) -> None:
    """Seeds count up from the chosen one; new ones are no two alike, and the same for every model and garment."""
    assume(looks_in(wish) <= MAX_LOOKS)
    looks, variations = looks_of(planned(**wish)), wish["variations"]
    seeds = [look[0].request.values["seed"] for look in looks]
    rounds = [seeds[start : start + variations] for start in range(0, len(seeds), variations)]
    if wish["seed"] is not None:
        assert rounds[0] == [wish["seed"] + index for index in range(variations)]
    assert len(set(rounds[0])) == variations
    assert rounds == [rounds[0]] * len(rounds)


def test_new_seeds_are_new() -> None:
    """The same click again gives other pictures."""
    first, second = ([item.request.values["seed"] for item in planned(variations=6)] for _ in range(2))
    assert first != second


@settings(max_examples=30, deadline=None)
@given(a_plan, st.lists(st.sampled_from([*KINDS, None, ""]), min_size=6, max_size=6), st.sampled_from(KINDS))
def test_each_garment_has_its_kind(wish: Mapping[str, Any], kinds: list[str | None], others: str) -> None:
    """A garment's own kind goes before the one that holds for all; a model without kinds gets none."""
    assume(looks_in(wish) <= MAX_LOOKS)
    own = dict(zip(wish["garments"], kinds, strict=False))
    for item in planned(**wish, cloth_types=list(own.values()), cloth_type=others):
        if item.request.model is CAT_VTON:
            assert item.request.values["cloth_type"] == (own[item.request.garments[0]] or others)
        else:
            assert "cloth_type" not in item.request.values


def test_options_of_each_model() -> None:
    """Each model gets its own values, and what is not given is its default."""
    values = {"flux-vto": {"num_inference_steps": 2, "seed": 5}, "cat-vton": {"num_inference_steps": 50}}
    flux, cat = new_plan(BOTH, PERSON, GARMENTS[:1], values, private=True)
    assert (flux.request.values["num_inference_steps"], flux.request.values["seed"]) == (2, 5)
    assert (cat.request.values["num_inference_steps"], cat.request.values["guidance_scale"]) == (50, 2.5)
    assert flux.request.private
    assert cat.request.private
    alone = new_plan([CAT_VTON], PERSON, GARMENTS[:1], {})
    assert alone[0].request.values["num_inference_steps"] == 30
    assert not alone[0].request.private


def test_arguments_stay_as_they_were() -> None:
    """What was given is not changed."""
    garments, values, kinds = GARMENTS[:2], {"cat-vton": {"seed": 3}}, ["upper", "lower"]
    new_plan([CAT_VTON], PERSON, garments, values, variations=3, cloth_types=kinds)
    assert (garments, values, kinds) == (GARMENTS[:2], {"cat-vton": {"seed": 3}}, ["upper", "lower"])


def test_plain_click_is_one_request() -> None:
    """Who asks for nothing new gets one request, as ever."""
    (item,) = planned(models=[FLUX_VTO], wear=None, variations=None)
    assert (item.id, item.label, item.after) == ("1", "tee", None)


@pytest.mark.parametrize(
    ("models", "options", "labels"),
    [
        ([FLUX_VTO], {"names": ["striped tee"]}, ["striped tee"]),
        (BOTH, {}, ["tee", "tee"]),
        ([FLUX_VTO], {"garments": GARMENTS[:2]}, ["tee + trousers"]),
        ([FLUX_VTO], {"garments": GARMENTS[:3]}, ["3 garments"]),
        ([CAT_VTON], {"garments": GARMENTS[:2]}, ["tee + trousers: tee", "tee + trousers: trousers"]),
        ([CAT_VTON], {"garments": GARMENTS[:2], "wear": "each"}, ["tee", "trousers"]),
        ([CAT_VTON], {"variations": 2}, ["tee · 1 of 2", "tee · 2 of 2"]),
        ([CAT_VTON], {"garments": [Path("my_blue-shirt.jpg")]}, ["my blue shirt"]),
        ([CAT_VTON], {"names": ["a\n" * 50]}, ["a a a a a a a a a a a a a a a a a a a a…"]),
    ],
)
def test_labels(models: Sequence[ModelSpec], options: dict[str, Any], labels: list[str]) -> None:
    """A look is called by its garments, and by its number where there are several; a step also by its own garment."""
    plan = planned(models=models, **options)
    assert [": ".join(filter(None, (item.label, item.step))) for item in plan] == labels


# What is refused


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "no model"),
        (None, "no model"),
        ("flux-vto", "no model"),
        ({"flux-vto": 1}, "no model"),
        (["flux-vto", "dalle"], "'dalle' is no model here"),
        ([None], "'None' is no model here"),
        ([["flux-vto"]], "is no model here"),
        (["cat-vton", "cat-vton"], "cat-vton is there twice"),
    ],
)
def test_bad_models(names: Any, words: str) -> None:
    """No model, an unknown one, or one twice is refused in words."""
    with pytest.raises(OptionError, match=words) as caught:
        known(names, MODELS)
    assert (caught.value.slot, caught.value.cost) == ("models", Cost.NOTHING)


def test_good_models() -> None:
    """The models come in the order of their names."""
    assert known(["cat-vton", "flux-vto"], MODELS) == (CAT_VTON, FLUX_VTO)


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"variations": 0}, OptionError, "whole number from 1 to 8"),
        ({"variations": 9}, OptionError, "whole number from 1 to 8"),
        ({"variations": 99}, OptionError, "whole number from 1 to 8"),
        ({"variations": 1.5}, OptionError, "whole number from 1 to 8"),
        ({"variations": "2"}, OptionError, "whole number from 1 to 8"),
        ({"variations": True}, OptionError, "whole number from 1 to 8"),
        ({"variations": float("nan")}, OptionError, "whole number from 1 to 8"),
        ({"variations": 7}, OptionError, "makes 14 looks, and one click makes 12 at most"),
        ({"wear": "both"}, OptionError, "Choose one of together, each"),
        ({"wear": ["each"]}, OptionError, "Choose one of together, each"),
        ({"cloth_types": []}, GarmentsError, "1 garments and 0 cloth_types"),
        ({"cloth_types": ["upper", "lower"]}, GarmentsError, "1 garments and 2 cloth_types"),
        ({"cloth_types": "upper"}, GarmentsError, "no list of cloth_types"),
        ({"cloth_types": ["hat"]}, OptionError, "Choose one of upper, lower"),
        ({"cloth_types": [7]}, OptionError, "Choose one of upper, lower"),
        ({"cloth_type": "hat"}, OptionError, "Choose one of upper, lower"),
        ({"seed": -1}, OptionError, "from 0 to 2147483647"),
        ({"seed": 2**31 - 1, "variations": 2}, OptionError, "from 0 to 2147483647"),
        ({"num_inference_steps": 5}, OptionError, "from 1 to 4"),
        ({"garments": []}, GarmentsError, "no garment yet"),
        ({"garments": [], "wear": "each"}, GarmentsError, "no garment yet"),
        ({"garments": GARMENTS * 2}, GarmentsError, "take 6 away"),
        ({"garments": GARMENTS * 2, "models": [CAT_VTON]}, GarmentsError, "take 6 away"),
        ({"garments": GARMENTS * 2, "wear": "each"}, OptionError, "makes 24 looks"),
        ({"garments": [*GARMENTS * 2, PERSON], "wear": "each", "models": [CAT_VTON]}, OptionError, "makes 13 looks"),
    ],
)
def test_bad_plan(options: dict[str, Any], kind: type[InputError], words: str) -> None:
    """What cannot be is refused in words that say what to do, and costs nothing."""
    with pytest.raises(kind) as caught:
        planned(**options)
    assert words in str(caught.value)
    assert caught.value.cost is Cost.NOTHING


def test_no_person() -> None:
    """There is no plan without a photo of a person."""
    with pytest.raises(PhotoError, match="photo of a person"):
        new_plan(BOTH, None, GARMENTS, {})


def test_limits() -> None:
    """The largest plan: twelve looks of six steps each."""
    plan = planned(GARMENTS, [CAT_VTON, replace(CAT_VTON, name="other")], variations=6)
    assert len(looks_of(plan)) == MAX_LOOKS
    assert {len(look) for look in looks_of(plan)} == {MAX_GARMENTS}
    assert (WEAR.default, VARIATIONS.default, VARIATIONS.maximum) == ("together", 1, 8)
    assert len(planned(GARMENTS * 2, [CAT_VTON], wear="each")) == MAX_LOOKS


@settings(max_examples=30, deadline=None)
@given(a_plan, st.booleans())
def test_written_down(wish: Mapping[str, Any], private: bool) -> None:
    """An item that was written down is the same when it is read."""
    assume(looks_in(wish) <= MAX_LOOKS)
    for item in planned(**wish):
        item = replace(item, request=replace(item.request, private=private))
        assert item_of(json.loads(json.dumps(to_dict(item))), MODELS) == item


@pytest.mark.parametrize("change", [{"model": "old"}, {"garments": []}, {"values": {"seed": -1}}, {"values": None}])
def test_item_of_another_version(change: dict[str, Any]) -> None:
    """An item that this version cannot order is unknown."""
    written = to_dict(planned()[0])
    assert item_of({**written, **change}, MODELS) is None
    del written["person"]
    assert item_of(written, MODELS) is None


# What it costs


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    paths = [folder / f"photo{index}.jpg" for index in range(4)]
    for index, path in enumerate(paths):
        path.write_bytes(photo_bytes(1200 + 100 * index, 900))
    return paths


@settings(max_examples=30, deadline=None)
@given(wish=a_plan, full_size=st.booleans(), price=st.none() | st.decimals("0.001", "1", places=4))
def test_cost(wish: Mapping[str, Any], full_size: bool, price: Decimal | None, photos: list[Path]) -> None:
    """The sum of all requests, every step counted; unknown where one is."""
    garments = [photos[1 + index % 3] for index in range(len(wish["garments"]))]
    assume(looks_in(wish) <= MAX_LOOKS)
    values = {"seed": wish["seed"], "full_size": full_size}
    plan = new_plan(
        wish["models"],
        photos[0],
        garments,
        {model.name: values for model in wish["models"]},
        wear=wish["wear"],
        variations=wish["variations"],
    )
    live = {"cat-vton": None if price is None else UnitPrice(usd=price, unit="image")}
    total = cost(plan, live)
    parts = [estimate(item.request, live.get(item.request.model.name)).total for item in plan]
    known_parts = [part for part in parts if part is not None]
    assert total == (sum(known_parts, Decimal(0)) if len(known_parts) == len(parts) else None)
    steps = sum(item.request.model is CAT_VTON for item in plan)
    each = Decimal("0.0575") if full_size else Decimal("0.0475")
    if price is not None:
        assert total == price * steps + each * (len(plan) - steps)
    else:
        assert total == (None if steps else each * len(plan))


def test_cost_of_a_photo_that_is_gone(tmp_path: Path) -> None:
    """A photo that cannot be used is told before anything is ordered."""
    plan = new_plan([FLUX_VTO], tmp_path / "gone.jpg", GARMENTS[:1], {})
    with pytest.raises(PhotoError):
        cost(plan, {})
