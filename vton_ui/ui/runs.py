"""Try on, once more, go on, order the rest, cancel: the events of the page that order looks or stop them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.errors import Filtered
from vton_ui.tryon.events import Failed
from vton_ui.tryon.plan import Plan
from vton_ui.tryon.plan_price import price_of
from vton_ui.tryon.plan_run import run, take_unsent
from vton_ui.tryon.streams import in_background
from vton_ui.ui import markup
from vton_ui.ui.board import set_all
from vton_ui.ui.components.actions import Action
from vton_ui.ui.components.tiles import State
from vton_ui.ui.confirm import Confirm, Question
from vton_ui.ui.look import Look, new_looks, plan_of, reseeded, restarted
from vton_ui.ui.page_input import PageValues
from vton_ui.ui.render import Updates
from vton_ui.ui.tab import Tab, Tabs

Steps = AsyncGenerator[Updates, None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Runs:
    """What orders looks, and what stops them."""

    tabs: Tabs

    @property
    def confirm(self) -> Confirm:
        """The question before a costly plan."""
        return Confirm(page=self.tabs.page, studio=self.tabs.studio)

    async def try_on(self, values: dict[Component, Any], request: gr.Request) -> Steps:
        """Order what stands on the page."""
        async with aclosing(self._click(values, request, {})) as updates:
            async for update in updates:
                yield update

    async def again(self, values: dict[Component, Any], request: gr.Request) -> Steps:
        """The same with a new seed."""
        async with aclosing(self._click(values, request, {"seed": None})) as updates:
            async for update in updates:
                yield update

    async def order(self, values: dict[Component, Any], request: gr.Request) -> Steps:
        """What the page asked about, if that is still what stands on it; otherwise it asks anew."""
        answered = self.confirm.asked(values)
        async with aclosing(self._click(values, request, answered.changed if answered else {}, answered)) as updates:
            async for update in updates:
                yield update

    async def cancel(self, values: dict[Component, Any], request: gr.Request) -> Any:
        """Ask every look under way to stop; their own events say how that went."""
        tab = await self.tabs.of(values, request)
        for stops in tab.board.stops.values():
            set_all(stops)
        return gr.update(interactive=False, value="Cancelling")

    async def cancel_look(self, values: PageValues, action: Action, request: gr.Request) -> Updates:
        """Ask one look to stop."""
        tab = await self.tabs.of(values, request)
        set_all(tab.board.stops.get(action.id, ()))
        return {}

    def retry(self, tab: Tab, action: Action) -> Steps:
        """Order a look that brought no picture once more, in its place; with a new seed if it was flagged."""
        looks = _in_state(tab.board.looks.get(action.id), "failed", "cancelled")
        return self._order_in_place(tab, [reseeded(look) if _is_flagged(look) else look for look in looks])

    def go_on(self, tab: Tab, action: Action) -> Steps:
        """Order the steps that an outfit lacks, from its last kept picture on."""
        looks = _in_state(tab.board.looks.get(action.id), "failed", "cancelled", "not_ordered")
        return self._order_in_place(tab, looks, go_on=True)

    async def order_rest(self, tab: Tab, action: Action) -> Steps:
        """Order what an earlier run left, click by click."""
        for _, looks in groupby(tab.board.left, key=lambda look: look.plan):
            async with aclosing(self._order_in_place(tab, list(looks), go_on=True)) as updates:
                async for update in updates:
                    yield update

    def once_more(self, tab: Tab, action: Action) -> Steps:
        """Order a look with another seed, beside the others."""
        looks = _in_state(tab.board.find(action.id), "done")
        return self._order_in_place(tab, [replace(reseeded(look), id=f"{uuid.uuid4().hex}.1") for look in looks])

    async def _click(
        self, values: PageValues, request: gr.Request, changed: Mapping[str, Any], answered: Question | None = None
    ) -> Steps:
        """Order what stands on the page, with some options changed; if it is costly, only what was asked about."""
        tab = await self.tabs.of(values, request)
        board = tab.board
        if board.is_ordering:
            yield tab.show()
            return
        board.is_ordering = board.is_starting = True
        try:
            yield {**tab.show(markup.STARTED), tab.page.failure: ""}
            async with aclosing(self._order_new(tab, changed, answered)) as updates:
                async for update in updates:
                    yield update
        finally:
            board.is_ordering = board.is_starting = False

    async def _order_new(self, tab: Tab, changed: Mapping[str, Any], answered: Question | None) -> Steps:
        board = tab.board
        try:
            page_input = await tab.input()
            plan = page_input.plan(**changed)
            price = await price_of(plan, tab.context().backend)
            question = self.confirm.ask(page_input, price, changed, answered)
        except Exception as exc:
            board.is_starting = False
            yield tab.refused(exc)
            return
        if question:
            board.is_starting = False
            yield {**tab.show(), **question}
            return
        looks = new_looks(plan, uuid.uuid4().hex)
        # What an earlier run left is given up for what is wanted now.
        await tab.studio.jobs.end([step.unsent_id for look in board.left for step in look.steps if step.unsent_id])
        board.show(looks)
        yield {**tab.show(), **self.confirm.withdrawn}
        try:
            async with aclosing(self._order(tab, plan, looks)) as updates:
                async for update in updates:
                    yield update
        except Exception as exc:
            board.give_back()
            yield tab.refused(exc)

    async def _order_in_place(self, tab: Tab, looks: Sequence[Look], *, go_on: bool = False) -> Steps:
        """Order looks of one plan in their places; they stay as they were should nothing be ordered.

        Args:
            go_on: Whether their kept steps stay, and only the rest is ordered.
        """
        board, before = tab.board, dict[str, Look | None]()
        try:
            plans = {look.id: plan_of(look, go_on=go_on) for look in await _ours(tab, looks)}
            wanted = [look for look in looks if plans.get(look.id)]
            before = {look.id: board.looks.get(look.id) for look in wanted}
            for look in wanted:
                board.put(restarted(look, go_on=go_on))
            plan = tuple(item for look in wanted for item in plans[look.id])
            async with aclosing(self._order(tab, plan, wanted)) as updates:
                async for update in updates:
                    yield update
        except Exception as exc:
            for id, as_it_was in before.items():
                board.restore(id, as_it_was)
            yield tab.not_again(exc)

    async def _order(self, tab: Tab, plan: Plan, looks: Sequence[Look]) -> Steps:
        """Run a plan that makes these looks of the board. It raises what refuses the whole plan."""
        if not plan:
            yield tab.show()
            return
        context = tab.context()
        if context.budget is None:  # otherwise the owner's caps count it
            tab.count(len(plan))
        look_of = {step.item: look.id for look in looks for step in look.steps}
        stops = {item.id: asyncio.Event() for item in plan}
        with tab.board.stoppable([(look_of[item], stop) for item, stop in stops.items()]):
            yield {**tab.show(), tab.page.failure: ""}
            events = run(plan, context, stops, parallel=tab.studio.parallel, plan_id=looks[0].plan)
            async with aclosing(in_background(events, lambda: set_all(stops.values()))) as told:
                async for item, event in told:
                    update = tab.happened(look_of[item], item, event)
                    if update is not None:
                        yield update


def _in_state(look: Look | None, *states: State) -> list[Look]:
    """The look, if it is there and in one of these states."""
    return [look] if look and look.state in states else []


def _is_flagged(look: Look) -> bool:
    last = look.current.last
    return isinstance(last, Failed) and isinstance(last.error, Filtered)


async def _ours(tab: Tab, looks: Sequence[Look]) -> list[Look]:
    """Those of these looks that this tab may order: what was never sent is given out once, however many tabs ask."""
    unsent = {step.unsent_id for look in looks for step in look.steps if step.unsent_id}
    if not unsent:
        return list(looks)
    taken = {planned.id for planned in await take_unsent(unsent, tab.context())}
    ours = [look for look in looks if all(step.unsent_id in taken or not step.unsent_id for step in look.steps)]
    for look in looks:
        if look not in ours:
            tab.board.restore(look.id, None)
    return ours
