"""Come back, look again, find, forget: the events of the page about what was ordered before."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.errors import VtonError
from vton_ui.pictures import prepare
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.events import Accepted, Done, Recovering
from vton_ui.tryon.job import Job
from vton_ui.tryon.job_store import Remembered
from vton_ui.tryon.lookup import request_id_of, unknown_job
from vton_ui.tryon.plan import item_of
from vton_ui.tryon.results import discard
from vton_ui.tryon.run import resume
from vton_ui.tryon.streams import in_background, merged
from vton_ui.ui import markup, page_photos
from vton_ui.ui.board import set_all
from vton_ui.ui.compat.files import content_name, upload_folder
from vton_ui.ui.components.actions import Action
from vton_ui.ui.errors import translate_error
from vton_ui.ui.form import Form
from vton_ui.ui.look import Look, in_order, joined, look_of, taken_up, unsent_look
from vton_ui.ui.memory import NO_MEMORY
from vton_ui.ui.page_input import key_of
from vton_ui.ui.render import Updates, button
from vton_ui.ui.tab import Tab, Tabs
from vton_ui.ui.web.uploads import forget_uploads
from vton_ui.ui.web.visitor import browser_of

OTHERS_PAUSE, OTHERS_LOOKS = 0.1, 50

Followed = list[tuple[Job, str, RunContext]]
"""Jobs of an earlier time, each with the id of its look and what it is followed with."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """What a browser may come back to.

    Attributes:
        looks: The looks of every click of which something is under way or was not ordered.
        followed: The jobs under way.
        unresolved: Updates about jobs that need the visitor; they stay when the others are over.
    """

    looks: Mapping[str, Look]
    followed: Followed
    unresolved: Updates


@dataclass(frozen=True, kw_only=True, eq=False)
class Returns:
    """What follows, finds and forgets."""

    tabs: Tabs

    async def arrive(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """Fill a page that was just loaded as this browser left it, and come back to what was under way."""
        page = self.tabs.page
        form = Form(page=page, studio=self.tabs.studio, browser=browser_of(request))
        filled = form.restored(values[page.form])
        if filled:
            yield filled
        async with aclosing(self.come_back(values, request)) as updates:
            async for update in updates:
                # In every step, as in `Renderer.show`.
                yield {**update, **filled, **({page.failure: update[page.failure]} if update.get(page.failure) else {})}

    async def come_back(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """Follow this browser's jobs again, each in its tile, and show what it has kept and what was not ordered."""
        tab = await self.tabs.of(values, request)
        found = await _found(tab)
        yield await _taken_up(tab, found)
        if await self._others_end(tab):
            await self.tabs.read(tab)
            found = await _found(tab)
            yield await _taken_up(tab, found)
        async with aclosing(_follow(tab, found.followed)) as updates:
            async for update in updates:
                yield {**update, **found.unresolved}

    async def _others_end(self, tab: Tab) -> bool:
        """Whether other tabs of this browser were at work, and have ended or been waited for.

        A page that is loaded again comes back before Gradio has noticed that its old self is gone. Until then what was
        not sent may still be sent by that one.
        """
        others = [board for board in self.tabs.boards.others(tab.browser, tab.board) if board.stops]
        for _ in range(OTHERS_LOOKS):
            if not any(board.stops for board in others):
                break
            await asyncio.sleep(OTHERS_PAUSE)
        return bool(others)

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
            yield tab.not_again(exc)
            return
        look = taken_up(look, job)
        tab.board.put(look)
        yield tab.show()
        async with aclosing(_follow(tab, [(job, look.id, context)])) as updates:
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
        last: VtonError | None = None
        for model in [models[known.model]] if known and known.model in models else models.values():
            job = known or unknown_job(model, request_id, sandbox=context.backend.sandbox, own_key=context.own_key)
            look = look_of(job, model, Accepted(job=job))
            tab.board.show([look])
            try:
                async with aclosing(resume(job, model, context)) as events:
                    async for event in events:
                        yield tab.happened(look.id, look.steps[0].item, event) or tab.show()
                return
            except VtonError as exc:
                last = exc
                tab.board.give_back()
        if last is not None:
            yield tab.refused(last)

    async def forget(self, values: dict[Component, Any], request: gr.Request) -> Updates:
        """Delete this browser's results, its list, and the photos that it uploaded and nobody else."""
        tab = await self.tabs.of(values, request)
        page, memory, store = tab.page, tab.board.memory, tab.studio.store
        results = tab.memory.results(memory)
        jobs = [*tab.memory.jobs(memory), *(job for _, job in results)]
        await tab.studio.jobs.forget({job.request_id for job in jobs})
        kept = await tab.studio.jobs.forget_browser(tab.owner)
        for path in {*kept, *(result.path for result, _ in results)}:
            await asyncio.to_thread(_discard, path, store)
        deleted = await asyncio.to_thread(forget_uploads, tab.browser, tab.studio)
        prepare.forget(deleted)
        page_photos.forget(deleted)
        self.tabs.boards.forget(tab.browser)
        tab = await self.tabs.of({**values, page.memory: NO_MEMORY}, request)
        return {
            **tab.kept(),
            **tab.show(markup.FORGOTTEN),
            **Form(page=page, studio=tab.studio, browser=tab.browser).emptied,
            page.forget_confirm: "",
            page.failure: "",
        }


async def _taken_up(tab: Tab, found: Found) -> Updates:
    """The page with what the browser comes back to."""
    page, board = tab.page, tab.board
    if not found.looks:
        return {**tab.kept(), **found.unresolved}
    board.take_up(found.looks)
    await tab.price_rest()
    status = markup.RETURNED if found.followed else None
    return {page.failure: "", **tab.show(status), **tab.kept(), **found.unresolved}


async def _found(tab: Tab) -> Found:
    """What the browser and the job store remember, put together: two tabs lose nothing to each other."""
    board, models, remembered = tab.board, tab.studio.models, await tab.remembered()
    unseen, looks, followed, unresolved = _ended_unseen(tab, remembered), list[Look](), Followed(), Updates()
    for job in _under_way(tab, remembered):
        if job.model not in models or (job.sandbox and not tab.studio.sandbox):
            board.memory = tab.memory.without_job(board.memory, job)
            continue
        context = _context(tab, job, unresolved)
        if context is None:
            continue
        board.memory = tab.memory.with_job(board.memory, job)
        last = Accepted(job=job) if job.request_id else Recovering()
        looks.append(look_of(job, models[job.model], last))
        followed.append((job, looks[-1].id, context))
    unsent = ((planned, item_of(planned.item, models)) for planned in remembered.unsent)
    looks += [unsent_look(planned.plan, item, planned.id) for planned, item in unsent if item]
    plans = {look.plan for look in looks if look.plan}
    looks += [
        look
        for id, look in board.kept.items()
        if look.plan in plans or id in board.looks or unseen & {step.job.id for step in look.steps if step.job}
    ]
    return Found(looks=in_order(joined(looks)), followed=followed, unresolved=unresolved)


def _under_way(tab: Tab, remembered: Remembered) -> list[Job]:
    """The jobs to follow, the newest first; the newer word on a job is the one with a request id."""
    stored = {record.job.id: record.job for record in remembered.open}
    jobs = {job.id: job for job in tab.memory.jobs(tab.board.memory)}
    jobs |= {id: job for id, job in stored.items() if job.request_id or id not in jobs}
    return sorted(jobs.values(), key=lambda job: job.submitted_at, reverse=True)


def _ended_unseen(tab: Tab, remembered: Remembered) -> set[str]:
    """The ids of jobs that ended while no page was there to show it; the browser keeps them as under way no longer."""
    board, over = tab.board, {record.job.id for record in remembered.finished}
    ended = [job for job in tab.memory.jobs(board.memory) if job.id in over]
    for job in ended:
        board.memory = tab.memory.without_job(board.memory, job)
    return {job.id for job in ended}


def _context(tab: Tab, job: Job, unresolved: Updates) -> RunContext | None:
    """What a job is followed with; None where that needs the visitor, who is told so in `unresolved`."""
    page = tab.page
    if job.own_key and not key_of(page, tab.values):
        unresolved |= {page.failure: markup.OWN_KEY_WANTED, page.look_again: button("Fetch it")}
        return None
    try:
        tab.count()
        return tab.context(own_key=job.own_key)
    except VtonError as exc:
        unresolved[page.failure] = markup.failure(translate_error(exc))
        return None


async def _follow(tab: Tab, followed: Followed) -> AsyncGenerator[Updates, None]:
    """What the jobs change on the page, side by side, each to its end."""
    board, stops = tab.board, {job.id: asyncio.Event() for job, _, _ in followed}
    of_job = {job.id: (look_id, job.item or job.id) for job, look_id, _ in followed}
    streams = {
        job.id: resume(job, tab.studio.models[job.model], context, stops[job.id]) for job, _, context in followed
    }
    with board.stoppable([(of_job[id][0], stop) for id, stop in stops.items()]):
        async with aclosing(in_background(merged(streams), lambda: set_all(stops.values()))) as told:
            async for id, event in told:
                update = tab.happened(*of_job[id], event)
                if isinstance(event, Done) and board.left:  # the next step of an outfit can be ordered now
                    await tab.price_rest()
                    update = {**(update or {}), **tab.show()}
                if update is not None:
                    yield update


def _discard(path: Path, store: Path) -> None:
    """Delete a result, and the copy that the download button made of it."""
    copy = upload_folder() / content_name(path)
    discard(path, store)
    shutil.rmtree(copy, ignore_errors=True)
