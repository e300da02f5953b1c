"""What the page's buttons start, over HTTP as a browser sends it: whose money, whose job, whose files."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from itsdangerous import URLSafeSerializer
from PIL import Image

from tests.client import memory_of, on_rail
from tests.conftest import begin_anew, photo_bytes, serving
from tests.fake_fal.schemas import model_error
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.fast_timings import use_fast_timings
from tests.page_client import MEMORY, PageClient
from vton_ui.money.ledger import LEDGER_FILE, Caps, Ledger, Summary
from vton_ui.settings import Settings, secret_of
from vton_ui.tryon import submit
from vton_ui.ui.board import PROGRESS_SECONDS
from vton_ui.ui.memory import NO_MEMORY

OWN_KEY = "visitor-key-id:visitor-key-secret"
BAD_KEY = "bad-key-id:bad-key-secret"


@dataclass(frozen=True, kw_only=True)
class Server:
    """The app with a key: its address and its data."""

    url: str
    data: Path

    def page(self, **values: object) -> PageClient:
        """A page with two photos on it, in a browser of its own."""
        page = PageClient(self.url, **values)
        page.give(photo_bytes(500, 600), photo_bytes(400, 400))
        return page

    def today(self) -> Summary:
        return Ledger(self.data / LEDGER_FILE, Caps(), salt=secret_of(self.data)).today()


@pytest.fixture(scope="module")
def played() -> Iterator[FakeFal]:
    """fal, for all tests of this module, and no delay longer than a test can wait."""
    with pytest.MonkeyPatch.context() as patch:
        use_fast_timings(patch)
        patch.setattr(submit, "RECOVERY_PAUSES", (0.05, 0.1))
        fake = FakeFal().start()
        fake.keys.add(OWN_KEY)
        fake.patch(patch)
        yield fake
        fake.stop()


@pytest.fixture
def fal(played: FakeFal) -> Iterator[FakeFal]:
    yield from begin_anew(played)


@pytest.fixture(scope="module")
def server(played: FakeFal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("data")
    with serving(Settings(fal_key=TEST_KEY, data_dir=data, fal_api_url=played.api_url)) as url:
        yield Server(url=url, data=data)


def picture(page: PageClient) -> Image.Image:
    return Image.open(io.BytesIO(httpx.get(page.picture()).raise_for_status().content))


def kept(page: PageClient) -> dict[str, list[Any]]:
    """What the browser keeps, without its signature."""
    return memory_of(page[MEMORY]) or {}


def states(page: PageClient) -> list[str]:
    return [tile["state"] for tile in page.tiles()]


def keys_used(fal: FakeFal) -> set[str]:
    """The keys that jobs were followed and fetched with."""
    following = [seen for seen in fal.seen if seen.operation in ("stream", "status", "result")]
    return {str(seen.headers["Authorization"]).removeprefix("Key ") for seen in following}


def left(page: PageClient, fal: FakeFal) -> None:
    """A click, and the page is closed while the job waits in line."""
    fal.concurrent = 0
    steps = page.following("try_on")
    page.until("Waiting", steps)
    steps.close()  # type: ignore[attr-defined]


# Try on


def test_try_on(server: Server, fal: FakeFal) -> None:
    """The picture is there, and the browser remembers it in place of its job."""
    page = server.page()
    page.click("try_on")
    assert "Done in" in page["status"]
    assert picture(page).size == (500, 600)
    assert [len(kept(page)[kind]) for kind in ("jobs", "results")] == [0, 1]
    assert [tile["state"] for tile in page.tiles("looks")] == ["done"]
    shown = {name: page.part(name)["visible"] for name in ("try_on", "cancel", "again", "retry", "download")}
    assert shown == {"try_on": True, "cancel": False, "again": True, "retry": False, "download": True}


def test_progress_is_told_in_moderation(server: Server, fal: FakeFal) -> None:
    """However often fal tells of progress, the page is told twice a second: a slow phone draws all that it is sent."""
    fal.steps, fal.run_seconds = 30, 1.0
    page, told, began = server.page(), 0, time.monotonic()
    for _ in page.following("try_on"):
        told += "Running" in page["status"]
    assert 1 <= told <= 1 + (time.monotonic() - began) / PROGRESS_SECONDS
    assert "Done in" in page["status"]


def test_two_clicks_at_once_are_one(server: Server, fal: FakeFal) -> None:
    """A click while another one's try-on is under way orders nothing; one after it does."""
    fal.concurrent = 0
    page = server.page()
    steps = page.following("try_on")
    page.until("Waiting", steps)
    page.press("try_on")
    fal.concurrent = None
    page.until("Done in", steps)
    for _ in steps:  # to its end: two connections of one page would take each other's messages
        pass
    page.click("try_on")
    assert fal.count("submit") == 2


@pytest.mark.slow
def test_again(server: Server, fal: FakeFal) -> None:
    """The same photos with another seed, though one is typed."""
    page = server.page(**{"option-seed": "7"})
    page.click("try_on")
    page.click("again")
    first, second = (job.arguments["seed"] for job in fal.jobs.values())
    assert first == 7
    assert second != 7


@pytest.mark.parametrize("private", [True, False])
def test_private(private: bool, server: Server, fal: FakeFal) -> None:
    """A job that is private on the page carries the header that forbids storing it; no other does."""
    server.page(private=private).click("try_on")
    (job,) = fal.jobs.values()
    assert job.headers["X-Fal-Store-IO"] == ("0" if private else None)


@pytest.mark.parametrize("slot", ["person", "garments"])
def test_forged_photo(slot: str, server: Server, fal: FakeFal, tmp_path: Path) -> None:
    """A photo on the server that is no upload can be neither tried on nor looked at, whatever slot it stands in."""
    private = tmp_path / "private.jpg"
    private.write_bytes(photo_bytes(400, 400))
    page = server.page()
    page[slot] = {"path": str(private)} if slot == "person" else [on_rail({"path": str(private)})]
    page.happens("private", "change")
    assert "no upload of yours" in page["notice"]
    page.click("try_on")
    assert "no upload of yours" in page["failure"]
    assert fal.seen == []


def test_a_cap_is_no_reason_to_try_again(fal: FakeFal, tmp_path: Path) -> None:
    """After a failure the page offers the same again; over a cap that would be refused again."""
    with serving(Settings(fal_key=TEST_KEY, data_dir=tmp_path, fal_api_url=fal.api_url, visitor_rate=1)) as url:
        page = Server(url=url, data=tmp_path).page()
        fal.next_error = model_error("downstream_service_unavailable", "down")
        page.click("try_on")
        assert page.part("retry")["visible"] is True
        page.click("try_on")
        assert "limit of 1 try an hour" in page["failure"]
        assert page.part("retry")["visible"] is False


# Cancel


def test_cancel_is_ones_own(server: Server, fal: FakeFal) -> None:
    """Of two visitors who wait, one cancels and the other goes on waiting."""
    fal.concurrent = 0
    leaves, stays = server.page(), server.page()
    leaving, staying = leaves.following("try_on"), stays.following("try_on")
    leaves.until("Waiting", leaving)
    stays.until("Waiting", staying)
    leaves.click("cancel")
    leaves.until("Cancelled. Nothing was charged.", leaving)
    assert [job.cancel_requested for job in fal.jobs.values()] == [True, False]
    fal.concurrent = None
    stays.until("Done in", staying)


# Come back


def test_come_back(server: Server, fal: FakeFal) -> None:
    """A job that was left is followed to its picture, with the owner's key, whatever key is typed by then."""
    page = server.page()
    left(page, fal)
    later = page.reloaded(fal_key=OWN_KEY)
    fal.concurrent = None
    later.click("come_back")
    assert "Done in" in later["status"]
    assert (keys_used(fal), fal.count("submit")) == ({TEST_KEY}, 1)


@pytest.mark.slow
def test_two_jobs_come_back_side_by_side(server: Server, fal: FakeFal, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a reload each has its tile: the later one is shown before the earlier one is done; both are kept."""
    page = server.page()
    left(page, fal)
    (first,) = fal.jobs.values()
    page["option-seed"], page.session = "7", "another tab"
    left(page, fal)
    second = next(job for job in fal.jobs.values() if job is not first)
    assert len(kept(page)["jobs"]) == 2
    later = page.reloaded()
    steps = later.following("come_back")
    waiting = {first.id}
    monkeypatch.setattr(fal, "_blocked", lambda job: job.id in waiting)
    fal.concurrent = None
    assert any("done" in states(later) for _ in steps)
    assert (first.state, second.state) == ("IN_QUEUE", "COMPLETED")
    assert sorted(states(later)) == ["done", "waiting"]
    assert later.part("cancel")["visible"] is True
    waiting.clear()
    for _ in steps:
        pass
    assert states(later) == ["done", "done"]
    assert {tile["request_id"] for tile in later.tiles()} == {first.id, second.id}
    assert [len(kept(later)[kind]) for kind in ("jobs", "results")] == [0, 2]
    assert len(later.tiles("looks")) == 2
    assert later.part("try_on")["visible"] is True
    assert fal.count("submit") == 2


def test_ones_own_key(server: Server, fal: FakeFal) -> None:
    """A job paid with a visitor's own key waits for that key: no other is used for it, and it is not dropped."""
    page = server.page(fal_key=OWN_KEY)
    left(page, fal)
    fal.seen.clear()
    later = page.reloaded()
    later.click("come_back")
    assert "type it again" in later["failure"]
    assert fal.seen == []
    later["fal_key"] = BAD_KEY
    later.click("look_again")
    assert "does not accept the key" in later["failure"]
    assert len(kept(later)["jobs"]) == 1
    later["fal_key"], fal.concurrent = OWN_KEY, None
    later.click("look_again")
    assert "Done in" in later["status"]
    assert keys_used(fal) == {OWN_KEY, BAD_KEY}


@pytest.mark.slow
def test_lost_order(server: Server, fal: FakeFal) -> None:
    """An order whose answer was lost stays in the browser until it is found."""
    fal.fault("submit", "accept_then_drop")
    fal.fault("requests", "status", times=2, code=503)
    page = server.page()
    page.click("try_on")
    assert "It was not sent again." in page["failure"]
    assert page.part("look_again")["visible"] is True
    page.click("look_again")
    assert "Done in" in page["status"]
    assert fal.count("submit") == 1


@pytest.mark.slow
def test_forged_memory(server: Server, fal: FakeFal) -> None:
    """What a browser says it has kept is believed only with this server's signature."""
    page = server.page()
    page.click("try_on")
    token, data = page[MEMORY], kept(page)
    (known,) = data["results"]
    result = server.data / "results" / known["path"]
    stranger = PageClient(server.url)
    for path in (known["path"], "../ledger.sqlite3"):
        changed = {**data, "results": [{**known, "path": path}]}
        salt = f"memory of browser {stranger.http.cookies['vton-browser']}"
        signed = URLSafeSerializer(b"vton-ui", salt=salt).dumps(changed)
        for forged in (signed, token, f"{token[:-1]}{'A' if token[-1] != 'A' else 'B'}", changed):
            for part, event in (("come_back", "click"), ("forget_confirm", "submit")):
                stranger[MEMORY] = forged
                stranger.happens(part, event)
                assert stranger.tiles("looks") == []
                assert result.is_file()
                assert (server.data / LEDGER_FILE).is_file()


# Find


@pytest.mark.parametrize("key", ["click", "submit"])
def test_find(key: str, server: Server, fal: FakeFal) -> None:
    """The button and Enter fetch a request again, cut back to the photo as it was, without another order."""
    page = server.page(model="cat-vton")
    page["person"] = page.upload(photo_bytes(1200, 500))
    page.click("try_on")
    size = picture(page).size
    page["find_id"] = next(iter(fal.jobs))
    page.happens("find" if key == "click" else "find_id", key)
    assert "Done in" in page["status"]
    assert picture(page).size == size
    assert size[0] / size[1] == pytest.approx(2.4, abs=0.01)
    assert fal.count("submit") == 1


def test_what_is_no_request_id(server: Server, fal: FakeFal) -> None:
    """A malformed id is refused: it would become part of an address that gets the owner's key."""
    page = server.page()
    for typed in ("", "../../other/app/requests/x", "x/cancel", "x?logs=1", "a b"):
        page["find_id"], page["failure"] = typed, ""
        page.click("find")
        assert "no request id" in page["failure"], typed
    assert fal.seen == []


def test_find_books_nothing(server: Server, fal: FakeFal) -> None:
    """Who cancels for free and then looks for the request does not spend the owner's budget."""
    before = server.today().spent
    fal.concurrent = 0
    page = server.page()
    steps = page.following("try_on")
    page.until("Waiting", steps)
    memory = page[MEMORY]
    page.click("cancel")
    list(steps)
    assert "Nothing was charged" in page["status"]
    assert server.today().spent == before
    page[MEMORY], page["find_id"] = memory, next(iter(fal.jobs))
    page.click("find")
    assert "was cancelled" in page["failure"]
    assert server.today().spent == before
    for operation in ("stream", "status"):  # it may have cost something, as far as fal tells
        fal.fault(operation, "status", times=None, code=404)
    page[MEMORY] = memory
    page.click("find")
    assert server.today().spent == before


# Forget


def test_forget(server: Server, fal: FakeFal) -> None:
    """The picture, its copy, the photos and the browser's list are gone."""
    page = server.page()
    page.give(photo_bytes(510, 610), photo_bytes(410, 410))  # which no other browser has
    page.click("try_on")
    page.happens("private", "change")
    addresses = [page.picture(), f"{server.url}gradio_api/file={page['person']['path']}"]
    (known,) = kept(page)["results"]
    assert [httpx.get(address).status_code for address in addresses] == [200, 200]
    page.happens("forget_confirm", "submit")
    assert "Forgotten" in page["status"]
    assert page[MEMORY] == NO_MEMORY
    assert {httpx.get(address).status_code for address in addresses} <= {403, 404}
    assert not (server.data / "results" / known["path"]).exists()
