"""Looks on the page, over HTTP as a browser sends it: several of one click, each with a life of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.client import memory_of
from tests.conftest import begin_anew, photo_bytes, serving
from tests.fake_fal.schemas import model_error
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.fast_timings import use_fast_timings
from tests.page_client import MEMORY, PageClient
from vton_ui.models import CAT_VTON
from vton_ui.settings import Settings
from vton_ui.tryon import submit

pytestmark = pytest.mark.slow

PHOTOS = [photo_bytes(500 + 10 * index, 600) for index in range(4)]
DOWN = model_error("downstream_service_unavailable", "down")


@pytest.fixture(scope="module")
def played() -> Iterator[FakeFal]:
    """fal, for all tests of this module."""
    with pytest.MonkeyPatch.context() as patch:
        use_fast_timings(patch)
        patch.setattr(submit, "RECOVERY_PAUSES", (0.05, 0.1))
        fake = FakeFal().start()
        fake.patch(patch)
        yield fake
        fake.stop()


@pytest.fixture
def fal(played: FakeFal) -> Iterator[FakeFal]:
    yield from begin_anew(played)


@pytest.fixture(scope="module")
def url(played: FakeFal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = Settings(fal_key=TEST_KEY, data_dir=tmp_path_factory.mktemp("data"), fal_api_url=played.api_url)
    with serving(settings) as url:
        yield url


def page_with(url: str, garments: int = 1, **values: Any) -> PageClient:
    """A page with photos on it, in a browser of its own."""
    page = PageClient(url, **values)
    page.give(*PHOTOS[: garments + 1])
    return page


def states(page: PageClient) -> list[str]:
    return [tile["state"] for tile in page.tiles()]


def steps_of(page: PageClient, place: int = 0) -> list[tuple[str, str]]:
    return [(step["label"], step["state"]) for tile in page.tiles()[place : place + 1] for step in tile["steps"]]


def run(page: PageClient, action: str, place: int | None = None, part: str = "result") -> Iterator[None]:
    """Press a button of a look, step by step."""
    id = None if place is None else page.tiles(part)[place]["id"]
    return page.following(part, "run", action=action, id=id)


def to_the_end(steps: Iterator[None]) -> None:
    for _ in steps:
        pass


def left(page: PageClient, fal: FakeFal, orders: int) -> None:
    """A click, and the page is closed when so many jobs wait in line."""
    fal.concurrent = 0
    before = fal.count("submit")
    steps = page.following("try_on")
    assert any(fal.count("submit") - before == orders and states(page).count("waiting") == orders for _ in steps)
    steps.close()


def test_four_looks(url: str, fal: FakeFal) -> None:
    """Each is shown as soon as it is done; all are kept, with their seeds counting up, from one upload of the photo."""
    page = page_with(url, pictures=4, **{"option-seed": "7"})
    steps = page.following("try_on")
    fal.concurrent = 1
    assert any(states(page) == ["planned"] * 4 for _ in steps)
    assert any(states(page).count("done") == 1 for _ in steps)
    assert page.part("cancel")["visible"] is True
    fal.concurrent = None
    to_the_end(steps)
    tiles = page.tiles()
    assert [tile["state"] for tile in tiles] == ["done"] * 4
    assert [tile["seed"] for tile in tiles] == [7, 8, 9, 10]
    assert [tile["label"].rpartition(" · ")[2] for tile in tiles] == [f"{number} of 4" for number in (1, 2, 3, 4)]
    assert {httpx.get(page.address(tile["url"])).status_code for tile in tiles} == {200}
    assert {httpx.get(page.address(tile["before"])).content for tile in tiles} == {PHOTOS[0]}
    assert "4 of 4 looks ready" in page["status"]
    assert len(page.tiles("looks")) == 4
    assert len((memory_of(page[MEMORY]) or {})["results"]) == 4
    assert (fal.count("submit"), fal.billed, fal.count("upload")) == (4, 4, 2)


def test_one_of_four_is_cancelled(url: str, fal: FakeFal) -> None:
    """A tile's own Cancel stops that look, for free, and no other."""
    fal.concurrent = 0
    page = page_with(url, pictures=4)
    steps = page.following("try_on")
    assert any(states(page) == ["waiting"] * 4 for _ in steps)
    page.happens("result", "action", action="cancel", id=page.tiles()[1]["id"])
    assert any("cancelled" in states(page) for _ in steps)
    fal.concurrent = None
    to_the_end(steps)
    assert states(page) == ["done", "cancelled", "done", "done"]
    assert "Nothing was charged" in page.tiles()[1]["words"]
    assert fal.billed == 3
    to_the_end(run(page, "retry", 1))
    assert states(page) == ["done"] * 4


def test_cancel_stops_all(url: str, fal: FakeFal) -> None:
    """The button stops what waits at fal and what was not sent yet."""
    fal.concurrent = 0
    page = page_with(url, 3, wear="each", pictures=2)
    steps = page.following("try_on")
    assert any(states(page) == ["waiting"] * 4 + ["planned"] * 2 for _ in steps)
    page.click("cancel")
    to_the_end(steps)
    assert states(page) == ["cancelled"] * 6
    assert (fal.count("submit"), fal.billed) == (4, 0)
    assert page.part("try_on")["visible"] is True


def test_one_of_two_fails(url: str, fal: FakeFal) -> None:
    """It says why, what to do and what it cost in its tile; tried again by itself, it is the only one ordered."""
    fal.next_error = DOWN
    page = page_with(url, 2, wear="each")
    page.click("try_on")
    assert sorted(states(page)) == ["done", "failed"]
    place = states(page).index("failed")
    tile = page.tiles()[place]
    assert tile["error"]["cause"] == "A service behind the model is down."
    assert tile["error"]["cure"]
    assert tile["error"]["cost"]
    assert tile["offers"] == [["retry", "Retry"]]
    assert page["failure"] == ""
    done = page.tiles()[1 - place]["url"]
    before = fal.count("submit")
    first, second = run(page, "retry", place), run(page, "retry", place)
    to_the_end(first)
    to_the_end(second)  # the other half of a double click
    assert states(page) == ["done"] * 2
    assert page.tiles()[1 - place]["url"] == done
    assert fal.count("submit") == before + 1


def test_a_refused_look_gets_a_new_seed(url: str, fal: FakeFal) -> None:
    """The same seed would bring the same refused picture; a look that failed for another reason keeps its own."""
    for error, kept in ((model_error("content_policy_violation", "flagged"), False), (DOWN, True)):
        fal.next_error = error
        page = page_with(url, pictures=2, **{"option-seed": "7"})
        page.click("try_on")
        place = states(page).index("failed")
        to_the_end(run(page, "retry", place))
        assert states(page) == ["done"] * 2
        assert (page.tiles()[place]["seed"] == 7 + place) is kept


def test_an_outfit_goes_on(url: str, fal: FakeFal, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a step fails, the steps before are kept, and the rest is ordered from the kept picture."""
    page = page_with(url, 3, model=CAT_VTON.name)
    steps = page.following("try_on")
    assert any("done" in [state for _, state in steps_of(page)] for _ in steps)
    fal.next_error = DOWN
    to_the_end(steps)
    (tile,) = page.tiles()
    assert [state for _, state in steps_of(page)] == ["done", "failed", "planned"]
    assert tile["offers"] == [["go_on", "Go on from here"], ["retry", "Retry"]]
    assert "A service behind the model is down." in page["failure"]
    assert len(page.tiles("looks")) == 1
    kept = httpx.get(page.address(tile["steps"][0]["url"])).content
    to_the_end(run(page, "go_on", 0))
    assert [state for _, state in steps_of(page)] == ["done"] * 3
    assert states(page) == ["done"]
    assert fal.count("submit") == 4
    assert httpx.get(page.address(page.tiles()[0]["steps"][0]["url"])).content == kept
    assert len(page.tiles("looks")) == 1


def test_one_more(url: str, fal: FakeFal) -> None:
    """From the viewer a look is ordered again with another seed, and shown beside it; from the strip as well."""
    page = page_with(url)
    page.click("try_on")
    to_the_end(run(page, "again", 0))
    to_the_end(run(page, "again", 0, "looks"))
    assert states(page) == ["done"] * 3
    assert len({tile["seed"] for tile in page.tiles()}) == 3
    later = page.reloaded()
    later.click("come_back")
    to_the_end(run(later, "again", 2, "looks"))
    assert states(later) == ["done"]
    assert fal.count("submit") == fal.billed == 4


def test_reloaded_in_the_middle(url: str, fal: FakeFal) -> None:
    """What was ordered comes back to its tile, in order; what was not is ordered by one button, once."""
    page = page_with(url, 3, wear="each", pictures=2)
    left(page, fal, 4)
    later = page.reloaded()
    steps = later.following("come_back")
    assert any(states(later) == ["waiting"] * 4 + ["not_ordered"] * 2 for _ in steps)
    assert later["result"]["rest"] == "Order the rest · $0.0950"
    assert {tile["label"].rpartition(" · ")[0] for tile in later.tiles()} == {"Garment"}
    assert {httpx.get(page.address(tile["before"])).content for tile in later.tiles()} == {PHOTOS[0]}
    assert fal.count("submit") == 4
    fal.concurrent = None
    to_the_end(steps)
    assert states(later) == ["done"] * 4 + ["not_ordered"] * 2
    other = page.reloaded()
    other.click("come_back")
    assert states(other)[-2:] == ["not_ordered"] * 2
    to_the_end(run(later, "order_rest"))
    assert states(later) == ["done"] * 6
    assert later["result"]["rest"] == ""
    to_the_end(run(other, "order_rest"))
    assert "not_ordered" not in states(other)
    assert fal.count("submit") == fal.billed == 6


def test_two_tabs(url: str, fal: FakeFal) -> None:
    """The later write of what the browser keeps wins, and still both tabs' jobs come back."""
    page = page_with(url, pictures=2)
    other = page.reloaded(pictures=2)
    other.give(*PHOTOS[:2])
    first = page.following("try_on")
    fal.concurrent = 0
    assert any(states(page) == ["waiting"] * 2 for _ in first)
    second = other.following("try_on")
    assert any(states(other) == ["waiting"] * 2 for _ in second)
    first.close()
    second.close()
    later = other.reloaded()
    steps = later.following("come_back")
    assert any(states(later) == ["waiting"] * 4 for _ in steps)
    fal.concurrent = None
    to_the_end(steps)
    assert states(later) == ["done"] * 4
    assert len(later.tiles("looks")) == 4
    assert fal.count("submit") == fal.billed == 4


def test_a_double_click_orders_one_more(url: str, fal: FakeFal) -> None:
    """A tile's button that is clicked twice at once orders as much as with one click."""
    page = page_with(url)
    page.click("try_on")
    id = page.tiles()[0]["id"]
    fal.concurrent = 0
    steps = run(page, "again", 0)
    next(steps)
    page.press("result", "run", action="again", id=id)
    assert any("waiting" in states(page) for _ in steps)
    fal.concurrent = None
    to_the_end(steps)
    assert fal.count("submit") == 2


def test_only_ones_own(url: str, fal: FakeFal) -> None:
    """What another browser's look is called, or nobody's, does nothing."""
    fal.concurrent = 0
    page, stranger = page_with(url, pictures=2), page_with(url)
    steps = page.following("try_on")
    assert any(states(page) == ["waiting"] * 2 for _ in steps)
    id = page.tiles()[0]["id"]
    for name in ("cancel", "retry", "go_on", "again", "look_again", "order_rest", "nothing", "__class__"):
        for event in ("action", "run"):
            stranger.happens("result", event, action=name, id=id)
            stranger.happens("looks", event, action=name, id="../x")
    fal.concurrent = None
    to_the_end(steps)
    assert states(page) == ["done"] * 2
    assert fal.count("submit") == fal.billed == 2
    for name in ("retry", "go_on", "look_again"):
        page.happens("result", "run", action=name, id=id)
    assert fal.count("submit") == 2


def test_no_room_for_all(fal: FakeFal, tmp_path: Path) -> None:
    """A plan that the caps have no room for is refused whole, and what stood there before stays."""
    settings = Settings(fal_key=TEST_KEY, data_dir=tmp_path, fal_api_url=fal.api_url, visitor_rate=3)
    with serving(settings) as url:
        page = page_with(url)
        page.click("try_on")
        before = page.tiles()
        page["pictures"] = 4
        page.click("try_on")
        assert page.tiles() == before
        assert "2 of them would fit now." in page["failure"] or "would fit" in page["failure"]
        assert (fal.count("submit"), fal.billed) == (1, 1)
        assert page.part("try_on")["visible"] is True


def test_bad_input_leaves_what_is_there(url: str, fal: FakeFal) -> None:
    """A click that cannot be ordered changes nothing but the card."""
    page = page_with(url, pictures=2)
    page.click("try_on")
    before = page.tiles()
    page["person"] = None
    page.click("try_on")
    assert page.tiles() == before
    assert "There is no photo of a person yet." in page["failure"]


def test_an_outfit_that_never_began(url: str, fal: FakeFal) -> None:
    """When its first step fails there is nothing to keep: the card says why, and what was there before comes back."""
    page = page_with(url)
    page.click("try_on")
    before = page.tiles()
    page["model"] = CAT_VTON.name
    page.give(*PHOTOS[:4])
    fal.next_error = DOWN
    page.click("try_on")
    assert page.tiles() == before
    assert "A service behind the model is down." in page["failure"]
    assert page.part("try_on")["visible"] is True
    assert fal.count("submit") == 2
