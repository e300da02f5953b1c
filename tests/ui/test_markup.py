"""The page's own words."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from vton_ui.errors import Cost, JobFailed
from vton_ui.models import CAT_VTON, FLUX_VTO
from vton_ui.models.spec import Size
from vton_ui.money.pricing import Estimate, Line, money
from vton_ui.tryon.events import Cancelled, Event, Recovering, Running, Waiting
from vton_ui.tryon.plan import new_plan
from vton_ui.tryon.plan_price import PlanPrice
from vton_ui.tryon.results import Result
from vton_ui.ui import markup


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Waiting(position=0, seconds=4.2), "Waiting, next in line · 4 s"),
        (Waiting(position=1, seconds=4), "Waiting, 2nd in line · 4 s"),
        (Waiting(position=2, seconds=4), "Waiting, 3rd in line · 4 s"),
        (Waiting(position=10, seconds=4), "Waiting, 11th in line · 4 s"),
        (Waiting(position=20, seconds=4), "Waiting, 21st in line · 4 s"),
        (Waiting(position=None, seconds=4), "Waiting · 4 s"),
        (Running(step=2, steps=4, seconds=6), "Running, step 2 of 4 · 6 s"),
        (Running(step=None, steps=None, seconds=6), "Running · 6 s"),
        (Running(step=None, steps=None, seconds=6, log="Loading weights"), "Running: Loading weights · 6 s"),
        (Recovering(), "looking for the order"),
        (Cancelled(cost=Cost.NOTHING), "Cancelled. Nothing was charged."),
    ],
)
def test_status(event: Event, words: str) -> None:
    """Every event says what is happening now, in words with units."""
    assert words in re.sub(r"<[^>]+>", "", markup.status(event))


@pytest.mark.parametrize("evil", ["<b>x</b>", '"><script>'])
def test_words_from_outside_are_escaped(evil: str) -> None:
    """A model's log, fal's message, a request id and all facts of a result are escaped."""
    facts = {"seconds": evil, "cost_usd": None, "seed": evil, "sandbox": False, "request_id": evil, "prompt": evil}
    result = Result(path=Path("picture.jpg"), size=Size(3, 4), facts=facts)
    unpriced = Estimate(lines=(Line(what=evil, usd=None),), total=None, note=evil)
    plan = new_plan([FLUX_VTO], Path("ada.jpg"), [Path("tee.jpg")], {}, variations=2)
    said = [
        markup.status(Running(step=None, steps=None, seconds=1, log=evil)),
        markup.failure(JobFailed(evil, evil, slot=evil, request_id=evil)),
        markup.notice(evil),
        markup.details(result, FLUX_VTO),
        markup.estimate_line(PlanPrice(plan=plan[:1], estimates=(unpriced,)), free=False),
        markup.estimate_line(PlanPrice(plan=plan, estimates=(unpriced,) * 2), free=False),
    ]
    assert not [html for html in said if evil in html]


@pytest.mark.parametrize(
    ("usd", "shown"),
    [("0.0475", "$0.0475"), ("0.05", "$0.0500"), ("1.5", "$1.50"), (None, "price not published")],
)
def test_money(usd: Any, shown: str) -> None:
    """Four decimals under a dollar; an unknown price is never a number."""
    assert money(None if usd is None else Decimal(usd)) == shown


def test_model_cards() -> None:
    """A model's licence and price stand beside its name, and an unknown price is not $0."""
    assert "from $0.0475" in markup.model_card(FLUX_VTO)
    assert "research only" in markup.model_card(CAT_VTON)
    assert "$" not in markup.model_card(CAT_VTON)
