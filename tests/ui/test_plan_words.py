"""What the page says about a plan: the button, the estimate's lines, the question. Pure."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from vton_ui.models import CAT_VTON, FLUX_VTO, MODELS
from vton_ui.models.spec import ModelSpec
from vton_ui.money.pricing import NOT_PUBLISHED, Estimate, Line
from vton_ui.tryon.plan import Item, new_plan
from vton_ui.tryon.plan_price import PlanPrice
from vton_ui.ui import markup
from vton_ui.ui.page_input import PageInput
from vton_ui.ui.plan_words import all_models_title, button_text, cautions, lines, question, summary

PERSON, TEE, TROUSERS = Path("ada.jpg"), Path("tee.jpg"), Path("trousers.jpg")
BOTH = (FLUX_VTO, CAT_VTON)
KNOWN = {FLUX_VTO.name: "0.0475", CAT_VTON.name: "0.02"}
UNKNOWN: dict[str, str | None] = {FLUX_VTO.name: "0.0475", CAT_VTON.name: None}


def costs(usd: str | None) -> Estimate:
    if usd is None:
        return Estimate(lines=(Line(what=NOT_PUBLISHED, usd=None),), total=None, note=NOT_PUBLISHED)
    return Estimate(lines=(Line(what="Photo", usd=Decimal(usd)),), total=Decimal(usd))


def priced(models: tuple[ModelSpec, ...] = BOTH, prices: Any = KNOWN, garments: int = 2, **choices: Any) -> PlanPrice:
    plan = new_plan(models, PERSON, [TEE, TROUSERS][:garments], {}, **choices)
    return PlanPrice(plan=plan, estimates=tuple(costs(prices[item.request.model.name]) for item in plan))


@pytest.mark.parametrize(
    ("price", "paid", "free"),
    [
        (priced((FLUX_VTO,), garments=1), "Try on · $0.0475", "Try on · free draft"),
        (priced((FLUX_VTO,)), "Try on · $0.0475", "Try on · free draft"),
        (priced((CAT_VTON,)), "Try on · $0.0400", "Try on · free draft"),
        (priced((CAT_VTON,), UNKNOWN), "Try on", "Try on · free draft"),
        (priced((FLUX_VTO,), variations=4), "Try on · 4 looks · $0.19", "Try on · 4 free drafts"),
        (priced((FLUX_VTO,), variations=3), "Try on · 3 looks · $0.1425", "Try on · 3 free drafts"),
        (priced(garments=1), "Try on · 2 looks · $0.0675", "Try on · 2 free drafts"),
        (priced(wear="each", variations=2), "Try on · 8 looks · $0.27", "Try on · 8 free drafts"),
        (priced(prices=UNKNOWN), "Try on · 2 looks · from $0.0475", "Try on · 2 free drafts"),
        (priced((CAT_VTON,), UNKNOWN, variations=2), "Try on · 2 looks", "Try on · 2 free drafts"),
    ],
)
def test_button(price: PlanPrice, paid: str, free: str) -> None:
    """One look as ever, several with their number; a price that is not known is not made up."""
    assert button_text(price, free=False) == paid
    assert button_text(price, free=True) == free


@pytest.mark.parametrize(
    ("price", "paid", "free", "expected"),
    [
        (priced((FLUX_VTO,)), "Estimate: $0.0475", "Free draft. With a key: $0.0475", ["Photo"]),
        (
            priced((CAT_VTON,), UNKNOWN, garments=1),
            f"Estimate: {NOT_PUBLISHED}",
            f"Free draft. With a key: {NOT_PUBLISHED}",
            [NOT_PUBLISHED],
        ),
        (priced((CAT_VTON,)), "Estimate: $0.04", "Free draft. With a key: $0.04", ["CatVTON, 2 steps at $0.02"]),
        (
            priced(variations=3),
            "Estimate: 6 looks, $0.2625",
            "6 free drafts. With a key: $0.2625",
            ["FLUX Virtual Try-On, 3 at $0.0475", "CatVTON, 3 × 2 steps at $0.02"],
        ),
        (
            priced(prices=UNKNOWN, wear="each"),
            "Estimate: 4 looks, from $0.095",
            "4 free drafts. With a key: from $0.095",
            ["FLUX Virtual Try-On, 2 at $0.0475", f"CatVTON, 2: {NOT_PUBLISHED}"],
        ),
        (
            priced((CAT_VTON,), UNKNOWN, variations=2),
            "Estimate: 2 looks, price not published",
            "2 free drafts. With a key: price not published",
            [f"CatVTON, 2 × 2 steps: {NOT_PUBLISHED}"],
        ),
    ],
)
def test_estimate(price: PlanPrice, paid: str, free: str, expected: list[str]) -> None:
    """A line for each model, however many looks there are, and the lines are the sum."""
    assert summary(price, free=False) == paid
    assert summary(price, free=True) == free
    assert [line.what for line in lines(price)] == expected
    assert sum((line.usd or Decimal(0) for line in lines(price)), Decimal(0)) == price.counted(Decimal(0))


@pytest.mark.parametrize(
    ("price", "words"),
    [
        (priced((FLUX_VTO,), variations=4), "4 looks cost $0.19. Order them?"),
        (priced((FLUX_VTO,)), "1 look costs $0.0475. Order it?"),
        (priced(prices=UNKNOWN), "2 looks cost $0.0475 and what fal charges for CatVTON. Order them?"),
        (priced((CAT_VTON,), UNKNOWN), "1 look costs what fal charges for CatVTON. Order it?"),
    ],
)
def test_question(price: PlanPrice, words: str) -> None:
    """It says how many looks and how much, also what is not known."""
    assert question(price) == words


def test_unknown_prices_count() -> None:
    """Whether to ask, an order without a price counts as what the owner set."""
    price = priced(prices=UNKNOWN, variations=2)
    assert price.total is None
    assert price.counted(Decimal("0.05")) == Decimal("0.295")


def test_cautions() -> None:
    """A model's warning is there once, and a model that is left out is named."""
    plan = new_plan([CAT_VTON], PERSON, [TEE, TROUSERS], {CAT_VTON.name: {"image_size": "square"}}, variations=2)
    price = PlanPrice(plan=plan, estimates=(costs("0.02"),) * len(plan))
    said = cautions(price, [replace(FLUX_VTO, title="Third", max_garments=3)])
    assert said.count("768 × 1024") == 1
    assert "Third takes 3 garments together at most, and is left out." in said
    assert cautions(priced(), []) == ""


@pytest.mark.parametrize(
    ("count", "title"),
    [(2, "Both, side by side"), (3, "All three, side by side"), (9, "All 9, side by side")],
)
def test_the_card_of_all_models(count: int, title: str) -> None:
    """Its name follows the registry, and its price is the sum."""
    models = [replace(FLUX_VTO, name=str(index)) for index in range(count)]
    assert all_models_title(count) == title
    assert markup.all_models_card(models) == f"{title}\nA look of each, to compare, from ${count * 0.0475:.4f}."
    assert markup.all_models_card(list(MODELS.values())).endswith("from $0.0475 plus a price not published.")
    assert markup.all_models_card([CAT_VTON] * 2).endswith("to compare, 2 prices not published.")


def test_an_input_becomes_its_plan() -> None:
    """Models × outfits × pictures, each model with its own options, and what the click changes in all of them."""
    page_input = PageInput(
        models=BOTH,
        left_out=(),
        person=PERSON,
        garments=[TEE, TROUSERS],
        names=["Striped tee", "Olive trousers"],
        cloth_types=["upper", "lower"],
        layout="row",
        given={FLUX_VTO.name: {"seed": 5, "num_inference_steps": 2}, CAT_VTON.name: {"seed": 5}},
        wear="together",
        variations=2,
        key=None,
        private=True,
    )

    def told(item: Item) -> tuple[Any, ...]:
        values = item.request.values
        return item.request.model.name, values.get("cloth_type"), values["num_inference_steps"], values["seed"]

    plan = page_input.plan()
    assert [told(item) for item in plan] == [
        (FLUX_VTO.name, None, 2, 5),
        (FLUX_VTO.name, None, 2, 6),
        (CAT_VTON.name, "upper", 30, 5),
        (CAT_VTON.name, "lower", 30, 5),
        (CAT_VTON.name, "upper", 30, 6),
        (CAT_VTON.name, "lower", 30, 6),
    ]
    assert all(item.request.private and item.request.layout == "row" for item in plan)
    assert "Striped tee" in plan[2].label
    seeds = {item.request.values["seed"] for item in page_input.plan(seed=None)}
    assert len(seeds) == 2
    assert not seeds & {5, 6}
