"""What the page says about a plan before it runs: the button, the estimate, the question. Pure, and plain text."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from vton_ui.models.spec import ModelSpec
from vton_ui.money.pricing import Estimate, Line, money
from vton_ui.tryon.plan import Item
from vton_ui.tryon.plan_price import PlanPrice

_NUMBERS = {3: "three", 4: "four", 5: "five", 6: "six"}


def all_models_title(count: int) -> str:
    """The name of the card that chooses every model."""
    return f"{'Both' if count == 2 else f'All {_NUMBERS.get(count, count)}'}, side by side"


def button_text(price: PlanPrice, *, free: bool) -> str:
    """What the button does, and for how much."""
    if free:
        return f"Try on · {_drafts(price)}"
    if price.looks == 1:
        return "Try on" if price.total is None else f"Try on · {money(price.total)}"
    cost = _cost(price)
    return f"Try on · {price.looks} looks{f' · {cost}' if cost else ''}"


def summary(price: PlanPrice, *, free: bool) -> str:
    """The estimate in one line."""
    if len(price.plan) == 1:
        (costs,) = price.estimates
        total = money(costs.total) if costs.total is not None else costs.note
        return f"Free draft. With a key: {total}" if free else f"Estimate: {total}"
    cost = _cost(price) or money(None)
    if free:
        drafts = _drafts(price)
        return f"{drafts[0].upper()}{drafts[1:]}. With a key: {cost}"
    return f"Estimate: {cost}" if price.looks == 1 else f"Estimate: {price.looks} looks, {cost}"


def lines(price: PlanPrice) -> tuple[Line, ...]:
    """The estimate's lines: a single order's own, or one for each model and price."""
    if len(price.plan) == 1:
        return price.estimates[0].lines
    groups: dict[tuple[str, Estimate], list[Item]] = {}
    for item, costs in price.priced:
        groups.setdefault((item.request.model.name, costs), []).append(item)
    return tuple(_line(items, costs) for (_, costs), items in groups.items())


def question(price: PlanPrice) -> str:
    """What is asked before a costly plan is ordered."""
    cost = _cost(price)
    looks, them = ("1 look costs", "it") if price.looks == 1 else (f"{price.looks} looks cost", "them")
    if price.total is None:
        unknown = dict.fromkeys(item.request.model.title for item, costs in price.priced if costs.total is None)
        known = price.counted(Decimal(0))
        cost = f"{f'{_short(known)} and ' if known else ''}what fal charges for {' and '.join(unknown)}"
    return f"{looks} {cost}. Order {them}?"


def cautions(price: PlanPrice, left_out: Sequence[ModelSpec]) -> str:
    """Remarks about what is chosen; empty if there is nothing to say."""
    remarks = [
        f"{model.title} takes {model.max_garments} garments together at most, and is left out." for model in left_out
    ]
    remarks += [item.request.model.caution(item.request.values) or "" for item in price.plan]
    return " ".join(dict.fromkeys(remark for remark in remarks if remark))


def _drafts(price: PlanPrice) -> str:
    return "free draft" if price.looks == 1 else f"{price.looks} free drafts"


def _cost(price: PlanPrice) -> str:
    """What all of it costs, or what is known of that; empty if nothing is."""
    known = price.counted(Decimal(0))
    if price.total is None:
        return f"from {_short(known)}" if known else ""
    return _short(known)


def _short(usd: Decimal) -> str:
    """Dollars without needless zeros: $0.19 and $0.1425."""
    text = money(usd)
    while text.endswith("0") and len(text.partition(".")[2]) > 2:
        text = text[:-1]
    return text


def _line(items: Sequence[Item], costs: Estimate) -> Line:
    """What items of one model and one price cost together."""
    looks = sum(item.after is None for item in items)
    steps, left = divmod(len(items), looks) if looks else (0, 1)
    counts = [str(len(items))] if left else [str(looks)] * (looks > 1) + [f"{steps} steps"] * (steps > 1)
    count = f", {' × '.join(counts)}" if counts else ""
    title = items[0].request.model.title
    if costs.total is None:
        return Line(what=f"{title}{count}: {costs.note}", usd=None)
    return Line(what=f"{title}{count}{f' at {_short(costs.total)}' if count else ''}", usd=costs.total * len(items))
