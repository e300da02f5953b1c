"""What happens between the click and the picture: try on, cancel, come back, find again, forget."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
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

from vton_ui.errors import (
    Cost,
    Filtered,
    InputError,
    KeyRefused,
    OverBudget,
    ResultLost,
    SubmitUnclear,
    VtonError,
)
from vton_ui.job import Accepted, Cancelled, Done, Event, Job, Ordering
from vton_ui.pool import in_pool
from vton_ui.results import discard
from vton_ui.spec import ModelSpec
from vton_ui.studio import Studio
from vton_ui.tryon import Means, resume, try_on
from vton_ui.ui import view
from vton_ui.ui.asked import Values, key_of, read_page
from vton_ui.ui.memory import EMPTY, Memory
from vton_ui.ui.page import Page
from vton_ui.ui.visitor import visitor_of

Updates = dict[Component, Any]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class Runs:
    """The page's try-ons on one studio.

    Attributes:
        stops: What cancels the try-ons that are shown, by browser session.
        ordering: The sessions with a click under way: one click, one order.
    """

    page: Page
    studio: Studio
    memory: Memory
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
        state = values[self.page.memory]
        yield {self.page.recent: self._recent(state)}
        for job in reversed(self.memory.jobs(state)):
            async with aclosing(self._return_to(job, values, state, request)) as updates:
                async for update in updates:
                    state = update.get(self.page.memory, state)
                    yield update

    async def find(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """Fetch a request again by its id, which costs nothing."""
        page, state = self.page, values[self.page.memory]
        request_id = (values[page.find_id] or "").strip()
        known = self.memory.job_of(state, request_id)
        models = [self.studio.models[known.model]] if known and known.model in self.studio.models else None
        means = self._means(values, request)
        last: VtonError | None = None
        for model in models or self.studio.models.values():
            job = known or _unknown_job(model, request_id, means)
            try:
                async with aclosing(resume(job, model, replace(means, purse=None))) as events:
                    async for event in events:
                        update, state = self._happened(event, job, model, values, state)
                        yield update
                return
            except VtonError as exc:
                last = exc
        if last is not None:
            yield self._failed(last, values, state)

    async def show_recent(self, values: dict[Component, Any], event: gr.SelectData) -> Updates:
        """Put a kept result back into the mirror."""
        results = self.memory.results(values[self.page.memory])
        if not isinstance(event.index, int) or event.index >= len(results):
            return {self.page.recent: self._recent(values[self.page.memory])}
        result, _ = results[event.index]
        model = self.studio.models.get(str(result.facts["model"]), self.studio.default_model)
        path = str(result.path)
        return {
            self.page.result: path,
            self.page.last_result: path,
            self.page.status: "",
            self.page.details: view.details(result, model),
            self.page.download: gr.update(value=path, visible=True),
        }

    async def forget(self, values: dict[Component, Any]) -> Updates:
        """Delete this browser's results, its list, and the photos that stand on the page."""
        page = self.page
        for result, _ in self.memory.results(values[page.memory]):
            await in_pool(_discard, result.path)
        try:
            asked = read_page(page, self.studio, values)
            uploads = [asked.person, *asked.garments]
        except VtonError:
            uploads = []
        for path in uploads:
            if path and not path.is_relative_to(self.studio.examples.resolve()):
                path.unlink(missing_ok=True)
        return {
            page.memory: dict(EMPTY),
            page.recent: gr.update(value=[], visible=False),
            page.person: None,
            page.garments: None,
            page.result: None,
            page.last_result: None,
            page.status: view.FORGOTTEN,
            page.details: "",
            page.download: gr.update(value=None, visible=False),
            page.again: gr.update(visible=False),
        }

    async def _order(
        self, values: Values, request: gr.Request, changed: Mapping[str, Any]
    ) -> AsyncGenerator[Updates, None]:
        session, stop, state = request.session_hash or "", asyncio.Event(), values[self.page.memory]
        if session in self.ordering:
            return  # one click, one order
        self.ordering.add(session)
        self.stops[session].add(stop)
        job: Job | None = None
        try:
            yield self._started(values)
            asked = read_page(self.page, self.studio, values)
            means = self._means(values, request)
            async with aclosing(try_on(asked.request(**changed), means, stop=stop)) as events:
                async for event in events:
                    job = event.job if isinstance(event, (Ordering, Accepted)) else job
                    update, state = self._happened(event, job, asked.model, values, state)
                    yield update
        except Exception as exc:
            yield self._failed(_told(exc), values, self._after(exc, job, state))
        finally:
            self.ordering.discard(session)
            self._unstop(session, stop)

    async def _return_to(
        self, job: Job, values: Values, state: Any, request: gr.Request
    ) -> AsyncGenerator[Updates, None]:
        session, stop = request.session_hash or "", asyncio.Event()
        model = self.studio.models.get(job.model)
        key = key_of(self.page, values)
        if model is None or (job.sandbox and not self.studio.sandbox):
            yield {self.page.memory: self.memory.without_job(state, job)}
            return
        if job.own_key and not key:
            yield {self.page.notice: view.OWN_KEY_WANTED, self.page.look_again: _button("Fetch it")}
            return
        self.stops[session].add(stop)
        try:
            yield {**self._started(values), self.page.status: view.RETURNED}
            means = self._means(values, request) if job.own_key else self.studio.means(None, self._visitor(request))
            async with aclosing(resume(job, model, means, stop=stop)) as events:
                async for event in events:
                    job = event.job if isinstance(event, Accepted) else job
                    update, state = self._happened(event, job, model, values, state)
                    yield update
        except Exception as exc:
            yield self._failed(_told(exc), values, self._after(exc, job, state))
        finally:
            self._unstop(session, stop)

    def _unstop(self, session: str, stop: asyncio.Event) -> None:
        self.stops[session].discard(stop)
        if not self.stops[session]:
            del self.stops[session]

    def _visitor(self, request: gr.Request) -> str:
        return visitor_of(request, self.studio.proxies)

    def _means(self, values: Values, request: gr.Request) -> Means:
        return self.studio.means(key_of(self.page, values), self._visitor(request))

    def _recent(self, state: Any) -> Any:
        paths = [str(result.path) for result, _ in self.memory.results(state)]
        return gr.update(value=paths, visible=bool(paths))

    def _started(self, values: Values) -> Updates:
        page = self.page
        hidden = gr.update(visible=False)
        return {
            page.try_on: hidden,
            page.cancel: gr.update(visible=True, interactive=True, value="Cancel"),
            page.again: hidden,
            page.retry: hidden,
            page.look_again: hidden,
            page.notice: "",
            page.status: view.STARTED,
            # The mirror is never empty while it works: the last result, or the photo itself, dimmed.
            page.result: gr.skip() if values[page.last_result] else values[page.person],
        }

    def _happened(
        self, event: Event, job: Job | None, model: ModelSpec, values: Values, state: Any
    ) -> tuple[Updates, Any]:
        """What an event changes on the page, and the browser's state after it."""
        page = self.page
        shown: Updates = {page.status: view.status(event)}
        if isinstance(event, (Ordering, Accepted)):
            state = self.memory.with_job(state, event.job)
            return {**shown, page.memory: state}, state
        if isinstance(event, Cancelled):
            state = self.memory.without_job(state, job) if job else state
            return {**self._rest(values), **shown, page.memory: state}, state
        if not isinstance(event, Done) or job is None:
            return shown, state
        path, state = str(event.result.path), self.memory.with_result(state, event.result, job)
        return {
            **self._rest(values),
            **shown,
            page.memory: state,
            page.recent: self._recent(state),
            page.result: path,
            page.last_result: path,
            page.details: view.details(event.result, model),
            page.download: gr.update(value=path, visible=True),
            page.again: gr.update(visible=True),
        }, state

    def _after(self, exc: Exception, job: Job | None, state: Any) -> Any:
        """The browser's state after a failure: what may still be had is still remembered."""
        if job is None or isinstance(exc, (SubmitUnclear, ResultLost, KeyRefused)) or not isinstance(exc, VtonError):
            return state
        return self.memory.without_job(state, job)

    def _failed(self, exc: VtonError, values: Values, state: Any) -> Updates:
        page, unclear = self.page, isinstance(exc, SubmitUnclear)
        final = isinstance(exc, (InputError, Filtered, OverBudget))
        return {
            **self._rest(values),
            page.status: view.EMPTY if not values[page.last_result] else "",
            page.notice: view.failure(exc),
            page.memory: state,
            page.look_again: _button("Look again") if unclear else gr.update(visible=False),
            page.retry: gr.update(visible=not final, value="Send again" if unclear else "Try again"),
            page.again: gr.update(visible=isinstance(exc, Filtered) or bool(values[page.last_result])),
        }

    def _rest(self, values: Values) -> Updates:
        """The page at rest, with the result it had before."""
        page = self.page
        return {
            page.try_on: gr.update(visible=True),
            page.cancel: gr.update(visible=False),
            page.again: gr.update(visible=bool(values[page.last_result])),
            page.result: values[page.last_result],
        }


def _discard(path: Path) -> None:
    """Delete a result, and the copy that Gradio serves it from."""
    shutil.rmtree(Path(get_upload_folder()) / hash_file(path), ignore_errors=True)
    discard(path)


def _button(words: str) -> Any:
    return gr.update(value=words, visible=True)


def _unknown_job(model: ModelSpec, request_id: str, means: Means) -> Job:
    """A request of which nothing is known but its id."""
    return Job(
        model=model.name,
        endpoint=model.endpoint,
        request_id=request_id,
        seed=None,
        prompt=None,
        cost_usd=None,
        started_at=time.time(),
        frame=None,
        sandbox=means.backend.sandbox,
        own_key=means.own_key,
        private=False,
        reservation=None,
    )


def _told(exc: Exception) -> VtonError:
    """The error for the visitor; what nobody foresaw is logged, and told without its details."""
    if isinstance(exc, VtonError):
        _log.info("failed: %s %s", type(exc).__name__, exc.request_id or "")
        return exc
    _log.error("unexpected", exc_info=exc)
    return VtonError("Something failed in this app.", "Try again; the photos are still here.", cost=Cost.MAYBE)
