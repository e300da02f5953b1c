"""A look as the page knows it: its steps, what happened to each, and what can be made of that. Pure."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Union

from vton_ui.errors import InputError
from vton_ui.models.spec import ModelSpec
from vton_ui.tryon.changed import Changed
from vton_ui.tryon.events import Accepted, Cancelled, Done, Event, Failed, Skipped, Submitting, Waiting
from vton_ui.tryon.job import Job
from vton_ui.tryon.look_source import LookSource
from vton_ui.tryon.plan import Item, Plan, looks_of
from vton_ui.tryon.request import Request, new_request
from vton_ui.tryon.results import Result
from vton_ui.ui.components.tiles import State


@dataclass(frozen=True, kw_only=True)
class NotOrdered:
    """It was planned, and its turn never came: it is ordered only if the visitor says so."""


Last = Union[Event, Failed, NotOrdered]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One request of a look.

    Attributes:
        item: Its item of the plan.
        label: The garment that it puts on, where its look takes several steps.
        request: What was asked for; None where that is no longer known.
        job: What was submitted for it.
        last: The last that happened to it; None: nothing yet.
        started_at: When the first happened to it, in seconds since 1970.
        unsent_id: Under which the job store offers it, as long as nobody has ordered it.
    """

    item: str
    model: ModelSpec
    label: str = ""
    request: Request | None = None
    job: Job | None = None
    last: Last | None = None
    started_at: float | None = None
    unsent_id: str = ""

    @property
    def state(self) -> State:
        """Its state as a tile's."""
        if self.last is None or isinstance(self.last, Skipped):
            return "planned"
        for kind, state in _STATES:
            if isinstance(self.last, kind):
                return state
        return "working"

    @property
    def result(self) -> Result | None:
        """Its picture."""
        return self.last.result if isinstance(self.last, Done) else None


_STATES: tuple[tuple[type, State], ...] = (
    (Done, "done"),
    (Failed, "failed"),
    (Cancelled, "cancelled"),
    (NotOrdered, "not_ordered"),
    (Waiting, "waiting"),
    (Accepted, "waiting"),
)


@dataclass(frozen=True, kw_only=True)
class Look:
    """One finished picture of a click, or what is to become one.

    Attributes:
        id: What the browser calls it.
        label: The garments.
        photo: The visitor's own photo; None where it is gone or unknown.
        changed: What its latest picture changed of that photo; None while that is not known.
    """

    id: str
    label: str
    steps: tuple[Step, ...]
    photo: Path | None = None
    changed: Changed | None = None

    @property
    def state(self) -> State:
        """The state of the step that decides; a look whose steps are partly done is still at work."""
        states = [step.state for step in self.steps]
        for deciding in ("failed", "cancelled", "working", "waiting", "not_ordered"):
            if deciding in states:
                return deciding
        if all(state == "done" for state in states):
            return "done"
        return "working" if "done" in states else "planned"

    @property
    def plan(self) -> str:
        """The plan that it belongs to; empty where it came alone."""
        return self.id.rpartition(".")[0]

    @property
    def is_over(self) -> bool:
        """Whether nothing is under way for it."""
        return self.state in ("done", "failed", "cancelled", "not_ordered")

    @property
    def current(self) -> Step:
        """The step that the look is at: the first without a picture, or the last."""
        return next((step for step in self.steps if step.state != "done"), self.steps[-1])

    @property
    def kept_steps(self) -> tuple[Step, ...]:
        """The steps that have their picture; those before a step that failed are kept."""
        return tuple(step for step in self.steps if step.state == "done")

    @property
    def result(self) -> Result | None:
        """Its latest picture."""
        return self.kept_steps[-1].result if self.kept_steps else None

    def happened(self, item: str, event: Event | Failed | NotOrdered) -> Look:
        """The look after an event of one of its steps."""
        changed = None if isinstance(event, Done) else self.changed
        return replace(
            self,
            changed=changed,
            steps=tuple(_after(step, event) if step.item == item else step for step in self.steps),
        )


def _after(step: Step, event: Event | Failed | NotOrdered) -> Step:
    job = event.job if isinstance(event, (Submitting, Accepted)) else step.job
    return replace(step, last=event, job=job, started_at=step.started_at or time.time())


def new_looks(plan: Plan, plan_id: str) -> list[Look]:
    """The looks of a plan before anything happened to them."""
    return [
        Look(
            id=_look_id(plan_id, items[0].id),
            label=items[0].label,
            steps=tuple(
                Step(item=item.id, label=item.step, model=item.request.model, request=item.request) for item in items
            ),
            photo=items[0].request.person,
        )
        for items in looks_of(plan)
    ]


def look_of(job: Job, model: ModelSpec, last: Last, source: LookSource | None = None) -> Look:
    """The look of a job, as far as that tells.

    Args:
        last: The last that happened to the job.
        source: What it is made from, where the job does not say.
    """
    source = source or job.source
    step = Step(
        item=job.item or job.id,
        label=job.step,
        model=model,
        request=_request(source, model, is_step=bool(job.step)) if source else None,
        job=job,
        last=last,
        started_at=job.started_at,
    )
    id = _look_id(job.plan, job.item) if job.plan else job.id
    return Look(id=id, label=job.label, steps=(step,), photo=source.photo if source else None)


def _request(source: LookSource, model: ModelSpec, *, is_step: bool) -> Request | None:
    """What was asked for; None where this version of the app would not take it. A step puts on the last garment."""
    worn = source.garments[-1:] if is_step else source.garments
    try:
        return new_request(
            model,
            source.photo,
            [garment.path for garment in worn],
            source.values,
            private=source.private,
            names=[garment.name for garment in worn],
            layout=source.layout,
        )
    except InputError:
        return None


def unsent_look(plan: str, item: Item, unsent_id: str) -> Look:
    """The look of an item that was never sent, as far as that tells."""
    step = Step(
        item=item.id,
        label=item.step,
        model=item.request.model,
        request=item.request,
        last=NotOrdered(),
        unsent_id=unsent_id,
    )
    return Look(id=_look_id(plan, item.id), label=item.label, steps=(step,), photo=item.request.person)


def joined(looks: Iterable[Look]) -> dict[str, Look]:
    """Looks by id; what is known of one from several sides is put together. Of a step that is there twice, the first
    one counts."""
    found: dict[str, Look] = {}
    for look in looks:
        known = found.get(look.id)
        if known is None:
            found[look.id] = look
            continue
        steps = {step.item: step for step in (*look.steps, *known.steps)}
        ordered = tuple(sorted(steps.values(), key=lambda step: _place(step.item)))
        first = look if look.steps[0].item == ordered[0].item else known
        found[look.id] = replace(known, steps=ordered, photo=first.photo)
    return found


def in_order(looks: Mapping[str, Look]) -> dict[str, Look]:
    """Looks click by click, and those of a click in the order of its plan."""
    clicks = list(dict.fromkeys(look.plan or look.id for look in looks.values()))

    def place(look: Look) -> tuple[int, int]:
        number = look.id.rpartition(".")[2]
        return clicks.index(look.plan or look.id), int(number) if number.isdecimal() else 0

    return {look.id: look for look in sorted(looks.values(), key=place)}


def _look_id(plan: str, item: str) -> str:
    return f"{plan}.{item.partition('-')[0]}"


def _place(item: str) -> int:
    """The place of an item among the steps of its look."""
    step = item.partition("-")[2]
    return int(step) if step.isdecimal() else 0


def plan_of(look: Look, *, go_on: bool = False) -> Plan:
    """The items that make a look, or what it lacks; empty where a request is no longer known.

    Args:
        go_on: Whether its kept steps stay, and the rest goes on from the last of them.
    """
    result = look.result if go_on else None
    items: list[Item] = []
    for step in look.steps[len(look.kept_steps) :] if go_on else look.steps:
        if step.request is None:
            return ()
        request = step.request if items or result is None else replace(step.request, person=result.path)
        after = items[-1].id if items else None
        items.append(Item(id=step.item, label=look.label, step=step.label, request=request, after=after))
    return tuple(items)


def restarted(look: Look, *, go_on: bool = False) -> Look:
    """The look before anything happened to it, or to what it lacks. Argument: see `plan_of`."""
    kept = look.kept_steps if go_on else ()
    rest = (replace(step, job=None, last=None, started_at=None, unsent_id="") for step in look.steps[len(kept) :])
    return replace(look, steps=(*kept, *rest), changed=None)


def taken_up(look: Look, job: Job) -> Look:
    """The look with this job, which failed, under way again."""
    again = (replace(step, last=Accepted(job=job)) if step.job == job else step for step in look.steps)
    return replace(look, steps=tuple(again))


def reseeded(look: Look) -> Look:
    """The look with another seed."""
    seed = random.SystemRandom().randrange(2**31)
    return replace(look, steps=tuple(_with_seed(step, seed) for step in look.steps))


def _with_seed(step: Step, seed: int) -> Step:
    request = step.request
    return replace(step, request=request and replace(request, values={**request.values, "seed": seed}))
