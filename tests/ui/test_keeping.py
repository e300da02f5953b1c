"""Looks to take away, compared, and used again: the handlers, with looks kept as the app keeps them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import gradio as gr
import pytest
from PIL import Image

import app
from tests.conftest import photo_bytes
from vton_ui.models import FLUX_VTO
from vton_ui.models.spec import Answer, Value
from vton_ui.quota import FreeWork
from vton_ui.settings import Settings
from vton_ui.studio import Studio
from vton_ui.tryon import look_source
from vton_ui.tryon.changed import kept_change
from vton_ui.tryon.events import Done
from vton_ui.tryon.look_source import LookSource, Worn, keep_source, source_of
from vton_ui.tryon.results import Result, keep
from vton_ui.ui.components.actions import Action
from vton_ui.ui.components.garments import Garment
from vton_ui.ui.keeping import Keeping
from vton_ui.ui.look import Look, Step
from vton_ui.ui.memory import NO_MEMORY
from vton_ui.ui.page import Page, lay_out
from vton_ui.ui.reuse import Reuse
from vton_ui.ui.tab import Tabs
from vton_ui.ui.web.kept import kept_address, kept_picture

pytestmark = pytest.mark.slow

BROWSER = "a" * 32
OTHER = "b" * 32
FLUX_VALUES: dict[str, Value] = {
    "description": "the loose tee",
    "full_size": True,
    "prompt": "",
    "num_inference_steps": 3,
    "seed": 7,
    "output_format": "png",
    "sync_mode": False,
}


def request_of(browser: str = BROWSER) -> gr.Request:
    """A request of this browser's page."""
    headers = {"cookie": f"vton-browser={browser}", "x-vton-visitor": "address 1"}
    return gr.Request(headers=headers, session_hash="session")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of uploads."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    (tmp_path / "uploads").mkdir()
    return tmp_path / "uploads"


class Shop:
    """A studio, its page, and what one browser has kept there."""

    def __init__(self, data: Path, uploads: Path) -> None:
        self.studio: Studio = app.open_studio(Settings(data_dir=data))
        self.uploads = uploads
        with gr.Blocks():
            self.page: Page = lay_out(self.studio)
        self.tabs = Tabs(page=self.page, studio=self.studio)
        self.keeping, self.reuse = Keeping(tabs=self.tabs), Reuse(tabs=self.tabs)
        self.board = self.tabs.boards.of(f"browser {BROWSER}", "session")
        self.board.is_filled = True

    def limit(self, free: int) -> None:
        """From here on a visitor gets so much free work a minute."""
        self.tabs = replace(self.tabs, studio=replace(self.studio, free=FreeWork(free)))
        self.keeping = Keeping(tabs=self.tabs)

    def file(self, updates: dict[Any, Any]) -> Path:
        """The file that the strip is told to save."""
        assert updates[self.page.failure] == ""
        return Path(unquote(json.loads(updates[self.page.looks])["file"]).partition("file=")[2].partition("#")[0])

    def upload(self, name: str, data: bytes | None = None) -> Path:
        path = self.uploads / name / f"{name}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data or photo_bytes(300, 400))
        return path

    def look(self, name: str, *, photo: Path, garments: Sequence[str] = ("tee",), **facts: Value) -> Result:
        """Keep a look for the browser."""
        known: dict[str, Value] = {
            "model": "flux-vto",
            "endpoint": "fal-ai/flux-pro/v1/vto",
            "request_id": f"request-{name}",
            "seed": 42,
            "seconds": 1.5,
            "cost_usd": "0.0475",
            "prompt": "A person in a tee.",
            "sandbox": False,
            **facts,
        }
        result = keep(photo_bytes(300, 400), Answer(url="u"), known, None, self.studio.store)
        source = LookSource(
            photo=photo,
            garments=tuple(Worn(path=self.upload(each), name=each, cloth_type="lower") for each in garments),
            model=str(known["model"]),
            values=FLUX_VALUES,
            private=True,
            layout="row",
        )
        keep_source(source, result.path)
        step = Step(item="1", model=FLUX_VTO, last=Done(result=result))
        self.board.kept[name] = Look(id=name, label="", steps=(step,))
        return result

    def result(self, name: str) -> Result:
        result = self.board.kept[name].result
        assert result
        return result

    def does(self, handler: Callable[..., Any], *ids: str, browser: str = BROWSER) -> dict[Any, Any]:
        """What an action changes on the page."""
        updates: dict[Any, Any] = asyncio.run(
            handler({self.page.memory: NO_MEMORY}, Action(name=handler.__name__, ids=ids), request_of(browser))
        )
        return updates

    def compares(self) -> dict[Any, Any]:
        """What comparing changes on the page; every part of it is told, and may be left as it is."""
        updates: dict[Any, Any] = asyncio.run(self.keeping.compare({self.page.memory: NO_MEMORY}, request_of()))
        assert list(updates) == self.keeping.shown
        return {part: value for part, value in updates.items() if value != gr.skip()}


@pytest.fixture
def shop(tmp_path: Path, folder: Path) -> Shop:
    """A studio where the browser has kept two looks of one photo."""
    shop = Shop(tmp_path / "data", folder)
    photo = shop.upload("me")
    shop.look("one", photo=photo, garments=("tee", "skirt"))
    shop.look("two", photo=photo, seed=43)
    return shop


# Taken away


def test_zip(shop: Shop) -> None:
    """The chosen looks in the order of the choice, with their table, in the folder of uploads."""
    path = shop.file(shop.does(shop.keeping.download_chosen, "two", "one"))
    assert path.name == "looks.zip"
    assert path.is_relative_to(shop.uploads)
    with zipfile.ZipFile(path) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("looks.csv").decode("utf-8-sig"))))
        assert [archive.read(row["file"]) for row in rows] == [
            shop.result(name).path.read_bytes() for name in ("two", "one")
        ]
    assert [(row["seed"], row["garments"]) for row in rows] == [("43", "tee"), ("42", "tee + skirt")]
    assert rows[0]["model"] == "FLUX Virtual Try-On"


def test_file_is_deleted_with_the_uploads(shop: Shop) -> None:
    """It belongs to the browser that asked for it, like its uploads."""
    path = shop.file(shop.does(shop.keeping.download_chosen, "one"))
    assert path in shop.studio.session_uploads.paths(f"browser {BROWSER}")


def test_one_file_for_each_browser(shop: Shop) -> None:
    """The same again is the same file; another takes the place of the one before, so that files cannot pile up."""
    updates, again = (shop.does(shop.keeping.download_chosen, "one") for _ in range(2))
    first = shop.file(updates)
    assert shop.file(again) == first
    # Under another address: the strip saves none twice by itself.
    assert json.loads(updates[shop.page.looks])["file"] != json.loads(again[shop.page.looks])["file"]
    second = shop.file(shop.does(shop.keeping.download_chosen, "one", "two"))
    assert second.is_file()
    assert not first.exists()


@pytest.mark.parametrize("handler", ["download_chosen", "contact_sheet", "use_settings", "put_garments_back"])
def test_looks_of_others(handler: str, shop: Shop) -> None:
    """A browser gets its own looks only, whatever ids it names."""
    found = getattr(shop.keeping, handler, None) or getattr(shop.reuse, handler)
    updates = shop.does(found, "one", browser=OTHER)
    assert list(updates) == [shop.page.failure]
    assert "no longer here" in updates[shop.page.failure]


def test_contact_sheet(shop: Shop) -> None:
    """The photo is on it, and with the photo gone it is smaller by one picture."""
    with_photo = Image.open(shop.file(shop.does(shop.keeping.contact_sheet, "one", "two")))
    assert with_photo.format == "JPEG"
    (shop.uploads / "me" / "me.jpg").unlink()
    shop.keeping.offers.clear()
    without = Image.open(shop.file(shop.does(shop.keeping.contact_sheet, "one", "two")))
    assert without.width < with_photo.width


def test_contact_sheet_of_two_photos(shop: Shop) -> None:
    """It has one photo, so that looks of two are refused in words."""
    shop.look("three", photo=shop.upload("you", photo_bytes(320, 400)))
    updates = shop.does(shop.keeping.contact_sheet, "one", "three")
    assert "Choose looks of one photo" in updates[shop.page.failure]


def test_files_count_as_free_work(shop: Shop) -> None:
    """A script cannot have this server pack files all day."""
    shop.limit(1)
    assert shop.file(shop.does(shop.keeping.download_chosen, "one")).is_file()
    assert "Wait" in shop.does(shop.keeping.download_chosen, "two")[shop.page.failure]


# Compared


def test_compare(shop: Shop) -> None:
    """Every look is compared once, and the strip shows it; later there is nothing to do."""
    strip = json.loads(shop.compares()[shop.page.looks])
    for tile in strip["tiles"]:
        overlay = kept_change(shop.result(tile["id"]).path)
        assert overlay
        assert tile["changed"]["share_outside"] == overlay.share_outside
        served = kept_picture(tile["changed"]["overlay"].partition("file=")[2], shop.studio.store)
        assert served == overlay.overlay.resolve()
    assert len(strip["tiles"]) == 2
    assert not shop.compares()


def test_compare_without_the_photo(shop: Shop) -> None:
    """Where the photo is gone, or was forgotten, the look stays without."""
    shop.studio.session_uploads.add(f"browser {BROWSER}", [shop.uploads / "me" / "me.jpg"])
    shop.studio.session_uploads.forget(f"browser {BROWSER}", keep=[])
    assert not shop.compares()
    assert kept_change(shop.result("one").path) is None


def test_compare_counts_as_free_work(shop: Shop) -> None:
    """Beyond the limit the rest is left for another time."""
    shop.limit(1)
    assert shop.compares()
    assert [kept_change(shop.result(name).path) is not None for name in ("one", "two")] == [True, False]


def test_source_outside_the_uploads(shop: Shop, tmp_path: Path) -> None:
    """What was written beside a look opens no other file of the server."""
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(photo_bytes(300, 400))
    shop.look("three", photo=secret)
    shop.compares()
    assert kept_change(shop.result("three").path) is None


def test_only_pictures_are_served(shop: Shop) -> None:
    """What else lies beside a look tells the server's paths."""
    path = shop.result("one").path
    shop.compares()
    for beside in path.parent.iterdir():
        address = kept_address(beside).partition("file=")[2]
        assert (kept_picture(address, shop.studio.store) is None) == (beside.name == look_source.FILE)


# Used again


def test_use_settings(shop: Shop) -> None:
    """Model, options, seed and garments are on the page as the look had them; one look, worn together."""
    updates = shop.does(shop.reuse.use_settings, "one")
    page, options = shop.page, shop.page.options["flux-vto"]
    assert (updates[page.model], updates[page.wear], updates[page.pictures]) == ("flux-vto", "together", 1)
    assert updates[options["seed"]] == "42"
    assert updates[options["num_inference_steps"]] == 3
    assert updates[options["description"]] == "the loose tee"
    assert (updates[page.private], updates[page.layout]) == (True, "row")
    assert [(garment.name, garment.kind) for garment in updates[page.garments]] == [
        ("tee", "lower"),
        ("skirt", "lower"),
    ]
    assert updates[page.failure] == ""
    assert page.person not in updates


def test_use_settings_of_an_unknown_source(shop: Shop) -> None:
    """Of a look found by its id there is what the picture itself says."""
    shop.result("one").path.with_name(look_source.FILE).unlink()
    updates = shop.does(shop.reuse.use_settings, "one")
    options = shop.page.options["flux-vto"]
    assert updates[options["seed"]] == "42"
    assert updates[options["prompt"]] == "A person in a tee."
    assert options["description"] not in updates
    assert "not known any more" in updates[shop.page.failure]


def test_use_settings_of_a_model_that_is_gone(shop: Shop) -> None:
    """A look of a model that this server had once."""
    shop.look("three", photo=shop.upload("me"), model="old-vto")
    assert "not offered" in shop.does(shop.reuse.use_settings, "three")[shop.page.failure]


def test_put_garments_back(shop: Shop) -> None:
    """The garments alone are put back; those that are gone are named."""
    (shop.uploads / "tee" / "tee.jpg").unlink()
    updates = shop.does(shop.reuse.put_garments_back, "one")
    assert updates.keys() == {shop.page.garments, shop.page.failure}
    garments: list[Garment] = updates[shop.page.garments]
    assert [garment.path for garment in garments] == [str(shop.uploads / "skirt" / "skirt.jpg")]
    assert "No longer here: tee" in updates[shop.page.failure]


def test_use_as_person(shop: Shop) -> None:
    """The look's own file, as an upload of this browser."""
    path = Path(shop.does(shop.reuse.use_as_person, "one")[shop.page.person])
    assert path.is_relative_to(shop.uploads)
    assert path.read_bytes() == shop.result("one").path.read_bytes()
    assert path in shop.studio.session_uploads.paths(f"browser {BROWSER}")


def test_names_are_escaped(shop: Shop) -> None:
    """A garment's name comes from the visitor."""
    path = shop.result("one").path
    source = source_of(path)
    assert source
    worn = replace(source.garments[0], path=Path("/gone"), name="<b>tee</b>")
    keep_source(replace(source, garments=(worn,)), path)
    words = shop.does(shop.reuse.put_garments_back, "one")[shop.page.failure]
    assert "&lt;b&gt;tee" in words


# What a look was made from


def test_damaged_source(shop: Shop) -> None:
    """Damaged or of another version, it is not known."""
    path = shop.result("one").path
    file = path.with_name(look_source.FILE)
    for text in ("{", "[]", json.dumps({"photo": "x"}), json.dumps({**json.loads(file.read_text()), "garments": 3})):
        file.write_text(text)
        assert source_of(path) is None
