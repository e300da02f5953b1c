"""A reload keeps what stands on the page: photos, model, options; what the visitor has chosen meanwhile stays."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import unquote

from playwright.sync_api import Page, Route, expect

from tests.conftest import photo_bytes, until
from tests.fake_fal.server import FakeFal
from tests.page.acts import WAIT, done, give, no_turn, works


def chosen(page: Page) -> str:
    """The model picked on the page, by its first word."""
    return page.locator("#model label.selected").inner_text().split()[0]


def seed(page: Page) -> str:
    """What stands in the box for the seed."""
    page.locator("#expert > button").click()
    return page.locator("#option-seed input").input_value()


def kept(page: Page, estimate: str) -> None:
    """Wait until the browser keeps what stands on the page: it comes with the estimate."""
    expect(page.locator("#estimate")).to_contain_text(estimate, timeout=WAIT)


def test_reload(paid: Page, paid_url: str, fal: FakeFal) -> None:
    """Everything is back beside the try-on under way, in another tab too; but a choice made sooner stays."""
    paid.locator("#model label", has_text="CatVTON").first.click()
    paid.locator("#expert > button").click()
    paid.locator("#option-seed input").fill("42")
    paid.locator("#private input").check()
    give(paid, "person", photo_bytes(900, 1200))
    give(paid, "garments", photo_bytes(640, 800), name="green_skirt.jpg")
    paid.locator("#pictures label").nth(1).click()
    kept(paid, "2 looks")
    with no_turn(fal):
        paid.click("#try_on")
        works(paid)
        until(lambda: fal.count("submit") == 2)  # a click that has not got as far ends with its page

        paid.reload()
        works(paid)
        expect(paid.locator("#garments .name")).to_have_text("Green skirt", timeout=WAIT)
        expect(paid.locator("#person img")).to_be_visible()
        assert (chosen(paid), seed(paid)) == ("CatVTON", "42")
        expect(paid.locator("#private input")).to_be_checked()

        held: list[Route] = []
        paid.route("**/queue/data*", lambda route: held.append(route))
        paid.reload()
        paid.locator("#model label", has_text="Both").click()
        give(paid, "person", photo_bytes(501, 701))
        expect(paid.locator("#person img")).to_be_visible(timeout=WAIT)
        mine = paid.locator("#person img").get_attribute("src")
        for route in held:
            route.continue_()
        paid.unroute("**/queue/data*")
        expect(paid.locator("#garments .card")).to_have_count(1, timeout=WAIT)
        assert paid.locator("#person img").get_attribute("src") == mine
        assert chosen(paid) == "Both,"
        works(paid)
        kept(paid, "4 looks")
    done(paid)

    other = paid.context.new_page()
    other.goto(paid_url)
    kept(other, "4 looks")
    other.locator("#garments .remove").click()
    expect(other.locator("#try_on")).to_have_text("Add a garment", timeout=WAIT)
    expect(paid.locator("#garments .card")).to_have_count(1)

    shutil.rmtree(Path(unquote(str(mine).partition("file=")[2])).parent)
    paid.reload()
    expect(paid.locator("#failure")).to_contain_text("No longer here: the person.", timeout=WAIT)
    expect(paid.locator("#garments .card")).to_have_count(0)
    assert chosen(paid) == "Both,"
