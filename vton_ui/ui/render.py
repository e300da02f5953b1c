"""Events and errors → what they change on the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.errors import AppFault, Filtered, InputError, KeyRefused, OverBudget, ResultLost, SubmitUnclear, VtonError
from vton_ui.models.spec import ModelSpec
from vton_ui.tryon.events import Accepted, Cancelled, Done, Event, Submitting
from vton_ui.tryon.job import Job
from vton_ui.ui import markup
from vton_ui.ui.memory import Memory
from vton_ui.ui.page import Page
from vton_ui.ui.page_input import Values

Updates = dict[Component, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Renderer:
    """Events and errors → updates of the page and of what the browser keeps. Pure."""

    page: Page
    memory: Memory

    def of(self, browser: str) -> Renderer:
        """The same for one browser."""
        return replace(self, memory=self.memory.of(browser))

    def recent(self, state: Any) -> Any:
        """The strip of results that are still kept."""
        paths = [str(result.path) for result, _ in self.memory.results(state)]
        return gr.update(value=paths, visible=bool(paths))

    def started(self, values: Values) -> Updates:
        """The page from the click on."""
        page = self.page
        return {
            **self.busy(),
            page.failure: "",
            page.status: markup.STARTED,
            # The result's place is never empty while it works: it shows the last result, or the photo, dimmed.
            page.result: gr.skip() if values[page.last_result] else values[page.person],
        }

    def busy(self) -> Updates:
        """The buttons while a try-on runs.

        Part of every step, because Gradio's page applies what changed between two steps to the older value in place: a
        phone that had not drawn the first step yet would lose what the second one does not repeat.
        """
        page, hidden = self.page, gr.update(visible=False)
        return {
            page.try_on: hidden,
            page.again: hidden,
            page.retry: hidden,
            page.look_again: hidden,
            page.confirm: "",
            page.cancel: gr.update(visible=True),
        }

    def happened(
        self, event: Event, job: Job | None, model: ModelSpec, values: Values, state: Any
    ) -> tuple[Updates, Any]:
        """What an event changes on the page, and the browser's state after it."""
        page = self.page
        shown: Updates = {page.status: markup.status(event)}
        if isinstance(event, (Submitting, Accepted)):
            state = self.memory.with_job(state, event.job)
            return {**self.busy(), **shown, page.memory: state}, state
        if isinstance(event, Cancelled):
            state = self.memory.without_job(state, job) if job else state
            return {**self.rest(values), **shown, page.memory: state}, state
        if not isinstance(event, Done) or job is None:
            return {**self.busy(), **shown}, state
        path, state = str(event.result.path), self.memory.with_result(state, event.result, job)
        return {
            **self.rest(values),
            **shown,
            page.memory: state,
            page.recent: self.recent(state),
            page.result: path,
            page.last_result: path,
            page.details: markup.details(event.result, model),
            page.download: gr.update(value=path, visible=True),
            page.again: gr.update(visible=True),
        }, state

    def after(self, exc: Exception, job: Job | None, state: Any) -> Any:
        """The browser's state after a failure. A job whose picture may still be had is kept."""
        kept = (SubmitUnclear, ResultLost, KeyRefused, AppFault)
        if job is None or isinstance(exc, kept) or not isinstance(exc, VtonError):
            return state
        return self.memory.without_job(state, job)

    def failed(self, exc: VtonError, values: Values, state: Any) -> Updates:
        """The page after a failure: the old picture stays, and a card says what happened and what to do."""
        page, unclear = self.page, isinstance(exc, SubmitUnclear)
        final = isinstance(exc, (InputError, Filtered, OverBudget))
        return {
            **self.rest(values),
            page.status: markup.EMPTY if not values[page.last_result] else "",
            page.failure: markup.failure(exc),
            page.memory: state,
            page.look_again: button("Look again") if unclear else gr.update(visible=False),
            page.retry: gr.update(visible=not final, value="Send again" if unclear else "Try again"),
            page.again: gr.update(visible=isinstance(exc, Filtered) or bool(values[page.last_result])),
        }

    def rest(self, values: Values) -> Updates:
        """The page when nothing runs, with the result that it had before."""
        page = self.page
        return {
            page.try_on: gr.update(visible=True),
            page.cancel: gr.update(visible=False, interactive=True, value="Cancel"),
            page.again: gr.update(visible=bool(values[page.last_result])),
            page.result: values[page.last_result],
        }


def button(words: str) -> Any:
    """A visible button with this text."""
    return gr.update(value=words, visible=True)
