"""Kept looks used again: their settings, their garments, and themselves as the next person. They only fill the page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.errors import InputError, VtonError
from vton_ui.models.spec import ModelSpec
from vton_ui.models.spec import Values as OptionValues
from vton_ui.studio import Studio
from vton_ui.ui import markup
from vton_ui.ui.components import garments as rail
from vton_ui.ui.components.actions import Action
from vton_ui.ui.components.controls import shown
from vton_ui.ui.errors import translate_error
from vton_ui.ui.kept import KeptLook, chosen, garments_of
from vton_ui.ui.page import Page
from vton_ui.ui.web.uploads import offered
from vton_ui.ui.web.visitor import browser_of

Updates = dict[Component, Any]
Values = Mapping[Component, Any]

UPLOADS_GO = "Uploads are deleted after an hour."


@dataclass(frozen=True, kw_only=True, eq=False)
class Reuse:
    """The events that put what a look was made of back on the page, on one studio.

    Attributes:
        kept: The looks that the caller's browser has kept.
    """

    page: Page
    studio: Studio
    kept: Callable[[Values, gr.Request], Awaitable[Sequence[KeptLook]]]

    async def use_settings(self, action: Action, values: Values, request: gr.Request) -> Updates:
        """The look's model, options, seed and garments, for a next one that differs in what the visitor changes."""
        return await self._filled(action, values, request, self._settings, self._garments)

    async def put_garments_back(self, action: Action, values: Values, request: gr.Request) -> Updates:
        """The look's garments, in place of those on the rail."""
        return await self._filled(action, values, request, self._garments)

    async def use_as_person(self, action: Action, values: Values, request: gr.Request) -> Updates:
        """The look as the photo of the person."""
        return await self._filled(action, values, request, self._person)

    async def _filled(
        self,
        action: Action,
        values: Values,
        request: gr.Request,
        *fill: Callable[[KeptLook, str], tuple[Updates, str]],
    ) -> Updates:
        """The page with parts of a look filled in, and words about what could not be."""
        updates, words = Updates(), list[str]()
        try:
            (look,) = chosen(await self.kept(values, request), action.ids)
            for part in fill:
                update, note = await asyncio.to_thread(part, look, browser_of(request))
                updates |= update
                words.append(note)
        except VtonError as exc:
            return {self.page.failure: markup.failure(translate_error(exc))}
        return {**updates, self.page.failure: markup.notice(" ".join(filter(None, words)))}

    def _settings(self, look: KeptLook, browser: str) -> tuple[Updates, str]:
        model, given = self._model_of(look), _options_of(look)
        components = self.page.options[model.name]
        options: Updates = {
            components[option.name]: shown(option, given[option.name])
            for option in model.options
            if option.name in given
        }
        page, source = self.page, look.source
        others: Updates = {page.private: source.private, page.layout: source.layout} if source else {}
        alone: Updates = {page.model: model.name, page.wear: "together", page.pictures: 1}
        return {**alone, **options, **others}, ""

    def _model_of(self, look: KeptLook) -> ModelSpec:
        """InputError if the studio has it no more."""
        name = str(look.result.facts["model"])
        if name not in self.studio.models:
            raise InputError(f"{name} is not offered here any more.", "Choose another model.", slot="Model")
        return self.studio.models[name]

    def _garments(self, look: KeptLook, browser: str) -> tuple[Updates, str]:
        if not look.garments:
            return {}, "Which garments it wears is not known any more: choose them again."
        found = garments_of(look, browser, self.studio)
        # As placed by the visitor: their order is known.
        there = [
            replace(rail.new(str(path), name=worn.name, kind=worn.cloth_type), placed=True)
            for worn, path in found
            if path
        ]
        gone = [worn.name for worn, path in found if path is None]
        words = f"No longer here: {', '.join(gone)}. {UPLOADS_GO} Add what is missing again." if gone else ""
        return ({self.page.garments: there} if there else {}), words

    def _person(self, look: KeptLook, browser: str) -> tuple[Updates, str]:
        if not look.result.path.is_file():
            raise InputError("This look is no longer here.", "Choose another.", slot="Looks")
        path = offered(look.result.path)
        self.studio.session_uploads.add(browser, [path])
        return {self.page.person: str(path)}, ""


def _options_of(look: KeptLook) -> OptionValues:
    """A look's options; of one whose source is not known, what the picture itself says."""
    facts = look.result.facts
    if look.source is None:
        return {"seed": facts["seed"], **({"prompt": facts["prompt"]} if facts["prompt"] else {})}
    # The model may have chosen another seed than it was given, or than the first step's.
    return {**look.source.values, "seed": facts["seed"]}
