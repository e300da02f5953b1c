"""What the browser is told of looks: plain JSON, drawn by tile.js and viewer.js."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any, Literal, TypedDict

State = Literal["planned", "waiting", "working", "done", "failed", "cancelled", "not_ordered"]


class Step(TypedDict):
    """One garment of an outfit that is put on step by step; `url` is its picture, once there is one."""

    label: str
    state: State
    url: str | None


class Failure(TypedDict):
    """Why a look failed, what to do, and what it cost."""

    cause: str
    cure: str
    cost: str


class Changed(TypedDict):
    """How much of the photo changed outside the middle of the body, from 0 to 1, and a picture that marks where."""

    share_outside: float
    overlay: str | None


class Tile(TypedDict, total=False):
    """One look, whatever its state. All but `id`, `state` and `title` may be missing.

    Attributes:
        id: As `actions.read_action` takes it: letters, digits and ._:- only, at most 64.
        title: The model.
        label: The garment, or "all together".
        words: What is going on, without seconds: "Running, step 2 of 4".
        started_at: Seconds since 1970; the browser counts from there.
        share: How far it is, from 0 to 1; None where nobody knows.
        url: The picture.
        before: The visitor's own photo.
        meanwhile: What a look under way shows, dimmed, in place of the photo.
        cost: In words.
        again: What "Again with another seed" costs, in words.
        facts: What the viewer lists, in this order; seed and request id follow by themselves.
        offers: Buttons of a tile without a picture that nothing is under way for, as (action, words).
        can: Of the viewer's actions, those that are possible.
        sandbox: Whether it is a draft.
    """

    id: str
    state: State
    title: str
    label: str
    words: str
    started_at: float | None
    share: float | None
    url: str | None
    before: str | None
    meanwhile: str | None
    cost: str
    again: str
    seconds: float | None
    facts: list[tuple[str, str]]
    seed: int | None
    request_id: str | None
    error: Failure | None
    offers: list[tuple[str, str]]
    can: list[str]
    steps: list[Step]
    sandbox: bool
    changed: Changed | None


def station_value(tiles: Sequence[Tile], *, rest: str = "") -> dict[str, Any]:
    """The value of `looks.station`: each tile as a text of its own, so that a step sends only the tiles that changed.

    There is no list in it: when lists inside lists get shorter, Gradio 6.31 (`utils.diff`) counts the places of what it
    deletes wrongly, and the page loses the wrong tile.

    Args:
        tiles: in the order in which they stand.
        rest: the words on the button that orders what is not ordered yet ("Order the rest · $0.19"); without them,
            there is none.
    """
    order = " ".join(tile["id"] for tile in tiles)
    # A visitor's clock may be wrong; from this one the browser knows by how much, and which of two values is newer.
    return {"order": order, "tiles": {tile["id"]: json.dumps(tile) for tile in tiles}, "rest": rest, "now": time.time()}


def strip_value(tiles: Sequence[Tile], *, file: str | None = None) -> str:
    """The value of `looks.strip`, as one text, so that a later step may leave it out (see `memory.State`).

    Args:
        tiles: newest first.
        file: the address of a file that was asked for and is ready; the strip saves it, once.
    """
    return json.dumps({"tiles": list(tiles), "file": file, "now": time.time()})
