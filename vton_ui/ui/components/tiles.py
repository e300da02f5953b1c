"""What the browser is told of looks: plain JSON, drawn by tile.js and viewer.js."""

from __future__ import annotations

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
        cost: In words.
        again: What "Again with another seed" costs, in words.
        facts: What the viewer lists, in this order; seed and request id follow by themselves.
        offers: Buttons of a failed tile, as (action, words); without it, Retry, and "Go on from here" after a step.
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
    cost: str
    again: str
    seconds: float | None
    facts: list[tuple[str, str]]
    seed: int | None
    request_id: str | None
    error: Failure | None
    offers: list[tuple[str, str]]
    steps: list[Step]
    sandbox: bool
    changed: Changed | None


def value(tiles: Sequence[Tile], *, rest: str = "", file: str | None = None) -> dict[str, Any]:
    """The value of `looks.station` and `looks.strip`.

    Args:
        tiles: in the order in which they stand; the strip's, newest first.
        rest: the words on the button that orders what is not ordered yet ("Order the rest · $0.19").
        file: the address of a file that was asked for and is ready; the strip saves it, once.
    """
    # A visitor's clock may be wrong; from this one the browser knows by how much.
    return {"tiles": list(tiles), "rest": rest, "file": file, "now": time.time()}
