"""A request fetched again by its id, for free, over HTTP: its picture, or how it is going."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.client import Client
from tests.conftest import begin_anew, empty_ledger, photo_bytes, serving, until
from tests.fake_fal.schemas import model_error, platform_error
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.fast_timings import use_fast_timings
from vton_ui.money.ledger import LEDGER_FILE, Caps, Ledger
from vton_ui.settings import Settings

pytestmark = pytest.mark.slow

OWN_KEY = "visitor-id:visitor-secret"
WIDE = (600, 300)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def server(lasting_fal: FakeFal, data: Path) -> Iterator[str]:
    lasting_fal.keys.add(OWN_KEY)
    with serving(Settings(fal_key=TEST_KEY, data_dir=data, fal_api_url=lasting_fal.api_url)) as url:
        yield url


@pytest.fixture
def fal(lasting_fal: FakeFal) -> Iterator[FakeFal]:
    yield from begin_anew(lasting_fal)


@pytest.fixture
def url(fal: FakeFal, server: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A server that has kept nothing yet, and for which nobody has paid."""
    use_fast_timings(monkeypatch)
    empty_ledger(data)
    shutil.rmtree(data / "results", ignore_errors=True)
    return server


def order(client: Client, **more: Any) -> dict[str, Any]:
    given = {"person": client.upload(photo_bytes(*WIDE)), "garments": [client.upload(photo_bytes(300, 300))]}
    return {**given, "model": "cat-vton", **more}


def size_of(client: Client, picture: Any) -> tuple[int, int]:
    return Image.open(io.BytesIO(httpx.get(picture["url"], headers=client.headers).content)).size


def shape(size: tuple[int, int]) -> float:
    return size[0] / size[1]


@pytest.mark.parametrize("kept", [True, False], ids=["kept here", "only at fal"])
def test_done(fal: FakeFal, url: str, data: Path, kept: bool) -> None:
    """Another visitor gets the picture with the id, cut back to its photo, with its facts, and nothing is paid; one
    that is kept here is not asked for at fal."""
    first, second = Client(url), Client(url)
    picture, made = first.call("try_on", **order(first, seed=7))
    if not kept:
        shutil.rmtree(data / "results")
    fal.seen.clear()
    again, facts = second.call("result", request_id=made["request_id"])
    assert size_of(second, again) == size_of(first, picture) == (made["width"], made["height"])
    assert shape(size_of(second, again)) == pytest.approx(shape(WIDE), rel=0.01)
    ignored = {"seconds", "prompt", "status"}
    assert {name: facts[name] for name in made if name not in ignored} == {
        name: value for name, value in made.items() if name not in ignored
    }
    assert facts["status"] == "done"
    assert {seen.operation for seen in fal.seen} == (set() if kept else {"status", "result", "download"})
    assert (len(fal.jobs), fal.billed) == (1, 1)
    assert Ledger(data / LEDGER_FILE, Caps(), salt=b"").today().tries == 1


def test_course(fal: FakeFal, url: str) -> None:
    """A job that waits or runs is reported so at once, with what is known of it."""
    fal.queue_seconds, fal.run_seconds = 1.0, 60.0
    client = Client(url)
    event = client.join("try_on", **order(client, seed=7))
    until(lambda: len(fal.jobs) == 1)
    (request_id,) = fal.jobs
    until(lambda: fal.count("stream") > 0)
    picture, facts = client.call("result", request_id=request_id)
    assert picture is None
    assert (facts["status"], facts["request_id"], facts["model"]) == ("waiting", request_id, "cat-vton")
    assert (facts["seed"], facts["sandbox"], facts["endpoint"]) == (7, False, "fal-ai/cat-vton")
    until(lambda: fal.jobs[request_id].state == "IN_PROGRESS")
    assert client.call("result", request_id=request_id)[1]["status"] == "running"
    assert fal.count("submit") == 1
    client.cancel(event)


@pytest.mark.parametrize(
    ("failure", "words", "charged"),
    [
        (model_error("face_detection_error", "No face"), "no face", "may have charged"),
        (platform_error(503, "runner_disconnected", "gone"), "lost touch", "Nothing was charged"),
    ],
    ids=["422", "503"],
)
def test_failed(fal: FakeFal, url: str, failure: Any, words: str, charged: str) -> None:
    """A failed job is reported with its reason and its cost."""
    fal.next_error = failure
    client = Client(url)
    assert isinstance(client.call("try_on", **order(client)), str)
    picture, facts = client.call("result", request_id=next(iter(fal.jobs)))
    assert (picture, facts["status"]) == (None, "failed")
    assert words in facts["error"]
    assert charged in facts["charged"]


def test_unknown(fal: FakeFal, url: str) -> None:
    """An unknown id is looked up once with each model; a malformed one is refused."""
    client = Client(url)
    assert client.call("result", request_id="no-such-request") == [
        None,
        {"status": "unknown", "request_id": "no-such-request"},
    ]
    assert [seen.operation for seen in fal.seen] == ["status", "status"]
    for wrong in ("", "../../pricing", "a b", None, 7, ["x"], "x" * 101):
        assert "no request id" in client.call("result", request_id=wrong)
    assert fal.count("status") == 2


def test_ordered_elsewhere(fal: FakeFal, url: str, data: Path, tmp_path: Path) -> None:
    """A job of another server of the same owner is found, and not cut, since its frame is unknown here."""
    with serving(Settings(fal_key=TEST_KEY, data_dir=tmp_path / "other", fal_api_url=fal.api_url)) as other:
        away = Client(other)
        _, made = away.call("try_on", **order(away, seed=7))
    client = Client(url)
    picture, facts = client.call("result", request_id=made["request_id"])
    assert (facts["status"], facts["model"]) == ("done", "cat-vton")
    assert size_of(client, picture) == (768, 1024)


def test_own_key(fal: FakeFal, url: str, data: Path) -> None:
    """A job paid with a visitor's own key is looked up with that key only."""
    client, stranger = Client(url, headers={"x-fal-key": OWN_KEY}), Client(url)
    _, made = client.call("try_on", **order(client))
    shutil.rmtree(data / "results")
    fal.seen.clear()
    assert "key" in stranger.call("result", request_id=made["request_id"])
    assert fal.seen == []
    assert client.call("result", request_id=made["request_id"])[1]["status"] == "done"
    assert {str(seen.headers["Authorization"]) for seen in fal.seen if seen.operation == "status"} == {f"Key {OWN_KEY}"}
    # A caller with a key of their own still finds what the owner paid.
    _, paid = stranger.call("try_on", **order(stranger, seed=9))
    shutil.rmtree(data / "results")
    assert client.call("result", request_id=paid["request_id"])[1]["status"] == "done"


def test_fal_does_not_tell(fal: FakeFal, url: str, data: Path) -> None:
    """If fal gives no usable answer, the error says to ask again."""
    client = Client(url)
    _, made = client.call("try_on", **order(client))
    shutil.rmtree(data / "results")
    fal.fault("status", "status", code=500)
    assert "Ask again" in client.call("result", request_id=made["request_id"])
    assert client.call("result", request_id=made["request_id"])[1]["status"] == "done"


def test_found_in_another_browser(fal: FakeFal, url: str) -> None:
    """A result found by its id in another browser is cut back to its photo."""
    client, other = Client(url), Client(url)
    _, made = client.call("try_on", **order(client))
    event = other.join("find", find_id=made["request_id"])
    (last,) = [message for message in other.messages(event) if message["msg"] == "process_completed"]
    text = str(last)
    assert made["request_id"] in text
    assert f"{made['width']} × {made['height']}" in text


def test_drafts(fal: FakeFal, tmp_path: Path) -> None:
    """A draft is kept under its id like any other picture, without a request to fal."""
    with serving(Settings(data_dir=tmp_path / "free")) as url:
        client = Client(url)
        _, made = client.call("try_on", **order(client))
        picture, facts = client.call("result", request_id=made["request_id"])
        assert (facts["status"], facts["sandbox"]) == ("done", True)
        assert size_of(client, picture) == (made["width"], made["height"])
        assert client.call("result", request_id="draft-0")[1]["status"] == "unknown"
    assert fal.seen == []
