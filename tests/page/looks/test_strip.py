"""The strip "Looks"."""

from __future__ import annotations

import re

from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser import PHONE
from tests.conftest import until
from tests.page.looks.conftest import Visit
from tests.page.looks.scenes import CATVTON, FLUX, kept, look
from tests.page.looks.stage import Stage
from vton_ui.ui.components.actions import Action


def strip(page: Page) -> Locator:
    return page.locator("#strip")


def order(page: Page) -> list[str]:
    """The looks, as they stand."""
    return page.locator("#strip .tile").evaluate_all("all => all.map(one => one.dataset.id)")  # type: ignore[no-any-return]


def stands(page: Page, *ids: str) -> None:
    """Wait for the looks to stand like this."""
    page.wait_for_function(
        "ids => [...document.querySelectorAll('#strip .tile')].map(one => one.dataset.id).join() === ids",
        arg=",".join(ids),
    )


def tick(page: Page, *ids: str) -> None:
    for id in ids:
        strip(page).locator(f".tile[data-id={id}]").hover()
        strip(page).locator(f".tile[data-id={id}] input").check()


def test_nothing_kept(stage: Stage, visit: Visit) -> None:
    """Without a look there is no strip."""
    page = visit()
    expect(strip(page).locator(".kept h2")).to_be_hidden()
    stage.keep(kept(1))
    expect(strip(page).locator(".kept h2")).to_be_visible()
    # One model: nothing to filter.
    expect(strip(page).get_by_role("group", name="Show looks of")).to_be_hidden()


def test_newest_first(stage: Stage, visit: Visit) -> None:
    """A new look comes in at the front; the others keep their nodes and their focus."""
    stage.keep(kept(6))
    page = visit()
    stands(page, *(f"k{place}" for place in range(6)))
    page.locator("#strip .tile").evaluate_all("all => all.forEach(one => { one.mine = one.dataset.id })")
    face = strip(page).locator(".tile[data-id=k3] .face")
    face.focus()
    stage.keep([look("new", "done"), *kept(6)])
    stands(page, "new", *(f"k{place}" for place in range(6)))
    expect(face).to_be_focused()
    same = "all => all.filter(one => one.mine === one.dataset.id).length"
    assert page.locator("#strip .tile").evaluate_all(same) == 6


def test_filter(stage: Stage, visit: Visit) -> None:
    """Chips show one model's looks or all; a model that is gone filters nothing."""
    stage.keep(kept(6))
    page = visit()
    chips = strip(page).get_by_role("group", name="Show looks of").get_by_role("button")
    expect(chips).to_have_text(["All", CATVTON, FLUX])
    chips.filter(has_text=FLUX).click()
    stands(page, "k0", "k2", "k4")
    expect(chips.filter(has_text=FLUX)).to_have_attribute("aria-pressed", "true")
    expect(chips.filter(has_text="All")).to_have_attribute("aria-pressed", "false")
    expect(chips.filter(has_text=FLUX)).to_be_focused()
    stage.keep([look("new", "done", title=FLUX), *kept(6)])
    stands(page, "new", "k0", "k2", "k4")
    stage.keep([look("c", "done", title=CATVTON)])
    stands(page, "c")


def test_sort(stage: Stage, visit: Visit) -> None:
    """By how much changed elsewhere than it should, either way, with what nobody knows at the end."""
    stage.keep(kept(5))
    page = visit()
    sort = strip(page).get_by_label("Sort by")
    sort.select_option(label="least changed elsewhere")
    stands(page, "k2", "k0", "k4", "k1", "k3")
    numbers = strip(page).locator(".numbers")
    expect(numbers).to_have_text(["under 1 % changed", "4 % changed", "12 % changed", "31 % changed", "not compared"])
    sort.select_option(label="most changed elsewhere")
    stands(page, "k1", "k4", "k0", "k2", "k3")
    sort.select_option(label="newest first")
    stands(page, "k0", "k1", "k2", "k3", "k4")
    stage.keep([look("a", "done")])
    expect(sort).to_be_hidden()


def test_choose(stage: Stage, visit: Visit) -> None:
    """Several are chosen and asked for at once, in the order they stand; what is not in sight is not sent along."""
    stage.keep(kept(6))
    page = visit()
    download = strip(page).get_by_role("button", name="Download chosen")
    expect(download).to_be_disabled()
    expect(strip(page).get_by_role("checkbox", name="Choose FLUX VTO, Striped tee")).to_have_count(3)
    tick(page, "k4", "k1", "k0")
    expect(strip(page).get_by_role("status")).to_have_text("3 chosen")
    download.click()
    until(lambda: stage.actions == [Action(name="download_chosen", ids=("k0", "k1", "k4"))])
    assert stage.sent == [{"id": ["k0", "k1", "k4"], "action": "download_chosen"}]
    strip(page).get_by_role("button", name=FLUX, exact=True).click()
    expect(strip(page).get_by_role("status")).to_have_text("2 chosen")
    strip(page).get_by_role("button", name="Contact sheet").click()
    until(lambda: stage.actions[1:] == [Action(name="contact_sheet", ids=("k0", "k4"))])
    stage.keep(kept(6)[1:])
    expect(strip(page).get_by_role("status")).to_have_text("1 chosen")


def test_choose_by_keys(stage: Stage, visit: Visit) -> None:
    """The box is the tile's second stop, and Space ticks it."""
    stage.keep(kept(4))
    page = visit()
    strip(page).locator(".face").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(strip(page).locator(".tile[data-id=k1] input")).to_be_checked()
    page.keyboard.press("ArrowRight")
    expect(strip(page).locator(".tile[data-id=k2] .face")).to_be_focused()


def test_opens_in_the_viewer(stage: Stage, visit: Visit) -> None:
    """A look opens large, and next leads through what the strip shows, in its order."""
    stage.keep(kept(6))
    page = visit()
    strip(page).get_by_role("button", name=CATVTON, exact=True).click()
    stands(page, "k1", "k3", "k5")
    strip(page).get_by_label("Sort by").select_option(label="most changed elsewhere")
    stands(page, "k1", "k5", "k3")
    strip(page).locator(".tile[data-id=k5] .face").click()
    dialog = strip(page).locator("dialog")
    expect(dialog.locator(".line")).to_contain_text("2 of 3")
    page.keyboard.press("ArrowRight")
    expect(dialog).to_have_attribute("data-id", "k3")
    dialog.get_by_role("button", name="Use its settings").click()
    until(lambda: stage.actions == [Action(name="use_settings", ids=("k3",))])
    expect(strip(page).locator(".tile[data-id=k5] .face")).to_be_focused()


def test_file_that_is_ready(stage: Stage, visit: Visit) -> None:
    """A file that was asked for is saved as it comes, once."""
    stage.keep(kept(2))
    page = visit()
    stands(page, "k0", "k1")
    url = stage.picture("sheet.png", Image.new("RGB", (10, 10)))
    with page.expect_download() as download:
        stage.keep(kept(2), file=url)
    assert download.value.suggested_filename == "sheet.png"
    stage.keep(kept(3), file=url)
    stands(page, "k0", "k1", "k2")
    other = stage.picture("other.png", Image.new("RGB", (10, 10)))
    with page.expect_download() as download:
        stage.keep(kept(3), file=other)
    assert download.value.suggested_filename == "other.png"


def test_phone(stage: Stage, visit: Visit) -> None:
    """On a phone the strip goes sideways, the boxes are there without hovering, and large enough."""
    stage.keep(kept(8))
    page = visit(PHONE)
    stands(page, *(f"k{place}" for place in range(8)))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tiles = strip(page).locator(".tiles")
    assert tiles.evaluate("list => list.scrollWidth > list.clientWidth && list.clientHeight < 260")
    box = strip(page).locator(".choose").first
    expect(box.locator("input")).to_have_css("opacity", "1")
    assert box.evaluate("one => Math.min(one.offsetWidth, one.offsetHeight)") >= 44
    box.tap()
    expect(strip(page).get_by_role("status")).to_have_text("1 chosen")
    strip(page).locator(".face").nth(1).tap()
    expect(strip(page).locator("dialog")).to_have_attribute("data-id", re.compile("k1"))
