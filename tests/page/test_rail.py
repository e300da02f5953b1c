"""The garment rail in a browser: every way in, order, kinds, crop, cut-out, keys, and what a screen reader is told."""

from __future__ import annotations

import base64
import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Error, Locator, Page, Route, expect

from tests.browser import DESK, PHONE, quiet_page
from tests.conftest import photo_bytes
from tests.page.acts import WAIT, picture_file
from tests.page.rail_page import EXAMPLES, REFUSED, serving_rail

FILES = """([name, type, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, {type}));
  return transfer;
}"""
DROP = f"""(file) => {{
  const transfer = ({FILES})(file);
  const target = document.querySelector("#garments .card") ?? document.querySelector("#garments .add");
  for (const type of ["dragenter", "dragover", "drop"])
    target.dispatchEvent(new DragEvent(type, {{dataTransfer: transfer, bubbles: true, cancelable: true}}));
}}"""
PASTE = f"""(file) => (document.activeElement ?? document.body).dispatchEvent(
  new ClipboardEvent("paste", {{clipboardData: ({FILES})(file), bubbles: true, cancelable: true}}))"""
SILENT = "for (const node of document.querySelectorAll('#garments :is(.note, [role=status])')) node.textContent = ''"
TAB_STOPS = (
    "[...document.querySelectorAll('#garments *')].filter((n) => n.tabIndex === 0 && n.checkVisibility()).length"
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A page with the rail as CatVTON needs it."""
    with serving_rail() as address:
        yield address


@pytest.fixture(scope="module")
def desk(browser: Browser) -> Iterator[Page]:
    """What `page` is opened in: scripts are loaded once."""
    with browser.new_context(viewport=DESK) as context:  # type: ignore[arg-type]
        yield quiet_page(context)


@pytest.fixture(scope="module")
def hand(browser: Browser) -> Iterator[Page]:
    """What `phone` is opened in."""
    with browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True) as context:  # type: ignore[arg-type]
        yield quiet_page(context)


def opened(page: Page, url: str) -> Iterator[Page]:
    page.set_default_timeout(WAIT)
    errors: list[str] = []

    def note(error: Error) -> None:
        errors.append(str(error))

    page.on("pageerror", note)
    if page.url.startswith(url) and not page.locator("dialog[open]").count():
        page.mouse.up()
        page.click("#clear")
        until(page, lambda sent: sent == [])
        page.evaluate(SILENT)
    else:
        page.goto(url)
    page.wait_for_selector("#garments .rail[data-empty]")
    yield page
    page.remove_listener("pageerror", note)
    page.unroute_all(behavior="ignoreErrors")
    assert errors == []


@pytest.fixture
def page(desk: Page, url: str) -> Iterator[Page]:
    """On a desk; it must not log an error."""
    yield from opened(desk, url)


@pytest.fixture
def phone(hand: Page, url: str) -> Iterator[Page]:
    """On a phone."""
    yield from opened(hand, url)


def example(name: str) -> bytes:
    return (EXAMPLES / f"{name}.jpg").read_bytes()


def pick(page: Page, *names: str) -> None:
    """Pick examples by the file dialog's input, and wait until they are there and their kinds are guessed."""
    before = page.locator("#garments .garment").count()
    files = [picture_file(f"{name}.jpg", example(name)) for name in names]
    page.set_input_files("#garments input[type=file]", files)  # type: ignore[arg-type]
    expect(page.locator("#garments .garment[data-sent]")).to_have_count(before + len(names), timeout=WAIT)


def settled(page: Page, *names: str) -> None:
    """Wait until the garments stand in this order and are looked at."""
    in_order(page, *names)
    until(page, lambda sent: [one["name"] for one in sent] == list(names) and all(one["kind"] for one in sent))


def cards(page: Page) -> Locator:
    return page.locator("#garments .card")


def card(page: Page, name: str) -> Locator:
    return page.locator(f"#garments .card[aria-label^='{name},']")


def in_order(page: Page, *names: str) -> None:
    expect(page.locator("#garments .name")).to_have_text(list(names), timeout=WAIT)


def said(page: Page, text: str) -> None:
    expect(page.locator("#garments [role=status]")).to_have_text(text, timeout=WAIT)


def value(page: Page) -> list[dict[str, Any]]:
    """What the server reads."""
    text = page.locator("#value textarea").input_value()
    found: list[dict[str, Any]] = json.loads(text or "[]")
    return found


def until(page: Page, true: Callable[[list[dict[str, Any]]], bool]) -> None:
    """Wait until the server reads something that fits."""
    for _ in range(WAIT // 50):
        with suppress(IndexError):  # nothing is there yet
            if true(value(page)):
                return
        page.wait_for_timeout(50)
    raise AssertionError(value(page))


def encoded(name: str, content: bytes, type: str = "image/jpeg") -> list[str]:
    return [name, type, base64.b64encode(content).decode()]


def shown(page: Page, name: str) -> Image.Image:
    """The picture on a card."""
    source = card(page, name).locator("img").get_attribute("src")
    assert source
    return Image.open(io.BytesIO(page.request.get(source).body())).convert("RGB")


def first(page: Page, held: list[Route]) -> Route:
    """The first request that is held back, once it is there."""
    for _ in range(WAIT // 50):
        if held:
            break
        page.wait_for_timeout(50)
    return held[0]


def middle(area: Locator) -> tuple[float, float]:
    box = area.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def on_grey() -> bytes:
    """A red square on plain grey."""
    image = Image.new("RGB", (400, 400), (200, 200, 200))
    ImageDraw.Draw(image).rectangle((100, 100, 299, 299), (180, 20, 30))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


# ---- Ways in


def test_invitation(page: Page) -> None:
    """At first sight the rail invites, and is no taller than that needs; the camera is for phones."""
    expect(page.locator("#garments .invitation")).to_contain_text("Drop garments")
    expect(page.get_by_role("button", name="Choose pictures")).to_be_visible()
    expect(page.get_by_role("button", name="Take a photo")).to_be_hidden()
    box = page.locator("#garments").bounding_box()
    assert box
    assert box["height"] < 240


def test_camera(phone: Page) -> None:
    """On a phone a button of its own opens the camera."""
    with phone.expect_file_chooser() as chosen:
        phone.get_by_role("button", name="Take a photo").tap()
    assert chosen.value.element.get_attribute("capture") == "environment"
    chosen.value.set_files([picture_file("IMG_2031.jpg", example("tee"))])  # type: ignore[list-item]
    in_order(phone, "Garment")


def test_pick_several(page: Page) -> None:
    """Several at once come in the order they were picked in, named after their files."""
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Choose pictures").click()
    assert chosen.value.is_multiple()
    chosen.value.set_files([str(EXAMPLES / f"{name}.jpg") for name in ("trousers", "tee", "coat")])
    settled(page, "Trousers", "Tee", "Coat")
    assert [garment["path"].rpartition("/")[2] for garment in value(page)] == ["trousers.jpg", "tee.jpg", "coat.jpg"]


def test_drop(page: Page) -> None:
    """A drop on the empty rail and on a card of the filled one adds."""
    page.evaluate(DROP, encoded("tee.jpg", example("tee")))
    in_order(page, "Tee")
    page.evaluate(DROP, encoded("coat.jpg", example("coat")))
    in_order(page, "Tee", "Coat")


def test_paste(page: Page) -> None:
    """A picture pasted in the rail is added once, and one pasted elsewhere when the page hands it over."""
    pick(page, "tee")
    page.evaluate(PASTE, encoded("image.png", example("coat")))
    in_order(page, "Tee", "Garment")
    cards(page).first.focus()
    page.evaluate(PASTE, encoded("image.png", example("coat")))
    in_order(page, "Tee", "Garment", "Garment")


def test_no_more_than_fit(page: Page) -> None:
    """Six fit; what is too many is left out, and said."""
    pick(page, "tee", "tee", "tee", "tee", "tee")
    files = [picture_file(f"{name}.jpg", example(name)) for name in ("coat", "dress", "skirt")]
    page.set_input_files("#garments input[type=file]", files)  # type: ignore[arg-type]
    expect(page.locator("#garments .note")).to_have_text("6 garments fit; 2 left out.")
    in_order(page, "Tee", "Tee", "Tee", "Tee", "Tee", "Coat")
    expect(page.locator("#garments .add")).to_be_hidden()


def test_example_from_python(page: Page) -> None:
    """A garment that the server adds is shown and guessed, and none that came meanwhile is lost, nor too many taken."""
    pick(page, "tee")
    page.evaluate("document.querySelectorAll('#example').forEach((each) => { each.click(); each.click(); })")
    page.set_input_files("#garments input[type=file]", [picture_file("coat.jpg", example("coat"))])  # type: ignore[list-item]
    settled(page, "Tee", "Dress", "Dress", "Coat")
    for _ in range(3):
        page.click("#example")
    expect(page.locator("#garments .note")).to_have_text("6 garments fit; 1 left out.", timeout=WAIT)
    settled(page, "Tee", "Dress", "Dress", "Dress", "Dress", "Coat")
    page.wait_for_function(
        "[...document.querySelectorAll('#garments .picture img')].every((img) => img.naturalWidth > 0)"
    )


# ---- Uploads


def test_shrunk(page: Page) -> None:
    """The page's hook on uploads meets the rail's as well: a phone's photo arrives small and upright."""
    photo = photo_bytes(4032, 3024, exif_orientation=6, gps=True)
    page.set_input_files("#garments input[type=file]", [picture_file("big.jpg", photo)])  # type: ignore[list-item]
    in_order(page, "Big")
    page.wait_for_function("document.querySelector('#garments .picture img').src.startsWith('http')")
    image = shown(page, "Big")
    assert image.height > image.width
    assert image.width * image.height <= 2_000_000


def test_upload_under_way(page: Page) -> None:
    """A card stands there from the start, says that it uploads, and those behind it wait."""
    held: list[Route] = []
    page.route("**/gradio_api/upload*", lambda route: held.append(route), times=1)
    files = [picture_file(f"{name}.jpg", example(name)) for name in ("tee", "coat")]
    page.set_input_files("#garments input[type=file]", files)  # type: ignore[arg-type]
    expect(page.locator("#garments .state")).to_have_text(["Uploading", "Waiting"])
    expect(page.get_by_role("progressbar", name="Uploading: Tee")).to_be_visible()
    first(page, held).continue_()
    expect(page.locator("#garments .garment[data-sent]")).to_have_count(2, timeout=WAIT)
    expect(page.locator("#garments .state:visible")).to_have_count(0)


def test_removed_under_way(page: Page) -> None:
    """What is removed while it uploads does not come back when it is there."""
    held: list[Route] = []
    page.route("**/gradio_api/upload*", lambda route: held.append(route), times=1)
    page.set_input_files("#garments input[type=file]", [picture_file("tee.jpg", example("tee"))])  # type: ignore[list-item]
    expect(page.locator("#garments .state")).to_have_text("Uploading")
    page.get_by_role("button", name="Remove garment 1, Tee").click()
    first(page, held).continue_()
    pick(page, "coat")
    in_order(page, "Coat")


def test_failed_upload(page: Page) -> None:
    """A failed upload says why on its card, harms no other, and can be tried again."""
    page.route("**/gradio_api/upload*", lambda route: route.abort(), times=1)
    files = [picture_file(f"{name}.jpg", example(name)) for name in ("tee", "coat")]
    page.set_input_files("#garments input[type=file]", files)  # type: ignore[arg-type]
    expect(card(page, "Tee").locator(".trouble")).to_have_text("The connection broke off.", timeout=WAIT)
    expect(page.locator("#garments .garment[data-sent] .name")).to_have_text(["Coat"], timeout=WAIT)
    page.get_by_role("button", name="Try again: Tee").click()
    expect(page.locator("#garments .garment[data-sent]")).to_have_count(2, timeout=WAIT)
    settled(page, "Tee", "Coat")


def test_wrong_file(page: Page) -> None:
    """What cannot be taken says so on its card, and can be removed."""
    for content, type, why in (
        (os.urandom(2_100_000), "image/jpeg", "The file is too large."),
        (b"%PDF-1.7", "application/pdf", "This is no picture."),
    ):
        page.evaluate(DROP, encoded("thing.jpg", content, type))
        expect(card(page, "Thing").locator(".trouble")).to_have_text(why)
        page.get_by_role("button", name="Remove garment 1, Thing").click()
        expect(page.locator("#garments .rail[data-empty]")).to_be_visible()


# ---- Order


def drag(page: Page, grip: Locator, to: Locator) -> None:
    """Drag by mouse, in steps as a hand does, once the cards have come to rest."""
    grip.hover()
    page.mouse.down()
    page.mouse.move(*middle(to), steps=8)
    page.mouse.up()


def test_order_by_mouse(page: Page) -> None:
    """A card dragged by its dots or its picture takes the place where it is let go; Escape leaves all as it was.

    Who cannot drag picks the place's number.
    """
    pick(page, "trousers", "tee", "coat")
    settled(page, "Trousers", "Tee", "Coat")
    drag(page, cards(page).nth(2).locator(".grip"), cards(page).nth(0).locator("img"))
    in_order(page, "Coat", "Trousers", "Tee")
    said(page, "Coat, moved to place 1 of 3")
    until(page, lambda sent: [garment["name"] for garment in sent] == ["Coat", "Trousers", "Tee"])
    drag(page, cards(page).nth(2).locator("img"), cards(page).nth(0).locator("img"))
    in_order(page, "Tee", "Coat", "Trousers")
    until(page, lambda sent: [garment["name"] for garment in sent] == ["Tee", "Coat", "Trousers"])
    cards(page).nth(1).locator(".grip").hover()
    page.mouse.down()
    page.mouse.move(*middle(cards(page).nth(0)), steps=5)
    expect(page.locator("#garments [data-dragged]")).to_have_count(1)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator("#garments [data-dragged]")).to_have_count(0)
    in_order(page, "Tee", "Coat", "Trousers")
    page.get_by_label("Place of Trousers").select_option("1")
    in_order(page, "Trousers", "Tee", "Coat")


def test_order_by_touch(phone: Page) -> None:
    """A finger drags a card by its dots."""
    pick(phone, "trousers", "tee")
    settled(phone, "Trousers", "Tee")
    touch = phone.context.new_cdp_session(phone)
    cards(phone).nth(1).locator(".grip").scroll_into_view_if_needed()
    (x0, y0), (x1, y1) = middle(cards(phone).nth(1).locator(".grip")), middle(cards(phone).nth(0))
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x0, "y": y0}]})
    for part in range(1, 9):
        point = {"x": x0 + (x1 - x0) * part / 8, "y": y0 + (y1 - y0) * part / 8}
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    in_order(phone, "Tee", "Trousers")


def test_order_by_keys(page: Page) -> None:
    """Alt or Ctrl with an arrow moves the card, which keeps the focus; nothing moves past the ends."""
    pick(page, "trousers", "tee", "coat")
    settled(page, "Trousers", "Tee", "Coat")
    cards(page).nth(0).focus()
    page.keyboard.press("Alt+ArrowLeft")
    in_order(page, "Trousers", "Tee", "Coat")
    page.keyboard.press("Alt+ArrowRight")
    in_order(page, "Tee", "Trousers", "Coat")
    said(page, "Trousers, moved to place 2 of 3")
    page.keyboard.press("Control+ArrowRight")
    in_order(page, "Tee", "Coat", "Trousers")
    expect(card(page, "Trousers")).to_be_focused()


def test_proposed_order(page: Page) -> None:
    """Lower before upper before over, until one is moved by hand; from then on the visitor's order stands."""
    pick(page, "coat", "tee")
    settled(page, "Tee", "Coat")
    said(page, "Put in order: Tee, Coat")
    pick(page, "trousers")
    settled(page, "Trousers", "Tee", "Coat")
    card(page, "Coat").focus()
    page.keyboard.press("Alt+ArrowUp")
    in_order(page, "Coat", "Trousers", "Tee")
    pick(page, "skirt")
    until(page, lambda sent: len(sent) == 4 and all(garment["kind"] for garment in sent))
    in_order(page, "Coat", "Trousers", "Tee", "Skirt")


# ---- Remove, kinds


def test_remove(page: Page) -> None:
    """Delete removes; the focus goes to the next card, at the end to the one before, then to the button that adds."""
    pick(page, "trousers", "tee", "coat")
    settled(page, "Trousers", "Tee", "Coat")
    for left, focused in ((2, "Coat"), (1, "Trousers")):
        cards(page).nth(1).focus()
        page.keyboard.press("Delete")
        expect(cards(page)).to_have_count(left)
        expect(card(page, focused)).to_be_focused()
        until(page, lambda sent, left=left: len(sent) == left)  # type: ignore[misc]
    page.get_by_role("button", name="Remove garment 1, Trousers").click()
    expect(page.get_by_role("button", name="Choose pictures")).to_be_focused()
    said(page, "Trousers, removed")
    until(page, lambda sent: sent == [])


def test_kinds(page: Page) -> None:
    """A kind is guessed, says that it is, and is the visitor's once corrected."""
    pick(page, "tee", "coat")
    kind = page.get_by_label("Kind of Tee")
    expect(kind).to_have_value("upper", timeout=WAIT)
    expect(kind.locator("option:checked")).to_have_text("Top?")
    expect(cards(page).first).to_have_attribute("aria-label", "Tee, Top, guessed, place 1 of 2")
    kind.select_option("inner")
    said(page, "Tee, Under a jacket")
    until(page, lambda sent: (sent[0]["kind"], sent[0]["guessed"]) == ("inner", False))
    expect(kind.locator("option:checked")).to_have_text("Under a jacket")
    pick(page, "trousers")
    settled(page, "Tee", "Trousers", "Coat")
    assert [garment["kind"] for garment in value(page)] == ["inner", "lower", "outer"]


def test_kind_of_one_alone(page: Page) -> None:
    """The card of one garment does not ask; what is said elsewhere holds for it, until others join it."""
    page.locator("#said label", has_text="Under a jacket").click()
    pick(page, "tee")
    until(page, lambda sent: [(one["kind"], one["guessed"]) for one in sent] == [("inner", False)])
    expect(page.locator("#garments .kind")).to_be_hidden()
    pick(page, "coat")
    settled(page, "Tee", "Coat")
    expect(page.get_by_label("Kind of Tee")).to_have_value("inner")
    page.get_by_role("button", name="Remove garment 1, Tee").click()
    until(page, lambda sent: [(one["kind"], one["guessed"]) for one in sent] == [("outer", True)])


def test_no_kinds(page: Page) -> None:
    """A model that does not ask shows no kinds."""
    pick(page, "tee", "coat")
    expect(page.locator("#garments .kind:visible")).to_have_count(2)
    page.locator("#asks input").uncheck()
    expect(page.locator("#garments .kind:visible")).to_have_count(0, timeout=WAIT)
    page.locator("#asks input").check()
    expect(page.locator("#garments .kind:visible")).to_have_count(2, timeout=WAIT)


# ---- Crop and cut-out


def open_crop(page: Page, name: str) -> Locator:
    page.get_by_role("button", name=f"Crop {name}", exact=True).click()
    dialog = page.get_by_role("dialog", name=f"Crop {name}")
    expect(dialog).to_be_visible()
    page.wait_for_function("document.querySelector('#garments .stage img').naturalWidth > 0")
    return dialog


def test_crop_by_pointer(page: Page) -> None:
    """A box dragged over the picture is what the card shows, and one tap brings the whole picture back."""
    pick(page, "coat")
    stage = open_crop(page, "Coat").locator(".stage img").bounding_box()
    assert stage
    page.mouse.move(stage["x"] + stage["width"] * 0.25, stage["y"] + stage["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(stage["x"] + stage["width"] * 0.75, stage["y"] + stage["height"] * 0.6, steps=5)
    page.mouse.up()
    preview = page.locator("#garments .preview").bounding_box()
    assert preview
    assert preview["width"] / preview["height"] == pytest.approx((900 * 0.5) / (1200 * 0.4), rel=0.05)
    page.get_by_role("button", name="Apply").click()
    until(page, lambda sent: bool(sent[0]["crop"] and sent[0]["view"]))
    assert value(page)[0]["crop"] == pytest.approx([0.25, 0.2, 0.75, 0.6], abs=0.01)
    page.wait_for_function("Math.abs(document.querySelector('#garments .picture img').naturalWidth - 450) < 12")
    page.get_by_role("button", name="Undo the crop of Coat").click()
    until(page, lambda sent: sent[0]["crop"] is None)
    page.wait_for_function("document.querySelector('#garments .picture img').naturalWidth === 900")


def test_crop_box_is_moved_and_resized(page: Page) -> None:
    """A box there is moves as a whole, and a corner moves two edges."""
    pick(page, "coat")
    dialog = open_crop(page, "Coat")
    for edge in ("Left", "Top"):
        dialog.get_by_role("slider", name=f"{edge} edge").focus()
        page.keyboard.press("PageDown")
    stage = dialog.locator(".stage img").bounding_box()
    assert stage
    drag_by(page, dialog.locator("[data-edges='right bottom']"), -0.3 * stage["width"], -0.3 * stage["height"])
    drag_by(page, dialog.locator(".box"), -1.0 * stage["width"], 0.1 * stage["height"])
    page.get_by_role("button", name="Apply").click()
    until(page, lambda sent: bool(sent[0]["crop"]))
    assert value(page)[0]["crop"] == pytest.approx([0, 0.2, 0.6, 0.8], abs=0.02)


def drag_by(page: Page, what: Locator, dx: float, dy: float) -> None:
    x, y = middle(what)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=5)
    page.mouse.up()


def test_crop_by_keys(page: Page) -> None:
    """Every edge is a slider that says where it is; Enter applies, and the focus goes back to the card."""
    pick(page, "coat")
    cards(page).first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Crop Coat", exact=True).focus()
    page.keyboard.press("Enter")
    left = page.get_by_role("slider", name="Left edge")
    expect(left).to_be_focused()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(left).to_have_attribute("aria-valuetext", "4 % from the left")
    page.keyboard.press("Tab")
    page.keyboard.press("PageDown")
    expect(page.get_by_role("slider", name="Top edge")).to_have_attribute("aria-valuenow", "10")
    page.keyboard.press("End")
    expect(page.get_by_role("slider", name="Top edge")).to_have_attribute("aria-valuenow", "95")
    page.keyboard.press("Enter")
    said(page, "Coat, cropped")
    expect(page.get_by_role("button", name="Crop Coat", exact=True)).to_be_focused()
    until(page, lambda sent: sent[0]["crop"] == [0.04, 0.95, 1, 1])


def test_crop_is_given_up(page: Page) -> None:
    """Escape, Cancel and an unchanged box change nothing; "Whole picture" takes a crop back."""
    pick(page, "coat")
    for give_up in ("Escape", "Cancel", "Apply"):
        open_crop(page, "Coat")
        if give_up != "Apply":
            page.keyboard.press("PageDown")
        if give_up == "Escape":
            page.keyboard.press("Escape")
        else:
            page.get_by_role("button", name=give_up).click()
        expect(page.get_by_role("dialog")).to_be_hidden()
        assert value(page)[0]["crop"] is None
    open_crop(page, "Coat")
    page.keyboard.press("PageDown")
    page.keyboard.press("Enter")
    until(page, lambda sent: bool(sent[0]["crop"]))
    open_crop(page, "Coat")
    page.get_by_role("button", name="Whole picture").click()
    until(page, lambda sent: sent[0]["crop"] is None)


def test_cut_out(page: Page) -> None:
    """Plain ground becomes white on the card, and grey again with one more tap."""
    page.evaluate(DROP, encoded("square.png", on_grey(), "image/png"))
    in_order(page, "Square")
    cut = page.get_by_role("button", name="Cut out Square")
    cut.click()
    expect(cut).to_have_attribute("aria-pressed", "true")
    until(page, lambda sent: sent[0]["cut_out"] and bool(sent[0]["view"]))
    page.wait_for_function("document.querySelector('#garments .picture img').src.includes('view.png')")
    assert shown(page, "Square").getpixel((5, 5)) == (255, 255, 255)
    assert shown(page, "Square").getpixel((200, 200)) == (180, 20, 30)
    held: list[Route] = []
    page.route("**/gradio_api/run/**", lambda route: held.append(route), times=2)  # the change and the input
    cut.click()
    # At once, without a word from the server, whose last one was about the garment cut out.
    page.wait_for_function("!document.querySelector('#garments .picture img').src.includes('view.png')")
    for route in held:
        route.continue_()
    until(page, lambda sent: not sent[0]["cut_out"])
    assert shown(page, "Square").getpixel((5, 5)) == (200, 200, 200)


def test_cut_out_again(page: Page) -> None:
    """Off and on again shows the same picture, though the server's answer is the same as before."""
    page.evaluate(DROP, encoded("square.png", on_grey(), "image/png"))
    in_order(page, "Square")
    cut = page.get_by_role("button", name="Cut out Square")
    cut.click()
    until(page, lambda sent: bool(sent[0]["view"]))
    page.evaluate(
        "document.querySelectorAll('#garments [data-do=cut]').forEach((cut) => { cut.click(); cut.click(); })"
    )
    until(page, lambda sent: sent[0]["cut_out"] and bool(sent[0]["view"]))


def test_cut_out_is_refused(page: Page) -> None:
    """Where the ground is not plain the card says so, and the choice is taken back."""
    noise = io.BytesIO()
    Image.effect_noise((300, 300), 120).convert("RGB").save(noise, "PNG")
    page.evaluate(DROP, encoded("noise.png", noise.getvalue(), "image/png"))
    in_order(page, "Noise")
    page.get_by_role("button", name="Cut out Noise").click()
    expect(page.locator("#garments .trouble")).to_have_text(REFUSED, timeout=WAIT)
    expect(page.get_by_role("button", name="Cut out Noise")).to_have_attribute("aria-pressed", "false")
    until(page, lambda sent: not sent[0]["cut_out"])
    page.get_by_role("button", name="Cut out Noise").click()
    said(page, f"Noise: {REFUSED}")
    expect(page.get_by_role("button", name="Cut out Noise")).to_have_attribute("aria-pressed", "false")


def test_cleared_by_the_server(page: Page) -> None:
    """When the server clears the rail, uploads under way do not come back."""
    pick(page, "tee")
    held: list[Route] = []
    page.route("**/gradio_api/upload*", lambda route: held.append(route), times=1)
    page.set_input_files("#garments input[type=file]", [picture_file("coat.jpg", example("coat"))])  # type: ignore[list-item]
    expect(page.locator("#garments .state:visible")).to_have_text("Uploading")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#garments .rail[data-empty]")).to_be_visible()
    first(page, held).continue_()
    pick(page, "dress")
    in_order(page, "Dress")


# ---- Keys, names, and what others write


def test_one_tab_stop(page: Page) -> None:
    """Tab enters the rail once and leaves it with the next; arrows, Home and End go about inside."""
    pick(page, "trousers", "tee", "coat")
    settled(page, "Trousers", "Tee", "Coat")
    assert page.evaluate(TAB_STOPS) == 1
    cards(page).first.focus()
    page.keyboard.press("ArrowRight")
    expect(card(page, "Tee")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Add", exact=True)).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    expect(card(page, "Coat")).to_be_focused()
    assert page.evaluate(TAB_STOPS) == 1
    page.keyboard.press("Tab")
    assert not page.evaluate("document.querySelector('#garments').contains(document.activeElement)")
    page.keyboard.press("Shift+Tab")
    expect(card(page, "Coat")).to_be_focused()


def test_inside_a_card(page: Page) -> None:
    """Enter goes to a card's controls, Tab and arrows from one to the next, Escape back to the card."""
    pick(page, "trousers", "tee")
    settled(page, "Trousers", "Tee")
    cards(page).first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Place of Trousers")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Remove garment 1, Trousers")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Kind of Trousers")).to_be_focused()
    page.keyboard.press("Escape")
    expect(card(page, "Trousers")).to_be_focused()
    assert page.evaluate(TAB_STOPS) == 1


def test_everything_is_named(page: Page) -> None:
    """Every button, select, slider and dialog has a name, rows hold cells, and no id is there twice."""
    pick(page, "trousers", "tee")
    settled(page, "Trousers", "Tee")
    open_crop(page, "Tee")
    nameless = page.evaluate(
        """[...document.querySelectorAll("#garments :is(button, select, input, [role=slider], [role=grid], dialog)")]
        .filter((node) => !node.getAttribute("aria-label") && !node.textContent.trim())
        .map((node) => node.outerHTML)"""
    )
    assert nameless == []
    assert page.evaluate(
        "[...document.querySelectorAll('#garments [role=gridcell]')].every((n) => n.closest('[role=row]'))"
    )
    assert page.evaluate(
        "[...document.querySelectorAll('#garments [role=row]')].every((n) => n.closest('[role=grid]'))"
    )
    ids = page.evaluate("[...document.querySelectorAll('#garments [id]')].map((node) => node.id).filter(Boolean)")
    assert len(ids) == len(set(ids))


def test_targets_of_a_finger(phone: Page) -> None:
    """On a phone whatever can be tapped is 44 pixels tall, and nothing sticks out of the page."""
    pick(phone, "trousers", "tee", "coat")
    settled(phone, "Trousers", "Tee", "Coat")
    heights = phone.evaluate(
        "[...document.querySelectorAll('#garments :is(button, select)')].filter((n) => n.checkVisibility())"
        ".map((n) => n.getBoundingClientRect().height)"
    )
    assert min(heights) >= 44
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_names_are_text(page: Page) -> None:
    """A file name that is HTML stays a name."""
    name = "<img src=x onerror=alert(1)>.jpg"
    alerts: list[str] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    page.evaluate(DROP, encoded(name, example("tee")))
    in_order(page, "<img src=x onerror=alert(1)>")
    expect(page.locator("#garments .name img")).to_have_count(0)
    open_crop(page, "<img src=x onerror=alert(1)>")
    assert alerts == []


def test_forged_value(page: Page) -> None:
    """The server reads of a value that a browser made up only what keeps to the rules."""
    pick(page, "tee", "coat")
    settled(page, "Tee", "Coat")

    def forge(route: Route) -> None:
        body = route.request.post_data_json
        garments = body["data"][0] if body.get("data") else None
        if isinstance(garments, list) and garments:
            garments[0].update(crop=[-1, 0, 9, 1], kind="a hat", view="javascript:alert(1)", name="a\nb", evil=1)
            garments.append({"id": "../..", "path": "/etc/hostname"})
        route.continue_(post_data=json.dumps(body))

    page.route("**/gradio_api/run/predict*", forge)
    page.route("**/gradio_api/queue/join*", forge)
    page.get_by_label("Kind of Tee").select_option("lower")
    until(page, lambda sent: sent[0]["name"] == "a b")
    garment, _ = value(page)
    assert (garment["crop"], garment["kind"], garment["view"]) == (None, None, None)
    assert "evil" not in garment
