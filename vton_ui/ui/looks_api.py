"""The endpoint /looks: a plan over the API, answered look by look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from decimal import Decimal
from pathlib import Path
from typing import Any

import gradio as gr

from vton_ui.errors import OverBudget
from vton_ui.studio import Studio
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.events import Event, Failed, Submitting
from vton_ui.tryon.plan import Plan, looks_of
from vton_ui.tryon.plan_price import price_of
from vton_ui.tryon.plan_run import run
from vton_ui.tryon.streams import in_background, keep_running
from vton_ui.ui.board import set_all
from vton_ui.ui.call_input import read_plan
from vton_ui.ui.compat.routes import file_address
from vton_ui.ui.looks_answer import Look, Looks
from vton_ui.ui.markup import words_for
from vton_ui.ui.progress import Step, tell, when_left
from vton_ui.ui.signatures import Given
from vton_ui.ui.web.uploads import offered
from vton_ui.ui.web.visitor import visitor_of

Answer = tuple[list[dict[str, Any]], list[dict[str, Any]]]
"""The pictures, as Gradio's files, and the looks."""


async def looks(studio: Studio, given: Given) -> AsyncGenerator[Answer, None]:
    """The answers of a call: one whenever a look ends, with all looks that have ended."""
    visitor = visitor_of(given["request"])
    context = studio.context(given["x_fal_key"], visitor)
    counted = context.budget is None or given["plan_only"] is True  # otherwise the owner's caps count it
    if counted:
        studio.free.count(visitor)
    asked = await read_plan(studio, given)
    # It looks at the photos, before anything is ordered.
    each = (await price_of(asked.plan, context.backend)).costs
    prices = dict.fromkeys(each, Decimal(0)) if context.backend.sandbox else each
    pairs = zip(looks_of(asked.plan), asked.worn, strict=True)
    answer = Looks(looks=[Look.of(look, worn, prices) for look, worn in pairs])
    if asked.plan_only:
        yield [], answer.planned()
        return
    if counted and len(answer.looks) > 1:
        studio.free.count(visitor, len(answer.looks) - 1)
    async with aclosing(_Call(asked.plan, context, answer).follow(studio.parallel)) as answers:
        async for one in answers:
            yield one


class _Call:
    """A plan that runs for a caller.

    When the caller leaves, drafts stop. Of a paid plan nothing more is submitted, and what was is followed to its end.
    """

    def __init__(self, plan: Plan, context: RunContext, answer: Looks) -> None:
        self._plan, self._context, self._answer = plan, context, answer
        self._stops = {item.id: asyncio.Event() for item in plan}
        self._submitted: set[str] = set()
        self._left = False
        self._offers: dict[Path, dict[str, Any]] = {}

    async def follow(self, parallel: int) -> AsyncGenerator[Answer, None]:
        """The answers, as long as somebody waits for them."""
        running = run(self._plan, self._context, self._stops, parallel=parallel)
        events = in_background(running, lambda: set_all(self._stops.values()))
        watching = keep_running(when_left(self._leave))
        try:
            async for item_id, event in events:
                if self._note(item_id, event) and not self._left:
                    yield self._told()
        except GeneratorExit:
            self._leave()
            keep_running(self._to_the_end(events))
            raise
        finally:
            watching.cancel()

    async def _to_the_end(self, events: AsyncGenerator[tuple[str, Event | Failed], None]) -> None:
        async with aclosing(events):
            async for item_id, event in events:
                self._note(item_id, event)

    def _note(self, item_id: str, event: Event | Failed) -> bool:
        """Take an event in; whether it ends its look. OverBudget if there is one look, and it does not fit."""
        if isinstance(event, Submitting):
            if self._left:
                self._stops[item_id].set()
            self._submitted.add(item_id)
        if isinstance(event, Failed):
            if isinstance(event.error, OverBudget) and len(self._plan) == 1:
                raise event.error  # as several are refused
        else:
            words, share = words_for(event)
            place = f"Look {self._answer.place(item_id) + 1} of {len(self._answer.looks)}: " * (len(self._plan) > 1)
            request_id = self._answer.request_id(item_id, event)
            tell(Step(words=f"{place}{words}", share=share, request_id=request_id, streamed=False))
        return self._answer.note(item_id, event)

    def _told(self) -> Answer:
        pictures, facts = self._answer.over()
        for path in pictures:
            if path not in self._offers:
                name = str(offered(path))
                # Gradio completes the address of a file in a list only if the file is a dict that has one.
                self._offers[path] = gr.FileData(path=name, url=file_address("", name)).model_dump()
        return [self._offers[path] for path in pictures], facts

    def _leave(self) -> None:
        self._left = True
        for item_id, stop in self._stops.items():
            if self._context.backend.sandbox or item_id not in self._submitted:
                stop.set()
