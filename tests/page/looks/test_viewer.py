"""The viewer: one look, large."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import PHONE
from tests.conftest import until
from tests.page.acts import WAIT, drawn
from tests.page.looks import scenes
from tests.page.looks.acts import BLUE, LYING, RED, level, middle, offset, opened, pictures, touches, viewer
from tests.page.looks.conftest import Visit
from tests.page.looks.scenes import REQUEST_ID, look, working
from tests.page.looks.stage import Stage, person
from vton_ui.ui.components.actions import Action


@pytest.fixture
def red_blue(stage: Stage, visit: Visit) -> Page:
    """A page whose look is blue where the photo was red, with the viewer open."""
    red = stage.picture("red.png", Image.new("RGB", (300, 400), RED))
    blue = stage.picture("blue.png", Image.new("RGB", (300, 400), BLUE))
    stage.show([look("a", "done", before=red, url=blue)])
    page = visit()
    opened(page)
    return page


def edge(page: Page) -> float:
    """Where red ends and blue begins, from 0 to 1."""
    shot = pictures(page)
    row = [shot.getpixel((x, shot.height // 2)) for x in range(shot.width)]
    assert set(row) <= {RED, BLUE} or len(set(row)) <= 3
    return row.count(RED) / len(row)


def test_slider(red_blue: Page) -> None:
    """The slider is a native one: arrow keys, Home and End move the edge between before and after."""
    slider = red_blue.get_by_role("slider")
    assert edge(red_blue) == pytest.approx(0.5, abs=0.01)
    slider.focus()
    for _ in range(10):
        red_blue.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "60 % before")
    assert 0.55 < edge(red_blue) < 0.61
    knob = 22 / pictures(red_blue).width
    assert edge(red_blue) == pytest.approx(knob + 0.6 * (1 - 2 * knob), abs=0.01)
    red_blue.keyboard.press("End")
    assert edge(red_blue) == 1
    red_blue.keyboard.press("Home")
    assert edge(red_blue) == 0


def test_drag(red_blue: Page) -> None:
    """A drag anywhere on the picture moves the edge there; the knob can be dragged too."""
    box = red_blue.locator("#station .stage").bounding_box()
    assert box
    y = box["y"] + box["height"] / 3
    red_blue.mouse.move(box["x"] + box["width"] * 0.5, y)
    red_blue.mouse.down()
    red_blue.mouse.move(box["x"] + box["width"] * 0.25, y, steps=4)
    red_blue.mouse.up()
    assert edge(red_blue) == pytest.approx(0.25, abs=0.03)
    y = box["y"] + box["height"] - 30
    red_blue.mouse.move(box["x"] + box["width"] * edge(red_blue), y)
    red_blue.mouse.down()
    red_blue.mouse.move(box["x"] + box["width"] * 0.7, y, steps=4)
    red_blue.mouse.up()
    assert edge(red_blue) == pytest.approx(0.7, abs=0.03)


def test_flip(red_blue: Page) -> None:
    """B, or the button, shows all of the one or all of the other."""
    red_blue.keyboard.press("b")
    assert edge(red_blue) == 0
    red_blue.keyboard.press("B")
    assert edge(red_blue) == 1
    red_blue.get_by_role("button", name="Flip").click()
    assert edge(red_blue) == 0


def test_zoom(stage: Stage, visit: Visit) -> None:
    """Wheel, keys, buttons and a double click zoom; the wheel leaves alone what is under it."""
    stage.show(scenes.two_done())
    page = visit()
    opened(page)
    x, y = middle(page)
    page.mouse.move(x + 100, y + 50)
    page.mouse.wheel(0, -600)
    expect(page.locator("#station .level")).not_to_have_text("100 %")
    zoomed = level(page) / 100
    assert zoomed > 2
    assert offset(page) == pytest.approx((-100 * (zoomed - 1), -50 * (zoomed - 1)), abs=3)
    page.keyboard.press("0")
    assert (level(page), offset(page)) == (100, (0, 0))
    page.keyboard.press("+")
    page.get_by_role("button", name="Zoom in").click()
    assert level(page) == 156
    page.keyboard.press("-")
    page.get_by_role("button", name="Zoom out").click()
    assert level(page) == 100
    page.mouse.dblclick(x, y)
    assert level(page) == 250
    page.mouse.dblclick(x, y)
    assert level(page) == 100
    for _ in range(20):
        page.keyboard.press("+")
    assert level(page) == 800
    assert page.evaluate("scrollY") == 0


def test_pan(stage: Stage, visit: Visit) -> None:
    """Zoomed in, a drag and the arrow keys move the picture, never past its edge; at rest arrow keys turn the page."""
    stage.show(scenes.two_done())
    page = visit()
    dialog = opened(page)
    x, y = middle(page)
    page.mouse.dblclick(x, y)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y - 40, steps=3)
    page.mouse.up()
    assert offset(page) == pytest.approx((60, -40), abs=1)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    assert offset(page) == pytest.approx((12, 8), abs=1)
    for _ in range(60):
        page.keyboard.press("ArrowLeft")
    image, box = page.locator("#station img.look").last.bounding_box(), page.locator("#station .stage").bounding_box()
    assert image
    assert box
    assert image["x"] == pytest.approx(box["x"], abs=1)
    assert dialog.get_attribute("data-id") == "a"


def test_fingers(stage: Stage, visit: Visit) -> None:
    """On a phone: a drag moves the slider, two fingers zoom, two taps zoom back, a drag then moves the picture."""
    stage.show(scenes.two_done())
    page = visit(PHONE)
    opened(page)
    session = page.context.new_cdp_session(page)
    x, y = middle(page)
    touches(session, "touchStart", (x, y))
    for by in (20, 50, 90):
        touches(session, "touchMove", (x - by, y))
    touches(session, "touchEnd")
    assert page.locator("#station .split").input_value() == str(round(100 * (x - 90) / PHONE["width"]))
    touches(session, "touchStart", (x - 40, y), (x + 40, y))
    for by in (50, 80, 120):
        touches(session, "touchMove", (x - by, y), (x + by, y))
    touches(session, "touchEnd")
    assert level(page) == 300
    touches(session, "touchStart", (x, y))
    touches(session, "touchMove", (x + 30, y + 30))
    touches(session, "touchMove", (x + 60, y + 50))
    touches(session, "touchEnd")
    assert offset(page) == pytest.approx((60, 50), abs=16)  # Chromium keeps the first pixels of a drag to itself
    page.touchscreen.tap(x, y)
    page.touchscreen.tap(x, y)
    assert level(page) == 100


def test_opens_and_closes(stage: Stage, visit: Visit) -> None:
    """It opens from a done tile, by keys as by mouse; Escape closes it, and the tile has the focus again."""
    stage.show([look("a", "done"), working("b"), look("c", "done")])
    page = visit()
    face = page.locator("#station .tile[data-id=c] .face")
    face.focus()
    page.keyboard.press("Enter")
    expect(viewer(page)).to_be_visible()
    expect(page.locator("#station h2")).to_be_focused()
    for _ in range(30):  # Tab stays inside
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    expect(viewer(page)).to_be_hidden()
    expect(face).to_be_focused()
    page.keyboard.press("Enter")
    expect(viewer(page)).to_be_visible()
    # Opened again before the browser tells that it was closed
    page.evaluate("document.querySelector('dialog[open]').close(); document.querySelector('[data-id=c] .face').click()")
    drawn(page)
    page.get_by_role("button", name="Close", exact=True).click(timeout=WAIT)
    expect(face).to_be_focused()


def test_next_and_previous(stage: Stage, visit: Visit) -> None:
    """Arrow keys and buttons lead round the looks that are done, and only those."""
    stage.show([look("a", "done"), working("b"), look("c", "done"), look("d", "done")])
    page = visit()
    dialog = opened(page)
    expect(page.locator("#station .line")).to_contain_text("1 of 3")
    for key, id in [("ArrowRight", "c"), ("ArrowRight", "d"), ("PageDown", "a"), ("ArrowLeft", "d"), ("PageUp", "c")]:
        page.keyboard.press(key)
        expect(dialog).to_have_attribute("data-id", id)
    page.get_by_role("button", name="Next look").click()
    page.get_by_role("button", name="Next look").click()
    page.get_by_role("button", name="Previous look").click()
    expect(dialog).to_have_attribute("data-id", "d")
    page.keyboard.press("Escape")
    stage.show([look("a", "done"), working("b")])
    expect(page.locator("#station .tile")).to_have_count(2)
    opened(page)
    expect(page.get_by_role("button", name="Next look")).to_be_hidden()


def test_what_changed(stage: Stage, visit: Visit) -> None:
    """The marks lie exactly over the look, come and go, and the facts say how much changed."""
    marks = Image.new("RGBA", (150, 200), (0, 0, 0, 0))
    marks.paste((0, 255, 0, 255), (0, 0, 75, 100))
    changed = {"share_outside": 0.043, "overlay": stage.picture("marks.png", marks)}
    blue = stage.picture("blue.png", Image.new("RGB", (300, 400), BLUE))
    stage.show([look("a", "done", url=blue, changed=changed), look("b", "done")])
    page = visit()
    dialog = opened(page)
    expect(dialog.get_by_text("4 % outside the middle of the body")).to_be_visible()
    button = dialog.get_by_role("button", name="Show what changed")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("document.querySelector('#station .overlay').naturalWidth")
    shot = pictures(page)
    assert shot.getpixel((shot.width // 2 - 3, shot.height // 2 - 3)) == (0, 255, 0)
    assert shot.getpixel((shot.width // 2 + 3, shot.height // 2 - 3)) == BLUE
    assert shot.getpixel((shot.width // 2 - 3, shot.height // 2 + 3)) == BLUE
    page.keyboard.press("c")
    expect(button).to_have_attribute("aria-pressed", "false")
    assert {colour for _, colour in pictures(page).getcolors() or []} == {BLUE}
    page.keyboard.press("ArrowRight")
    expect(button).to_be_hidden()  # of this one nobody knows


ACTIONS = {
    "Again with another seed · $0.0475": "again",
    "Use its settings": "use_settings",
    "Use as the next person": "use_as_person",
    "Put its garments back": "put_garments_back",
}


def test_actions(stage: Stage, visit: Visit) -> None:
    """What is done with a look reaches Python with its id and nothing else, and leads back to the page."""
    stage.show([look("a", "done"), look("b", "done", again="$0.0475")])
    page = visit()
    for done, (words, name) in enumerate(ACTIONS.items()):
        dialog = opened(page, "b")
        dialog.get_by_role("button", name=words, exact=True).click()
        until(lambda done=done: len(stage.actions) > done)  # type: ignore[misc]
        assert stage.actions[done:] == [Action(name=name, ids=("b",))]
        assert stage.sent[done:] == [{"id": "b", "action": name}]
        expect(dialog).to_be_hidden()


def test_facts(stage: Stage, visit: Visit) -> None:
    """Everything known of a look stands beside it; a draft says that it is one."""
    stage.show([look("a", "done", sandbox=True)])
    page = visit()
    dialog = opened(page)
    expect(dialog.get_by_role("heading")).to_have_text("FLUX VTO · Striped tee")
    expect(dialog.locator(".line")).to_have_text("draft, not AI · 8.1 s · $0.0475")
    facts = ["Size", "960 × 1280 pixels", "Licence", "Commercial use", "Seed", "41822", "Request id", REQUEST_ID]
    expect(dialog.locator(".facts > *")).to_have_text(facts)


def test_download(stage: Stage, visit: Visit) -> None:
    """Download saves the very file, under its name."""
    stage.show([look("a", "done", url=person("mei"))])
    page = visit()
    dialog = opened(page)
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "mei.jpg"
    mei = Path(__file__).parents[3] / "assets" / "people" / "mei.jpg"
    assert download.value.path().read_bytes() == mei.read_bytes()


def test_full_screen(stage: Stage, visit: Visit) -> None:
    """The picture fills the screen, by key and by button, and the viewer is there again after it."""
    stage.show(scenes.two_done())
    page = visit()
    dialog = opened(page)
    full = "() => Boolean(document.fullscreenElement)"
    page.keyboard.press("f")
    page.wait_for_function(full)
    button = dialog.get_by_role("button", name="Full screen")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(dialog.get_by_role("link", name="Download")).to_be_hidden()
    button.click()
    page.wait_for_function(f"!({full})()")
    expect(dialog).to_be_visible()
    expect(button).to_have_attribute("aria-pressed", "false")


def test_follows_its_tile(stage: Stage, visit: Visit) -> None:
    """Open, it stays open on its look while values stream in, with its focus and its slider, and shows what is new."""
    ids = [f"t{place}" for place in range(12)]
    stage.show([look("t0", "done"), *(working(id) for id in ids[1:])])
    page = visit()
    dialog = opened(page, "t0")
    slider = dialog.get_by_role("slider")
    slider.fill("30")
    slider.focus()
    for step in range(10):
        done = [look(id, "done", cost=f"${step}") for id in ids[: 1 + step // 3]]
        stage.show([*done, *(working(id, share=step / 10) for id in ids[len(done) :])])
        time.sleep(0.1)  # the pace is the test
    expect(dialog.locator(".line")).to_have_text("1 of 4 · 8.1 s · $9")
    expect(slider).to_be_focused()
    expect(slider).to_have_value("30")
    stage.show([look("t0", "done", url=person("kofi")), *(look(id, "done") for id in ids[1:])])
    expect(dialog.locator("img.look")).to_have_attribute("src", re.compile("kofi.jpg$"))
    expect(dialog.locator(".line")).to_contain_text("1 of 12")
    stage.show([look("new", "done")])
    expect(page.locator("#station .tile")).to_have_count(1)
    expect(dialog).to_be_visible()
    expect(dialog).to_have_attribute("data-id", "t0")
    page.keyboard.press("Escape")
    expect(page.locator("#station .face")).to_be_focused()


def test_photo_that_no_browser_shows(stage: Stage, visit: Visit) -> None:
    """Without a photo to compare with, the look stands alone and nothing pretends otherwise."""
    (stage.folder / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    unreadable = f"/gradio_api/file={stage.folder}/photo.heic"
    stage.show([look("a", "done", before=unreadable), look("b", "done", before=None), look("c", "done")])
    page = visit()
    dialog = opened(page)
    for _ in range(2):
        expect(dialog.get_by_role("button", name="Flip")).to_be_disabled()
        expect(dialog.get_by_role("slider")).to_be_hidden()
        expect(dialog.locator(".layer.before")).to_be_hidden()
        page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("slider")).to_be_visible()
    expect(dialog.locator(".layer.before")).to_be_visible()


@pytest.mark.parametrize("viewport", [PHONE, LYING], ids=["upright", "lying"])
def test_phone(stage: Stage, visit: Visit, viewport: dict[str, int]) -> None:
    """On a phone, either way up, the picture and its tools are in sight, and every target is large enough."""
    stage.show(scenes.two_done())
    page = visit(viewport)
    dialog = opened(page)
    for selector in (".stage", ".split", ".flip", ".close", ".full", ".turn.next", "h2"):
        expect(dialog.locator(selector)).to_be_in_viewport(ratio=0.99)
    sizes: Any = dialog.locator("button:visible, a:visible, .split").evaluate_all(
        "all => all.map(one => [one.offsetWidth, one.offsetHeight])"
    )
    assert min(min(size) for size in sizes) >= 44
    assert dialog.evaluate("one => one.scrollWidth <= innerWidth")
    dialog.get_by_role("button", name="Put its garments back").tap()
    until(lambda: stage.actions == [Action(name="put_garments_back", ids=("a",))])
