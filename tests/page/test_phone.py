"""On a phone: the camera, room for a finger, the picture in view, a question before everything is forgotten."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser import PHONE, open_page
from tests.conftest import photo_bytes
from tests.fake_fal.server import FakeFal
from tests.page.acts import WAIT, done, drawn, forget, picture_file, two_photos

FINGER = 44
READABLE = 16
"""Pixels; where a text box has smaller letters, iOS zooms into the page."""
TOO_SMALL = """([finger, readable]) => {
  const seen = (part) => part.checkVisibility({ visibilityProperty: true }) && part.getBoundingClientRect().width > 1;
  const words = (part) => part.innerText || part.ariaLabel;
  const named = (part, why) => `${part.tagName} ${part.id || part.className} "${words(part)}": ${why}`;
  const found = [];
  for (const part of document.querySelectorAll("button, summary, select, input, textarea, a[href], [role=button]")) {
    if (!seen(part) || part.closest("footer")) continue;
    const target = part.matches("[type=checkbox], [type=radio]") ? part.closest("label") : part;
    const { width, height } = target.getBoundingClientRect();
    const reach = getComputedStyle(target, "::after");
    const extra = reach.position === "absolute" ? Math.max(0, -2 * parseFloat(reach.top)) : 0;
    if (width < finger || height + extra < finger) found.push(named(target, `${width} × ${height}`));
    const typed = part.matches("textarea, input:not([type=checkbox], [type=radio], [type=range])");
    if (typed && parseFloat(getComputedStyle(part).fontSize) < readable) found.push(named(part, "letters"));
  }
  return found;
}"""
BOXES = """(selectors) => selectors.map((selector) => {
  const { top, bottom, height } = document.querySelector(selector).getBoundingClientRect();
  return { top, bottom, height };
})"""
SHRINKS = """() => {
  const extra = document.createElement("div");
  extra.style.height = "300px";
  document.querySelector("#person").before(extra);
  document.querySelector("#try_on").addEventListener("click", () => setTimeout(() => extra.remove(), 100));
}"""
"""After the click the form above the result gets shorter, as it does when options that no longer apply go."""
HIDDEN_ICONS = """() => [...document.querySelectorAll(".slot button, .rail button")].filter((button) => {
  const { top, bottom } = button.getBoundingClientRect();
  const slot = button.closest(".slot, .rail").getBoundingClientRect();
  button.focus();
  return document.activeElement === button && (top >= slot.bottom || bottom <= slot.top);
}).map((button) => button.ariaLabel || button.innerText)"""


@pytest.fixture
def phone(browser: Browser, free_url: str, fal: FakeFal) -> Iterator[Page]:
    """The page without a key on a phone; it must not log an error."""
    page = open_page(browser, free_url, viewport=PHONE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.context.close()
    assert errors == []


def boxes(page: Page, *selectors: str) -> list[dict[str, float]]:
    """Where these parts of the page are in the window."""
    found: list[dict[str, float]] = page.evaluate(BOXES, list(selectors))
    return found


def too_small(page: Page) -> Any:
    return page.evaluate(TOO_SMALL, [FINGER, READABLE])


def uploaded(page: Page, selector: str) -> Image.Image:
    """The photo in a slot, as the server has it."""
    source = page.locator(f"{selector} img[src^=http]").first.get_attribute("src", timeout=WAIT)
    return Image.open(io.BytesIO(page.request.get(source or "").body()))


def test_from_the_camera_to_the_picture(phone: Page, fal: FakeFal) -> None:
    """Photos from the camera, room for fingers in every state, the picture and what belongs to it in view."""
    assert "viewport-fit=cover" in str(phone.get_attribute("meta[name=viewport]", "content"))
    (example,) = boxes(phone, "#people button")
    assert example["top"] < 870
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert phone.evaluate(HIDDEN_ICONS) == []
    expect(phone.locator("#person [aria-label='Capture from camera']")).not_to_be_visible()
    assert too_small(phone) == []

    for button, slot in ((phone.locator("#shoot button"), "#person"), (phone.locator("#garments .shoot"), "#garments")):
        with phone.expect_file_chooser() as chooser:
            button.tap()
        assert chooser.value.element.get_attribute("capture") == "environment"
        chooser.value.set_files(picture_file("p.jpg", photo_bytes(2000, 1500, exif_orientation=6, gps=True)))  # type: ignore[arg-type]
        photo = uploaded(phone, slot)
        assert photo.height > photo.width
        assert photo.width * photo.height <= 2_000_000
        assert not photo.getexif()

    phone.locator("#clothes button").first.tap()
    phone.locator("#model label", has_text="Both").tap()
    for drawer in ("#key_drawer", "#expert", "#keeping"):
        phone.locator(f"{drawer} > button").tap()
    expect(phone.locator("#option-guidance_scale")).to_be_visible(timeout=WAIT)
    drawn(phone)
    assert too_small(phone) == []
    modes = phone.locator("#expert .number input, #expert input[type=number]")
    assert modes.evaluate_all("(all) => all.map((box) => box.inputMode)").count("numeric") == modes.count() - 1
    assert phone.locator("#option-guidance_scale input[type=number]").get_attribute("inputmode") == "decimal"

    phone.locator("#model label", has_text="FLUX").first.tap()
    phone.evaluate("scrollTo(0, 0)")
    phone.evaluate(SHRINKS)
    phone.locator("#try_on", has_text="Try on · free draft").tap()
    done(phone)
    expect(phone.locator("#download")).to_be_visible(timeout=WAIT)
    phone.wait_for_function("document.querySelector('#mirror').getBoundingClientRect().top < 20")
    bar, *parts = boxes(phone, "#action", "#result .frame", "#details", "#download")
    assert all(part["top"] >= 0 and part["bottom"] <= bar["top"] for part in parts)
    assert too_small(phone) == []
    phone.locator("#result .face").tap()
    expect(phone.locator("#result dialog")).to_be_visible()
    assert too_small(phone) == []
    phone.locator("#result dialog .close").tap()

    for width, height in ((844, 390), (360, 225)):
        phone.set_viewport_size({"width": width, "height": height})
        phone.evaluate("document.querySelector('#mirror').scrollIntoView({block: 'start'})")
        bar, picture = boxes(phone, "#action", "#result .frame")
        assert bar["height"] <= height / 3
        assert picture["top"] >= 0
        assert picture["bottom"] <= (bar["top"] if bar["bottom"] == height else height)


def test_one_red_card_and_a_question_before_forgetting(phone: Page, fal: FakeFal) -> None:
    """Of two cards the last try's is shown, after a change the one on what is wrong now. *Forget* asks, and answers."""
    cards = phone.locator("[role=alert]").locator("visible=true")
    two_photos(phone)
    phone.set_input_files("#garments input[type=file]", [picture_file("broken.jpg", b"\xff\xd8\xff no photo")])  # type: ignore[list-item]
    expect(phone.locator("#notice [role=alert]")).to_be_visible(timeout=WAIT)
    phone.locator("#keeping > button").tap()
    phone.locator("#find").tap()
    expect(phone.locator("#failure")).to_contain_text("no request id", timeout=WAIT)
    expect(cards).to_have_count(1)
    expect(phone.locator("#notice [role=alert]")).to_have_count(1)
    phone.locator("#pictures label").nth(1).tap()
    expect(phone.locator("#notice [role=alert]")).to_be_visible(timeout=WAIT)
    expect(cards).to_have_count(1)

    phone.locator("#forget").tap()
    expect(phone.locator("#forget_confirm [role=alertdialog]")).to_be_focused(timeout=WAIT)
    phone.locator("#forget_confirm .leave").tap()
    expect(phone.locator("#forget")).to_be_focused()
    expect(phone.locator("#person img")).to_have_count(1)
    forget(phone)
    expect(phone.locator("#status [data-state=forgotten]")).to_be_in_viewport(timeout=WAIT)
    expect(phone.locator("#person img")).to_have_count(0)
    expect(phone.locator("#pictures label.selected")).to_have_text("1")
