"""Takes the README's pictures, in the sandbox: two of the page, and four looks: `python -m tests.screenshots`.

A test takes them too, into a folder that it throws away.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser import DESK, PHONE, chromium, open_page
from tests.conftest import serving
from vton_ui.settings import Settings

ASSETS = Path(__file__).parent.parent / "assets"
DESK_PICTURE, PHONE_PICTURE, LOOKS_PICTURE = "screens/desk.png", "screens/phone.png", "looks.jpg"
STILL = """() => new Promise((still) => {
  const watch = (before) => { before === scrollY ? still() : setTimeout(watch, 200, scrollY) };
  watch(NaN);
})"""
"""Resolves when the page no longer scrolls."""
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
    page.wait_for_function("[...document.querySelectorAll('#result img')].some((image) => image.naturalWidth > 0)")
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")


def shoot(page: Page, path: Path) -> None:
    """A picture of the window, once nothing on it moves."""
    page.evaluate(STILL)
    page.screenshot(path=path, animations="disabled")
    page.context.close()


def shoot_page(browser: Browser, url: str, folder: Path) -> None:
    """The desktop in light mode, the phone in dark mode."""
    desk = open_page(browser, url, viewport=DESK)
    try_on(desk, 0, [7, 8])
    desk.evaluate("scrollTo(0, 0)")
    shoot(desk, folder / DESK_PICTURE)
    phone = open_page(browser, url, viewport=PHONE, dark=True)
    try_on(phone, 2, [0])
    shoot(phone, folder / PHONE_PICTURE)


def shoot_looks(browser: Browser, url: str, folder: Path) -> None:
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
        sheet.save(folder / LOOKS_PICTURE, quality=82)
    page.context.close()


def shoot_all(browser: Browser, url: str, folder: Path) -> None:
    """All of them, into this folder."""
    (folder / DESK_PICTURE).parent.mkdir(exist_ok=True)
    shoot_page(browser, url, folder)
    shoot_looks(browser, url, folder)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as data, serving(Settings(data_dir=Path(data))) as url, chromium() as browser:
        shoot_all(browser, url, ASSETS)
