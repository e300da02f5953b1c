"""The rail's events: what is made of the garments on it, and what the rest of the page puts there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.errors import RateLimited, VtonError
from vton_ui.models.options import check, complete
from vton_ui.models.spec import ModelSpec
from vton_ui.pictures.sheet import LAYOUT, MAX_GARMENTS
from vton_ui.studio import Studio
from vton_ui.tryon.request import named
from vton_ui.ui.components.examples import examples
from vton_ui.ui.components.garments import Garment, Preview, joining, kinds, new, proposed_order, shown
from vton_ui.ui.page import Page
from vton_ui.ui.page_input import chosen_models
from vton_ui.ui.page_photos import PagePhotos
from vton_ui.ui.web.uploads import example_copy

NOT_PLAIN = "The ground is not plain enough to cut out."

Updates = dict[Component, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rail:
    """The events of the rail and of what belongs to it, on one studio."""

    page: Page
    studio: Studio

    async def look_at(self, garments: list[Garment], chosen: str, request: gr.Request) -> Any:
        """How the garments look as they are used, what kinds they seem to be, and in which order to put them on."""
        if len(garments) > MAX_GARMENTS:
            return gr.skip()  # `refresh` says what is wrong
        photos, asks = PagePhotos(studio=self.studio, request=request), bool(kinds(self._models(chosen)))
        previews = await asyncio.gather(*(_preview(photos, garment, slot, asks) for garment, slot in named(garments)))
        if not asks:
            return shown(previews)
        known = [
            replace(garment, kind=made.kind if garment.guessed and made.kind else garment.kind)
            for garment, made in zip(garments, previews, strict=True)
        ]
        return shown(previews, [garment.id for garment in proposed_order(known)])

    async def example_garment(self, index: int) -> Any:
        """Add an example to the garments."""
        path = examples(self.studio.examples, "garments")[index]
        return joining([new(str(await asyncio.to_thread(example_copy, path)))])

    async def swap(self, person: str | None, garments: list[Garment], request: gr.Request) -> tuple[Any, Any]:
        """Person and first garment change places."""
        first, rest = garments[:1], garments[1:]
        return (await self._worn(first[0], request) if first else None), [*([new(person)] if person else []), *rest]

    async def _worn(self, garment: Garment, request: gr.Request) -> str:
        try:
            (path,) = await PagePhotos(studio=self.studio, request=request).worn([garment])
        except VtonError:
            return garment.path  # `refresh` says what is wrong
        return str(path)

    async def show_sheet(
        self, chosen: str, garments: list[Garment], wear: str, layout: str, request: gr.Request
    ) -> Updates:
        """Show the sheet as a chosen model will get it, if one gets several garments at once."""
        page, photos = self.page, PagePhotos(studio=self.studio, request=request)
        none: Updates = {page.sheet: gr.update(visible=False, value=None), page.layout: gr.update(visible=False)}
        count = 1 if wear == "each" else len(garments)
        model = next((model for model in self._models(chosen) if 1 < count <= model.max_garments), None)
        if model is None:
            return none
        try:
            limit = model.garment_pixels(complete(model, {}))
            path = await photos.sheet(await photos.worn(garments), limit, str(check(LAYOUT, layout)))
        except RateLimited as exc:
            raise gr.Error(str(exc), print_exception=False) from exc
        except VtonError:
            return none  # `refresh` says what is wrong
        return {page.sheet: gr.update(visible=True, value=str(path)), page.layout: gr.update(visible=True)}

    def _models(self, chosen: str) -> tuple[ModelSpec, ...]:
        return chosen_models(self.studio, chosen)


async def _preview(photos: PagePhotos, garment: Garment, slot: str, asks: bool) -> Preview:
    """What becomes of one garment; its kind is guessed only if somebody asks for it."""
    made = Preview(id=garment.id, crop=garment.crop, cut_out=garment.cut_out)
    try:
        photo = photos.visible(garment.path, slot)
        converted = await photos.converted(photo, slot)
        source = str(converted) if converted else None
        if garment.plain and not (asks and garment.guessed):
            return replace(made, source=source)
        cut = await photos.cut(garment, converted or photo, slot)
    except VtonError as exc:
        return replace(made, refused=f"{exc.cause} {exc.cure}")
    return replace(
        made,
        kind=cut.kind,
        path=str(cut.path) if cut.path else None,
        source=source,
        refused=NOT_PLAIN if cut.refused else None,
    )
