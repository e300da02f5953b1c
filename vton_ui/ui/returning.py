"""Come back, look again, find, forget: the events of the page about what was ordered before."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.errors import VtonError
from vton_ui.pictures import prepare
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.job import Job
from vton_ui.tryon.lookup import request_id_of, unknown_job
from vton_ui.tryon.results import discard
from vton_ui.tryon.run import resume
from vton_ui.tryon.streams import in_background, merged
from vton_ui.ui import markup
from vton_ui.ui.board import Look, look_of, set_all, taken_up
from vton_ui.ui.compat.files import content_name, upload_folder
from vton_ui.ui.components.actions import Action
from vton_ui.ui.errors import translate_error
from vton_ui.ui.memory import EMPTY
from vton_ui.ui.page_input import key_of
from vton_ui.ui.render import Updates, button
from vton_ui.ui.tab import Tab, Tabs
from vton_ui.ui.web.uploads import forget_uploads


@dataclass(frozen=True, kw_only=True, eq=False)
class Followed:
    """A job of an earlier time, the look that it is for, and what it is followed with."""

    job: Job
    look: Look
    context: RunContext


@dataclass(frozen=True, kw_only=True, eq=False)
class Returns:
    """What follows, finds and forgets."""

    tabs: Tabs

    async def come_back(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """Follow this browser's jobs again, side by side, and show the looks that it has kept."""
        tab = await self.tabs.of(values, request)
        followed, unresolved = _returned(tab)
        yield tab.kept()
        if not followed:
            yield {tab.page.memory: tab.board.memory, **unresolved}
            return
        tab.board.show(each.look for each in followed)
        yield {tab.page.failure: "", **tab.show(markup.RETURNED), **unresolved}
        async with aclosing(_follow(tab, followed)) as updates:
            async for update in updates:
                yield {**update, **unresolved}

    async def look_again(self, tab: Tab, action: Action) -> AsyncGenerator[Updates, None]:
        """Follow the job of a look whose picture may still be had."""
        look = tab.board.looks.get(action.id)
        job = look.current.job if look else None
        if look is None or job is None or look.state != "failed":
            return
        try:
            tab.count()
            context = tab.context(own_key=job.own_key)
        except VtonError as exc:
            yield {tab.page.failure: markup.failure(translate_error(exc))}
            return
        look = taken_up(look, job)
        tab.board.put(look)
        yield tab.show()
        async with aclosing(_follow(tab, [Followed(job=job, look=look, context=context)])) as updates:
            async for update in updates:
                yield update

    async def find(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """Fetch a request again by its id, for free."""
        tab = await self.tabs.of(values, request)
        studio, models = tab.studio, tab.studio.models
        try:
            request_id = request_id_of(values[tab.page.find_id])
            tab.count()
            # Without a budget: to look for a request books nothing.
            context = replace(tab.context(), budget=None)
        except VtonError as exc:
            yield {**tab.show(), **tab.renderer.failed(translate_error(exc))}
            return
        record = await studio.jobs.find(request_id)
        known = tab.memory.job_of(tab.board.memory, request_id) or (record.job if record else None)
        for model in [models[known.model]] if known and known.model in models else models.values():
            job = known or unknown_job(model, request_id, sandbox=context.backend.sandbox, own_key=context.own_key)
            look = look_of(job, model)
            tab.board.show([look])
            async with aclosing(_follow(tab, [Followed(job=job, look=look, context=context)])) as updates:
                async for update in updates:
                    yield update
            if look.id in tab.board.looks:
                return

    async def forget(self, values: dict[Component, Any], request: gr.Request) -> Updates:
        """Delete this browser's results, its list, and the photos that it uploaded and nobody else."""
        tab = await self.tabs.of(values, request)
        page, memory, store = tab.page, tab.board.memory, tab.studio.store
        results = tab.memory.results(memory)
        jobs = [*tab.memory.jobs(memory), *(job for _, job in results)]
        await tab.studio.jobs.forget({job.request_id for job in jobs})
        for result, _ in results:
            await asyncio.to_thread(_discard, result.path, store)
        prepare.forget(await asyncio.to_thread(forget_uploads, tab.browser, tab.studio))
        self.tabs.boards.forget(tab.browser)
        tab = await self.tabs.of({**values, page.memory: EMPTY}, request)
        return {
            **tab.kept(),
            **tab.show(markup.FORGOTTEN),
            page.person: None,
            page.garments: None,
            page.failure: "",
        }


def _returned(tab: Tab) -> tuple[list[Followed], Updates]:
    """The browser's jobs that can be followed, newest first, and updates about those that need the visitor."""
    page, board, models = tab.page, tab.board, tab.studio.models
    followed, unresolved = list[Followed](), Updates()
    for job in tab.memory.jobs(board.memory):
        if job.model not in models or (job.sandbox and not tab.studio.sandbox):
            board.memory = tab.memory.without_job(board.memory, job)
        elif job.own_key and not key_of(page, tab.values):
            unresolved |= {page.failure: markup.OWN_KEY_WANTED, page.look_again: button("Fetch it")}
        else:
            try:
                tab.count()
                context = tab.context(own_key=job.own_key)
                followed.append(Followed(job=job, look=look_of(job, models[job.model]), context=context))
            except VtonError as exc:
                unresolved[page.failure] = markup.failure(translate_error(exc))
    return followed, unresolved


async def _follow(tab: Tab, followed: list[Followed]) -> AsyncGenerator[Updates, None]:
    """What the jobs change on the page, side by side, each to its end."""
    stops = {each.job.id: asyncio.Event() for each in followed}
    looks = {each.job.id: each.look for each in followed}
    streams = {
        each.job.id: resume(each.job, tab.studio.models[each.job.model], each.context, stops[each.job.id])
        for each in followed
    }
    with tab.board.stoppable([(looks[id].id, stop) for id, stop in stops.items()]):
        async with aclosing(in_background(merged(streams), lambda: set_all(stops.values()))) as told:
            async for id, event in told:
                item = next(step.item for step in looks[id].steps if step.job and step.job.id == id)
                update = tab.happened(looks[id].id, item, event)
                if update is not None:
                    yield update


def _discard(path: Path, store: Path) -> None:
    """Delete a result, and the copy that the download button made of it."""
    copy = upload_folder() / content_name(path)
    discard(path, store)
    shutil.rmtree(copy, ignore_errors=True)
