"""What a plan costs: an estimate for each of its items."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal

from vton_ui.money.pricing import Estimate, total_of
from vton_ui.tryon.backend import Backend
from vton_ui.tryon.plan import Item, Plan, estimates, looks_of
from vton_ui.tryon.request import live_price


@dataclass(frozen=True, kw_only=True)
class PlanPrice:
    """What a plan will cost; `estimates` has one for each item, in their order."""

    plan: Plan
    estimates: tuple[Estimate, ...]

    @property
    def priced(self) -> list[tuple[Item, Estimate]]:
        """Every item with its estimate."""
        return list(zip(self.plan, self.estimates, strict=True))

    @property
    def costs(self) -> dict[str, Decimal | None]:
        """What each item costs, by its id; None where its price is unknown."""
        return {item.id: costs.total for item, costs in self.priced}

    @property
    def looks(self) -> int:
        """How many pictures there will be; an outfit that is put on step by step is one."""
        return len(looks_of(self.plan))

    @property
    def total(self) -> Decimal | None:
        """What all of it costs; None where the price of a part is unknown."""
        return total_of(costs.total for costs in self.estimates)

    def counted(self, unknown: Decimal) -> Decimal:
        """The same, where an item of an unknown price counts as so much."""
        return sum((unknown if costs.total is None else costs.total for costs in self.estimates), Decimal(0))


async def price_of(plan: Plan, backend: Backend) -> PlanPrice:
    """What a plan costs. Live prices are asked for once a model, and photos are measured in a thread.

    Raises:
        PhotoError: A photo cannot be used.
    """
    models = {item.request.model.name: item.request.model for item in plan}
    prices = await asyncio.gather(*(live_price(model, backend) for model in models.values()))
    live = dict(zip(models, prices, strict=True))
    return PlanPrice(plan=plan, estimates=tuple((await asyncio.to_thread(estimates, plan, live)).values()))
