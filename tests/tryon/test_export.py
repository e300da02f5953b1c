"""Looks to take away: the ZIP, its table, and the contact sheet."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.conftest import photo_bytes
from vton_ui.models.spec import Answer, Value
from vton_ui.tryon.export import COLUMNS, Look, captions, contact_sheet_file, file_name, table, write_zip
from vton_ui.tryon.results import keep

Making = Callable[..., Look]
AI_MADE = b"compositeWithTrainedAlgorithmicMedia"


@pytest.fixture
def made(tmp_path: Path) -> Making:
    """A look that was kept as the app keeps it."""

    def making(
        picture: bytes | None = None,
        garments: tuple[str, ...] = ("striped tee",),
        model: str = "CatVTON",
        **facts: Value,
    ) -> Look:
        known: dict[str, Value] = {
            "model": "cat-vton",
            "endpoint": "fal-ai/cat-vton",
            "request_id": "abc-1",
            "seed": 7,
            "seconds": 1.5,
            "cost_usd": "0.0475",
            "prompt": None,
            "sandbox": False,
            **facts,
        }
        result = keep(picture or photo_bytes(300, 400), Answer(url="u"), known, None, tmp_path / "store")
        return Look(result=result, model=model, garments=garments)

    return making


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (300, 400), format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, format)
    return buffer.getvalue()


def rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


# The ZIP


def test_zip(made: Making, tmp_path: Path) -> None:
    """Every picture is in it byte for byte, under the name that the table gives it."""
    looks = [
        made(prompt='The "Été" tee,\nlong', garments=("striped tee", "olive trousers"), cost_usd=None),
        made(plain((9, 99, 9)), seed=8, request_id="abc-2"),
        made(sandbox=True, cost_usd="0"),
    ]
    write_zip(looks, tmp_path / "looks.zip")
    with zipfile.ZipFile(tmp_path / "looks.zip") as archive:
        assert archive.testzip() is None
        header, *rows = rows_of(archive.read("looks.csv"))
        assert tuple(header) == COLUMNS
        assert [*(row[0] for row in rows), "looks.csv"] == archive.namelist()
        for row, look in zip(rows, looks, strict=True):
            assert archive.read(row[0]) == look.result.path.read_bytes()
    assert rows == [
        ["01-cat-vton-striped-tee-olive-trousers-seed-7.jpg", "CatVTON", "7", 'The "Été" tee,\nlong', "", "abc-1",
         "striped tee + olive trousers"],
        ["02-cat-vton-striped-tee-seed-8.png", "CatVTON", "8", "", "0.0475", "abc-2", "striped tee"],
        ["03-cat-vton-striped-tee-seed-7.jpg", "CatVTON (sandbox draft)", "7", "", "0", "abc-1", "striped tee"],
    ]  # fmt: skip


def test_steps(made: Making) -> None:
    """What was made in several steps cost what all of them did, and has the ids of all."""
    first, second = made(request_id="abc-1"), made(request_id="abc-2", cost_usd="0.02")
    outfit = replace(second, earlier=(first.result,))
    assert captions(outfit, prices=True)[-1] == "seed 7 · $0.0675"
    assert outfit.request_ids == ["abc-1", "abc-2"]
    unknown = replace(second, earlier=(made(cost_usd=None).result,))
    assert unknown.cost_usd is None


def test_look_that_is_gone(made: Making, tmp_path: Path) -> None:
    """A look that was deleted meanwhile is told in the table, without a file; the others are there."""
    looks = [made(), made()]
    looks[0].result.path.unlink()
    write_zip(looks, tmp_path / "looks.zip")
    with zipfile.ZipFile(tmp_path / "looks.zip") as archive:
        names = [row[0] for row in rows_of(archive.read("looks.csv"))[1:]]
        assert names == ["", "02-cat-vton-striped-tee-seed-7.jpg"]
        assert archive.namelist() == [names[1], "looks.csv"]


@pytest.mark.parametrize(
    ("garments", "name"),
    [
        (("../../etc/passwd",), "03-cat-vton-etc-passwd-seed-7.jpg"),
        (("a/b\\c:d*e?.jpg",), "03-cat-vton-a-b-c-d-e-jpg-seed-7.jpg"),
        (("Été & Ñandú",), "03-cat-vton-été-ñandú-seed-7.jpg"),
        ((), "03-cat-vton-seed-7.jpg"),
        (("x" * 300,), f"03-cat-vton-{'x' * 51}-seed-7.jpg"),
    ],
)
def test_file_names(garments: tuple[str, ...], name: str, made: Making) -> None:
    """Whatever the visitor calls a garment, the file's name is one."""
    assert file_name(3, made(garments=garments)) == name


# The table


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "  '=1"),
        ("\t=1", "\t'=1"),
        ("a\n=1", "a\n'=1"),
        ("a;=cmd|' /C calc'!A0", "a;'=cmd|' /C calc'!A0"),
        ('a",=1', "a\",'=1"),
        ("＝1", "'＝1"),
        ("tee + coat", "tee + coat"),
        ("a well-cut coat = good", "a well-cut coat = good"),
        ("0.0475", "0.0475"),
        ("", ""),
    ],
)
def test_no_formulas(cell: str, expected: str) -> None:
    """What a spreadsheet would take for a formula is text, also where it expects semicolons or tabs."""
    assert rows_of(table([[cell]]))[1] == [expected]


@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\0")), min_size=7, max_size=7), max_size=4))
def test_table(rows: list[list[str]]) -> None:
    """Any text comes back as it was, but for apostrophes, and no cell begins as a formula does."""
    data = table(rows)
    assert data.startswith(b"\xef\xbb\xbf")
    read = rows_of(data)[1:]
    for before, after in zip(rows, read, strict=True):
        for cell, kept in zip(before, after, strict=True):
            assert kept.replace("'", "") == cell.encode("utf-8", "replace").decode().replace("'", "")
    for separator in ",;\t":
        text = data.decode("utf-8-sig")
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            assert not any(cell.lstrip(' \t"')[:1] in tuple("=+-@") for cell in row)


# The contact sheet


@pytest.mark.parametrize(
    ("facts", "garments", "lines", "priced"),
    [
        ({}, ("striped tee", "skirt"), ("Striped tee + skirt", "CatVTON", "seed 7"), "seed 7 · $0.0475"),
        ({"cost_usd": None}, (), ("Look", "CatVTON", "seed 7"), "seed 7 · price not published"),
        ({"sandbox": True, "cost_usd": "0"}, ("tee",), ("Tee", "CatVTON, draft", "seed 7"), "seed 7 · free"),
    ],
)
def test_captions(
    facts: dict[str, Value], garments: tuple[str, ...], lines: tuple[str, ...], priced: str, made: Making
) -> None:
    """What it shows, what made it, from which seed, and what it cost only if asked."""
    look = made(garments=garments, **facts)
    assert captions(look) == lines
    assert captions(look, prices=True) == (*lines[:2], priced)


@pytest.mark.parametrize(("drafts", "marked"), [((False,), True), ((True, False), True), ((True, True), False)])
def test_marks(drafts: tuple[bool, ...], marked: bool, made: Making) -> None:
    """The file says how its looks were made, tells no cost, and is marked as AI's if one of them is."""
    looks = [made(sandbox=draft, seed=seed) for seed, draft in enumerate(drafts)]
    data = contact_sheet_file(None, looks)
    assert (AI_MADE in data) == marked
    assert b"0475" not in data
    with Image.open(io.BytesIO(data)) as sheet:
        facts = json.loads(sheet.getexif()[0x010E])
        assert sheet.format == "JPEG"
    assert facts["seed"] == ", ".join(str(seed) for seed in range(len(drafts)))
    assert facts["model"] == "cat-vton"
    assert facts["sandbox"] is not marked
