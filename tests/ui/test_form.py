"""What a browser keeps of its page over a reload: believed only with the signature of the server, and then checked."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from itsdangerous import URLSafeSerializer

import app
from tests.client import Client, on_rail
from tests.conftest import photo_bytes, serving
from vton_ui.settings import Settings
from vton_ui.ui.components.garments import Garment
from vton_ui.ui.form import LONGEST_TEXT, Form
from vton_ui.ui.memory import NO_MEMORY
from vton_ui.ui.page import lay_out

ONE, OTHER = "browser one", "browser two"
KEY = "visitor-id:visitor-secret"


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The page of one browser, and its uploads."""

    form: Form
    uploads: Path

    def photo(self, name: str) -> str:
        """An upload."""
        path = self.uploads / name / f"{name}.jpg"
        path.parent.mkdir(parents=True)
        path.write_bytes(photo_bytes(40, 40))
        return str(path.resolve())

    def values(self, **given: Any) -> dict[Any, Any]:
        """What stands on the page: as at first, but for what is given by name."""
        page = self.form.page
        values: dict[Any, Any] = {part: part.value for part in page.choices.values()}
        values |= {page.person: None, page.garments: [], page.fal_key: ""}
        others = {"person": page.person, "garments": page.garments, "fal_key": page.fal_key}
        return values | {{**page.choices, **others}[name]: value for name, value in given.items()}

    def back(self, state: Any) -> dict[str, Any]:
        """What the page is filled with, by name; the garments as the rail gets them."""
        page, filled = self.form.page, self.form.restored(state)
        garments = filled.get(page.garments, {"added": []})["added"]
        fixed = {"garments": garments, "said": filled.get(page.failure, "")}
        return {**json.loads(filled.get(page.restored, "{}")), **fixed}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    studio = app.open_studio(Settings(data_dir=tmp_path))
    with gr.Blocks():
        page = lay_out(studio)
    return Desk(form=Form(page=page, studio=studio, browser=ONE), uploads=tmp_path / "uploads")


def test_kept_and_back(desk: Desk) -> None:
    """Photos, model and options come back, with what was said of each garment; what is as at first needs no room."""
    person, tee = desk.photo("person"), desk.photo("tee")
    garment = Garment(id="g1", path=tee, name="Tee", kind="upper", guessed=False, crop=(0.1, 0, 1, 1), view="/x")
    choices = {"model": "cat-vton", "cat-vton.seed": "42", "flux-vto.full_size": True, "pictures": 3, "private": True}
    state = desk.form.kept(desk.values(person=person, garments=[garment], **choices))
    back = desk.back(state)
    assert back.pop("person")["path"] == person
    assert back.pop("garments") == [replace(garment, view=None).as_json()]
    assert back == {**choices, "said": ""}
    assert desk.form.kept(desk.values()) == NO_MEMORY
    assert desk.form.restored(NO_MEMORY) == {}


def test_the_key_is_not_kept(desk: Desk) -> None:
    """Not even for a moment."""
    state = desk.form.kept(desk.values(fal_key=KEY, private=True))
    assert "visitor" not in json.dumps(URLSafeSerializer(b"").loads_unsafe(state))


def test_forged(desk: Desk) -> None:
    """What another browser kept, what is signed with what browsers know, and what was changed fill nothing in."""
    state = desk.form.kept(desk.values(person=desk.photo("person")))
    _, data = URLSafeSerializer(b"").loads_unsafe(state)
    signed = [URLSafeSerializer(b"vton-ui", salt=f"form of {ONE}").dumps(data), f"{state[:-2]}AA", data, [], None, 7]
    assert all(desk.form.restored(forged) == {} for forged in signed)
    assert replace(desk.form, browser=OTHER).restored(state) == {}


def test_gone_or_not_the_visitors(desk: Desk) -> None:
    """Of a file that is gone or forgotten, or that is no upload, only words come back."""
    gone, forgotten, there = (desk.photo(name) for name in ("gone", "forgotten", "there"))
    rail = [Garment(id=name, path=path, name=name.title()) for name, path in (("tee", forgotten), ("hat", there))]
    state = desk.form.kept(desk.values(person=gone, garments=rail))
    Path(gone).unlink()
    desk.form.studio.session_uploads.add_upload(ONE, [Path(forgotten)])
    desk.form.studio.session_uploads.forget(ONE, keep=[])
    back = desk.back(state)
    assert back["person"] is None
    assert [garment["name"] for garment in back["garments"]] == ["Hat"]
    assert "No longer here: the person, Tee." in back["said"]
    state = desk.form.kept(desk.values(person="/etc/hostname"))
    assert desk.back(state)["person"] is None


def test_what_fits_no_more(desk: Desk) -> None:
    """A value that this version of the page cannot hold is left out."""
    wrong = {
        "model": "old-model",
        "pictures": 9,
        "private": "yes",
        "flux-vto.num_inference_steps": 99,
        "flux-vto.prompt": "x" * (LONGEST_TEXT + 1),
        "old-model.seed": "1",
        "wear": ["each"],
    }
    state = desk.form._signer.dumps({"person": None, "garments": "none", "choices": {**wrong, "layout": "row"}})
    assert desk.back(state) == {"person": None, "layout": "row", "garments": [], "said": ""}
    assert desk.form.kept(desk.values(**{"flux-vto.prompt": "x" * (LONGEST_TEXT + 1)})) == NO_MEMORY


def test_over_http(tmp_path: Path) -> None:
    """A change is kept, a page that is loaded is filled, another browser's is not, and *Forget* forgets it."""
    with serving(Settings(data_dir=tmp_path)) as url:
        one, other = Client(url), Client(url)
        photo = one.upload(photo_bytes(300, 301))
        page = {"person": photo, "garments": [on_rail(photo)], "private": True}
        state = one.event("refresh", **page)["form"]
        back = one.event("arrive", form=state)
        assert json.loads(back["restored"])["person"]["path"] == photo["path"]
        assert json.loads(back["restored"])["private"] is True
        assert back["garments"]["props"]["added"][0]["path"] == photo["path"]
        assert "restored" not in other.event("arrive", form=state)
        forgotten = one.event("forget", **page)
        assert forgotten["form"] == NO_MEMORY
        assert (forgotten["person"], forgotten["garments"], forgotten["private"]) == (None, [], False)
        assert "No longer here" in str(one.event("arrive", form=state)["failure"])
