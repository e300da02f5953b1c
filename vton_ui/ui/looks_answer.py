"""What /looks answers: each look of a plan in numbers and words, and the pictures so far. Pure, but for the clock."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Union

from vton_ui.errors import Cost
from vton_ui.money.pricing import total_of
from vton_ui.tryon.events import Accepted, Cancelled, Done, Event, Failed, Last, Skipped, Submitting
from vton_ui.tryon.job import Job
from vton_ui.tryon.plan import Item, Plan

End = Union[Last, Failed]


@dataclass(kw_only=True)
class _Step:
    """An item of a look, and what is known of it."""

    item: Item
    job: Job | None = None
    end: End | None = None

    @property
    def status(self) -> str:
        """What is said of it; "planned": it was not ordered, or is not over."""
        if self.end is None or isinstance(self.end, Skipped):
            return "planned"
        return "done" if isinstance(self.end, Done) else "failed" if isinstance(self.end, Failed) else "cancelled"

    @property
    def picture(self) -> Path | None:
        return self.end.result.path if isinstance(self.end, Done) else None

    @property
    def cost(self) -> Decimal | None:
        """What it cost, or may have cost; None where the price is unknown."""
        cost = self.end.error.cost if isinstance(self.end, Failed) else getattr(self.end, "cost", Cost.CHARGED)
        if self.job is None or isinstance(self.end, Skipped) or cost is Cost.NOTHING:
            return Decimal(0)
        return None if self.job.cost_usd is None else Decimal(self.job.cost_usd)


@dataclass(kw_only=True)
class Look:
    """A look of the answer.

    Attributes:
        steps: Its items.
        garments: The places of its garments among those of the call.
        planned: What it will cost, in dollars; None where the price is unknown.
    """

    steps: list[_Step]
    garments: list[int]
    planned: Decimal | None
    started_at: float | None = None
    seconds: float | None = None

    @classmethod
    def of(cls, items: Plan, garments: list[int], costs: Mapping[str, Decimal | None]) -> Look:
        """A look before it begins."""
        planned = total_of(costs[item.id] for item in items)
        return cls(steps=[_Step(item=item) for item in items], garments=garments, planned=planned)

    @property
    def over(self) -> bool:
        """Whether all its steps have ended."""
        return all(step.end is not None for step in self.steps)

    def note(self, item_id: str, event: Event | Failed) -> None:
        """What happens to one of its items."""
        step = self.step(item_id)
        self.started_at = self.started_at or time.monotonic()
        if isinstance(event, (Submitting, Accepted)):
            step.job = event.job
        if isinstance(event, (Done, Cancelled, Skipped, Failed)):
            step.end = event
            self.seconds = round(time.monotonic() - self.started_at, 1)

    def facts(self, pictures: Mapping[Path, int]) -> dict[str, Any]:
        """The look as JSON; `pictures` are their places in the list of pictures."""
        request, last = self.steps[0].item.request, self.steps[-1].end
        asked = [step.job.request_id for step in self.steps if step.job and step.job.request_id]
        kinds = [step.item.request.values.get("cloth_type") for step in self.steps]
        return {
            "status": self._status,
            "model": request.model.name,
            "garments": self.garments,
            "cloth_types": kinds if None not in kinds else None,
            "seed": last.result.facts["seed"] if isinstance(last, Done) else request.values["seed"],
            "request_id": asked[-1] if asked else None,
            "cost_usd": number(self._cost),
            "seconds": self.seconds,
            "picture": _place(self.steps[-1], pictures),
            "error": next((str(step.end.error) for step in self.steps if isinstance(step.end, Failed)), None),
            "steps": [
                {
                    "cloth_type": kind,
                    "request_id": step.job.request_id or None if step.job else None,
                    "status": step.status,
                    "picture": _place(step, pictures),
                }
                for step, kind in zip(self.steps, kinds, strict=True)
            ],
        }

    def step(self, item_id: str) -> _Step:
        """The step of one of its items."""
        return next(step for step in self.steps if step.item.id == item_id)

    @property
    def _status(self) -> str:
        each = {step.status for step in self.steps}
        return next((status for status in ("failed", "cancelled", "planned") if status in each), "done")

    @property
    def _cost(self) -> Decimal | None:
        if all(step.end is None for step in self.steps):
            return self.planned
        return total_of(step.cost for step in self.steps)


@dataclass(kw_only=True)
class Looks:
    """All looks of a call."""

    looks: list[Look]
    _by_item: dict[str, Look] = field(init=False)

    def __post_init__(self) -> None:
        self._by_item = {step.item.id: look for look in self.looks for step in look.steps}

    def note(self, item_id: str, event: Event | Failed) -> bool:
        """What happens to an item; whether its look is over now."""
        look = self._by_item[item_id]
        look.note(item_id, event)
        return look.over

    def place(self, item_id: str) -> int:
        """The place of an item's look."""
        return self.looks.index(self._by_item[item_id])

    def request_id(self, item_id: str, event: Event | Failed) -> str | None:
        """fal's name for an item's job, as far as it is known with this event."""
        job = event.job if isinstance(event, Accepted) else self._by_item[item_id].step(item_id).job
        return job.request_id or None if job else None

    def planned(self) -> list[dict[str, Any]]:
        """All looks, before anything is ordered."""
        return [look.facts({}) for look in self.looks]

    def over(self) -> tuple[list[Path], list[dict[str, Any]]]:
        """The looks that have ended, in the order of the plan, and their pictures, those of their steps too."""
        looks = [look for look in self.looks if look.over]
        pictures = [step.picture for look in looks for step in look.steps if step.picture]
        places = {path: place for place, path in enumerate(pictures)}
        return pictures, [look.facts(places) for look in looks]


def number(usd: Any) -> float | None:
    """Dollars as JSON; None where a price is unknown."""
    return None if usd is None else float(Decimal(str(usd)))


def _place(step: _Step, pictures: Mapping[Path, int]) -> int | None:
    return None if step.picture is None else pictures[step.picture]
