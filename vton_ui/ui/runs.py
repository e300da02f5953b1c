"""Try on, cancel, come back, find, forget: the events of the page that start, follow or end jobs."""

from __future__ import annotations

import asyncio
import shutil
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.errors import VtonError
from vton_ui.pictures import prepare
from vton_ui.studio import Studio
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.events import Accepted, Submitting
from vton_ui.tryon.job import Job
from vton_ui.tryon.lookup import request_id_of, unknown_job
from vton_ui.tryon.results import discard
from vton_ui.tryon.run import resume, try_on
from vton_ui.tryon.streams import in_background, merged
from vton_ui.ui import markup, page_photos
from vton_ui.ui.compat.files import content_name, upload_folder
from vton_ui.ui.errors import translate_error
from vton_ui.ui.memory import EMPTY
from vton_ui.ui.page import Page
from vton_ui.ui.page_input import Values, key_of, read_page
from vton_ui.ui.render import Renderer, Updates, button
from vton_ui.ui.returning import ReturnedJobs
from vton_ui.ui.web.uploads import forget_uploads
from vton_ui.ui.web.visitor import browser_of, cookie_of, visitor_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Runs:
    """The page's try-ons on one studio.

    Attributes:
        stops: What cancels the job whose status is shown, by browser session.
        submitting: The sessions whose click is being worked on, so that a double click submits once.
    """

    page: Page
    studio: Studio
    renderer: Renderer
    stops: dict[str, set[asyncio.Event]] = field(default_factory=lambda: defaultdict(set))
    submitting: set[str] = field(default_factory=set)

    async def try_on(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """One try-on with what stands on the page."""
        async with aclosing(self._submit(values, request, {})) as updates:
            async for update in updates:
                yield update

    async def again(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """The same with a new seed."""
        async with aclosing(self._submit(values, request, {"seed": None})) as updates:
            async for update in updates:
                yield update

    async def cancel(self, request: gr.Request) -> Any:
        """Ask the shown job to stop; its own events say how that went."""
        for stop in self.stops.get(request.session_hash or "", ()):
            stop.set()
        return gr.update(interactive=False, value="Cancelling")

    async def come_back(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """Follow this browser's jobs again, side by side, and show the results that it has kept."""
        page, session, renderer = self.page, request.session_hash or "", self._renderer(request)
        yield {page.recent: renderer.recent(values[page.memory])}
        jobs, contexts = self._returned(values, request)
        if not jobs.running:
            yield {page.memory: jobs.state, **jobs.unresolved}
            return
        yield {**renderer.started(values), **jobs.unresolved, page.status: markup.RETURNED}
        stops = {job_id: asyncio.Event() for job_id in jobs.running}
        streams = {
            job.id: resume(job, self.studio.models[job.model], contexts[job.id], stops[job.id])
            for job in jobs.running.values()
        }
        shown = stops[jobs.shown or ""]
        self.stops[session].add(shown)
        try:
            async with aclosing(in_background(merged(streams), lambda: _set_all(stops))) as events:
                async for job_id, event in events:
                    yield jobs.render(job_id, event)
                    if jobs.shown:
                        self._remove_stop(session, shown)
                        shown = stops[jobs.shown]
                        self.stops[session].add(shown)
        finally:
            self._remove_stop(session, shown)

    def _returned(self, values: Values, request: gr.Request) -> tuple[ReturnedJobs, dict[str, RunContext]]:
        """The browser's jobs that can be followed, and what each is followed with."""
        page, renderer, state = self.page, self._renderer(request), values[self.page.memory]
        jobs, contexts, unresolved = dict[str, Job](), dict[str, RunContext](), Updates()
        for job in renderer.memory.jobs(state):
            if job.model not in self.studio.models or (job.sandbox and not self.studio.sandbox):
                state = renderer.memory.without_job(state, job)
            elif job.own_key and not key_of(page, values):
                unresolved |= {page.failure: markup.OWN_KEY_WANTED, page.look_again: button("Fetch it")}
            else:
                key = key_of(page, values) if job.own_key else None
                try:
                    self.studio.free.count(visitor_of(request))
                    contexts[job.id] = self.studio.context(key, visitor_of(request))
                    jobs[job.id] = job
                except VtonError as exc:
                    unresolved[page.failure] = markup.failure(translate_error(exc))
        return ReturnedJobs(
            renderer=renderer,
            models=self.studio.models,
            values=values,
            running=jobs,
            state=state,
            unresolved=unresolved,
        ), contexts

    async def find(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """Fetch a request again by its id, for free."""
        page, state, renderer = self.page, values[self.page.memory], self._renderer(request)
        try:
            request_id = request_id_of(values[page.find_id])
            self.studio.free.count(visitor_of(request))
            context = self._context(values, request)
        except VtonError as exc:
            yield renderer.failed(exc, values, state)
            return
        record = await self.studio.jobs.find(request_id)
        known = renderer.memory.job_of(state, request_id) or (record.job if record else None)
        models = [self.studio.models[known.model]] if known and known.model in self.studio.models else None
        last: VtonError | None = None
        for model in models or self.studio.models.values():
            job = known or unknown_job(model, request_id, sandbox=context.backend.sandbox, own_key=context.own_key)
            try:
                # Without a budget: to look for a request books nothing.
                async with aclosing(resume(job, model, replace(context, budget=None))) as events:
                    async for event in events:
                        update, state = renderer.happened(event, job, model, values, state)
                        yield update
                return
            except VtonError as exc:
                last = exc
        if last is not None:
            yield renderer.failed(last, values, state)

    async def show_recent(self, values: dict[Component, Any], event: gr.SelectData, request: gr.Request) -> Updates:
        """Show a kept result again."""
        renderer = self._renderer(request)
        results = renderer.memory.results(values[self.page.memory])
        if not isinstance(event.index, int) or event.index >= len(results):
            return {self.page.recent: renderer.recent(values[self.page.memory])}
        result, _ = results[event.index]
        model = self.studio.models.get(str(result.facts["model"]), self.studio.default_model)
        path = str(result.path)
        return {
            self.page.result: path,
            self.page.last_result: path,
            self.page.status: "",
            self.page.details: markup.details(result, model),
            self.page.download: gr.update(value=path, visible=True),
        }

    async def forget(self, values: dict[Component, Any], request: gr.Request) -> Updates:
        """Delete this browser's results, its list, and the photos that it uploaded and nobody else."""
        page, state, memory = self.page, values[self.page.memory], self._renderer(request).memory
        results = memory.results(state)
        jobs = [*memory.jobs(state), *(job for _, job in results)]
        await self.studio.jobs.forget({job.request_id for job in jobs})
        kept = await self.studio.jobs.forget_browser(self.studio.browser_hash(cookie_of(request)))
        for path in {*kept, *(result.path for result, _ in results)}:
            await asyncio.to_thread(_discard, path, self.studio.store)
        deleted = await asyncio.to_thread(forget_uploads, browser_of(request), self.studio)
        prepare.forget(deleted)
        page_photos.forget(deleted)
        return {
            page.memory: EMPTY,
            page.recent: gr.update(value=[], visible=False),
            page.person: None,
            page.garments: [],
            page.result: None,
            page.last_result: None,
            page.status: markup.FORGOTTEN,
            page.failure: "",
            page.details: "",
            page.download: gr.update(value=None, visible=False),
            page.again: gr.update(visible=False),
        }

    async def _submit(
        self, values: Values, request: gr.Request, changed: Mapping[str, Any]
    ) -> AsyncGenerator[Updates, None]:
        session, stop, state = request.session_hash or "", asyncio.Event(), values[self.page.memory]
        renderer = self._renderer(request)
        if session in self.submitting:
            return
        self.submitting.add(session)
        self.stops[session].add(stop)
        job: Job | None = None
        try:
            yield renderer.started(values)
            page_input = await read_page(self.page, self.studio, values, request)
            context = self._context(values, request)
            if context.budget is None:  # otherwise the owner's caps count it
                self.studio.free.count(visitor_of(request))
            async with aclosing(
                in_background(try_on(page_input.request(**changed), context, stop), stop.set)
            ) as events:
                async for event in events:
                    job = event.job if isinstance(event, (Submitting, Accepted)) else job
                    update, state = renderer.happened(event, job, page_input.model, values, state)
                    yield update
        except Exception as exc:
            yield renderer.failed(translate_error(exc), values, renderer.after(exc, job, state))
        finally:
            self.submitting.discard(session)
            self._remove_stop(session, stop)

    def _remove_stop(self, session: str, stop: asyncio.Event) -> None:
        self.stops[session].discard(stop)
        if not self.stops[session]:
            del self.stops[session]

    def _renderer(self, request: gr.Request) -> Renderer:
        return self.renderer.of(browser_of(request))

    def _context(self, values: Values, request: gr.Request) -> RunContext:
        return self.studio.context(key_of(self.page, values), visitor_of(request))


def _set_all(stops: Mapping[str, asyncio.Event]) -> None:
    for stop in stops.values():
        stop.set()


def _discard(path: Path, store: Path) -> None:
    """Delete a result, and the copy from which Gradio serves it."""
    copy = upload_folder() / content_name(path)
    discard(path, store)
    shutil.rmtree(copy, ignore_errors=True)
