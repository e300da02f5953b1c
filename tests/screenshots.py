"""Takes the README's two pictures of the page, in the sandbox: `python -m tests.screenshots`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser import DESK, PHONE, chromium, open_page
from tests.conftest import serving
from vton_ui.settings import Settings

FOLDER = Path(__file__).parent.parent / "assets" / "screens"
PATIENCE = 20_000
"""Milliseconds."""


def try_on(page: Page, person: int, garments: list[int]) -> None:
    """Try on examples, by their places, and wait for the draft."""
    page.locator("#people button").nth(person).click()
    for number, garment in enumerate(garments, 1):
        page.locator("#clothes button").nth(garment).click()
        page.wait_for_function(f"document.querySelectorAll('#garments .card').length == {number}")
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


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as data, serving(Settings(data_dir=Path(data))) as url, chromium() as browser:
        shoot(browser, url)
