"""Several looks of one click on the page: tiles with a life of their own, an outfit's steps, and what comes back."""

from __future__ import annotations

import io
import re

from PIL import Image, ImageStat
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.conftest import photo_bytes, until
from tests.fake_fal.schemas import model_error
from tests.fake_fal.server import FakeFal
from tests.page.acts import WAIT, give, no_turn, two_photos
from vton_ui.models import CAT_VTON

DOWN = model_error("downstream_service_unavailable", "down")


def tiles(page: Page, state: str) -> Locator:
    """The tiles in the station that are in a state."""
    return page.locator(f"#result .tile[data-state={state}]")


def click(page: Page, *, looks: int) -> None:
    """Press the button, which says how many looks that makes."""
    page.locator("#try_on", has_text=f"{looks} looks" if looks > 1 else "Try on").click(timeout=WAIT)


def several(page: Page, pictures: int) -> None:
    """Two photos, and so many pictures of them."""
    two_photos(page)
    page.locator("#pictures label", has_text=str(pictures)).click()
    expect(page.locator("#try_on")).to_have_text(re.compile(f"{pictures} looks"), timeout=WAIT)


def outfit(page: Page) -> None:
    """Two garments that CatVTON puts on one after another."""
    two_photos(page)
    give(page, "garments", photo_bytes(700, 900), name="shirt.jpg")
    page.locator("#model label", has_text=CAT_VTON.title).first.click()
    expect(page.locator("#try_on")).to_have_text(re.compile("Try on"), timeout=WAIT)


def test_tiles(paid: Page, fal: FakeFal) -> None:
    """Of four looks one is cancelled and one fails; the others do not mind, and each is tried again by itself."""
    several(paid, 4)
    with no_turn(fal):
        click(paid, looks=4)
        expect(tiles(paid, "waiting")).to_have_count(4, timeout=WAIT)
        expect(paid.locator("#status")).to_contain_text("0 of 4 looks ready")
        tiles(paid, "waiting").nth(1).get_by_role("button", name="Cancel").click()
        expect(tiles(paid, "cancelled")).to_contain_text("Nothing was charged", timeout=WAIT)
        next(job for job in fal.jobs.values() if not job.cancelled).failure = DOWN
    expect(tiles(paid, "done")).to_have_count(2, timeout=WAIT)
    failed = tiles(paid, "failed")
    expect(failed).to_contain_text("A service behind the model is down.", timeout=WAIT)
    expect(failed.locator(".cure")).not_to_be_empty()
    failed.get_by_role("button", name="Retry").dblclick()
    expect(tiles(paid, "done")).to_have_count(3, timeout=WAIT)
    tiles(paid, "cancelled").get_by_role("button", name="Retry").click()
    expect(tiles(paid, "done")).to_have_count(4, timeout=WAIT)
    expect(paid.locator("#status [data-state=done]")).to_have_text("4 of 4 looks ready", timeout=WAIT)
    expect(paid.locator("#looks .tile")).to_have_count(4)
    assert fal.count("submit") == 6
    lines_up(paid)


def test_an_outfit(paid: Page, fal: FakeFal) -> None:
    """Its steps show in its tile; when one fails, those before are kept, and it goes on from there."""
    outfit(paid)
    steps = paid.locator("#result .steps li")
    with no_turn(fal):
        click(paid, looks=1)
        until(lambda: len(fal.jobs) == 1)
        fal.next_error = DOWN  # of the second step
        expect(steps).to_have_text(["Garment, in line", "Shirt, to come"], timeout=WAIT)
    expect(steps.nth(1)).to_have_attribute("data-state", "failed", timeout=WAIT)
    expect(steps.first).to_have_attribute("data-state", "done")
    expect(steps.first.locator("img")).to_be_visible()
    expect(paid.locator("#failure")).to_contain_text("A service behind the model is down.")
    expect(paid.locator("#looks .tile")).to_have_count(1)
    tiles(paid, "failed").get_by_role("button", name="Go on from here").click()
    expect(tiles(paid, "done")).to_have_count(1, timeout=WAIT)
    expect(paid.locator("#failure")).not_to_be_visible()
    assert fal.count("submit") == 3
    assert fal.billed == sum(job.failure is None for job in fal.jobs.values())


def test_reloaded_in_the_middle(phone: Page, fal: FakeFal) -> None:
    """What was ordered comes back to its tile and into view, and one button orders the rest, for the price on it."""
    several(phone, 3)
    phone.locator("#model label", has_text="Both, side by side").click()
    with no_turn(fal):
        click(phone, looks=6)
        expect(tiles(phone, "waiting")).to_have_count(4, timeout=WAIT)
        expect(tiles(phone, "planned")).to_have_count(2)
        phone.evaluate("scrollTo(0, 0)")
        phone.reload()
        expect(phone.locator("#status [data-state=working]")).to_be_in_viewport(timeout=WAIT)
        expect(tiles(phone, "waiting")).to_have_count(4, timeout=WAIT)
        expect(tiles(phone, "not_ordered")).to_have_count(2, timeout=WAIT)
    expect(tiles(phone, "done")).to_have_count(4, timeout=WAIT)
    assert fal.count("submit") == 4
    phone.get_by_role("button", name="Order the rest").click()
    expect(tiles(phone, "done")).to_have_count(6, timeout=WAIT)
    expect(phone.get_by_role("button", name="Order the rest")).not_to_be_visible()
    expect(phone.locator("#looks .tile")).to_have_count(6)
    assert fal.count("submit") == fal.billed == 6


def test_two_tabs_that_order(paid: Page, paid_desk: BrowserContext, paid_url: str, fal: FakeFal) -> None:
    """One is closed while they wait; a third tab finds all of both, submits nothing, and the one left has its own."""
    second = paid_desk.new_page()
    second.goto(paid_url)
    with no_turn(fal):
        for page in (paid, second):
            several(page, 2)
            click(page, looks=2)
        for page in (paid, second):
            expect(tiles(page, "waiting")).to_have_count(2, timeout=WAIT)
        later = paid_desk.new_page()
        second.close()
        later.goto(paid_url)
        expect(tiles(later, "waiting")).to_have_count(4, timeout=WAIT)
    expect(tiles(later, "done")).to_have_count(4, timeout=WAIT)
    expect(later.locator("#looks .tile")).to_have_count(4)
    expect(tiles(paid, "done")).to_have_count(2, timeout=WAIT)
    assert fal.count("submit") == fal.billed == 4


def picture_in(dialog: Locator) -> Image.Image:
    dialog.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return Image.open(io.BytesIO(dialog.locator(".view").screenshot())).convert("RGB")


def lines_up(page: Page) -> None:
    """In the viewer the photo and its look stand on the same pixels, so that only what was changed differs."""
    page.locator("#result .face").first.click()
    dialog = page.locator("#result dialog")
    expect(dialog.locator("h2")).to_be_focused()
    page.wait_for_function("[...document.querySelectorAll('#result .layer img[src]')].every(i => i.naturalWidth)")
    boxes = [dialog.locator(f".layer.{layer} img").first.bounding_box() for layer in ("before", "after")]
    assert boxes[0] == boxes[1]
    assert dialog.locator(".stage[data-other-shape]").count() == 0
    page.keyboard.press("b")
    after = picture_in(dialog)
    page.keyboard.press("b")
    before = picture_in(dialog)
    assert ImageStat.Stat(before).stddev[0] > 10  # there is something to see
    corner = (10, 60, 60, 110)  # where the stand-in for fal changes nothing
    difference = ImageStat.Stat(before.crop(corner)).mean[0] - ImageStat.Stat(after.crop(corner)).mean[0]
    assert abs(difference) < 8
