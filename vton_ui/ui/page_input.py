"""The values on the page → checked input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.models.options import is_shown
from vton_ui.models.spec import ModelSpec
from vton_ui.pictures.sheet import grid
from vton_ui.studio import Studio
from vton_ui.tryon.plan import Plan, new_plan
from vton_ui.ui.components import controls
from vton_ui.ui.components.garments import Garment, kinds
from vton_ui.ui.page import ALL_MODELS, Page
from vton_ui.ui.page_photos import PagePhotos

PageValues = Mapping[Component, Any]
"""What stands on the page."""


@dataclass(frozen=True, kw_only=True)
class PageInput:
    """The input of the page, with every path checked.

    Attributes:
        models: Those to try on with.
        left_out: Those that were chosen too and cannot take so many garments.
        garments: Their pictures as they are used, cropped and cut out, in the order in which they are put on.
        names: The garments' names, one for each.
        cloth_types: Their kinds, one for each; None where the model's option holds for all.
        layout: How they lie on a sheet; still to be checked.
        given: Option values by model name, then by option name.
        wear: Together, or each on its own.
        variations: How many pictures of each.
        key: The visitor's own key, if one is typed.
        private: Whether fal is to store no record of it.
    """

    models: tuple[ModelSpec, ...]
    left_out: tuple[ModelSpec, ...]
    person: Path | None
    garments: list[Path]
    names: list[str]
    cloth_types: list[str | None] | None
    layout: str
    given: Mapping[str, Mapping[str, Any]]
    wear: str
    variations: int
    key: str | None
    private: bool

    def plan(self, **changed: Any) -> Plan:
        """The requests of this input, with some options of all models changed. InputError if something is wrong."""
        return new_plan(
            self.models,
            self.person,
            self.garments,
            {name: {**values, **changed} for name, values in self.given.items()},
            wear=self.wear,
            variations=self.variations,
            cloth_types=self.cloth_types,
            names=self.names,
            private=self.private,
            layout=self.layout,
        )


async def read_page(page: Page, studio: Studio, values: PageValues, request: gr.Request) -> PageInput:
    """Read the values of a browser's page.

    Raises:
        InputError: There are too many garments, one cannot be used, or a path is not the visitor's own.
        RateLimited: Too much had to be cropped and cut out for this visitor lately.
    """
    photos = PagePhotos(studio=studio, request=request)
    person, garments = values[page.person], values[page.garments]
    if garments:
        grid(len(garments))  # refuses too many before any is opened
    wear = values[page.wear]
    chosen = chosen_models(studio, values[page.model])
    able = tuple(model for model in chosen if _takes(model, 1 if wear == "each" else len(garments))) or chosen
    if len(garments) > 1 and kinds(able):
        garments = await photos.with_kinds(garments)
    return PageInput(
        models=able,
        left_out=tuple(model for model in chosen if model not in able),
        person=photos.visible(person, "Person") if person else None,
        garments=await photos.worn(garments),
        names=[garment.name for garment in garments],
        cloth_types=_cloth_types(able, garments),
        layout=values[page.layout],
        given={model.name: _given(page, model, values) for model in able},
        wear=wear,
        variations=values[page.pictures],
        key=key_of(page, values),
        private=bool(values[page.private]),
    )


def chosen_models(studio: Studio, value: Any) -> tuple[ModelSpec, ...]:
    """The models behind the picker's value; the default one where that is unknown."""
    if value == ALL_MODELS:
        return tuple(studio.models.values())
    return (studio.models.get(value, studio.default_model),)


def _cloth_types(models: Sequence[ModelSpec], garments: Sequence[Garment]) -> list[str | None] | None:
    """Several garments have their kinds on their cards, and one alone has it among the options."""
    known = dict(kinds(models))
    if not known or len(garments) < 2:
        return None
    return [garment.kind if garment.kind in known else None for garment in garments]


def key_of(page: Page, values: PageValues) -> str | None:
    """The visitor's own key, if one is typed."""
    return (values[page.fal_key] or "").strip() or None


def _takes(model: ModelSpec, garments: int) -> bool:
    """Whether a model takes so many garments, at once or, where it takes one, one after another."""
    return model.max_garments == 1 or garments <= model.max_garments


def _given(page: Page, model: ModelSpec, values: PageValues) -> dict[str, Any]:
    components = page.options[model.name]
    given = {option.name: controls.given(option, values[components[option.name]]) for option in model.options}
    # Hidden options are ignored: a custom width stays in its box when a preset is chosen again.
    return {option.name: given[option.name] for option in model.options if is_shown(option, given)}
