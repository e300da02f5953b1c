"""What leaves the browser: photos are shrunk, upright and without metadata on every way into a slot."""

from __future__ import annotations

import base64
import io
import os
import re

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.conftest import photo_bytes
from tests.fake_fal.server import FakeFal
from tests.page.acts import WAIT, done, give, picture_file, two_photos

DROP = """([slot, name, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, {type: "image/jpeg"}));
  const target = document.querySelector(`#${slot} img`) ?? document.querySelector(`#${slot} button`);
  for (const type of ["dragenter", "dragover", "drop"])
    target.dispatchEvent(new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""
DROPPED = """(id) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File(["x"], "x.jpg", {type: "image/jpeg"}));
  return document.getElementById(id).dispatchEvent(
    new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""
PASTE = """(text) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "", {type: "image/jpeg"}));
  document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData: transfer, bubbles: true, cancelable: true}));
}"""


def noisy(width: int, height: int, **kind: object) -> bytes:
    """A photo of many bytes."""
    image = Image.frombytes("RGB", (width // 4, height // 4), os.urandom(width // 4 * (height // 4) * 3))
    buffer = io.BytesIO()
    image.resize((width, height)).save(buffer, **{"format": "JPEG", "quality": 95, **kind})
    return buffer.getvalue()


PHONE_PHOTO = photo_bytes(4032, 3024, exif_orientation=6, gps=True)
TURNED = photo_bytes(2400, 1800, exif_orientation=6, gps=True)


@pytest.fixture
def page(paid: Page) -> Page:
    """The page, ready."""
    return paid


def received(page: Page, slot: str, number: int = 0) -> Image.Image:
    """The photo in a slot, as the server has it."""
    photo = page.locator(f"#{slot} img").nth(number)
    expect(photo).to_have_attribute("src", re.compile("^http"), timeout=WAIT)  # until then, the rail shows the file
    source = photo.get_attribute("src")
    assert source
    return Image.open(io.BytesIO(httpx.get(source).content))


def is_upright_and_small(image: Image.Image) -> bool:
    return image.height > image.width and image.width * image.height <= 2_000_000 and not image.getexif()


def drop(page: Page, slot: str, content: bytes, name: str = "dropped.jpg") -> None:
    page.evaluate(DROP, [slot, name, base64.b64encode(content).decode()])


def test_the_person(page: Page) -> None:
    """Picked, dropped or pasted, a photo arrives with 2 megapixels, upright, without EXIF; a drop replaces it too.

    A drop works on the empty slot and on the filled one, which Gradio would only empty. A paste fills the person
    first, then the garments.
    """
    photo = page.locator("#person img")
    give(page, "person", PHONE_PHOTO)
    expect(photo).to_be_visible(timeout=WAIT)
    assert is_upright_and_small(received(page, "person"))
    removed(page)
    drop(page, "person", TURNED, "first.jpg")
    expect(photo).to_be_visible(timeout=WAIT)
    assert is_upright_and_small(received(page, "person"))
    drop(page, "person", photo_bytes(700, 900), "second.jpg")
    page.wait_for_function("document.querySelector('#person img')?.naturalWidth === 700", timeout=WAIT)
    removed(page)
    page.evaluate(PASTE, base64.b64encode(TURNED).decode())
    expect(photo).to_be_visible(timeout=WAIT)
    assert is_upright_and_small(received(page, "person"))
    page.evaluate(PASTE, base64.b64encode(photo_bytes(600, 600)).decode())
    expect(page.locator("#garments .card")).to_have_count(1, timeout=WAIT)


def test_the_garments(page: Page) -> None:
    """Every one of several is shrunk; a drop on them, or near them, adds, and elsewhere it does not leave the page."""
    cards = page.locator("#garments .card")
    drop(page, "clothes", photo_bytes(500, 700))
    expect(cards).to_have_count(1, timeout=WAIT)
    assert page.evaluate(DROPPED, "privacy") is False
    give(page, "garments", TURNED, photo_bytes(1800, 2400))
    expect(cards).to_have_count(3, timeout=WAIT)
    assert all(is_upright_and_small(received(page, "garments", number)) for number in range(3))
    drop(page, "garments", photo_bytes(600, 600))
    expect(cards).to_have_count(4, timeout=WAIT)
    # A large transparent PNG keeps its transparency, which the server puts on white.
    buffer = io.BytesIO()
    Image.new("RGBA", (2000, 2000), (200, 30, 30, 90)).save(buffer, "PNG")
    give(page, "garments", buffer.getvalue(), name="cut.png")
    expect(cards).to_have_count(5, timeout=WAIT)
    assert received(page, "garments", 4).mode == "RGBA"


def test_a_click_during_the_upload_waits(page: Page, fal: FakeFal) -> None:
    """A click right after adding a garment sends the new list, not the old one."""
    two_photos(page)
    page.set_input_files("#garments input[type=file]", [picture_file("late.jpg", noisy(3000, 4000))])  # type: ignore[list-item]
    page.click("#try_on")
    done(page)
    (job,) = fal.jobs.values()
    assert "the 2 garments" in job.arguments["prompt"]


def test_what_is_small(page: Page) -> None:
    """A photo that is small and clean is not encoded again; one with metadata, of whichever kind, leaves without it."""
    exif = Image.Exif()
    exif[0x010E] = "secret"
    kinds = {"exif": {"exif": exif}, "xmp": {"xmp": b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>secret</x:xmpmeta>"}}
    for marks in kinds.values():
        content = noisy(400, 500, quality=75, **marks)
        assert b"secret" in content
        arrived = given(page, content, "photo.jpg")
        assert arrived.size == (400, 500)
        assert not arrived.getexif()
        assert "xmp" not in arrived.info
    for format in ("JPEG", "PNG", "GIF"):
        content = photo_bytes(800, 900, format)
        assert given(page, content, f"small.{format.lower()}").format == format


def given(page: Page, content: bytes, name: str) -> Image.Image:
    """A photo given to the empty person, as the server has it; the slot is empty again afterwards."""
    give(page, "person", content, name=name)
    arrived = received(page, "person")
    removed(page)
    return arrived


def removed(page: Page) -> None:
    """Take the person away."""
    page.locator("#person button[aria-label='Remove Image']").click()
    expect(page.locator("#person img")).to_have_count(0, timeout=WAIT)
    page.wait_for_function("!document.querySelector('[data-uploading]')")
