"""Several looks of one click: how they are chosen, what the button says, and what it asks before it spends."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser import DESK, PHONE
from tests.conftest import photo_bytes
from tests.fake_fal.server import FakeFal
from tests.page.acts import WAIT, give, no_turn, two_photos, works
from vton_ui.models import CAT_VTON, FLUX_VTO


def test_both_models_with_their_options_under_their_names(paid: Page) -> None:
    """Each model's controls follow its name, the expert ones too; with one model there are no names."""
    expect(paid.locator(".options h3")).to_have_count(0)
    paid.locator("#model label", has_text="Both, side by side").click()
    expect(paid.locator(".options h3:visible")).to_have_text([FLUX_VTO.title, CAT_VTON.title], timeout=WAIT)
    paid.locator("#expert button").first.click()
    expect(paid.locator("#expert h3:visible")).to_have_text([FLUX_VTO.title, CAT_VTON.title])
    expect(paid.locator(".of-flux-vto #option-description")).to_be_visible()
    expect(paid.locator(".of-cat-vton #option-cloth_type")).to_be_visible()
    expect(paid.locator(".of-flux-vto #option-seed")).to_be_visible()
    expect(paid.locator(".of-cat-vton #option-seed-cat-vton")).to_be_visible()
    ids = paid.evaluate("[...document.querySelectorAll('.options [id]')].map(({id}) => id).filter(Boolean)")
    assert len(ids) == len(set(ids))
    two_photos(paid)
    expect(paid.locator("#try_on")).to_have_text("Try on · 2 looks · from $0.0475", timeout=WAIT)
    paid.locator("#model label", has_text=FLUX_VTO.title).click()
    expect(paid.locator("#try_on")).to_have_text("Try on · $0.0475", timeout=WAIT)
    expect(paid.locator(".options h3:visible")).to_have_count(0)
    paid.locator("#model label", has_text=CAT_VTON.title).click()
    expect(paid.locator("#option-seed")).to_have_count(1)
    expect(paid.locator(".of-cat-vton #option-seed")).to_be_visible()


def test_how_to_wear_is_asked_for_two_garments(paid: Page) -> None:
    """With one there is nothing to choose; each on its own there are as many looks, and no sheet.

    CatVTON puts several on one after another: the estimate tells the steps, and the button is ready.
    """
    two_photos(paid)
    expect(paid.locator("#wear")).not_to_be_visible()
    give(paid, "garments", photo_bytes(700, 900))
    expect(paid.locator("#wear")).to_be_visible(timeout=WAIT)
    expect(paid.locator("#sheet img")).to_be_visible(timeout=WAIT)
    expect(paid.locator("#try_on")).to_have_text("Try on · $0.0475")
    together, each = (paid.locator("#wear label").nth(place) for place in (0, 1))
    each.click()
    expect(paid.locator("#try_on")).to_have_text("Try on · 2 looks · $0.095", timeout=WAIT)
    expect(paid.locator("#sheet img")).not_to_be_visible()
    expect(each).to_have_text("Each on its own")
    together.click()
    paid.locator("#model label", has_text=CAT_VTON.title).click()
    expect(paid.locator("#estimate")).to_contain_text("CatVTON, 2 steps", timeout=WAIT)
    expect(paid.locator("#try_on")).to_be_enabled()
    expect(paid.locator("#notice")).not_to_be_visible()
    expect(paid.get_by_text("Put on in this order.")).to_be_visible(timeout=WAIT)
    each.click()
    expect(paid.get_by_text("Put on in this order.")).not_to_be_visible()


def test_a_costly_click_is_answered_by_keyboard(paid: Page, fal: FakeFal) -> None:
    """The question takes the button's place and the focus; Escape leaves it, Tab and Enter order.

    The second click of two falls on the question and not on its answer; a change takes the question away.
    """
    two_photos(paid)
    give(paid, "garments", photo_bytes(700, 900), photo_bytes(900, 700))
    paid.locator("#wear label", has_text="Each on its own").click(timeout=WAIT)
    paid.locator("#pictures label", has_text="4").click()
    expect(paid.locator("#try_on")).to_have_text("Try on · 12 looks · $0.57", timeout=WAIT)
    paid.locator("#try_on").dblclick()
    expect(paid.locator("#confirm .question")).to_be_visible(timeout=WAIT)
    paid.locator("#pictures label", has_text="1").click()
    expect(paid.locator("#try_on")).to_have_text("Try on · 3 looks · $0.1425", timeout=WAIT)
    expect(paid.locator("#confirm .question")).not_to_be_visible()
    assert fal.count("submit") == 0
    paid.locator("#pictures label", has_text="4").click()
    expect(paid.locator("#try_on")).to_have_text("Try on · 12 looks · $0.57", timeout=WAIT)
    question = paid.get_by_role("alertdialog", name="12 looks cost $0.57. Order them?")
    for window in (DESK, PHONE):
        paid.set_viewport_size(window)  # type: ignore[arg-type]
        paid.locator("#try_on").press("Enter")
        expect(question).to_be_focused(timeout=WAIT)
        expect(question).to_be_in_viewport(ratio=0.9)
        expect(paid.locator("#try_on")).not_to_be_visible()
        paid.keyboard.press("Enter")  # a held key orders nothing
        paid.keyboard.press("Escape")
        expect(paid.locator("#try_on")).to_be_focused(timeout=WAIT)
        expect(question).not_to_be_visible()
    assert fal.count("submit") == 0
    paid.keyboard.press("Enter")
    expect(question).to_be_focused(timeout=WAIT)
    paid.keyboard.press("Tab")
    expect(paid.get_by_role("button", name="Order")).to_be_focused()
    with no_turn(fal):
        paid.keyboard.press("Enter")
        works(paid)
        expect(question).not_to_be_visible()
        paid.click("#cancel")
        expect(paid.locator("#try_on")).to_be_visible(timeout=WAIT)
