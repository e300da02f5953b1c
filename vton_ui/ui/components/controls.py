"""An option → its component, with everything on it taken from the option."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr
from gradio.components import Component
from typing_extensions import assert_never

from vton_ui.models.options import is_shown
from vton_ui.models.spec import Choice, Flag, ModelSpec, Number, Option, Text

RADIO_AT_MOST = 5
"""A choice of more than these is a dropdown."""
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "show_progress_on": []}
"""How the page calls the server: by no endpoint for scripts, and the page itself shows what happens.

With `show_progress_on` empty, Gradio 6.31 does not note each step of each call at each of its outputs, which is a tenth
of what the page computes, even where that progress is hidden.
"""


def control(option: Option, *, visible: bool, elem_id: str | None = None) -> Component:
    """The component for an option; unless another is given, its elem_id is `option-<name>`."""
    common: dict[str, Any] = {
        "label": option.label,
        "info": option.hint or None,
        "elem_id": elem_id or f"option-{option.name}",
        "visible": visible,
    }
    if isinstance(option, Choice):
        choices = [(label, value) for value, label in option.choices]
        if len(choices) <= RADIO_AT_MOST:
            return gr.Radio(choices, value=option.default, **common)
        return gr.Dropdown(choices, value=option.default, filterable=False, **common)
    if isinstance(option, Number):
        if option.default is None:
            # Not gr.Number, which turns an empty box into a 0 as soon as it is drawn.
            return gr.Textbox(
                placeholder=option.placeholder, max_lines=1, max_length=20, elem_classes="number", **common
            )
        return gr.Slider(option.minimum, option.maximum, value=option.default, step=option.step, **common)
    if isinstance(option, Text):
        return gr.Textbox(
            value=option.default,
            placeholder=option.placeholder,
            lines=option.lines,
            max_length=option.max_length,
            **common,
        )
    if isinstance(option, Flag):
        return gr.Checkbox(value=option.default, **common)
    assert_never(option)


def given(option: Option, value: Any) -> Any:
    """What a component holds, as its option wants it: a number's box holds text."""
    if isinstance(option, Number) and isinstance(value, str):
        try:
            return float(value) if value.strip() else None
        except ValueError:
            return value  # `options.check` tells what is wrong with it
    return value


def shown(option: Option, value: Any) -> Any:
    """The other way: what the option's component holds for this value."""
    if isinstance(option, Number) and option.default is None:
        return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return value


def controls(model: ModelSpec, *, expert: bool) -> dict[str, Component]:
    """The components of a model's plain or expert options, by option name, in the order of the model."""
    defaults = model.defaults()
    return {
        option.name: control(option, visible=is_shown(option, defaults))
        for option in model.options
        if option.expert == expert
    }


def link(model: ModelSpec, components: Mapping[str, Component]) -> None:
    """Show an option that depends on another only while it matters."""
    leaders = {option.only_if[0] for option in model.options if option.only_if}
    for leader in leaders:
        followers = [option for option in model.options if option.only_if and option.only_if[0] == leader]

        def update(value: Any, leader: str = leader, followers: list[Option] = followers) -> Any:
            updates = [gr.update(visible=is_shown(option, {leader: value})) for option in followers]
            return updates if len(updates) > 1 else updates[0]

        components[leader].change(  # type: ignore[attr-defined]
            update,
            components[leader],
            [components[option.name] for option in followers],
            queue=False,
            **PRIVATE,
        )
