"""Several visitors: a limit is shown with its reason, and one who forgets takes nothing from another."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser import open_page
from tests.conftest import photo_bytes, serving
from tests.fake_fal.server import FakeFal
from tests.page.acts import WAIT, forget, give, two_photos
from vton_ui.settings import Settings


def test_refused_upload(browser: Browser, tmp_path: Path) -> None:
    """An upload over the limit is refused with its reason on the page."""
    with serving(Settings(data_dir=tmp_path, upload_mb=1)) as url:
        page = open_page(browser, url)
        noise = photo_bytes(400, 400, "TIFF") + bytes(1_500_000)
        give(page, "person", noise, name="me.tif")
        expect(page.locator("[data-testid=toast-body]")).to_contain_text("may upload 1 MB an hour", timeout=WAIT)
        page.context.close()


def test_two_with_the_same_photo(browser: Browser, free_url: str, fal: FakeFal) -> None:
    """After one visitor forgets everything, another one with the same photos can still try them on."""
    one, other = open_page(browser, free_url), open_page(browser, free_url)
    two_photos(one)
    two_photos(other)
    one.locator("#keeping button").first.click()
    forget(one)
    expect(one.locator("#status")).to_contain_text("Forgotten", timeout=WAIT)
    other.click("#try_on")
    expect(other.locator("#status [data-state=done]")).to_be_visible(timeout=WAIT)
    for page in (one, other):
        page.context.close()
