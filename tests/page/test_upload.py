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


def test_a_picked_photo_is_shrunk(page: Page) -> None:
    """A photo of 12 megapixels with EXIF orientation and place arrives with 2, upright, without EXIF."""
    give(page, "person", PHONE_PHOTO)
    expect(page.locator("#person img")).to_be_visible(timeout=WAIT)
    assert is_upright_and_small(received(page, "person"))


def test_several_photos_are_shrunk(page: Page) -> None:
    """Every one of several garments."""
    give(page, "garments", PHONE_PHOTO, photo_bytes(3024, 4032), PHONE_PHOTO)
    expect(page.locator("#garments .card")).to_have_count(3, timeout=WAIT)
    assert all(is_upright_and_small(received(page, "garments", number)) for number in range(3))


def test_a_dropped_photo_is_shrunk_and_replaces_the_old_one(page: Page) -> None:
    """A drop works on the empty slot and on the filled one, which Gradio would only empty."""
    drop(page, "person", PHONE_PHOTO, "first.jpg")
    expect(page.locator("#person img")).to_be_visible(timeout=WAIT)
    assert is_upright_and_small(received(page, "person"))
    drop(page, "person", photo_bytes(700, 900), "second.jpg")
    page.wait_for_function("document.querySelector('#person img')?.naturalWidth === 700", timeout=WAIT)


def test_a_drop_on_filled_garments_adds(page: Page) -> None:
    """It takes nothing away."""
    give(page, "garments", photo_bytes(600, 600))
    expect(page.locator("#garments .card")).to_have_count(1, timeout=WAIT)
    drop(page, "garments", photo_bytes(500, 700))
    expect(page.locator("#garments .card")).to_have_count(2, timeout=WAIT)


def test_a_drop_that_misses(page: Page) -> None:
    """Near the garments it is theirs, and elsewhere it does not take the visitor off the page."""
    drop(page, "clothes", photo_bytes(500, 700))
    expect(page.locator("#garments .card")).to_have_count(1, timeout=WAIT)
    assert page.evaluate(DROPPED, "privacy") is False


def test_a_pasted_photo_goes_where_one_is_missing(page: Page) -> None:
    """A pasted photo fills the person first, then the garments, and is shrunk too."""
    page.evaluate(PASTE, base64.b64encode(PHONE_PHOTO).decode())
    expect(page.locator("#person img")).to_be_visible(timeout=WAIT)
    assert is_upright_and_small(received(page, "person"))
    page.evaluate(PASTE, base64.b64encode(photo_bytes(600, 600)).decode())
    expect(page.locator("#garments .card")).to_have_count(1, timeout=WAIT)


def test_a_click_during_the_upload_waits(page: Page, fal: FakeFal) -> None:
    """A click right after adding a garment sends the new list, not the old one."""
    two_photos(page)
    page.set_input_files("#garments input[type=file]", [picture_file("late.jpg", noisy(3000, 4000))])  # type: ignore[list-item]
    page.click("#try_on")
    done(page)
    (job,) = fal.jobs.values()
    assert "the 2 garments" in job.arguments["prompt"]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (photo_bytes(800, 900), "small.jpg"),
        (photo_bytes(800, 900, "PNG"), "small.png"),
        (photo_bytes(800, 900, "GIF"), "small.gif"),
    ],
    ids=["jpeg", "png", "gif"],
)
def test_what_is_small_passes_untouched(page: Page, content: bytes, name: str) -> None:
    """A photo that is small and clean is not encoded again."""
    give(page, "person", content, name=name)
    expect(page.locator("#person img")).to_be_visible(timeout=WAIT)
    assert received(page, "person").format == Image.open(io.BytesIO(content)).format


@pytest.mark.parametrize("marks", ["exif", "xmp"])
def test_what_is_small_tells_nothing(page: Page, marks: str) -> None:
    """A photo that need not be shrunk leaves the browser without its metadata, of whichever kind, all the same."""
    exif = Image.Exif()
    exif[0x010E] = "secret"
    kinds = {"exif": {"exif": exif}, "xmp": {"xmp": b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>secret</x:xmpmeta>"}}
    content = noisy(400, 500, quality=75, **kinds[marks])
    assert b"secret" in content
    give(page, "person", content)
    expect(page.locator("#person img")).to_be_visible(timeout=WAIT)
    arrived = received(page, "person")
    assert arrived.size == (400, 500)
    assert not arrived.getexif()
    assert "xmp" not in arrived.info


def test_transparency_survives(page: Page) -> None:
    """A large transparent PNG keeps its transparency, which the server puts on white."""
    buffer = io.BytesIO()
    Image.new("RGBA", (2000, 2000), (200, 30, 30, 90)).save(buffer, "PNG")
    give(page, "garments", buffer.getvalue(), name="cut.png")
    expect(page.locator("#garments .card")).to_have_count(1, timeout=WAIT)
    assert received(page, "garments").mode == "RGBA"
