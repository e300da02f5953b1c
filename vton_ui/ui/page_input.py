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
from vton_ui.tryon.request import Request, new_request
from vton_ui.ui.components import controls
from vton_ui.ui.components.garments import KIND, Garment, kinds
from vton_ui.ui.page import Page
from vton_ui.ui.page_photos import PagePhotos

Values = Mapping[Component, Any]
"""The values of the page's components."""


@dataclass(frozen=True, kw_only=True)
class PageInput:
    """The input of the page, with every path checked.

    Attributes:
        garments: Their pictures as they are used: cropped and cut out.
        names: What the garments are called.
        cloth_types: What kind each garment is; None where the model does not ask.
        layout: How they lie on a sheet; still to be checked.
    """

    model: ModelSpec
    person: Path | None
    garments: list[Path]
    names: list[str]
    cloth_types: list[str | None] | None
    layout: str
    given: Mapping[str, Any]
    key: str | None
    private: bool

    def request(self, **changed: Any) -> Request:
        """The request of this input, with some options changed. InputError if something is missing or wrong."""
        return new_request(
            self.model,
            self.person,
            self.garments,
            {**self.given, **changed},
            private=self.private,
            layout=self.layout,
        )


async def read_page(page: Page, studio: Studio, values: Values, request: gr.Request) -> PageInput:
    """Read the values of a browser's page.

    Raises:
        InputError: There are too many garments, one cannot be used, or a path is not the visitor's own.
        RateLimited: Too much had to be cropped and cut out for this visitor lately.
    """
    model = studio.models.get(values[page.model]) or studio.default_model
    components = page.options[model.name]
    given = {option.name: controls.given(option, values[components[option.name]]) for option in model.options}
    # Hidden options are ignored: a custom width stays in its box when a preset is chosen again.
    relevant = {option.name for option in model.options if is_shown(option, given)}
    photos = PagePhotos(studio=studio, request=request)
    person, garments = values[page.person], values[page.garments]
    if garments:
        grid(len(garments))  # refuses too many before any is opened
    return PageInput(
        model=model,
        person=photos.visible(person, "Person") if person else None,
        garments=await photos.worn(garments),
        names=[garment.name for garment in garments],
        cloth_types=_cloth_types(model, garments, given),
        layout=values[page.layout],
        given={name: value for name, value in given.items() if name in relevant},
        key=key_of(page, values),
        private=bool(values[page.private]),
    )


def _cloth_types(model: ModelSpec, garments: Sequence[Garment], given: Mapping[str, Any]) -> list[str | None] | None:
    """Several garments have their kinds on their cards, and one alone has it among the options."""
    known = dict(kinds([model]))
    if not known:
        return None
    if len(garments) == 1:
        return [given[KIND]]
    return [garment.kind if garment.kind in known else None for garment in garments]


def key_of(page: Page, values: Values) -> str | None:
    """The visitor's own key, if one is typed."""
    return (values[page.fal_key] or "").strip() or None
