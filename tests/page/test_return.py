"""Nothing lost: what fal accepted reaches the visitor whatever happens in between, and is paid once."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Error, Page, expect

from tests.browser import open_page
from tests.conftest import photo_bytes, until
from tests.fake_fal.server import FakeFal
from tests.page.acts import WAIT, done, forget, give, looked_back, no_turn, ordered, result_picture, two_photos, works
from tests.page.conftest import clear
from tests.page.network import network_to
from tests.subprocess_app import subprocess_app
from vton_ui.tryon import submit

LONG_WAIT = 40_000


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost jobs are searched for at once."""
    monkeypatch.setattr(submit, "RECOVERY_PAUSES", (0.1, 0.2))


def slow_to_draw(page: Page) -> None:
    """From here on every status takes as long to draw as on a slow phone."""
    page.evaluate("""() => new MutationObserver(() => {
        const until = performance.now() + 150;
        while (performance.now() < until) {}
    }).observe(document.querySelector("#status"), {subtree: true, childList: true, characterData: true})""")


def test_reload(paid: Page, fal: FakeFal) -> None:
    """The page is reloaded in the middle, on a slow phone: it picks the job up again and shows the picture.

    The job is remembered even if the next step arrives before this one is drawn.
    """
    slow_to_draw(paid)
    with no_turn(fal):
        ordered(paid)
        expect(paid.locator("#cancel")).to_be_visible(timeout=WAIT)
        expect(paid.locator("#try_on")).not_to_be_visible(timeout=WAIT)
        paid.reload()
        works(paid)
    done(paid)
    assert result_picture(paid).size == (866, 1154)
    assert fal.count("submit") == fal.billed == 1


def test_left_and_opened(paid: Page, paid_url: str, fal: FakeFal) -> None:
    """The page is left; opened again after the job is over, it shows the picture."""
    with no_turn(fal):
        ordered(paid)
        paid.goto("about:blank")
    (job,) = fal.jobs.values()
    until(lambda: job.state == "COMPLETED")
    paid.goto(paid_url)
    done(paid)
    assert fal.count("submit") == 1
    expect(paid.locator("#looks img")).to_have_count(1)


def test_ended_unseen(paid: Page, fal: FakeFal) -> None:
    """The job ends on the server, but the browser never hears of it: the picture is shown when the page comes back."""
    with no_turn(fal):
        ordered(paid)
        kept = paid.evaluate("() => ({...localStorage})")
    done(paid)
    paid.evaluate("(kept) => { localStorage.clear(); Object.assign(localStorage, kept) }", kept)
    paid.reload()
    done(paid)
    assert result_picture(paid).size == (866, 1154)
    with looked_back(paid):
        paid.reload()
    expect(paid.locator("#status [data-state=done]")).not_to_be_visible()


def test_dead_network(browser: Browser, paid_url: str, fal: FakeFal) -> None:
    """The network drops while the model works and comes back when it is done: the picture comes all the same."""
    with network_to(paid_url) as network:
        page = open_page(browser, network.url)
        with no_turn(fal):
            ordered(page)
            page.context.set_offline(True)
            network.cut()
        (job,) = fal.jobs.values()
        until(lambda: job.state == "COMPLETED")
        expect(page.locator("#status [data-state=done]")).not_to_be_visible()
        page.context.set_offline(False)
        expect(page.locator("#status [data-state=done]")).to_be_visible(timeout=LONG_WAIT)
        assert result_picture(page).size == (866, 1154)
        assert fal.count("submit") == 1
        page.context.close()


def test_kill_9(browser: Browser, fal: FakeFal, tmp_path: Path) -> None:
    """The app is killed with `kill -9` while the job runs and started again: the picture comes, paid once.

    And what it starts with is what it should: results whose time is over are swept.
    """
    old = tmp_path / "results" / "old"
    old.mkdir(parents=True)
    os.utime(old, (1, 1))
    with subprocess_app(fal, tmp_path) as app:
        until(lambda: not old.exists())
        page = open_page(browser, app.url)
        with no_turn(fal):
            ordered(page)
            app.kill()
            app.start()
            with suppress(Error):  # Gradio's page may be about to reload itself, and then gives up this one
                page.reload()
            works(page)
        expect(page.locator("#status [data-state=done]")).to_be_visible(timeout=LONG_WAIT)
        assert fal.count("submit") == fal.billed == 1
        page.context.close()


def test_looks_survive_and_are_forgotten(paid: Page, fal: FakeFal) -> None:
    """They are shown again after a reload, to this browser only, and deleted on request."""
    two_photos(paid)
    paid.click("#try_on")
    done(paid)
    source = paid.locator("#result img").get_attribute("src")
    assert source
    assert httpx.get(source).status_code == 200
    paid.reload()
    paid.locator("#looks .face").first.click(timeout=WAIT)
    expect(paid.locator("#looks dialog img.look")).to_have_attribute("src", source, timeout=WAIT)
    expect(paid.locator("#looks dialog")).to_contain_text("Seed")
    paid.keyboard.press("Escape")
    give(paid, "person", photo_bytes(901, 1203), name="mine.jpg")  # one that no other browser has
    photo = paid.locator("#person img[src$='/mine.jpg']").get_attribute("src", timeout=WAIT)
    assert photo
    assert httpx.get(photo).status_code == 200
    paid.locator("#keeping button").first.click()
    forget(paid)
    expect(paid.locator("#status")).to_contain_text("Forgotten", timeout=WAIT)
    expect(paid.locator("#looks")).not_to_be_visible()
    assert httpx.get(source).status_code in (403, 404)
    assert httpx.get(photo).status_code in (403, 404)
    with looked_back(paid):
        paid.reload()
    expect(paid.locator("#looks")).not_to_be_visible()


def test_another_browser(paid: Page, paid_url: str, fal: FakeFal) -> None:
    """Another browser sees nothing; a request id brings its result there, without another job."""
    two_photos(paid)
    paid.click("#try_on")
    done(paid)
    with looked_back(paid):
        paid.reload()
    expect(paid.locator("#looks .tile")).to_be_visible()
    clear(paid, paid_url)
    with looked_back(paid):
        paid.goto(paid_url)
    expect(paid.locator("#try_on")).to_be_visible()
    expect(paid.locator("#looks")).not_to_be_visible()
    (job,) = fal.jobs.values()
    paid.locator("#keeping button").first.click()
    paid.fill("#find_id input", job.id)
    paid.click("#find")
    done(paid)
    assert fal.count("submit") == 1
    paid.fill("#find_id input", "no-such-request")
    paid.press("#find_id input", "Enter")
    expect(paid.locator("#failure")).to_contain_text("does not know", timeout=WAIT)
    asked = len(fal.seen)
    paid.fill("#find_id input", "x/cancel")
    paid.click("#find")
    expect(paid.locator("#failure")).to_contain_text("no request id", timeout=WAIT)
    assert len(fal.seen) == asked


def test_a_lost_answer(paid: Page, fal: FakeFal) -> None:
    """fal accepted and the answer was lost: the job is looked for, and sent again only by the visitor."""
    fal.fault("submit", "accept_then_drop")
    two_photos(paid)
    paid.click("#try_on")
    done(paid)
    assert fal.count("submit") == fal.billed == 1
    fal.fault("submit", "accept_then_drop")
    fal.fault("requests", "status", times=2, code=503)
    paid.click("#try_on")
    expect(paid.locator("#failure")).to_contain_text("It was not sent again.", timeout=WAIT)
    expect(paid.locator("#retry")).to_have_text("Send again")
    paid.click("#look_again")
    expect(paid.locator("#looks .tile")).to_have_count(2, timeout=WAIT)
    assert fal.count("submit") == fal.billed == 2
    fal.fault("submit", "drop_before")
    paid.click("#try_on")
    expect(paid.locator("#failure")).to_contain_text("It was not sent again.", timeout=WAIT)
    assert fal.count("submit") == 3
    paid.click("#retry")
    expect(paid.locator("#looks .tile")).to_have_count(3, timeout=WAIT)
    assert fal.billed == 3


def test_ones_own_key_is_asked_for_again(free: Page, fal: FakeFal) -> None:
    """A job paid with the visitor's own key is remembered without the key."""
    fal.keys.add("visitor-id:visitor-secret")
    free.locator("#key_drawer button").first.click()
    free.fill("#fal_key input", "visitor-id:visitor-secret")
    with no_turn(fal):
        ordered(free)
        free.reload()
        expect(free.locator("#failure")).to_contain_text("type it again", timeout=WAIT)
        free.locator("#key_drawer button").first.click()
        free.fill("#fal_key input", "visitor-id:visitor-secret")
        free.locator("#fal_key input").blur()
        free.click("#look_again")
        works(free)
    done(free)
    assert fal.count("submit") == 1


def test_cancel_that_comes_too_late_shows_the_picture(paid: Page, fal: FakeFal) -> None:
    """A running job that completes all the same is shown, since it was paid."""
    fal.run_seconds = 2  # longer than it takes to look and to click
    two_photos(paid)
    paid.click("#try_on")
    expect(paid.locator("#status")).to_contain_text("Running", timeout=WAIT)
    paid.click("#cancel")
    done(paid)
    expect(paid.locator("#result img")).to_be_visible()
