"""Takes the README's pictures, in the sandbox: two of the page, and four looks: `python -m tests.screenshots`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser import DESK, PHONE, chromium, open_page
from tests.conftest import serving
from vton_ui.settings import Settings

FOLDER = Path(__file__).parent.parent / "assets" / "screens"
LOOKS = FOLDER.parent / "looks.jpg"
PATIENCE = 20_000
"""Milliseconds."""


def choose(page: Page, person: int, garments: list[int]) -> None:
    """Put examples on the page, by their places."""
    page.locator("#people button").nth(person).click()
    for number, garment in enumerate(garments, 1):
        page.locator("#clothes button").nth(garment).click()
        page.wait_for_function(f"document.querySelectorAll('#garments .card').length == {number}")


def try_on(page: Page, person: int, garments: list[int]) -> None:
    """Put on examples, and wait for the draft."""
    choose(page, person, garments)
    page.locator("#try_on", has_text="free draft").click(timeout=PATIENCE)
    page.wait_for_selector("#status [data-state=done]", timeout=PATIENCE)
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(500)


def shoot(browser: Browser, url: str) -> None:
    """The desktop in light mode, the phone in dark mode."""
    desk = open_page(browser, url, viewport=DESK)
    try_on(desk, 0, [7, 8])
    desk.evaluate("scrollTo(0, 0)")
    desk.screenshot(path=FOLDER / "desk.png")
    phone = open_page(browser, url, viewport=PHONE, dark=True)
    try_on(phone, 2, [0])
    phone.wait_for_timeout(800)
    phone.screenshot(path=FOLDER / "phone.png")


def shoot_looks(browser: Browser, url: str) -> None:
    """Four garments, each on its own, as the page's contact sheet shows them."""
    page = open_page(browser, url, viewport=DESK)
    choose(page, 1, [0, 2, 3, 4])
    page.locator("#wear label", has_text="Each on its own").click()
    page.locator("#try_on", has_text="4 free drafts").click(timeout=PATIENCE)
    boxes = page.locator("#looks .choose input")
    expect(boxes).to_have_count(4, timeout=PATIENCE)
    for box in reversed(boxes.all()):
        box.check()
    with page.expect_download() as download:
        page.locator("#looks [data-action=contact_sheet]").click()
    with Image.open(download.value.path()) as sheet:
        sheet.thumbnail((1200, 1200))
        sheet.save(LOOKS, quality=82)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as data, serving(Settings(data_dir=Path(data))) as url, chromium() as browser:
        shoot(browser, url)
        shoot_looks(browser, url)
