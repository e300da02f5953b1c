"""What stands on the page, as a browser keeps it over a reload: photos, model and options, signed. Never the own key.

It has a place of its own beside `memory`: a change on the page must not write over the jobs of a try-on under way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component
from itsdangerous import BadData, URLSafeSerializer

from vton_ui.studio import Studio
from vton_ui.ui import markup
from vton_ui.ui.compat.routes import file_address
from vton_ui.ui.components.garments import Garment, joining, read
from vton_ui.ui.kept_looks import still_there
from vton_ui.ui.memory import NO_MEMORY, State
from vton_ui.ui.page import Page
from vton_ui.ui.page_input import PageValues
from vton_ui.ui.render import Updates

LONGEST_PATH = 1024
LONGEST_TEXT = 4000


@dataclass(frozen=True, kw_only=True, eq=False)
class Form:
    """Keeps and restores the page of one browser.

    Attributes:
        browser: Whose page it is. What one browser keeps is worthless in another.
    """

    page: Page
    studio: Studio
    browser: str

    def kept(self, values: PageValues) -> State:
        """What the browser is to keep of what stands on the page."""
        person, garments = values[self.page.person], values[self.page.garments] or []
        kept = {
            "person": person if person and len(person) <= LONGEST_PATH else None,
            "garments": [replace(garment, url="", view=None).as_json() for garment in garments],
            "choices": {
                name: values[component]
                for name, component in self.page.choices.items()
                if values[component] not in (component.value, None, "") and _fits(component, values[component])
            },
        }
        return str(self._signer.dumps(kept)) if any(kept.values()) else NO_MEMORY

    def restored(self, state: Any) -> Updates:
        """What a page that was just loaded is filled with; nothing where nothing was kept.

        The photos are checked as those on a page are. What is gone is said.
        """
        kept = self._read(state)
        if not kept:
            return {}
        person, gone = kept.get("person"), list[str]()
        if person and not self._is_there(person):
            person, gone = None, ["the person"]
        garments = list[Garment]()
        for garment in read(kept.get("garments")):
            if self._is_there(garment.path):
                garments.append(garment)
            else:
                gone.append(garment.name)
        choices = kept.get("choices", {})
        known = {name: choices[name] for name, part in self.page.choices.items() if _fits(part, choices.get(name))}
        return {
            self.page.restored: json.dumps({"person": _file(person) if person else None, **known}),
            **({self.page.garments: joining(garments)} if garments else {}),
            **({self.page.failure: markup.notice(markup.gone(gone))} if gone else {}),
        }

    @property
    def emptied(self) -> Updates:
        """The page without photos, with its model and options as they were at first, and nothing kept of it."""
        choices = {part: "" if part.value is None else part.value for part in self.page.choices.values()}
        return {**choices, self.page.person: None, self.page.garments: [], self.page.form: NO_MEMORY}

    def _is_there(self, path: str) -> bool:
        return still_there(path, self.browser, self.studio) is not None

    def _read(self, state: Any) -> Mapping[str, Any]:
        try:
            return dict(self._signer.loads(state)) if isinstance(state, str) else {}
        except (BadData, TypeError, ValueError):
            return {}

    @property
    def _signer(self) -> URLSafeSerializer:
        return URLSafeSerializer(self.studio.secret, salt=f"form of {self.browser}")


def _fits(component: Component, value: Any) -> bool:
    """Whether a component can hold a value: another version of the app may have offered others."""
    if isinstance(component, (gr.Radio, gr.Dropdown)):
        return value in [known for _, known in component.choices]
    if isinstance(component, gr.Slider):
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return is_number and component.minimum <= value <= component.maximum
    if isinstance(component, gr.Checkbox):
        return isinstance(value, bool)
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def _file(path: str) -> dict[str, Any]:
    """A file as Gradio's page holds it; its address is relative to the page."""
    address = file_address("", path).lstrip("/")
    return {"path": path, "url": address, "orig_name": Path(path).name, "meta": {"_type": "gradio.FileData"}}
