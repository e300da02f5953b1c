"""Try on, once more, go on, cancel: the events of the page that order looks or stop them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.errors import Filtered
from vton_ui.tryon.events import Failed
from vton_ui.tryon.plan import Plan
from vton_ui.tryon.plan_run import run
from vton_ui.tryon.streams import in_background
from vton_ui.ui import markup
from vton_ui.ui.board import Look, new_looks, plan_of, reseeded, restarted, set_all
from vton_ui.ui.components.actions import Action
from vton_ui.ui.errors import translate_error
from vton_ui.ui.page_input import PageValues
from vton_ui.ui.render import Updates
from vton_ui.ui.tab import Tab, Tabs


@dataclass(frozen=True, kw_only=True, eq=False)
class Runs:
    """What orders looks, and what stops them."""

    tabs: Tabs

    async def try_on(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """Order what stands on the page."""
        async with aclosing(self._click(values, request, {})) as updates:
            async for update in updates:
                yield update

    async def again(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """The same with a new seed."""
        async with aclosing(self._click(values, request, {"seed": None})) as updates:
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

    async def retry(self, tab: Tab, action: Action) -> AsyncGenerator[Updates, None]:
        """Order a look that brought no picture once more, in its place; with a new seed if it was flagged."""
        look = tab.board.looks.get(action.id)
        if look is None or look.state not in ("failed", "cancelled"):
            return
        last = look.current.last
        flagged = isinstance(last, Failed) and isinstance(last.error, Filtered)
        again = reseeded(look) if flagged else look
        async with aclosing(self._order_in_place(tab, look, restarted(again), plan_of(again))) as updates:
            async for update in updates:
                yield update

    async def go_on(self, tab: Tab, action: Action) -> AsyncGenerator[Updates, None]:
        """Order the steps that an outfit lacks, from its last kept picture on."""
        look = tab.board.looks.get(action.id)
        if look is None or look.state not in ("failed", "cancelled", "not_ordered"):
            return
        plan = plan_of(look, go_on=True)
        async with aclosing(self._order_in_place(tab, look, restarted(look, go_on=True), plan)) as updates:
            async for update in updates:
                yield update

    async def once_more(self, tab: Tab, action: Action) -> AsyncGenerator[Updates, None]:
        """Order a look with another seed, beside the others."""
        look = tab.board.find(action.id)
        if look is None or look.state != "done":
            return
        again = restarted(replace(reseeded(look), id=f"{uuid.uuid4().hex}.1"))
        async with aclosing(self._order_in_place(tab, None, again, plan_of(again))) as updates:
            async for update in updates:
                yield update

    async def _click(
        self, values: PageValues, request: gr.Request, changed: Mapping[str, Any]
    ) -> AsyncGenerator[Updates, None]:
        """Order what stands on the page, with some options changed."""
        tab = await self.tabs.of(values, request)
        board = tab.board
        if board.is_ordering:
            return
        board.is_ordering = board.is_starting = True
        try:
            yield {**tab.show(markup.STARTED), tab.page.failure: ""}
            plan = tab.input().plan(**changed)
            looks = new_looks(plan, uuid.uuid4().hex)
            board.show(looks)
            async with aclosing(self._order(tab, plan, looks)) as updates:
                async for update in updates:
                    yield update
        except Exception as exc:
            yield tab.refused(exc)
        finally:
            board.is_ordering = board.is_starting = False

    async def _order_in_place(
        self, tab: Tab, before: Look | None, look: Look, plan: Plan
    ) -> AsyncGenerator[Updates, None]:
        """Order what makes a look, which stays as it was before should nothing be ordered."""
        if not plan:
            return
        tab.board.put(look)
        try:
            async with aclosing(self._order(tab, plan, [look])) as updates:
                async for update in updates:
                    yield update
        except Exception as exc:
            del tab.board.looks[look.id]
            if before:
                tab.board.put(before)
            yield {**tab.show(), tab.page.failure: markup.failure(translate_error(exc))}

    async def _order(self, tab: Tab, plan: Plan, looks: Iterable[Look]) -> AsyncGenerator[Updates, None]:
        """Run a plan that makes these looks of the board. It raises what refuses the whole plan."""
        context = tab.context()
        if context.budget is None:  # otherwise the owner's caps count it
            tab.count(len(plan))
        look_of = {step.item: look.id for look in looks for step in look.steps}
        stops = {item.id: asyncio.Event() for item in plan}
        with tab.board.stoppable([(look_of[item], stop) for item, stop in stops.items()]):
            yield tab.show()
            events = run(plan, context, stops, parallel=tab.studio.parallel)
            async with aclosing(in_background(events, lambda: set_all(stops.values()))) as told:
                async for item, event in told:
                    update = tab.happened(look_of[item], item, event)
                    if update is not None:
                        yield update
