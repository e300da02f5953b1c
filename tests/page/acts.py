"""What a visitor does on the page."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from PIL import Image
from playwright.sync_api import Page, expect

from tests.conftest import photo_bytes
from tests.fake_fal.server import FakeFal

WAIT = 20_000
"""Milliseconds: long enough for a busy machine; nothing waits longer than necessary."""


def picture_file(name: str, content: bytes) -> dict[str, object]:
    """A file as Playwright uploads it."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


def give(page: Page, slot: str, *contents: bytes, name: str = "photo.jpg") -> None:
    """Put photos into a slot, and wait until they are shown."""
    page.set_input_files(f"#{slot} input[type=file]", [picture_file(name, content) for content in contents])  # type: ignore[arg-type]


def button(page: Page) -> str:
    return page.locator("#try_on").inner_text().strip()


def two_photos(page: Page) -> None:
    """A person and a garment, ready to try on."""
    give(page, "person", photo_bytes(900, 1200))
    expect(page.locator("#try_on")).to_have_text("Add a garment", timeout=WAIT)
    give(page, "garments", photo_bytes(800, 800))
    expect(page.locator("#try_on")).to_have_text(re.compile("Try on"), timeout=WAIT)


@contextmanager
def no_turn(fal: FakeFal) -> Iterator[None]:
    """While this lasts every job waits in the queue."""
    fal.concurrent = 0
    yield
    fal.concurrent = None


def ordered(page: Page) -> None:
    """Two photos, a click, and fal has accepted."""
    two_photos(page)
    page.click("#try_on")
    expect(page.locator("#status")).to_contain_text("Waiting", timeout=WAIT)


def works(page: Page) -> None:
    page.locator("#status [data-state=working]").wait_for(timeout=WAIT)


def done(page: Page) -> None:
    page.locator("#status [data-state=done]").wait_for(timeout=WAIT)


def forget(page: Page) -> None:
    """Forget everything, and mean it."""
    page.click("#forget")
    page.click("#forget_confirm .order")


def drawn(page: Page) -> None:
    """Wait until the page shows all changes that have arrived."""
    page.evaluate("() => new Promise((drawn) => setTimeout(() => requestAnimationFrame(drawn), 50))")


@contextmanager
def looked_back(page: Page) -> Iterator[None]:
    """Load the page in here; afterwards it shows all that the browser has kept."""
    over: list[str] = []
    for event in ("requestfinished", "requestfailed"):  # Gradio's page closes the stream after its last event
        page.on(event, lambda request: over.append(request.url))  # type: ignore[call-overload]
    yield
    end = time.monotonic() + WAIT / 1000
    while not any("/queue/data" in url for url in over):
        assert time.monotonic() < end, "no event reached the page"
        page.wait_for_timeout(50)
    drawn(page)


def result_picture(page: Page) -> Image.Image:
    source = page.locator("#result img").get_attribute("src")
    assert source
    return Image.open(io.BytesIO(httpx.get(source).content))
