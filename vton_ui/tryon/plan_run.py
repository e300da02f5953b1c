"""Runs a plan: its money reserved as a whole, and its looks side by side, each on its own.

As in `run`, only a `stop` cancels a job at fal. However else the stream ends, what was submitted runs on and is
remembered; nothing more is submitted, and the money of what was not sent is given back.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from contextlib import ExitStack, aclosing
from dataclasses import replace
from pathlib import Path

from vton_ui.errors import AppFault, Cost
from vton_ui.tryon.booking import uninterrupted
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.events import Accepted, Cancelled, Done, Event, Failed, Recovering, Skipped, Submitting
from vton_ui.tryon.job import Part
from vton_ui.tryon.plan import Item, Plan, looks_of, to_dict
from vton_ui.tryon.plan_price import price_of
from vton_ui.tryon.planned import Planned
from vton_ui.tryon.run import Stopped, try_on, unless
from vton_ui.tryon.streams import Turns, merged


async def run(
    plan: Plan,
    context: RunContext,
    stops: Mapping[str, asyncio.Event],
    *,
    parallel: int,
    plan_id: str | None = None,
) -> AsyncGenerator[tuple[str, Event | Failed], None]:
    """Run a plan; yields each event with the id of its item.

    An item that fails harms no other: its error is its last event. One with an `after` starts when that one is done,
    with its picture as the person; if there is none, it ends as Skipped.

    Args:
        stops: For each item, what cancels it.
        parallel: How many looks run at once.
        plan_id: What its jobs call this plan; a new id if None.

    Raises:
        OverBudget: A cap has no room for all of it; nothing was ordered.
        VtonError: Nothing was ordered, for another reason.
    """
    work = _PlanRun(plan, context, stops, parallel, plan_id or uuid.uuid4().hex)
    with ExitStack() as following:
        for part in work.parts.values():
            following.enter_context(context.jobs.following(part.id))
        try:
            await uninterrupted(work.reserve())
            async with aclosing(merged({item.id: work.follow(item) for item in plan})) as events:
                async for item_id, event in events:
                    await work.note(item_id, event)
                    yield item_id, event
                    await work.forget_unsent(item_id, event)
        finally:
            await uninterrupted(work.release([item.id for item in plan]))


async def take_unsent(job_ids: Collection[str], context: RunContext) -> list[Planned]:
    """Those of these items of the context's browser that were never sent, to be ordered anew. They are given out once,
    however many tabs ask; the owner's money that was reserved for them is given back."""
    found = await context.jobs.take(context.browser, job_ids)
    for planned in found:
        if context.budget:
            await context.budget.release(planned.id)
    return found


class _PlanRun:
    """What of a running plan was reserved and sent, and whose turn it is."""

    def __init__(
        self, plan: Plan, context: RunContext, stops: Mapping[str, asyncio.Event], parallel: int, plan_id: str
    ) -> None:
        self.parts = {
            item.id: Part(id=uuid.uuid4().hex, plan=plan_id, item=item.id, label=item.label, step=item.step)
            for item in plan
        }
        self._plan, self._context, self._stops = plan, context, stops
        self._reserved: set[str] = set()
        """The items whose reservations no job has taken over yet."""
        self._submitted: set[str] = set()
        self._turns = Turns(parallel)
        self._look = {item.id: look[0].id for look in looks_of(plan) for item in look}
        self._pictures = {item.after: asyncio.Future[Path | None]() for item in plan if item.after is not None}
        """What each item that another one waits for ends with."""

    async def reserve(self) -> None:
        """Check the photos, and store and reserve the whole plan. One item alone does all this by itself."""
        plan, context, several = self._plan, self._context, len(self._plan) > 1
        if several:
            each = (await price_of(plan, context.backend)).costs
        if context.browser or (several and context.budget):
            kept = {self.parts[item.id].id: None if item.request.private else to_dict(item) for item in plan}
            await context.jobs.plan(context.browser, self.parts[plan[0].id].plan, kept)
        if several and context.budget:
            try:
                looks = [{self.parts[item.id].id: each[item.id] for item in look} for look in looks_of(plan)]
                await context.budget.reserve(looks)
            except Exception:
                await context.jobs.end([part.id for part in self.parts.values()])
                raise
            self._reserved = set(self.parts)

    async def follow(self, item: Item) -> AsyncGenerator[Event, None]:
        """The events of an item, from its turn on. A look keeps its turn until it is over."""
        stop, request, picture = self._stops[item.id], item.request, None
        try:
            if item.after is None:
                await unless(stop, self._turns.wait(item.id))
            else:
                before = await unless(stop, asyncio.shield(self._pictures[item.after]))
                if before is None:
                    yield Skipped()
                    return
                request = replace(request, person=before)
            async with aclosing(try_on(request, self._context, stop, self.parts[item.id])) as events:
                async for event in events:
                    yield event
                    picture = event.result.path if isinstance(event, Done) else None
        except Stopped:
            yield Cancelled(cost=Cost.NOTHING)
        finally:
            waited_for = self._pictures.get(item.id)
            if waited_for is not None and not waited_for.done():
                waited_for.set_result(picture)
            if waited_for is None or picture is None:
                self._turns.leave(self._look[item.id])

    async def note(self, item_id: str, event: Event | Failed) -> None:
        """Before an event is told: who ends the item's reservation now, and whether fal may know of its job."""
        if isinstance(event, Submitting):
            self._reserved.discard(item_id)
        elif isinstance(event, (Accepted, Recovering)):
            self._submitted.add(item_id)
        elif isinstance(event, (Cancelled, Skipped, Failed)):
            await uninterrupted(self.release([item_id]))

    async def forget_unsent(self, item_id: str, event: Event | Failed) -> None:
        """After an event was told: an item that ended unsent is not offered again."""
        faulty = isinstance(event, Failed) and isinstance(event.error, AppFault)
        if isinstance(event, (Cancelled, Skipped, Failed)) and not faulty and item_id not in self._submitted:
            await self._context.jobs.end([self.parts[item_id].id])

    async def release(self, item_ids: Iterable[str]) -> None:
        """Give back the money of those of these items that were not sent."""
        for item_id in self._reserved.intersection(item_ids):
            self._reserved.discard(item_id)
            if self._context.budget:
                await self._context.budget.release(self.parts[item_id].id)
