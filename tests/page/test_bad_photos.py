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
from tests.page.acts import WAIT, done, give

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
    "zero-byte": b"",
    "bomb": bomb(),
    "one-pixel": photo_bytes(1, 1),
    "thread": photo_bytes(20_000, 1),
    "text-named-jpg": b"hello" * 200,
    "zip-named-jpg": b"PK\x03\x04" + b"\0" * 400,
    "html": b"<!doctype html><script>document.title='owned'</script>",
    "header-only": WHOLE[:200],
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


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_refused(page: Page, fal: FakeFal, content: bytes) -> None:
    """The error names the slot; a good photo afterwards works."""
    give(page, "person", content)
    expect(page.locator("#notice [role=alert]")).to_contain_text("Person.", timeout=WAIT)
    expect(page.locator("#try_on")).to_be_disabled()
    assert fal.count("submit") == fal.count("upload") == 0
    assert page.title() != "owned"
    page.locator("#person button[aria-label='Remove Image']").click()
    give(page, "person", WHOLE)
    expect(page.locator("#try_on")).to_contain_text("Try on", timeout=WAIT)


@pytest.mark.parametrize("content", TAKEN.values(), ids=TAKEN)
def test_taken(page: Page, fal: FakeFal, content: bytes) -> None:
    """Unusual photos that still give a result."""
    give(page, "person", content)
    page.locator("#try_on", has_text="$").click(timeout=WAIT)
    done(page)


def test_truncated_at_every_tenth(page: Page, fal: FakeFal) -> None:
    """A photo that is cut off anywhere is an error, before or after the click, and no job is submitted."""
    for tenth in range(1, 10):
        give(page, "person", WHOLE[: len(WHOLE) * tenth // 10])
        expect(page.locator("#person img")).to_have_count(1, timeout=WAIT)
        page.wait_for_function("!document.querySelector('[data-uploading]')")
        expect(page.locator("#try_on:enabled, #notice [role=alert]")).to_be_visible(timeout=WAIT)
        if page.locator("#try_on").is_enabled():
            page.click("#try_on")
        error = page.locator(":is(#notice, #failure) [role=alert]")
        expect(error).to_contain_text("cut off", timeout=WAIT)
        page.locator("#person button[aria-label='Remove Image']").click()
        expect(error).to_have_count(0, timeout=WAIT)
        expect(page.locator("#try_on")).to_have_text("Add a person", timeout=WAIT)
    assert fal.count("submit") == 0
