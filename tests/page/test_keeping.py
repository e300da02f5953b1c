"""Kept looks on the page: what changed, taken away, and used again."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.conftest import photo_bytes
from tests.fake_fal.server import FakeFal
from tests.page.acts import WAIT, give


def looks(page: Page, pictures: int = 1) -> None:
    """So many looks of one photo, made and kept."""
    give(page, "person", photo_bytes(300, 400))
    give(page, "garments", photo_bytes(260, 300), name="striped_tee.jpg")
    expect(page.locator("#try_on")).to_contain_text("Try on", timeout=WAIT)
    if pictures > 1:
        page.locator(f"#pictures label:has-text('{pictures}')").click()
        expect(page.locator("#try_on")).to_contain_text(f"{pictures} looks", timeout=WAIT)
    page.click("#try_on")
    expect(page.locator("#looks .tile")).to_have_count(pictures, timeout=WAIT)


def opened(page: Page, place: int = 0) -> Locator:
    """The viewer on a look of the strip."""
    page.locator("#looks .tile .face").nth(place).click()
    viewer = page.locator("dialog.viewer[open]")
    expect(viewer).to_be_visible()
    return viewer


def test_what_changed_and_taken_away(paid: Page, fal: FakeFal) -> None:
    """The viewer marks what changed and says how much, the strip is sorted by it; looks come as ZIP and as picture."""
    looks(paid, 2)
    sort = paid.locator("#looks .sort select")
    expect(sort).to_be_visible(timeout=WAIT)
    viewer = opened(paid)
    expect(viewer.locator(".facts")).to_contain_text("outside the middle of the body")
    viewer.get_by_role("button", name="Show what changed").click()
    overlay = viewer.locator("img.overlay")
    expect(overlay).to_be_visible()
    expect(overlay).to_have_js_property("complete", True)
    assert overlay.evaluate("image => image.naturalWidth") == viewer.locator("img.look").evaluate("i => i.naturalWidth")
    paid.keyboard.press("Escape")
    sort.select_option("least")
    expect(paid.locator("#looks .tile .numbers").first).to_contain_text("% changed")
    paid.reload()
    expect(sort).to_be_visible(timeout=WAIT)
    for box in paid.locator("#looks .choose input").all():
        box.check()
    with paid.expect_download() as download:
        paid.locator("#looks [data-action=download_chosen]").click()
    assert download.value.suggested_filename == "looks.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("looks.csv").decode("utf-8-sig"))))
        assert [Image.open(io.BytesIO(archive.read(row["file"]))).format for row in rows] == ["JPEG"] * 2
    assert {row["garments"] for row in rows} == {"Striped tee"}
    assert {row["seed"] for row in rows} == {str(job.arguments["seed"]) for job in fal.jobs.values()}
    with paid.expect_download() as download:
        paid.locator("#looks [data-action=contact_sheet]").click()
    assert Image.open(Path(download.value.path())).size > (1000, 500)


def test_used_again(paid: Page, fal: FakeFal) -> None:
    """Settings, garments and the look itself are put on the page; nothing is ordered by that."""
    paid.locator("#expert button").first.click()  # while nothing moves on the page
    looks(paid)
    (job,) = fal.jobs.values()
    give(paid, "garments", photo_bytes(300, 260), name="skirt.jpg")
    cards, arrived = paid.locator("#garments .card"), paid.locator("#garments .garment[data-sent]")
    expect(arrived).to_have_count(2)  # one still on its way would join those that are put back
    opened(paid).get_by_role("button", name="Use its settings").click()
    expect(cards).to_have_count(1, timeout=WAIT)
    expect(cards).to_contain_text("Striped tee")
    expect(paid.locator("#garments")).to_be_in_viewport()
    expect(paid.locator("#option-seed").locator("input, textarea")).to_have_value(str(job.arguments["seed"]))
    give(paid, "garments", photo_bytes(300, 260), name="skirt.jpg")
    expect(arrived).to_have_count(2)
    opened(paid).get_by_role("button", name="Put its garments back").click()
    expect(cards).to_have_count(1, timeout=WAIT)
    opened(paid).get_by_role("button", name="Use as the next person").click()
    expect(paid.locator("#person img")).to_have_attribute("src", re.compile("try-on-flux-vto"), timeout=WAIT)
    expect(paid.locator("#person")).to_be_focused()
    assert len(fal.jobs) == 1
