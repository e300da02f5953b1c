"""Quick events: the options, the estimate and the button follow the photos and settings on the page."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from vton_ui.errors import GarmentsError, RateLimited, VtonError
from vton_ui.models.spec import ModelSpec
from vton_ui.pictures.photos import measure
from vton_ui.pictures.prepare import prefetch
from vton_ui.studio import Studio
from vton_ui.tryon.plan import Plan
from vton_ui.tryon.plan_price import price_of
from vton_ui.tryon.request import named
from vton_ui.ui import markup
from vton_ui.ui.components.examples import examples
from vton_ui.ui.components.garments import Garment, kinds
from vton_ui.ui.confirm import Confirm
from vton_ui.ui.form import Form
from vton_ui.ui.page import Page
from vton_ui.ui.page_input import PageInput, chosen_models, read_page
from vton_ui.ui.page_photos import PagePhotos
from vton_ui.ui.plan_words import button_text, cautions
from vton_ui.ui.web.uploads import example_copy
from vton_ui.ui.web.visitor import browser_of, visitor_of

Updates = dict[Component, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Edits:
    """The events that only change the page, on one studio."""

    page: Page
    studio: Studio

    async def refresh(self, values: dict[Component, Any], request: gr.Request) -> Updates:
        """Update the button, the estimate and the notice, and keep what stands on the page."""
        page, confirm = self.page, Confirm(page=self.page, studio=self.studio)
        plain: Updates = {
            page.use_model: gr.update(visible=False),
            page.wear: gr.update(visible=len(values[page.garments] or []) > 1),
            page.estimate: "",
            page.notice: "",
            page.form: Form(page=page, studio=self.studio, browser=browser_of(request)).kept(values),
        }
        withdrawn = confirm.withdrawn if confirm.asked(values) else {}
        try:
            page_input = await read_page(page, self.studio, values, request)
            await asyncio.to_thread(_check_headers, page_input)
            missing = _missing(page_input)
            if missing:
                return {**plain, **withdrawn, page.try_on: gr.update(value=missing, interactive=False)}
            backend = self.studio.backend_for(page_input.key)
            price = await price_of(page_input.plan(), backend)
        except VtonError as exc:
            return {
                **plain,
                **withdrawn,
                page.try_on: gr.update(value="Not ready yet", interactive=False),
                page.notice: markup.failure(exc),
                page.use_model: self._larger_model(exc, values),
            }
        # Over the limit only the prefetch is left out: moving a slider always shows an estimate.
        if self.studio.free.allows(visitor_of(request)):
            _prefetch(price.plan)
        return {
            **plain,
            **(withdrawn if confirm.outdated(values, page_input, price) else {}),
            page.try_on: gr.update(value=button_text(price, free=backend.sandbox), interactive=True),
            page.estimate: markup.estimate_line(price, free=backend.sandbox),
            page.notice: markup.notice(cautions(price, page_input.left_out)),
        }

    async def not_now(self) -> Updates:
        """Order nothing."""
        return Confirm(page=self.page, studio=self.studio).withdrawn

    def _larger_model(self, exc: VtonError, values: Mapping[Component, Any]) -> Any:
        """The button that switches to a model which takes all these garments, if there is one."""
        model = self._model_for(len(values[self.page.garments]))
        if not isinstance(exc, GarmentsError) or model is None:
            return gr.update(visible=False)
        return gr.update(value=f"Use {model.title}", visible=True)

    def _model_for(self, garments: int) -> ModelSpec | None:
        return next((model for model in self.studio.models.values() if model.max_garments >= garments), None)

    async def use_larger_model(self, garments: list[Garment]) -> Any:
        """Choose that model."""
        model = self._model_for(len(garments))
        return model.name if model else gr.skip()

    async def show_model(self, value: str) -> dict[Block, Any]:
        """Show what the chosen models ask for and nothing else; options under their names, where there are several."""
        models = chosen_models(self.studio, value)
        chosen = {model.name for model in models}
        updates: dict[Block, Any] = {self.page.garments: gr.update(kinds=kinds(models))}
        for name in self.studio.models:
            updates |= {block: gr.update(visible=name in chosen) for block in self.page.groups[name]}
            updates |= {block: gr.update(visible=len(chosen) > 1) for block in self.page.headings[name]}
        for part, (alone, beside) in self.page.namesakes.items():
            updates[part] = gr.update(elem_id=alone if len(chosen) == 1 else beside)
        return updates

    async def convert_person(self, path: str | None, request: gr.Request) -> Any:
        """Convert a photo that browsers cannot show."""
        if not path:
            return gr.skip()
        photos = PagePhotos(studio=self.studio, request=request)
        try:
            converted = await photos.converted(photos.visible(path, "Person"), "Person")
        except RateLimited as exc:
            raise gr.Error(str(exc), print_exception=False) from exc
        except VtonError:
            return gr.skip()  # `refresh` says what is wrong
        return str(converted) if converted else gr.skip()

    async def example_person(self, index: int) -> str:
        """Put an example into the person's slot."""
        path = examples(self.studio.examples, "people")[index]
        return str(await asyncio.to_thread(example_copy, path))


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


def _prefetch(plan: Plan) -> None:
    """Start preparing the photos of a plan; a later step's person is yet to be made."""
    needed = {
        (request.person, request.garments, request.model.limits(request.values), request.layout)
        for request in (item.request for item in plan if item.after is None)
    }
    for person, garments, limits, layout in needed:
        prefetch(person, named(garments), limits, layout)
