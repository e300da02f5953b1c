"""A visitor's limits: one that is reached is shown with its reason."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser import open_page
from tests.conftest import photo_bytes, serving
from tests.page.acts import WAIT, give
from vton_ui.settings import Settings


def test_refused_upload(browser: Browser, tmp_path: Path) -> None:
    """An upload over the limit is refused with its reason on the page."""
    with serving(Settings(data_dir=tmp_path, upload_mb=1)) as url:
        page = open_page(browser, url)
        noise = photo_bytes(400, 400, "TIFF") + bytes(1_500_000)
        give(page, "person", noise, name="me.tif")
        expect(page.locator("[data-testid=toast-body]")).to_contain_text("may upload 1 MB an hour", timeout=WAIT)
        page.context.close()
