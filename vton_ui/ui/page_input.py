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
from vton_ui.tryon.request import Request, new_request
from vton_ui.ui.components import controls
from vton_ui.ui.page import Page
from vton_ui.ui.web.uploads import visible_upload

PageValues = Mapping[Component, Any]
"""What stands on the page."""


@dataclass(frozen=True, kw_only=True)
class PageInput:
    """The input of the page, with every path checked."""

    model: ModelSpec
    person: Path | None
    garments: list[Path]
    given: Mapping[str, Any]
    key: str | None
    private: bool

    def request(self, **changed: Any) -> Request:
        """The request of this input, with some options changed. InputError if something is missing or wrong."""
        return new_request(self.model, self.person, self.garments, {**self.given, **changed}, private=self.private)

    def plan(self, **changed: Any) -> Plan:
        """The plan of this input, with some options changed. InputError as `request`."""
        given = {self.model.name: {**self.given, **changed}}
        return new_plan([self.model], self.person, self.garments, given, private=self.private)


def read_page(page: Page, studio: Studio, values: PageValues, browser: str) -> PageInput:
    """Read the values of a browser's page.

    Raises:
        InputError: There are too many garments, or a path is not the visitor's own.
    """
    model = studio.models.get(values[page.model]) or studio.default_model
    components = page.options[model.name]
    given = {option.name: controls.given(option, values[components[option.name]]) for option in model.options}
    # Hidden options are ignored: a custom width stays in its box when a preset is chosen again.
    relevant = {option.name for option in model.options if is_shown(option, given)}
    person, garments = values[page.person], values[page.garments] or []
    if garments:
        grid(len(garments))  # refuses too many before any is opened
    return PageInput(
        model=model,
        person=visible_upload(browser, person, slot="Person", studio=studio) if person else None,
        garments=[visible_upload(browser, path, slot="Garment", studio=studio) for path in garments],
        given={name: value for name, value in given.items() if name in relevant},
        key=key_of(page, values),
        private=bool(values[page.private]),
    )


def key_of(page: Page, values: PageValues) -> str | None:
    """The visitor's own key, if one is typed."""
    return (values[page.fal_key] or "").strip() or None
