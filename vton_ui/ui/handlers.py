"""What happens on a click."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.errors import Cost, Filtered, GarmentsError, InputError, VtonError
from vton_ui.job import Cancelled, Done, Event
from vton_ui.options import complete, shown
from vton_ui.pool import in_pool
from vton_ui.prepare import sheet
from vton_ui.pricing import Estimate, money
from vton_ui.spec import ModelSpec
from vton_ui.studio import Studio
from vton_ui.tryon import estimate, live_price, named, new_request, try_on
from vton_ui.ui import controls, view
from vton_ui.ui.page import Page, examples
from vton_ui.ui.uploads import own, showable

Updates = dict[Component, Any]

LOOK_AT_MIRROR = "() => document.querySelector('#mirror').scrollIntoView({behavior: 'smooth', block: 'nearest'})"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What stands on the page, with every path checked."""

    model: ModelSpec
    person: Path | None
    garments: list[Path]
    given: Mapping[str, Any]
    key: str | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Handlers:
    """The page's events on one studio; `stops` holds the running try-ons by browser session."""

    page: Page
    studio: Studio
    stops: dict[str, asyncio.Event] = field(default_factory=dict)

    def asked(self, values: Mapping[Component, Any]) -> Asked:
        """Read the page.

        Raises:
            PhotoError: A path is not the visitor's own.
        """
        page, folder = self.page, self.studio.examples
        model = self.studio.models.get(values[page.model]) or self.studio.default_model
        components = page.options[model.name]
        given = {option.name: controls.given(option, values[components[option.name]]) for option in model.options}
        # What is hidden does not count: a custom width stays in its box when a preset is chosen again.
        relevant = {option.name for option in model.options if shown(option, given)}
        person = values[page.person]
        return Asked(
            model=model,
            person=own(person, slot="Person", examples=folder) if person else None,
            garments=[own(path, slot="Garment", examples=folder) for path in values[page.garments] or []],
            given={name: value for name, value in given.items() if name in relevant},
            key=(values[page.fal_key] or "").strip() or None,
        )

    async def refresh(self, values: dict[Component, Any]) -> Updates:
        """The button, the estimate and the notice for what stands on the page now."""
        page = self.page
        plain: Updates = {page.use_model: gr.update(visible=False), page.estimate: "", page.notice: ""}
        try:
            asked = self.asked(values)
            missing = _missing(asked)
            if missing:
                return {**plain, page.try_on: gr.update(value=missing, interactive=False)}
            request = new_request(asked.model, asked.person, asked.garments, asked.given)
            backend = self.studio.backend_for(asked.key)
            costs = await in_pool(estimate, request, await live_price(asked.model, backend))
        except VtonError as exc:
            return {
                **plain,
                page.try_on: gr.update(value="Not ready yet", interactive=False),
                page.notice: view.failure(exc),
                page.use_model: self._roomier(exc, values),
            }
        return {
            **plain,
            page.try_on: gr.update(value=_invitation(costs, free=backend.sandbox), interactive=True),
            page.estimate: view.estimate_line(costs, free=backend.sandbox),
            page.notice: view.notice(asked.model.caution(request.values) or ""),
        }

    def _roomier(self, exc: VtonError, values: Mapping[Component, Any]) -> Any:
        """The button that chooses a model which takes all these garments, where there is one."""
        model = self._model_for(len(values[self.page.garments] or []))
        if not isinstance(exc, GarmentsError) or model is None:
            return gr.update(visible=False)
        return gr.update(value=f"Use {model.title}", visible=True)

    def _model_for(self, garments: int) -> ModelSpec | None:
        return next((model for model in self.studio.models.values() if model.max_garments >= garments), None)

    async def use_roomier(self, garments: list[str]) -> Any:
        """Choose that model."""
        model = self._model_for(len(garments or []))
        return model.name if model else gr.skip()

    async def show_model(self, name: str) -> list[Any]:
        """Show the chosen model's options and no others."""
        return [gr.update(visible=model == name) for model, blocks in self.page.groups.items() for _ in blocks]

    async def show_sheet(self, name: str, garments: list[str]) -> Any:
        """The sheet as the model will get it, once there is more than one garment on it."""
        model = self.studio.models.get(name, self.studio.default_model)
        if not 1 < len(garments or []) <= model.max_garments:
            return gr.update(visible=False, value=None)
        try:
            paths = [own(path, slot="Garment", examples=self.studio.examples) for path in garments]
            limit = model.garment_pixels(complete(model, {}))
            return gr.update(visible=True, value=await in_pool(sheet, named(paths), limit))
        except VtonError:
            return gr.update(visible=False, value=None)  # `refresh` tells what is wrong

    async def person_arrived(self, path: str | None) -> Any:
        """A photo that browsers cannot show becomes one they can."""
        return await self._shown(path, "Person") if path else gr.skip()

    async def garments_arrived(self, paths: list[str]) -> Any:
        """The same for every garment."""
        shown_paths = [await self._shown(path, "Garment") for path in paths or []]
        return gr.skip() if shown_paths == (paths or []) else shown_paths

    async def _shown(self, path: str, slot: str) -> str:
        try:
            real = own(path, slot=slot, examples=self.studio.examples)
            seen = await in_pool(showable, real, slot=slot)
        except VtonError:
            return path  # `refresh` tells what is wrong
        return path if seen == real else str(seen)

    async def example_person(self, index: int) -> str:
        """Put an example into the person's slot."""
        return str(examples(self.studio, "people")[index])

    async def example_garment(self, index: int, name: str, garments: list[str]) -> list[str]:
        """Add an example to the garments, or replace the one where the model takes one."""
        chosen = str(examples(self.studio, "garments")[index])
        model = self.studio.models.get(name, self.studio.default_model)
        kept = (garments or []) if model.max_garments > 1 else []
        return [*kept, chosen][: model.max_garments]

    async def swap(self, person: str | None, garments: list[str]) -> tuple[Any, Any]:
        """Person and first garment change places."""
        first, rest = (garments or [])[:1], (garments or [])[1:]
        return (first[0] if first else None), [*([person] if person else []), *rest]

    async def try_on(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """One try-on with what stands on the page."""
        async for updates in self._run(values, request, {}):
            yield updates

    async def again(self, values: dict[Component, Any], request: gr.Request) -> AsyncGenerator[Updates, None]:
        """The same with a new seed."""
        async for updates in self._run(values, request, {"seed": None}):
            yield updates

    async def cancel(self, request: gr.Request) -> Any:
        """Ask the running try-on to stop; its own events tell how that went."""
        stop = self.stops.get(request.session_hash or "")
        if stop is not None:
            stop.set()
        return gr.update(interactive=False, value="Cancelling")

    async def _run(
        self, values: dict[Component, Any], request: gr.Request, changed: Mapping[str, Any]
    ) -> AsyncGenerator[Updates, None]:
        session, stop = request.session_hash or "", asyncio.Event()
        if session in self.stops:
            return  # one click, one job
        self.stops[session] = stop
        try:
            yield self._started(values)
            asked = self.asked(values)
            order = new_request(asked.model, asked.person, asked.garments, {**asked.given, **changed})
            backend = self.studio.backend_for(asked.key)
            async with aclosing(try_on(order, backend, store=self.studio.store, stop=stop)) as events:
                async for event in events:
                    yield self._happened(event, asked.model, values)
        except VtonError as exc:
            _log.info("failed: %s %s", type(exc).__name__, exc.request_id or "")
            yield self._failed(exc, values)
        except Exception:
            _log.exception("unexpected")
            yield self._failed(_unexpected(), values)
        finally:
            self.stops.pop(session, None)

    def _started(self, values: Mapping[Component, Any]) -> Updates:
        page = self.page
        return {
            page.try_on: gr.update(visible=False),
            page.cancel: gr.update(visible=True, interactive=True, value="Cancel"),
            page.again: gr.update(visible=False),
            page.retry: gr.update(visible=False),
            page.notice: "",
            page.status: view.STARTED,
            # The mirror is never empty while it works: the last result, or the photo itself, dimmed.
            page.result: gr.skip() if values[page.last_result] else values[page.person],
        }

    def _happened(self, event: Event, model: ModelSpec, values: Mapping[Component, Any]) -> Updates:
        page = self.page
        if isinstance(event, Cancelled):
            return {**self._rest(values), page.status: view.status(event)}
        if not isinstance(event, Done):
            return {page.status: view.status(event)}
        path = str(event.result.path)
        return {
            **self._rest(values),
            page.result: path,
            page.last_result: path,
            page.status: view.status(event),
            page.details: view.details(event.result, model),
            page.download: gr.update(value=path, visible=True),
            page.again: gr.update(visible=True),
        }

    def _failed(self, exc: VtonError, values: Mapping[Component, Any]) -> Updates:
        page = self.page
        return {
            **self._rest(values),
            page.status: view.EMPTY if not values[page.last_result] else "",
            page.notice: view.failure(exc),
            page.retry: gr.update(visible=not isinstance(exc, (InputError, Filtered))),
            page.again: gr.update(visible=isinstance(exc, Filtered) or bool(values[page.last_result])),
        }

    def _rest(self, values: Mapping[Component, Any]) -> Updates:
        """The page at rest, with the result it had before."""
        page = self.page
        return {
            page.try_on: gr.update(visible=True),
            page.cancel: gr.update(visible=False),
            page.again: gr.update(visible=bool(values[page.last_result])),
            page.result: values[page.last_result],
        }


def _missing(asked: Asked) -> str | None:
    if asked.person is None and not asked.garments:
        return "Add a person and a garment"
    if asked.person is None:
        return "Add a person"
    return None if asked.garments else "Add a garment"


def _invitation(costs: Estimate, *, free: bool) -> str:
    if free:
        return "Try on · free draft"
    return "Try on" if costs.total is None else f"Try on · {money(costs.total)}"


def _unexpected() -> VtonError:
    return VtonError("Something failed in this app.", "Try again; the photos are still here.", cost=Cost.MAYBE)


def wire(page: Page, studio: Studio) -> None:
    """Let the page's events happen."""
    do = Handlers(page=page, studio=studio)
    # Off the queue: what only touches the page must not wait behind anybody's try-on.
    quick: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    slow: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
    shown_by_refresh = [page.try_on, page.estimate, page.notice, page.use_model]
    groups = [block for blocks in page.groups.values() for block in blocks]
    garments_from = [page.clothes, page.model, page.garments]
    pair = [page.person, page.garments]

    page.model.change(do.show_model, page.model, groups, **quick)
    page.person.upload(do.person_arrived, page.person, page.person, **quick)
    page.people.click(do.example_person, page.people, page.person, **quick)
    page.use_model.click(do.use_roomier, page.garments, page.model, **quick)

    # A gallery that is filled from here does not always fire its change event, hence the `then`.
    garments_set = (
        page.garments.upload(do.garments_arrived, page.garments, page.garments, **quick),
        page.clothes.click(do.example_garment, garments_from, page.garments, **quick),
        page.swap.click(do.swap, pair, pair, **quick),
    )
    sheet_changes: list[Any] = [page.garments.change, page.model.change, *(event.then for event in garments_set)]
    for happens in sheet_changes:
        happens(do.show_sheet, [page.model, page.garments], page.sheet, **quick)
    asked: Any = page.inputs
    changes = [component.change for component in page.inputs if component is not page.last_result]  # type: ignore[attr-defined]
    gr.on(changes, do.refresh, asked, shown_by_refresh, trigger_mode="always_last", **quick)
    for event in garments_set:
        event.then(do.refresh, asked, shown_by_refresh, **quick)

    # On a phone the button is in reach everywhere and the mirror is not.
    gr.on([page.try_on.click, page.retry.click, page.again.click], None, js=LOOK_AT_MIRROR)
    mirror = [page.status, page.result, page.last_result, page.details, page.download]
    touched = [page.try_on, page.cancel, page.again, page.retry, page.notice, *mirror]
    gr.on([page.try_on.click, page.retry.click], do.try_on, asked, touched, **slow)
    page.again.click(do.again, asked, touched, **slow)
    page.cancel.click(do.cancel, None, page.cancel, **quick)
