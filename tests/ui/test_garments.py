"""What the rail of garments sends is whatever somebody sends."""

from __future__ import annotations

import json
import math
from typing import Any

import gradio as gr
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vton_ui.models import CAT_VTON, FLUX_VTO
from vton_ui.ui.components.garment_rail import GarmentRail
from vton_ui.ui.components.garments import (
    MAX_READ,
    MIN_CROP,
    Garment,
    Preview,
    kinds,
    new,
    proposed_order,
    read,
    shown,
    tidied,
)

SENT = {
    "id": "a1",
    "path": "/tmp/up/tee.jpg",
    "url": "http://x/gradio_api/file=/tmp/up/tee.jpg",
    "name": "Striped tee",
    "kind": "upper",
    "guessed": False,
    "crop": [0.1, 0, 0.5, 1],
    "cut_out": True,
    "view": "/gradio_api/file=/tmp/up/view.png",
    "placed": True,
}
READ = Garment(
    id="a1",
    path="/tmp/up/tee.jpg",
    url="http://x/gradio_api/file=/tmp/up/tee.jpg",
    name="Striped tee",
    kind="upper",
    guessed=False,
    crop=(0.1, 0.0, 0.5, 1.0),
    cut_out=True,
    view="/gradio_api/file=/tmp/up/view.png",
    placed=True,
)


def one(**fields: Any) -> Garment:
    """What is read of one garment with these fields."""
    (garment,) = read([{**SENT, **fields}])
    return garment


def test_read() -> None:
    """What the rail sends is read as it was sent, and what it does not know is dropped."""
    assert read([{**SENT, "color": "red", "__proto__": {}}]) == [READ]


def test_there_and_back() -> None:
    """A garment that goes to the browser and comes back is the same."""
    assert read(json.loads(json.dumps([READ.as_json()]))) == [READ]


@pytest.mark.parametrize("value", [None, "", "[]", 7, {}, SENT, [None, 3, [], "x", {}], [[SENT]]], ids=repr)
def test_no_garments(value: Any) -> None:
    """What holds no garment is no garment, and nothing is raised."""
    assert read(value) == []


@pytest.mark.parametrize("identity", [None, 3, "", "a b", "../x", "x" * 33, "é", "a\n", ["a"]], ids=repr)
def test_ids(identity: Any) -> None:
    """A garment without a plain short id is left out."""
    assert read([{**SENT, "id": identity}]) == []


@pytest.mark.parametrize("path", [None, 3, "", "a\0b", "a\nb", "/x" * 600, ["/a"], {"path": "/a"}], ids=repr)
def test_paths(path: Any) -> None:
    """A garment without a path that can be one is left out; whose file it is, is not looked at here."""
    assert read([{**SENT, "path": path}]) == []


def test_too_many() -> None:
    """No more garments are read than anybody needs, and none twice."""
    many = [{**SENT, "id": f"g{number}"} for number in range(10_000)]
    assert [garment.id for garment in read(many)] == [f"g{number}" for number in range(MAX_READ)]
    assert read([SENT, {**SENT, "name": "Again"}]) == [READ]


@pytest.mark.parametrize(
    "crop",
    [
        None,
        "0,0,1,1",
        [0, 0, 1],
        [0, 0, 1, 1],
        [0.5, 0.1, 0.5, 0.9],
        [0.9, 0.1, 0.5, 0.9],
        [-0.1, 0, 0.5, 0.5],
        [0, 0, 1.2, 0.5],
        [0, 0, math.nan, 0.5],
        [0, 0, math.inf, 0.5],
        [0, 0, 10**400, 0.5],
        [0, 0, MIN_CROP / 2, 0.5],
        [False, False, 0.5, 0.5],
        ["0", "0", "0.5", "0.5"],
        [[0], 0, 0.5, 0.5],
    ],
    ids=lambda crop: repr(crop)[:40],
)
def test_crops(crop: Any) -> None:
    """What is no box inside the picture, is tiny, or is all of it, is no crop."""
    assert one(crop=crop).crop is None


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "//evil.example/x",
        "\\\\evil\\x",
        "http://x/a b",
        "/a\nb",
        "/" + "x" * 3000,
        "",
        None,
        7,
        {"url": "/x"},
    ],
    ids=lambda address: repr(address)[:30],
)
def test_addresses(address: Any) -> None:
    """What a browser would take for anything but a file is no address."""
    garment = one(url=address, view=address)
    assert garment.url == ""
    assert garment.view is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("  A \n tee\t", "A tee"),
        ("x" * 500, "x" * 80),
        ("", "Garment"),
        ("\u202egpj.exe\x00", "gpj.exe"),
        (None, "Garment"),
        ({"a": 1}, "Garment"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
    ],
    ids=lambda name: repr(name)[:30],
)
def test_names(name: Any, expected: str) -> None:
    """A name is one printable line of text; what it holds is for whoever shows it to escape."""
    assert one(name=name).name == expected


@pytest.mark.parametrize("kind", ["", "a hat", "UPPER", "x" * 33, 3, ["upper"], {"upper": 1}], ids=repr)
def test_what_is_no_kind(kind: Any) -> None:
    """What cannot be a kind is none, and open to a guess."""
    garment = one(kind=kind, guessed=False)
    assert garment.kind is None
    assert garment.guessed


@pytest.mark.parametrize("flag", [1, "true", [True], None], ids=repr)
def test_flags(flag: Any) -> None:
    """Only true is true."""
    garment = one(cut_out=flag, placed=flag)
    assert not garment.cut_out
    assert not garment.placed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(sorted(SENT)) | st.text(), inner),
    max_leaves=30,
)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.fixed_dictionaries({}, optional={name: JSON | st.just(SENT[name]) for name in SENT})) | JSON)
def test_anything(value: Any) -> None:
    """Whatever is sent, nothing is raised, and what is read keeps to its bounds."""
    for garment in read(value):
        assert 0 < len(garment.name) <= 80
        assert garment.name.isprintable()
        assert garment.kind is None or 0 < len(garment.kind) <= 32
        if garment.crop:
            left, top, right, bottom = garment.crop
            assert 0 <= left < right <= 1
            assert 0 <= top < bottom <= 1


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("striped_tee-2.jpg", "Striped tee 2"),
        ("/tmp/uploads/abc/Blue Jacket.final.png", "Blue Jacket final"),
        ("C:\\photos\\coat.webp", "Coat"),
        ("IMG_20240131_120000.jpg", "Garment"),
        ("photo.jpg", "Garment"),
        ("DSC00012.JPG", "Garment"),
        ("", "Garment"),
        ("photogram.jpg", "Photogram"),
        ("ärmel.jpg", "Ärmel"),
    ],
)
def test_tidied(filename: str, expected: str) -> None:
    """A garment is called what its file is called, unless a camera named it."""
    assert tidied(filename) == expected


def named(*kinds: str | None, placed: bool = False) -> list[Garment]:
    return [
        Garment(id=f"g{number}", path="/x", name=kind or "none", kind=kind, placed=placed)
        for number, kind in enumerate(kinds)
    ]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["outer", "upper", "lower", "inner"], ["inner", "lower", "upper", "outer"]),
        (["upper", "lower"], ["lower", "upper"]),
        (["outer", "overall"], ["overall", "outer"]),
        (["outer", None, "lower"], ["lower", "none", "outer"]),
        (["outer", "hat", "lower"], ["lower", "hat", "outer"]),
        ([], []),
    ],
    ids=repr,
)
def test_order(kinds: list[str | None], expected: list[str]) -> None:
    """Under before over, lower before upper."""
    assert [garment.name for garment in proposed_order(named(*kinds))] == expected


def test_order_is_steady() -> None:
    """Two of a kind stay in the order they came in."""
    garments = named("upper", "lower", "upper")
    assert [garment.id for garment in proposed_order(garments)] == ["g1", "g0", "g2"]


def test_the_visitors_order() -> None:
    """Once one was moved by hand, nothing is proposed any more."""
    garments = [*named("upper", "lower"), *named("inner", placed=True)]
    assert proposed_order(garments) == garments


def test_kinds() -> None:
    """What a garment can be is what the model's own option says; a model without one does not ask."""
    assert kinds([CAT_VTON]) == kinds([FLUX_VTO, CAT_VTON])
    assert dict(kinds([CAT_VTON]))["inner"] == "Under a jacket"
    assert kinds([FLUX_VTO]) == []


def test_new() -> None:
    """An example has a name and an id of its own; its kind is no guess where it is known."""
    first, second = new("/x/striped_tee.jpg"), new("/x/a.jpg", name="Coat", kind="outer")
    assert first.id != second.id
    assert (first.name, first.kind, first.guessed) == ("Striped tee", None, True)
    assert (second.name, second.kind, second.guessed) == ("Coat", "outer", False)
    assert read([first.as_json(), second.as_json()]) == [first, second]


def test_component() -> None:
    """Handlers get garments and give garments."""
    rail = GarmentRail(render=False, kinds=kinds([CAT_VTON]), max_garments=99)
    assert rail.preprocess([SENT, "junk"]) == [READ]
    assert rail.postprocess([READ]) == [READ.as_json()]
    assert rail.postprocess(None) == []
    assert rail.get_config()["props"]["max_garments"] == MAX_READ


def test_update() -> None:
    """Gradio takes an update for all of the rail's own properties."""
    with gr.Blocks():
        rail = GarmentRail(kinds=kinds([CAT_VTON]))
    made = Preview(id="a1", crop=READ.crop, cut_out=True, kind="upper", path="/x/view.png")
    update = shown([made], ["a1"])
    kwargs = {**rail.constructor_args, **{name: update[name] for name in ("previews", "order")}, "render": False}
    again = GarmentRail(**kwargs)
    told = gr.blocks.postprocess_update_dict(again, {name: update[name] for name in ("previews", "order")})
    assert told["props"] == {"previews": [made.as_json()], "order": ["a1"]}
    assert json.loads(json.dumps(told)) == told
