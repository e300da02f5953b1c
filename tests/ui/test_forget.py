"""*Forget everything* where others have the same photo: the file goes only with its last owner."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.client import META, Client, on_rail
from tests.conftest import begin_anew, photo_bytes, serving
from tests.fake_fal.server import TEST_KEY, FakeFal
from vton_ui.settings import Settings

pytestmark = pytest.mark.slow

HEIGHTS = count(400)
EXAMPLE = (Path(__file__).parents[2] / "assets" / "garments" / "tee.jpg").read_bytes()


@pytest.fixture
def fal(lasting_fal: FakeFal) -> Iterator[FakeFal]:
    yield from begin_anew(lasting_fal)


@pytest.fixture(scope="module")
def server(lasting_fal: FakeFal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose owner pays."""
    data = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(data / "uploads"))
        with serving(Settings(fal_key=TEST_KEY, data_dir=data, fal_api_url=lasting_fal.api_url)) as url:
            yield url


@pytest.fixture
def url(server: str, fal: FakeFal) -> str:
    return server


@pytest.fixture
def jpeg() -> bytes:
    """A photo that nobody has uploaded in another test."""
    return photo_bytes(400, next(HEIGHTS))


def shown(client: Client, photo: Any) -> str:
    """What the page's button says with a photo in both slots."""
    return str(client.event("refresh", person=photo, garments=[on_rail(photo)])["try_on"]["value"])


def tried_on(client: Client, photo: Any) -> bool:
    return "Done" in str(client.event("try_on_1", person=photo, garments=[on_rail(photo)])["status"])


def test_a_photo_that_two_have(jpeg: bytes, url: str) -> None:
    """One forgets it: the other still sees it and tries it on, and the first has to upload it again."""
    one, other = Client(url), Client(url)
    photo, same = one.upload(jpeg, "tee.jpg"), other.upload(jpeg, "tee.jpg")
    assert photo == same
    assert shown(one, photo).startswith("Try on")
    one.event("forget")
    assert other.file_status(photo) == 200
    assert tried_on(other, photo)
    assert shown(one, photo) == "Not ready yet"
    one.upload(jpeg, "tee.jpg")
    assert shown(one, photo).startswith("Try on")


def test_an_upload_that_is_not_shown_yet(jpeg: bytes, url: str) -> None:
    """An upload counts before it is used."""
    one, other = Client(url), Client(url)
    photo = one.upload(jpeg)
    shown(one, photo)
    other.upload(jpeg)
    one.event("forget")
    assert tried_on(other, photo)


def test_a_photo_that_one_has(url: str) -> None:
    """An upload is deleted at once, also one that was never on the page, or was in another client."""
    one, other = Client(url), Client(url)
    photos = [one.upload(photo_bytes(300, 300 + number)) for number in range(3)]
    theirs = other.upload(photo_bytes(300, 299))
    shown(one, photos[0])
    one.event("forget")
    assert [one.file_status(photo) for photo in photos] == [403] * 3
    assert other.file_status(theirs) == 200


def test_the_last_one_deletes_it(jpeg: bytes, url: str) -> None:
    """When all have forgotten it, it is gone."""
    clients = [Client(url) for _ in range(3)]
    for client in clients:
        photo = client.upload(jpeg)
    for client in clients:
        assert client.file_status(photo) == 200
        client.event("forget")
    assert clients[0].file_status(photo) == 403


@pytest.mark.parametrize("endpoint", ["try_on", "estimate", "compose"])
def test_a_script_has_it_too(endpoint: str, jpeg: bytes, url: str) -> None:
    """A photo that a script uses stays, however it was uploaded."""
    browser, script = Client(url), Client(url, cookies=False)
    photo = browser.upload(jpeg)
    shown(browser, photo)
    arguments: dict[str, Any] = {"garments": [photo], **({} if endpoint == "compose" else {"person": photo})}
    assert "event: complete" in script.call_text(endpoint, **arguments)
    browser.event("forget")
    assert "event: complete" in script.call_text(endpoint, **arguments)


def test_examples(url: str) -> None:
    """An example that somebody forgets stays for everybody, as do its copies."""
    one, other = Client(url), Client(url)
    person = one.event("example_person", people=2)["person"]
    garments = one.event("example_garment", clothes=3)["garments"]["props"]["added"]
    uploaded = one.upload(EXAMPLE, "tee.jpg")
    slots = {"person": {"path": person["path"], "meta": META}, "garments": [on_rail(uploaded), *garments]}
    one.event("refresh", **slots)
    one.event("forget")
    assert other.file_status(person) == other.file_status(uploaded) == other.file_status(garments[0]) == 200
    assert "Done" in str(one.event("try_on_1", **slots)["status"])
