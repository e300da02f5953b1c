"""Kept looks used again: their settings, their garments, and themselves as the next person. They only fill the page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import gradio as gr

from vton_ui.errors import InputError, VtonError
from vton_ui.models.spec import ModelSpec
from vton_ui.models.spec import Values as OptionValues
from vton_ui.ui import markup
from vton_ui.ui.components import garments as rail
from vton_ui.ui.components.actions import Action
from vton_ui.ui.components.controls import shown
from vton_ui.ui.errors import translate_error
from vton_ui.ui.kept_looks import KeptLook, chosen, garments_of
from vton_ui.ui.page_input import PageValues
from vton_ui.ui.render import Updates
from vton_ui.ui.tab import Tab, Tabs
from vton_ui.ui.web.uploads import offered

Part = Callable[[KeptLook, Tab], tuple[Updates, str]]
"""Fills a part of the page from a look; the words say what could not be filled."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Reuse:
    """The events that put what a look was made of back on the page."""

    tabs: Tabs

    async def use_settings(self, values: PageValues, action: Action, request: gr.Request) -> Updates:
        """The look's model, options, seed and garments, for a next one that differs in what the visitor changes."""
        return await _filled(await self.tabs.of(values, request), action, _settings, _garments)

    async def put_garments_back(self, values: PageValues, action: Action, request: gr.Request) -> Updates:
        """The look's garments, in place of those on the rail."""
        return await _filled(await self.tabs.of(values, request), action, _garments)

    async def use_as_person(self, values: PageValues, action: Action, request: gr.Request) -> Updates:
        """The look as the photo of the person."""
        return await _filled(await self.tabs.of(values, request), action, _person)


async def _filled(tab: Tab, action: Action, *parts: Part) -> Updates:
    """The page with parts of a look filled in, and words about what could not be."""
    updates, words = Updates(), list[str]()
    try:
        (look,) = await asyncio.to_thread(chosen, tab.board, action.ids)
        for part in parts:
            update, note = await asyncio.to_thread(part, look, tab)
            updates |= update
            words.append(note)
    except VtonError as exc:
        return {tab.page.failure: markup.failure(translate_error(exc))}
    return {**updates, tab.page.failure: markup.notice(" ".join(filter(None, words)))}


def _settings(look: KeptLook, tab: Tab) -> tuple[Updates, str]:
    page, source, given = tab.page, look.source, _options_of(look)
    model = _model_of(look, tab)
    components = page.options[model.name]
    options: Updates = {
        components[option.name]: shown(option, given[option.name]) for option in model.options if option.name in given
    }
    others: Updates = {page.private: source.private, page.layout: source.layout} if source else {}
    alone: Updates = {page.model: model.name, page.wear: "together", page.pictures: 1}
    return {**alone, **options, **others}, ""


def _model_of(look: KeptLook, tab: Tab) -> ModelSpec:
    """InputError if the studio has it no more."""
    name, models = str(look.result.facts["model"]), tab.studio.models
    if name not in models:
        raise InputError(f"{name} is not offered here any more.", "Choose another model.", slot="Model")
    return models[name]


def _options_of(look: KeptLook) -> OptionValues:
    """A look's options; of one whose source is not known, what the picture itself says."""
    facts = look.result.facts
    if look.source is None:
        return {"seed": facts["seed"], **({"prompt": facts["prompt"]} if facts["prompt"] else {})}
    # The model may have chosen another seed than it was given.
    return {**look.source.values, "seed": facts["seed"]}


def _garments(look: KeptLook, tab: Tab) -> tuple[Updates, str]:
    if not look.garments:
        return {}, "Which garments it wears is not known any more: choose them again."
    found = garments_of(look, tab.browser, tab.studio)
    # As placed by the visitor: the order in which they were put on is the one that was wanted.
    there = [
        replace(rail.new(str(path), name=worn.name, kind=worn.cloth_type), placed=True) for worn, path in found if path
    ]
    gone = [worn.name for worn, path in found if path is None]
    return ({tab.page.garments: there} if there else {}), markup.gone(gone) if gone else ""


def _person(look: KeptLook, tab: Tab) -> tuple[Updates, str]:
    path = offered(look.result.path)
    tab.studio.session_uploads.add(tab.browser, [path])
    return {tab.page.person: str(path)}, ""
