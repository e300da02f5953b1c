"""Looks in every state, for the tests and for the eye."""

from __future__ import annotations

import time
from typing import Any

from tests.page.looks.stage import person
from vton_ui.ui.components.tiles import Step, Tile

FLUX, CATVTON = "FLUX VTO", "CatVTON"
REQUEST_ID = "2f5c1f0e-7f9b-4f2e-9a55-3f6f1d0c1a77"


def look(id: str, state: str, **more: Any) -> Tile:
    """One look of Ada's, in a state."""
    done: dict[str, Any] = {
        "url": person("marta"),
        "seconds": 8.1,
        "seed": 41822,
        "request_id": REQUEST_ID,
        "facts": [("Size", "960 × 1280 pixels"), ("Licence", "Commercial use")],
        "can": ["again", "use_settings", "use_as_person", "put_garments_back"],
    }
    plain: dict[str, Any] = {
        "id": id,
        "state": state,
        "title": FLUX,
        "label": "Striped tee",
        "before": person("ada"),
        "cost": "$0.0475",
    }
    return {**plain, **(done if state == "done" else {}), **more}  # type: ignore[typeddict-item]


def working(id: str, **more: Any) -> Tile:
    """One that runs."""
    values = {"words": "Running, step 2 of 4", "started_at": time.time() - 6, "share": 0.5, **more}
    return look(id, "working", **values)


def waiting(id: str, **more: Any) -> Tile:
    """One in line."""
    return look(
        id, "waiting", **{"words": "Waiting, 3rd in line", "started_at": time.time() - 4, "share": None, **more}
    )


def failed(id: str, **more: Any) -> Tile:
    """One that fal refused."""
    error = {
        "cause": "fal could not find a person in the photo.",
        "cure": "Take one that shows the whole body.",
        "cost": "Nothing was charged.",
    }
    return look(id, "failed", **{"error": error, "offers": [("retry", "Retry")], **more})


def two_done() -> list[Tile]:
    """Both models, side by side."""
    return [
        look("a", "done", label="all together", url=person("henrik")),
        look("b", "done", title=CATVTON, label="all together", cost="price not published", seconds=21.4),
    ]


def four() -> list[Tile]:
    """Four under way, each elsewhere."""
    return [
        look("a", "done", label="Denim jacket", url=person("kofi")),
        working("b"),
        waiting("c", label="Green dress"),
        failed("d", label="Wool coat"),
    ]


def outfit() -> list[Tile]:
    """An outfit whose second step failed, and one that is being put on."""
    steps: list[Step] = [
        {"label": "Trousers", "state": "done", "url": person("henrik")},
        {"label": "Shirt", "state": "failed", "url": None},
        {"label": "Coat", "state": "planned", "url": None},
    ]
    on_its_way = [steps[0], {**steps[1], "state": "working"}, steps[2]]
    return [
        failed(
            "a",
            title=CATVTON,
            label="all together",
            steps=steps,
            offers=[("go_on", "Go on from here"), ("retry", "Retry")],
        ),
        working("b", title=CATVTON, label="all together", steps=on_its_way, words="Shirt: running, step 2 of 4"),
    ]


def twelve() -> list[Tile]:
    """As many as a click may order."""
    people = ["kofi", "marta", "mei", "henrik"]
    states = ["done"] * 5 + ["working"] * 3 + ["waiting", "planned", "failed", "cancelled"]
    makers = {"working": working, "waiting": waiting, "failed": failed}
    tiles = []
    for place, state in enumerate(states):
        more: dict[str, Any] = {"label": f"Garment {place + 1}", "title": FLUX if place % 2 else CATVTON}
        if state == "done":
            more["url"] = person(people[place % 4])
        made = makers.get(state)
        tiles.append(made(f"t{place}", **more) if made else look(f"t{place}", state, **more))
    return tiles


def after_reload() -> list[Tile]:
    """Four that came back and two that were not ordered."""
    return [*four(), look("e", "not_ordered", label="Skirt"), look("f", "not_ordered", label="Jumper")]


def kept(count: int = 14) -> list[Tile]:
    """What a browser has kept, newest first, some compared with their photo."""
    people = ["kofi", "marta", "mei", "henrik", "ada"]
    tiles = []
    for place in range(count):
        share = [0.04, 0.31, 0.002, None, 0.12][place % 5]
        tiles.append(
            look(
                f"k{place}",
                "done",
                title=[FLUX, CATVTON][place % 2],
                url=person(people[place % 5]),
                sandbox=place % 3 == 0,
                changed=None if share is None else {"share_outside": share, "overlay": None},
            )
        )
    return tiles
