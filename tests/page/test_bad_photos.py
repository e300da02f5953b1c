"""Bad photos through the page's upload: each gives an error or a result, none breaks the page."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.conftest import photo_bytes
from tests.fake_fal.server import FakeFal
from tests.page.acts import WAIT, give

WHOLE = photo_bytes(900, 1200)


def saved(image: Image.Image, format: str, **how: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **how)
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 2.5 gigapixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


CMYK = Image.new("CMYK", (600, 800), (10, 200, 30, 0))
FRAMES = [Image.new("P", (600, 800), shade) for shade in (10, 90, 200)]
REFUSED = {
    "zero-byte": (b"", "empty"),
    "bomb": (bomb(), ""),
    "one-pixel": (photo_bytes(1, 1), "too small"),
    "thread": (photo_bytes(20_000, 1), ""),
    "narrow": (photo_bytes(100, 900), "too small"),
    "text-named-jpg": (b"hello" * 200, "not a photo"),
    "zip-named-jpg": (b"PK\x03\x04" + b"\0" * 400, "not a photo"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    "html": (b"<!doctype html><script>document.title='owned'</script>", ""),
    "header-only": (WHOLE[:200], ""),
}
TAKEN = {
    "png-named-jpg": photo_bytes(600, 800, "PNG"),
    "cmyk-broken-profile": saved(CMYK, "JPEG", icc_profile=b"not a profile"),
    "looping-gif": saved(FRAMES[0], "GIF", save_all=True, append_images=FRAMES[1:], loop=0, duration=40),
    "exif-garbage": saved(Image.open(io.BytesIO(WHOLE)), "JPEG", exif=b"Exif\0\0" + bytes(range(256))),
}


@pytest.fixture
def page(paid: Page) -> Page:
    """The page with a garment on it."""
    give(paid, "garments", photo_bytes(800, 800))
    expect(paid.locator("#try_on")).to_have_text("Add a person", timeout=WAIT)
    return paid


def removed(page: Page) -> None:
    """Take the person away; what was wrong with the photo goes with it."""
    page.locator("#person button[aria-label='Remove Image']").click()
    expect(page.locator(":is(#notice, #failure) [role=alert]")).to_have_count(0, timeout=WAIT)
    expect(page.locator("#try_on")).to_have_text("Add a person", timeout=WAIT)


def test_refused(page: Page, fal: FakeFal) -> None:
    """The error names the slot and the cause, before anything is sent; a good photo afterwards works."""
    notice = page.locator("#notice [role=alert]")
    for name, (content, says) in REFUSED.items():
        give(page, "person", content)
        expect(notice, name).to_contain_text("Person.", timeout=WAIT)
        expect(notice, name).to_contain_text(says)
        expect(page.locator("#try_on"), name).to_be_disabled()
        removed(page)
    assert fal.count("submit") == fal.count("upload") == 0
    assert page.title() != "owned"
    give(page, "person", WHOLE)
    expect(page.locator("#try_on")).to_contain_text("Try on", timeout=WAIT)


def test_taken(page: Page, fal: FakeFal) -> None:
    """Unusual photos that still give a result."""
    for count, (name, content) in enumerate(TAKEN.items(), start=1):
        give(page, "person", content)
        page.locator("#try_on", has_text="$").click(timeout=WAIT)
        expect(page.locator("#looks .tile"), name).to_have_count(count, timeout=WAIT)
        removed(page)


def test_truncated(page: Page, fal: FakeFal) -> None:
    """A photo that is cut off is an error, before the click or, where only decoding shows it, after; none is sent."""
    for tenth in (1, 5, 9):
        give(page, "person", WHOLE[: len(WHOLE) * tenth // 10])
        expect(page.locator("#try_on:enabled, #notice [role=alert]")).to_be_visible(timeout=WAIT)
        if page.locator("#try_on").is_enabled():
            page.click("#try_on")
            expect(page.locator("#failure")).to_contain_text("Nothing was charged.", timeout=WAIT)
        error = page.locator(":is(#notice, #failure) [role=alert]")
        expect(error, f"{tenth} tenths").to_contain_text("cut off", timeout=WAIT)
        removed(page)
    assert fal.count("submit") == 0
