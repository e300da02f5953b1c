"""One tab of a browser at one event: what stands on its page, what it shows, and who asks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.errors import MAY_STILL_BE_HAD, VtonError
from vton_ui.models.spec import ModelSpec
from vton_ui.money.pricing import money, total_of
from vton_ui.studio import Studio
from vton_ui.tryon.changed import kept_change
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.events import Accepted, Cancelled, Done, Event, Failed, Running, Submitting, Waiting
from vton_ui.tryon.job_store import Record, Remembered
from vton_ui.tryon.look_source import source_of
from vton_ui.tryon.plan_price import price_of
from vton_ui.tryon.results import kept_result
from vton_ui.ui import markup
from vton_ui.ui.board import Board, Boards
from vton_ui.ui.errors import translate_error
from vton_ui.ui.look import Look, joined, look_of, plan_of
from vton_ui.ui.memory import Memory, State
from vton_ui.ui.page import Page
from vton_ui.ui.page_input import PageInput, PageValues, key_of, read_page
from vton_ui.ui.render import Renderer, Updates
from vton_ui.ui.web.visitor import browser_of, cookie_of, visitor_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Tab:
    """What an event works with.

    Attributes:
        memory: Reads and writes what this browser keeps.
        values: What stood on the page when it happened.
        browser: Whose tab it is.
        cookie: The browser's secret name; empty where it keeps none.
        visitor: Who is counted, and pays.
    """

    page: Page
    studio: Studio
    renderer: Renderer
    memory: Memory
    board: Board
    values: PageValues
    request: gr.Request
    browser: str
    cookie: str
    visitor: str

    async def input(self) -> PageInput:
        """What stands on the page, checked. InputError, RateLimited: see `read_page`."""
        return await read_page(self.page, self.studio, self.values, self.request)

    def context(self, *, own_key: bool = True) -> RunContext:
        """What a try-on is run with. KeyRefused if the key on the page is none.

        Args:
            own_key: Whether the visitor's own key is used, if there is one.
        """
        key = key_of(self.page, self.values) if own_key else None
        return self.studio.context(key, self.visitor, self.cookie)

    def count(self, pieces: int = 1) -> None:
        """Count free work. RateLimited if it is too much."""
        self.studio.free.count(self.visitor, pieces)

    async def remembered(self) -> Remembered:
        """What the job store knows of this browser."""
        return await self.studio.jobs.of_browser(self.owner)

    @property
    def owner(self) -> str:
        """The browser as the job store knows it."""
        return self.studio.browser_hash(self.cookie)

    async def price_rest(self) -> None:
        """Put on the button what it would cost to order what an earlier run left; what cannot be ordered goes."""
        board, prices = self.board, list[Decimal | None]()
        try:
            backend = self.context().backend
        except VtonError:
            board.rest = "Order the rest"
            return
        for look in board.left:
            try:
                prices.append((await price_of(plan_of(look, go_on=True), backend)).total)
            except VtonError:  # its photos are gone
                board.restore(look.id, None)
        board.rest = f"Order the rest · {'free drafts' if backend.sandbox else money(total_of(prices))}"

    def show(self, status: str | None = None) -> Updates:
        """What the page shows now."""
        return self.renderer.show(self.board, status)

    def kept(self) -> Updates:
        """The strip, and what the browser is to keep now."""
        return self.renderer.kept(self.board)

    def refused(self, exc: Exception) -> Updates:
        """The page after something that was refused as a whole: what it showed, and a card."""
        status = None if len(self.board.looks) > 1 else "" if self.board.looks else markup.INVITATION
        return {**self.show(status), **self.renderer.failed(translate_error(exc))}

    def not_again(self, exc: Exception) -> Updates:
        """The page after a button of a tile that could not do its work: a card, and nothing else."""
        return {**self.show(), self.page.failure: markup.failure(translate_error(exc))}

    def happened(self, look_id: str, item: str, event: Event | Failed) -> Updates | None:
        """What an event changes on the page; None if nothing that it shows."""
        if isinstance(event, Failed):
            event = Failed(error=translate_error(event.error))
        board, before = self.board, self.board.looks.get(look_id)
        if before is None:  # the page gave it up at an earlier event, and nothing of it is under way
            return None
        look = board.looks[look_id] = before.happened(item, event)
        kept = self._remember(look, item, event)
        if isinstance(event, (Waiting, Running)) and look.state == before.state and not board.is_progress_due():
            return None
        if board.only is None or look.state not in ("failed", "cancelled"):
            return {**self.show(), **kept}
        return {**self._ended_without_picture(look), **kept}

    def _ended_without_picture(self, look: Look) -> Updates:
        """The page after a click for one look that failed or was cancelled: what was there before comes back."""
        board, last = self.board, look.current.last
        if not look.kept_steps:
            board.give_back()
        if not isinstance(last, Failed):
            return self.show(markup.status(last) if isinstance(last, Cancelled) else None)
        card = self.renderer.failed(last.error)
        if look.kept_steps:  # its tile offers more
            return {**self.show(""), self.page.failure: card[self.page.failure]}
        return {**self.show("" if board.looks else markup.INVITATION), **card}

    def _remember(self, look: Look, item: str, event: Event | Failed) -> Updates:
        """Keep what an event changes in the strip and in what the browser keeps."""
        board, memory = self.board, self.memory
        job = next(step.job for step in look.steps if step.item == item)
        if isinstance(event, (Submitting, Accepted)):
            board.memory = memory.with_job(board.memory, event.job)
        elif job is None or not isinstance(event, (Done, Cancelled, Failed)):
            return {}
        elif isinstance(event, Done):
            board.memory = memory.with_result(board.memory, event.result, job)
            board.keep(look)
            return self.kept()
        elif isinstance(event, Cancelled) or not isinstance(event.error, MAY_STILL_BE_HAD):
            board.memory = memory.without_job(board.memory, job)
        return {self.page.memory: board.memory}


@dataclass(frozen=True, kw_only=True, eq=False)
class Tabs:
    """All tabs of the page on one studio."""

    page: Page
    studio: Studio
    boards: Boards = field(default_factory=Boards)

    async def of(self, values: Mapping[Component, Any], request: gr.Request) -> Tab:
        """The tab that an event comes from."""
        browser = browser_of(request)
        tab = Tab(
            page=self.page,
            studio=self.studio,
            renderer=Renderer(page=self.page),
            memory=Memory(secret=self.studio.secret, store=self.studio.store, browser=browser),
            board=self.boards.of(browser, request.session_hash or ""),
            values=values,
            request=request,
            browser=browser,
            cookie=cookie_of(request),
            visitor=visitor_of(request),
        )
        async with tab.board.filling:
            if not tab.board.is_filled:
                tab.board.memory = tab.values[self.page.memory]
                await self.read(tab)
        return tab

    async def read(self, tab: Tab) -> None:
        """Read which looks this browser keeps, and which the job store knows: another tab may have written over it."""
        board, remembered = tab.board, await tab.remembered()
        finished = {record.job.id: record for record in remembered.finished}
        board.kept = await asyncio.to_thread(_kept, tab.memory, board.memory, finished, self.studio.models)
        board.is_filled = True


def _kept(
    memory: Memory, state: State, finished: Mapping[str, Record], models: Mapping[str, ModelSpec]
) -> dict[str, Look]:
    """The looks that the browser keeps, and those that only the job store knows, newest first."""
    results = {job.id: (job, result) for result, job in memory.results(state)}
    for id, record in finished.items():
        result = kept_result(record.result) if record.result and id not in results else None
        if result is not None:
            results[id] = (record.job, result)
    newest = sorted(results.values(), key=lambda made: made[0].submitted_at, reverse=True)
    looks = joined(
        look_of(job, models[job.model], Done(result=result), source_of(result.path))
        for job, result in newest
        if job.model in models
    )
    return {
        id: replace(look, changed=kept_change(look.result.path)) if look.result else look for id, look in looks.items()
    }
