"""The page without a mouse, without eyes, and in forced colours."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import DESK, load
from tests.conftest import photo_bytes
from tests.fake_fal.schemas import model_error
from tests.fake_fal.server import FakeFal
from tests.page.access import FIELDS, Inspector, Keys, heard, hidden_focus
from tests.page.acts import WAIT, done, drawn, give, no_turn, two_photos, works

FLUX, CAT, BOTH = range(3)


def choose(page: Page, model: int) -> None:
    page.locator("#model label").nth(model).click()


def open_drawers(page: Page, *drawers: str) -> None:
    """Open these, and wait until what is in them has taken its place."""
    for drawer in drawers or ("expert", "keeping", "key_drawer"):
        page.locator(f"#{drawer} > button").click()
        fields = page.locator(f"#{drawer} [data-testid=accordion-content]").locator("input, textarea")
        expect(fields.filter(visible=True).first).to_be_visible()
    drawn(page)


def uploaded(page: Page) -> None:
    """Wait until no upload is under way: until then Try on is faint."""
    page.wait_for_function("!document.querySelector('[data-uploading]')")


def enter(page: Page, button: str) -> None:
    """Press Enter on a button that has just got the focus, until it does not pass for a double press."""
    expect(page.locator(button)).to_be_focused(timeout=WAIT)
    while page.evaluate("button => document.activeElement.matches(button)", button):
        page.keyboard.press("Enter")
        drawn(page)


@pytest.mark.timeout(300)  # on a busy machine; axe looks at the page 54 times
def test_nothing_serious_in_any_state(paid: Page, fal: FakeFal) -> None:
    """axe finds nothing serious, every picture has words, and what is a border alone can be seen."""
    inspector = Inspector(paid)
    assert inspector.problems() == [], "first sight"
    two_photos(paid)
    uploaded(paid)
    assert inspector.problems() == [], "ready"
    with no_turn(fal):
        paid.click("#try_on")
        works(paid)
        assert inspector.problems() == [], "working"
    done(paid)
    paid.locator("#details summary").click()
    assert inspector.problems() == [], "done, with its look in the strip"
    paid.locator("#result .face").click()
    assert inspector.problems() == [], "viewer"
    paid.keyboard.press("Escape")
    fal.next_error = model_error("downstream_service_unavailable", "down")
    paid.click("#try_on")
    expect(paid.locator("#failure [role=alert]")).to_be_visible(timeout=WAIT)
    assert inspector.problems() == [], "failed"
    open_drawers(paid)
    assert inspector.problems() == [], "FLUX, all drawers open"
    choose(paid, CAT)
    expect(paid.locator("#option-cloth_type")).to_be_visible(timeout=WAIT)
    assert inspector.problems() == [], "CatVTON"
    choose(paid, BOTH)
    give(paid, "garments", photo_bytes(700, 900), name="shirt.jpg")
    expect(paid.locator("#sheet img")).to_be_visible(timeout=WAIT)
    expect(paid.get_by_role("button", name="Remove garment 2, Shirt")).to_be_visible()
    uploaded(paid)
    assert inspector.problems() == [], "both, with two garments"


def test_from_load_to_download_by_keyboard(free: Page, fal: FakeFal) -> None:
    """At most twenty presses; the focus can be seen at every stop, and goes along with what happens."""
    keys = Keys(free)
    keys.press("Tab")
    expect(free.get_by_role("link", name="Skip to the button")).to_be_focused()
    keys.tab_to("#people")
    keys.press("ArrowRight")
    expect(free.get_by_role("button", name="Henrik, broad, grey beard and glasses, example")).to_be_focused()
    keys.press("Enter")
    expect(free.locator("#person img")).to_have_attribute("src", re.compile("henrik"), timeout=WAIT)
    keys.tab_to("#clothes")
    keys.press("ArrowDown")
    keys.press("ArrowRight")
    expect(free.get_by_role("button", name="Striped tee, example")).to_be_focused()
    keys.press("Enter")
    expect(free.locator("#try_on")).to_have_text(re.compile("free draft"), timeout=WAIT)
    keys.tab_to("#try_on")
    with heard(free) as words:
        keys.press("Enter")
        expect(free.locator("#cancel")).to_be_focused(timeout=WAIT)
        expect(free.locator("#download")).to_be_focused(timeout=WAIT)
    with free.expect_download():
        keys.press("Enter")
    assert keys.count <= 20
    assert len([said for said in words if said.startswith("FLUX Virtual Try-On, Tee: done, ")]) == 1
    assert len(words) == len(set(words))
    assert [said for said in words if said.startswith("Running")]
    assert not [said for said in words if re.search(r"\d s\b", said) and "done" not in said]
    free.locator(".skip").focus()
    free.keyboard.press("Enter")
    expect(free.locator("#try_on")).to_be_focused()


def test_tab_and_arrow_keys(paid: Page) -> None:
    """A radio group has a name and is one stop; its arrow keys choose; the focus is seen wherever Tab leads."""
    for name in ("Model", "Pictures"):
        expect(paid.get_by_role("radiogroup", name=name)).to_be_visible()
    keys = Keys(paid)
    keys.tab_to("#model")
    for chosen, option in (("CatVTON", "cloth_type"), ("Both", "cloth_type"), ("FLUX", "description")):
        keys.press("ArrowDown")
        expect(paid.locator("#model :focus")).to_be_checked()
        expect(paid.get_by_role("radio", name=chosen)).to_be_focused()
        expect(paid.locator(f"#option-{option}")).to_be_visible(timeout=WAIT)
    keys.press("ArrowUp")
    expect(paid.get_by_role("radio", name="Both")).to_be_checked()
    keys.press("Tab")
    expect(paid.locator("#person :focus")).to_be_visible()
    keys.tab_to("#option-cloth_type")
    keys.press("ArrowRight")
    expect(paid.get_by_role("radiogroup", name="What kind of garment?").get_by_role("radio").nth(1)).to_be_checked()
    keys.tab_to("#pictures")
    keys.press("ArrowRight")
    expect(paid.locator("#pictures").get_by_role("radio", name="2")).to_be_checked()
    choose(paid, BOTH)
    for garment in (0, 1):
        paid.locator("#clothes button").nth(garment).click()
    expect(paid.locator("#sheet img")).to_be_visible(timeout=WAIT)
    uploaded(paid)
    open_drawers(paid)
    for stop in (
        "#person",
        "#wear",
        "#sheet",
        "#layout",
        "#option-num_inference_steps",
        "#find_id",
        "#fal_key",
        "footer",
    ):
        keys.tab_to(stop)


def test_the_focus_is_never_lost(paid: Page, fal: FakeFal) -> None:
    """What had it goes away, and it goes on to what comes next; where the visitor is elsewhere it stays there."""
    two_photos(paid)
    paid.locator("#person").get_by_role("button", name="Fullscreen").press("Enter")
    expect(paid.get_by_role("button", name="Exit fullscreen mode")).to_be_focused()
    paid.keyboard.press("Escape")
    expect(paid.locator("#person").get_by_role("button", name="Fullscreen")).to_be_focused()
    with no_turn(fal):
        paid.locator("#try_on").press("Enter")
        expect(paid.locator("#cancel")).to_be_focused(timeout=WAIT)
        paid.keyboard.press("Enter")  # the second half of a double press
        expect(paid.locator("#status")).to_contain_text("Waiting", timeout=WAIT)
        fal.fault("result", "slow", seconds=1)  # in which the page shows that it is being cancelled
        with heard(paid) as words:
            enter(paid, "#cancel:enabled")
            expect(paid.locator("#try_on")).to_be_focused(timeout=WAIT)
        assert words[-2:] == ["Cancelling", "Cancelled. Nothing was charged."]
    (job,) = fal.jobs.values()
    assert job.cancelled
    fal.next_error = model_error("downstream_service_unavailable", "down")
    with heard(paid) as words:
        enter(paid, "#try_on")
        expect(paid.locator("#retry")).to_be_focused(timeout=WAIT)
    expect(paid.get_by_role("alert")).to_contain_text("A service behind the model is down.")
    assert not [said for said in words if "failed" in said]  # the card says it
    with no_turn(fal):
        paid.locator("#try_on").click()
        works(paid)
        paid.locator("#option-description textarea").focus()
    done(paid)
    expect(paid.locator("#download")).to_be_visible(timeout=WAIT)
    expect(paid.locator("#option-description textarea")).to_be_focused()
    paid.locator("#person").get_by_role("button", name="Remove Image").press("Enter")
    expect(paid.get_by_role("button", name="Choose a photo of the person")).to_be_focused()
    assert not hidden_focus(paid)
    paid.locator("#garments .card").press("Delete")
    expect(paid.get_by_role("button", name="Choose pictures")).to_be_focused()


def test_forced_colours_in_a_german_browser(browser: Browser, paid_url: str, fal: FakeFal) -> None:
    """What is chosen shows, text boxes have borders, bars fill; and the page says that it is in English."""
    context = browser.new_context(viewport=DESK, locale="de-DE", forced_colors="active")  # type: ignore[arg-type]
    page = context.new_page()
    load(page, paid_url)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    two_photos(page)
    open_drawers(page, "expert")
    outline = "all => all.map(label => getComputedStyle(label).outlineStyle)"
    assert page.locator("#model label").evaluate_all(outline) == ["solid", "none", "none"]
    assert page.locator("#pictures label").evaluate_all(outline) == ["solid", "none", "none", "none"]
    borders = "all => all.filter(box => box.checkVisibility()).map(box => getComputedStyle(box).borderTopWidth)"
    widths = page.locator(".options").locator(FIELDS).and_(page.locator(":not([type=radio])")).evaluate_all(borders)
    assert len(widths) > 4
    assert set(widths) == {"1px"}
    page.locator("#private input").check()
    page.wait_for_function("""() => {
      const boxes = [...document.querySelectorAll("#expert [type=checkbox]")];
      return new Set(boxes.map((box) => getComputedStyle(box).backgroundColor)).size === 2;
    }""")
    with no_turn(fal):
        page.click("#try_on")
        works(page)
        colours = "bar => [bar, bar.firstElementChild].map(part => getComputedStyle(part).backgroundColor)"
        empty, full = page.locator("#status .bar").evaluate(colours)
        assert empty != full
    context.close()
