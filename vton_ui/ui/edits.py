"""Quick events: the options, the sheet, the estimate and the button follow the photos and settings on the page."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.errors import GarmentsError, RateLimited, VtonError
from vton_ui.models.options import complete
from vton_ui.models.spec import ModelSpec
from vton_ui.money.pricing import Estimate, money
from vton_ui.pictures.photos import measure, shows_in_browser
from vton_ui.pictures.prepare import on_photos, prefetch
from vton_ui.pictures.sheet import MAX_GARMENTS
from vton_ui.pictures.work import browser_jpeg, sheet_jpeg
from vton_ui.studio import Studio
from vton_ui.tryon.request import estimate, live_price, named
from vton_ui.ui import markup
from vton_ui.ui.components.examples import examples
from vton_ui.ui.page import Page
from vton_ui.ui.page_input import PageInput, read_page
from vton_ui.ui.web.uploads import visible_upload, written
from vton_ui.ui.web.visitor import browser_of, visitor_of

Updates = dict[Component, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Edits:
    """The events that only change the page, on one studio."""

    page: Page
    studio: Studio

    async def refresh(self, values: dict[Component, Any], request: gr.Request) -> Updates:
        """Update the button, the estimate and the notice."""
        page = self.page
        plain: Updates = {page.use_model: gr.update(visible=False), page.estimate: "", page.notice: ""}
        try:
            page_input = read_page(page, self.studio, values, browser_of(request))
            await asyncio.to_thread(_check_headers, page_input)
            missing = _missing(page_input)
            if missing:
                return {**plain, page.try_on: gr.update(value=missing, interactive=False)}
            tryon_request = page_input.request()
            backend = self.studio.backend_for(page_input.key)
            costs = await asyncio.to_thread(estimate, tryon_request, await live_price(page_input.model, backend))
        except VtonError as exc:
            return {
                **plain,
                page.try_on: gr.update(value="Not ready yet", interactive=False),
                page.notice: markup.failure(exc),
                page.use_model: self._larger_model(exc, values),
            }
        # Over the limit only the prefetch is left out: moving a slider always shows an estimate.
        if self.studio.free.allows(visitor_of(request)):
            prefetch(
                tryon_request.person, named(tryon_request.garments), tryon_request.model.limits(tryon_request.values)
            )
        return {
            **plain,
            page.try_on: gr.update(value=_button_text(costs, free=backend.sandbox), interactive=True),
            page.estimate: markup.estimate_line(costs, free=backend.sandbox),
            page.notice: markup.notice(page_input.model.caution(tryon_request.values) or ""),
        }

    def _larger_model(self, exc: VtonError, values: Mapping[Component, Any]) -> Any:
        """The button that switches to a model which takes all these garments, if there is one."""
        model = self._model_for(len(values[self.page.garments] or []))
        if not isinstance(exc, GarmentsError) or model is None:
            return gr.update(visible=False)
        return gr.update(value=f"Use {model.title}", visible=True)

    def _model_for(self, garments: int) -> ModelSpec | None:
        return next((model for model in self.studio.models.values() if model.max_garments >= garments), None)

    async def use_larger_model(self, garments: list[str]) -> Any:
        """Choose that model."""
        model = self._model_for(len(garments or []))
        return model.name if model else gr.skip()

    async def show_model(self, name: str) -> list[Any]:
        """Show the chosen model's options and no others."""
        return [gr.update(visible=model == name) for model, blocks in self.page.groups.items() for _ in blocks]

    async def show_sheet(self, name: str, garments: list[str], request: gr.Request) -> Any:
        """Show the sheet as the model will get it, if there are several garments."""
        model = self.studio.models.get(name, self.studio.default_model)
        if not 1 < len(garments or []) <= model.max_garments:
            return gr.update(visible=False, value=None)
        try:
            browser = browser_of(request)
            paths = [visible_upload(browser, path, slot="Garment", studio=self.studio) for path in garments]
            self.studio.free.count(visitor_of(request))
            limit = model.garment_pixels(complete(model, {}))
            picture = await on_photos("Garments", sheet_jpeg, named(paths), limit)
            return gr.update(visible=True, value=str(written(picture, "sheet")))
        except RateLimited as exc:
            raise gr.Error(str(exc), print_exception=False) from exc
        except VtonError:
            return gr.update(visible=False, value=None)  # `refresh` says what is wrong

    async def convert_person(self, path: str | None, request: gr.Request) -> Any:
        """Convert a photo that browsers cannot show."""
        return await self._converted(path, "Person", request) if path else gr.skip()

    async def convert_garments(self, paths: list[str], request: gr.Request) -> Any:
        """The same for every garment."""
        if len(paths or []) > MAX_GARMENTS:
            return gr.skip()  # `refresh` says what is wrong
        converted = [await self._converted(path, "Garment", request) for path in paths or []]
        return gr.skip() if converted == (paths or []) else converted

    async def _converted(self, path: str, slot: str, request: gr.Request) -> str:
        try:
            real = visible_upload(browser_of(request), path, slot=slot, studio=self.studio)
            if await asyncio.to_thread(shows_in_browser, real, slot=slot):
                return path
            self.studio.free.count(visitor_of(request))
            picture = await on_photos(slot, browser_jpeg, real, slot)
        except RateLimited as exc:
            raise gr.Error(str(exc), print_exception=False) from exc
        except VtonError:
            return path  # `refresh` says what is wrong
        if picture is None:
            return path
        converted = written(picture, real.stem)
        self.studio.session_uploads.add(browser_of(request), [converted])
        return str(converted)

    async def example_person(self, index: int) -> str:
        """Put an example into the person's slot."""
        return str(examples(self.studio.examples, "people")[index])

    async def example_garment(self, index: int, name: str, garments: list[str]) -> list[str]:
        """Add an example to the garments, or replace the one where the model takes one."""
        chosen = str(examples(self.studio.examples, "garments")[index])
        model = self.studio.models.get(name, self.studio.default_model)
        kept = (garments or []) if model.max_garments > 1 else []
        return [*kept, chosen][: model.max_garments]

    async def swap(self, person: str | None, garments: list[str]) -> tuple[Any, Any]:
        """Person and first garment change places."""
        first, rest = (garments or [])[:1], (garments or [])[1:]
        return (first[0] if first else None), [*([person] if person else []), *rest]


def _check_headers(page_input: PageInput) -> None:
    """PhotoError if the header of a photo shows that it cannot be used."""
    for path, slot in [*([(page_input.person, "Person")] if page_input.person else []), *named(page_input.garments)]:
        measure(path, slot=slot)


def _missing(page_input: PageInput) -> str | None:
    if page_input.person is None and not page_input.garments:
        return "Add a person and a garment"
    if page_input.person is None:
        return "Add a person"
    return None if page_input.garments else "Add a garment"


def _button_text(costs: Estimate, *, free: bool) -> str:
    if free:
        return "Try on · free draft"
    return "Try on" if costs.total is None else f"Try on · {money(costs.total)}"
