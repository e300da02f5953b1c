"""What happens between the click and the picture: try on, cancel, come back, find again, forget."""

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
from gradio.processing_utils import hash_file
from gradio.utils import get_upload_folder

from vton_ui.errors import VtonError
from vton_ui.pictures import shared
from vton_ui.studio import Studio
from vton_ui.tryon.context import Means
from vton_ui.tryon.events import Accepted, Ordering
from vton_ui.tryon.job import Job
from vton_ui.tryon.lookup import request_id_of, unknown_job
from vton_ui.tryon.results import discard
from vton_ui.tryon.run import resume, try_on
from vton_ui.ui import markup
from vton_ui.ui.memory import EMPTY
from vton_ui.ui.page import Page
from vton_ui.ui.page_input import Values, key_of, read_page
from vton_ui.ui.render import Renderer, Updates, button, translate_error
from vton_ui.ui.web.uploads import forget_uploads
from vton_ui.ui.web.visitor import browser_of, visitor_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Runs:
    """The page's try-ons on one studio.

    Attributes:
        stops: What cancels the try-ons that are shown, by browser session.
        ordering: The sessions with a click under way: one click, one order.
    """

    page: Page
    studio: Studio
    renderer: Renderer
    stops: dict[str, set[asyncio.Event]] = field(default_factory=lambda: defaultdict(set))
    ordering: set[str] = field(default_factory=set)

    async def try_on(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """One try-on with what stands on the page."""
        async with aclosing(self._order(values, request, {})) as updates:
            async for update in updates:
                yield update

    async def again(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """The same with a new seed."""
        async with aclosing(self._order(values, request, {"seed": None})) as updates:
            async for update in updates:
                yield update

    async def cancel(self, request: gr.Request) -> Any:
        """Ask the running try-on to stop; its own events tell how that went."""
        for stop in self.stops.get(request.session_hash or "", ()):
            stop.set()
        return gr.update(interactive=False, value="Cancelling")

    async def come_back(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """Follow again what this browser has under way, and show what it has kept."""
        state, renderer = values[self.page.memory], self._renderer(request)
        yield {self.page.recent: renderer.recent(state)}
        for job in reversed(renderer.memory.jobs(state)):
            async with aclosing(self._return_to(job, values, state, request)) as updates:
                async for update in updates:
                    state = update.get(self.page.memory, state)
                    yield update

    async def find(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """Fetch a request again by its id, which costs nothing."""
        page, state, renderer = self.page, values[self.page.memory], self._renderer(request)
        try:
            request_id = request_id_of(values[page.find_id])
            means = self._means(values, request)
        except VtonError as exc:
            yield renderer.failed(exc, values, state)
            return
        record = await self.studio.jobs.find(request_id)
        known = renderer.memory.job_of(state, request_id) or (record.job if record else None)
        models = [self.studio.models[known.model]] if known and known.model in self.studio.models else None
        last: VtonError | None = None
        for model in models or self.studio.models.values():
            job = known or unknown_job(model, request_id, means)
            try:
                async with aclosing(resume(job, model, replace(means, purse=None))) as events:
                    async for event in events:
                        update, state = renderer.happened(event, job, model, values, state)
                        yield update
                return
            except VtonError as exc:
                last = exc
        if last is not None:
            yield renderer.failed(last, values, state)

    async def show_recent(self, values: dict[Component, Any], event: gr.SelectData, request: gr.Request) -> Updates:
        """Put a kept result back into the mirror."""
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
        for result, _ in results:
            await asyncio.to_thread(_discard, result.path, self.studio.store)
        shared.forget()
        await asyncio.to_thread(forget_uploads, browser_of(request), self.studio)
        return {
            page.memory: dict(EMPTY),
            page.recent: gr.update(value=[], visible=False),
            page.person: None,
            page.garments: None,
            page.result: None,
            page.last_result: None,
            page.status: markup.FORGOTTEN,
            page.failure: "",
            page.details: "",
            page.download: gr.update(value=None, visible=False),
            page.again: gr.update(visible=False),
        }

    async def _order(
        self, values: Values, request: gr.Request, changed: Mapping[str, Any]
    ) -> AsyncGenerator[Updates, None]:
        session, stop, state = request.session_hash or "", asyncio.Event(), values[self.page.memory]
        renderer = self._renderer(request)
        if session in self.ordering:
            return  # one click, one order
        self.ordering.add(session)
        self.stops[session].add(stop)
        job: Job | None = None
        try:
            yield renderer.started(values)
            page_input = read_page(self.page, self.studio, values, browser_of(request))
            means = self._means(values, request)
            if means.purse is None:  # else the owner's caps count it
                self.studio.free.count(self._visitor(request))
            async with aclosing(try_on(page_input.request(**changed), means, stop=stop)) as events:
                async for event in events:
                    job = event.job if isinstance(event, (Ordering, Accepted)) else job
                    update, state = renderer.happened(event, job, page_input.model, values, state)
                    yield update
        except Exception as exc:
            yield renderer.failed(translate_error(exc), values, renderer.after(exc, job, state))
        finally:
            self.ordering.discard(session)
            self._unstop(session, stop)

    async def _return_to(
        self, job: Job, values: Values, state: Any, request: gr.Request
    ) -> AsyncGenerator[Updates, None]:
        session, stop, renderer = request.session_hash or "", asyncio.Event(), self._renderer(request)
        model = self.studio.models.get(job.model)
        key = key_of(self.page, values)
        if model is None or (job.sandbox and not self.studio.sandbox):
            yield {self.page.memory: renderer.memory.without_job(state, job)}
            return
        if job.own_key and not key:
            yield {self.page.failure: markup.OWN_KEY_WANTED, self.page.look_again: button("Fetch it")}
            return
        self.stops[session].add(stop)
        try:
            yield {**renderer.started(values), self.page.status: markup.RETURNED}
            means = self._means(values, request) if job.own_key else self.studio.means(None, self._visitor(request))
            async with aclosing(resume(job, model, means, stop=stop)) as events:
                async for event in events:
                    job = event.job if isinstance(event, Accepted) else job
                    update, state = renderer.happened(event, job, model, values, state)
                    yield update
        except Exception as exc:
            yield renderer.failed(translate_error(exc), values, renderer.after(exc, job, state))
        finally:
            self._unstop(session, stop)

    def _unstop(self, session: str, stop: asyncio.Event) -> None:
        self.stops[session].discard(stop)
        if not self.stops[session]:
            del self.stops[session]

    def _visitor(self, request: gr.Request) -> str:
        return visitor_of(request)

    def _renderer(self, request: gr.Request) -> Renderer:
        return self.renderer.of(browser_of(request))

    def _means(self, values: Values, request: gr.Request) -> Means:
        return self.studio.means(key_of(self.page, values), self._visitor(request))


def _discard(path: Path, store: Path) -> None:
    """Delete a result, and the copy that Gradio serves it from."""
    copy = Path(get_upload_folder()) / hash_file(path)
    discard(path, store)
    shutil.rmtree(copy, ignore_errors=True)
