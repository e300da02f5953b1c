"""Several looks of one click: how they are chosen, what the button says, and what it asks before it spends."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import DESK, PHONE, open_page
from tests.conftest import photo_bytes, serving
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.page.acts import WAIT, give, no_turn, two_photos, works
from vton_ui.models import CAT_VTON, FLUX_VTO
from vton_ui.settings import Settings


@pytest.fixture(scope="module")
def asking_url(shared_fal: FakeFal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with a key, where a click of more than ten cents is asked about."""
    settings = Settings(
        fal_key=TEST_KEY,
        data_dir=tmp_path_factory.mktemp("asking"),
        fal_api_url=shared_fal.api_url,
        confirm_usd=Decimal("0.10"),
    )
    with serving(settings) as url:
        yield url


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def asking(request: pytest.FixtureRequest, browser: Browser, asking_url: str, fal: FakeFal) -> Iterator[Page]:
    """Its page with two photos and four pictures chosen."""
    page = open_page(browser, asking_url, viewport=request.param)
    two_photos(page)
    page.locator("#pictures label", has_text="4").click()
    expect(page.locator("#try_on")).to_have_text("Try on · 4 looks · $0.19", timeout=WAIT)
    yield page
    page.context.close()


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
    """With one there is nothing to choose; each on its own there are as many looks, and no sheet."""
    two_photos(paid)
    expect(paid.locator("#wear")).not_to_be_visible()
    give(paid, "garments", photo_bytes(700, 900))
    expect(paid.locator("#wear")).to_be_visible(timeout=WAIT)
    expect(paid.locator("#sheet img")).to_be_visible(timeout=WAIT)
    expect(paid.locator("#try_on")).to_have_text("Try on · $0.0475")
    paid.locator("#wear label", has_text="Each on its own").click()
    expect(paid.locator("#try_on")).to_have_text("Try on · 2 looks · $0.095", timeout=WAIT)
    expect(paid.locator("#sheet img")).not_to_be_visible()


def test_an_outfit_for_the_model_that_takes_one_garment(paid: Page) -> None:
    """CatVTON puts several on one after another: the estimate tells the steps, and the button is ready."""
    two_photos(paid)
    give(paid, "garments", photo_bytes(700, 900))
    paid.locator("#model label", has_text=CAT_VTON.title).click()
    expect(paid.locator("#estimate")).to_contain_text("CatVTON, 2 steps", timeout=WAIT)
    expect(paid.locator("#try_on")).to_be_enabled()
    expect(paid.locator("#notice")).not_to_be_visible()
    expect(paid.get_by_text("Put on in this order.")).to_be_visible(timeout=WAIT)
    paid.locator("#wear label", has_text="Each on its own").click()
    expect(paid.get_by_text("Put on in this order.")).not_to_be_visible()


def test_a_costly_click_is_answered_by_keyboard(asking: Page, fal: FakeFal) -> None:
    """The question takes the button's place and the focus; Escape leaves it, Tab and Enter order."""
    question = asking.get_by_role("alertdialog", name="4 looks cost $0.19. Order them?")
    asking.locator("#try_on").press("Enter")
    expect(question).to_be_focused(timeout=WAIT)
    expect(question).to_be_in_viewport(ratio=0.9)
    expect(asking.locator("#try_on")).not_to_be_visible()
    asking.keyboard.press("Enter")  # a held key orders nothing
    asking.keyboard.press("Escape")
    expect(asking.locator("#try_on")).to_be_focused(timeout=WAIT)
    expect(question).not_to_be_visible()
    assert fal.count("submit") == 0
    asking.keyboard.press("Enter")
    expect(question).to_be_focused(timeout=WAIT)
    asking.keyboard.press("Tab")
    expect(asking.get_by_role("button", name="Order")).to_be_focused()
    with no_turn(fal):
        asking.keyboard.press("Enter")
        works(asking)
        expect(question).not_to_be_visible()
        asking.click("#cancel")
        expect(asking.locator("#try_on")).to_be_visible(timeout=WAIT)


@pytest.mark.parametrize("asking", [DESK], ids=["desk"], indirect=True)
def test_a_double_click_does_not_answer(asking: Page, fal: FakeFal) -> None:
    """The second click of two falls on the question and not on its answer; a change takes the question away."""
    asking.locator("#try_on").dblclick()
    expect(asking.locator("#confirm .question")).to_be_visible(timeout=WAIT)
    asking.locator("#pictures label", has_text="1").click()
    expect(asking.locator("#try_on")).to_have_text("Try on · $0.0475", timeout=WAIT)
    expect(asking.locator("#confirm .question")).not_to_be_visible()
    assert fal.count("submit") == 0
