"""One tab of a browser at one event: what stands on its page, what it shows, and who asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.errors import AppFault, KeyRefused, ResultLost, SubmitUnclear, VtonError
from vton_ui.studio import Studio
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.events import Accepted, Cancelled, Done, Event, Failed, Submitting
from vton_ui.ui import markup
from vton_ui.ui.board import Board, Boards, Look, kept_look
from vton_ui.ui.errors import translate_error
from vton_ui.ui.look_tiles import tile
from vton_ui.ui.memory import Memory
from vton_ui.ui.page import Page
from vton_ui.ui.page_input import PageInput, PageValues, key_of, read_page
from vton_ui.ui.render import Renderer, Updates
from vton_ui.ui.web.visitor import browser_of, visitor_of

Told = tuple[str, str, "Event | Failed"]
"""The id of a look, the item of its step, and what happened."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Tab:
    """What an event works with.

    Attributes:
        memory: Reads and writes what this browser keeps.
        values: What stood on the page when it happened.
        browser: Whose tab it is.
        visitor: Who is counted, and pays.
    """

    page: Page
    studio: Studio
    renderer: Renderer
    memory: Memory
    board: Board
    values: PageValues
    browser: str
    visitor: str

    def input(self) -> PageInput:
        """What stands on the page, checked. InputError if something is wrong."""
        return read_page(self.page, self.studio, self.values, self.browser)

    def context(self, *, own_key: bool = True) -> RunContext:
        """What a try-on is run with. KeyRefused if the key on the page is none.

        Args:
            own_key: Whether the visitor's own key is used, if there is one.
        """
        return self.studio.context(key_of(self.page, self.values) if own_key else None, self.visitor)

    def count(self, pieces: int = 1) -> None:
        """Count free work. RateLimited if it is too much."""
        for _ in range(pieces):
            self.studio.free.count(self.visitor)

    def show(self, status: str | None = None) -> Updates:
        """What the page shows now."""
        return self.renderer.show(self.board, status)

    def kept(self, *, file: str | None = None) -> Updates:
        """The strip, and what the browser is to keep now."""
        return self.renderer.kept(self.board, file=file)

    def refused(self, exc: Exception) -> Updates:
        """The page after a click of which nothing was ordered: what was there before, and a card."""
        self.board.give_back()
        status = "" if self.board.looks else markup.INVITATION
        return {**self.show(status), **self.renderer.failed(translate_error(exc))}

    async def follow(self, events: AsyncIterator[Told]) -> AsyncGenerator[Updates, None]:
        """What each event changes on the page, where it changes anything."""
        async for look_id, item, event in events:
            update = self.happened(look_id, item, event)
            if update is not None:
                yield update

    def happened(self, look_id: str, item: str, event: Event | Failed) -> Updates | None:
        """What an event changes on the page; None if nothing that it shows."""
        if isinstance(event, Failed):
            event = Failed(error=translate_error(event.error))
        board = self.board
        before = board.looks[look_id]
        look = board.looks[look_id] = before.happened(item, event)
        kept = self._remember(look, item, event)
        if board.only is None:
            return {**self.show(), **kept} if kept or tile(look) != tile(before) else None
        if look.state not in ("failed", "cancelled"):
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
        elif isinstance(event, Cancelled) or not _may_have_picture(event.error):
            board.memory = memory.without_job(board.memory, job)
        return {self.page.memory: board.memory}


def _may_have_picture(error: VtonError) -> bool:
    """Whether the picture of a failed job may still be had, so that the job is kept."""
    return isinstance(error, (SubmitUnclear, ResultLost, KeyRefused, AppFault))


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
            browser=browser,
            visitor=visitor_of(request),
        )
        if not tab.board.is_filled:
            await self.fill(tab)
        return tab

    async def fill(self, tab: Tab) -> None:
        """Read what the browser keeps."""
        board = tab.board
        board.is_filled, board.memory = True, tab.values[self.page.memory]
        results = await asyncio.to_thread(tab.memory.results, board.memory)
        for result, job in reversed(results):
            model = self.studio.models.get(job.model)
            if model:
                board.keep(kept_look(result, job, model))
