"""What a browser may ask of looks."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pytest

from vton_ui.ui.components.actions import MAX_CHOSEN, OF_MANY, OF_ONE, Action, read_action


def event(data: Any) -> gr.EventData:
    return gr.EventData(None, data)


@pytest.mark.parametrize("name", sorted(OF_ONE))
def test_of_one(name: str) -> None:
    """An action on one look has its id, from an event as from a mapping."""
    for given in ({"id": "a-1.b:2_C", "action": name}, event({"id": "a-1.b:2_C", "action": name, "more": 1})):
        action = read_action(given)
        assert action == Action(name=name, ids=("a-1.b:2_C",))
        assert action.id == "a-1.b:2_C"


@pytest.mark.parametrize("name", sorted(OF_MANY))
def test_of_many(name: str) -> None:
    """An action on several has each id once, in order."""
    assert read_action(event({"id": ["b", "a", "b"], "action": name})) == Action(name=name, ids=("b", "a"))
    for wrong in ([], ["a"] * (MAX_CHOSEN + 1), ["a", ""], ["a", 1], "a", None, {"a": 1}):
        assert read_action(event({"id": wrong, "action": name})) is None


def test_of_all() -> None:
    """Ordering the rest names no look, whatever is sent along."""
    assert read_action(event({"id": None, "action": "order_rest"})) == Action(name="order_rest")
    assert read_action(event({"id": "../x", "action": "order_rest"})) == Action(name="order_rest")


WRONG_IDS: list[Any] = [
    "",
    " ",
    "a" * 65,
    "../etc",
    "a/b",
    "a b",
    "a\n",
    "-a",
    ".",
    "é",
    "a\0",
    "<b>",
    None,
    7,
    True,
    ["a"],
    {"a": 1},
]


@pytest.mark.parametrize("wrong", WRONG_IDS, ids=repr)
def test_wrong_id(wrong: Any) -> None:
    """An id that no look can have is no action."""
    assert read_action(event({"id": wrong, "action": "cancel"})) is None


WRONG: list[Any] = [None, "action id", 7, [], ["action", "id"], {}, {"action": "cancel"}, {"id": "a"}]
WRONG += [{"id": "a", "action": name} for name in ("", "Cancel", "delete", "__class__", None, 1, ["cancel"], {"x": 1})]


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_wrong_data(wrong: Any) -> None:
    """Whatever else a browser sends is no action, and no error."""
    assert read_action(event(wrong)) is None
    assert read_action(wrong) is None
