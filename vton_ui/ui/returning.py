"""Several jobs that a browser follows again after a reload: what of them the page shows.

The page has one status and one result. The status is that of the newest job still under way, the result is the newest
one. Jobs that end beside it go to the list of recent results, and their errors to the error card.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from vton_ui.models.spec import ModelSpec
from vton_ui.tryon.events import Accepted, Cancelled, Done, Event, Failed
from vton_ui.tryon.job import Job
from vton_ui.ui.errors import translate_error
from vton_ui.ui.page_input import Values
from vton_ui.ui.render import Renderer, Updates


@dataclass(kw_only=True, eq=False)
class ReturnedJobs:
    """Events of several jobs → updates of the page.

    Attributes:
        models: The models of the jobs, by name.
        running: The jobs under way by id, newest first.
        state: What the browser keeps.
        unresolved: Updates about jobs that need the visitor; they stay when the others are over.
    """

    renderer: Renderer
    models: Mapping[str, ModelSpec]
    values: Values
    running: dict[str, Job]
    state: Any
    unresolved: Updates
    _order: list[str] = field(init=False)
    _newest_result: str | None = None

    def __post_init__(self) -> None:
        self._order = list(self.running)

    @property
    def shown(self) -> str | None:
        """The id of the job whose status the page shows, and which *Cancel* cancels."""
        return next(iter(self.running), None)

    def render(self, job_id: str, event: Event | Failed) -> Updates:
        """What an event changes on the page."""
        is_shown, job = job_id == self.shown, self.running[job_id]
        if isinstance(event, Accepted):
            job = self.running[job_id] = event.job
        if isinstance(event, Failed):
            update = self._failed(event, job, is_shown)
        else:
            update, self.state = self.renderer.happened(event, job, self.models[job.model], self.values, self.state)
        if not isinstance(event, (Failed, Done, Cancelled)):
            return update if is_shown else {**self.renderer.busy(), **self._beside(update)}
        del self.running[job_id]
        return self._ended(event, update, job_id, is_shown)

    def _failed(self, event: Failed, job: Job, is_shown: bool) -> Updates:
        error, page = translate_error(event.error), self.renderer.page
        self.state = self.renderer.after(error, job, self.state)
        update = self.renderer.failed(error, self.values, self.state)
        self.unresolved |= {part: update[part] for part in (page.failure, page.look_again, page.retry)}
        return update

    def _ended(self, event: Event | Failed, update: Updates, job_id: str, is_shown: bool) -> Updates:
        page, newest = self.renderer.page, self._newest_result
        if isinstance(event, Done) and (newest is None or self._order.index(job_id) < self._order.index(newest)):
            self._newest_result = job_id
        elif newest is not None or not is_shown:
            status: Updates = {page.status: update[page.status]} if is_shown else {}
            update = {**self._beside(update), **status}
        if self.running:
            return {**update, **self.renderer.busy()}
        rest = self.renderer.rest(self.values)
        if self._newest_result is not None:
            del rest[page.result]
            rest[page.again] = gr.update(visible=True)
        return {**rest, **update, **self.unresolved}

    def _beside(self, update: Updates) -> Updates:
        """Of an update, what a job may change while the page shows another one."""
        page = self.renderer.page
        return {part: update[part] for part in (page.memory, page.recent, page.failure) if part in update}
