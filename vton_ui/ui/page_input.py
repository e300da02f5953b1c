"""The values on the page → checked input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradio.components import Component

from vton_ui.models.options import is_shown
from vton_ui.models.spec import ModelSpec
from vton_ui.pictures.sheet import grid
from vton_ui.studio import Studio
from vton_ui.tryon.plan import Plan, new_plan
from vton_ui.ui.components import controls
from vton_ui.ui.page import ALL_MODELS, Page
from vton_ui.ui.web.uploads import visible_upload

Values = Mapping[Component, Any]
"""The values of the page's components."""


@dataclass(frozen=True, kw_only=True)
class PageInput:
    """The input of the page, with every path checked.

    Attributes:
        models: Those to try on with.
        left_out: Those that were chosen too and cannot take so many garments.
        garments: The photos as they are used, in the order in which they are put on.
        names: The garments' names, one for each.
        cloth_types: Their kinds, one for each; None where the model's option holds for all.
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
        )


def read_page(page: Page, studio: Studio, values: Values, browser: str) -> PageInput:
    """Read the values of a browser's page.

    Raises:
        InputError: There are too many garments, or a path is not the visitor's own.
    """
    person, garments = values[page.person], values[page.garments] or []
    if garments:
        grid(len(garments))  # refuses too many before any is opened
    paths = [visible_upload(browser, path, slot="Garment", studio=studio) for path in garments]
    wear = values[page.wear]
    chosen = chosen_models(studio, values[page.model])
    able = tuple(model for model in chosen if _takes(model, 1 if wear == "each" else len(paths))) or chosen
    return PageInput(
        models=able,
        left_out=tuple(model for model in chosen if model not in able),
        person=visible_upload(browser, person, slot="Person", studio=studio) if person else None,
        garments=paths,
        names=[path.stem.replace("_", " ").replace("-", " ") for path in paths],
        cloth_types=None,
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


def key_of(page: Page, values: Values) -> str | None:
    """The visitor's own key, if one is typed."""
    return (values[page.fal_key] or "").strip() or None


def _takes(model: ModelSpec, garments: int) -> bool:
    """Whether a model takes so many garments, at once or, where it takes one, one after another."""
    return model.max_garments == 1 or garments <= model.max_garments


def _given(page: Page, model: ModelSpec, values: Values) -> dict[str, Any]:
    components = page.options[model.name]
    given = {option.name: controls.given(option, values[components[option.name]]) for option in model.options}
    # Hidden options are ignored: a custom width stays in its box when a preset is chosen again.
    return {option.name: given[option.name] for option in model.options if is_shown(option, given)}
