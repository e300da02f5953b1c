"""The page's choices over HTTP as a browser sends them: what the button says, and what is asked before it spends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.client import on_rail
from tests.conftest import photo_bytes, serving
from tests.fake_fal.schemas import CAT_VTON as CAT_ENDPOINT
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.fast_timings import use_fast_timings
from tests.page_client import PageClient
from vton_ui.backends.fal import backend
from vton_ui.models import CAT_VTON, FLUX_VTO, MODELS
from vton_ui.settings import Settings
from vton_ui.ui.page import ALL_MODELS

pytestmark = pytest.mark.slow

GARMENTS = Path(__file__).parents[2] / "assets" / "garments"
PHOTOS = [photo_bytes(500 + 10 * index, 600) for index in range(7)]


@pytest.fixture(scope="module")
def fal() -> Iterator[FakeFal]:
    """fal, which charges two cents for a picture of CatVTON."""
    with pytest.MonkeyPatch.context() as patch:
        use_fast_timings(patch)
        fake = FakeFal(queue_seconds=0.02, run_seconds=0.05).start()
        fake.prices[CAT_ENDPOINT] = (0.02, "image")
        fake.patch(patch)
        yield fake
        fake.stop()
    assert not fake.crashes, fake.crashes[0]


@pytest.fixture(scope="module")
def url(fal: FakeFal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with a key; a click of more than ten cents is asked about."""
    settings = Settings(
        fal_key=TEST_KEY,
        data_dir=tmp_path_factory.mktemp("data"),
        fal_api_url=fal.api_url,
        confirm_usd=Decimal("0.10"),
    )
    with serving(settings) as url:
        yield url


def page_with(url: str, garments: int, **values: Any) -> PageClient:
    page = PageClient(url)
    page.give(*PHOTOS[: garments + 1])
    chosen(page, **values)
    return page


def chosen(page: PageClient, **values: Any) -> None:
    """Choose, and let the page follow."""
    for name, value in values.items():
        page[name] = value
    page.happens("private", "change")


def asked(page: PageClient) -> str:
    return str(page["confirm"])


@pytest.mark.parametrize(
    ("garments", "choices", "button", "estimate"),
    [
        (1, {}, "Try on · $0.0475", "Photo, first megapixel"),
        (2, {}, "Try on · $0.0475", "Photo, first megapixel"),
        (1, {"wear": "each"}, "Try on · $0.0475", "Photo, first megapixel"),
        (2, {"wear": "each"}, "Try on · 2 looks · $0.095", "2 at $0.0475"),
        (2, {"model": CAT_VTON.name}, "Try on · $0.0400", "CatVTON, 2 steps at $0.02"),
        (1, {"model": ALL_MODELS}, "Try on · 2 looks · $0.0675", "CatVTON</span><span>$0.0200"),
        (2, {"model": ALL_MODELS, "pictures": 2}, "Try on · 4 looks · $0.175", "2 × 2 steps"),
        (6, {"model": ALL_MODELS, "wear": "each"}, "Try on · 12 looks · $0.405", "6 at $0.02"),
    ],
)
def test_button_and_estimate(url: str, garments: int, choices: dict[str, Any], button: str, estimate: str) -> None:
    """Models, ways to wear and pictures multiply; the button says how many looks, and for how much."""
    page = page_with(url, garments, **choices)
    assert page["try_on"] == button
    assert page.part("try_on")["interactive"]
    assert estimate in page["estimate"]
    assert page.part("wear")["visible"] is (garments > 1)


def test_an_outfit_is_ordered_before_the_rail_knows_its_kinds(url: str, fal: FakeFal) -> None:
    """A quick click waits for the guesses: each garment in its own step and kind, as the rail will show them."""
    known = set(fal.jobs)
    page = page_with(url, 1, model=CAT_VTON.name)
    page["garments"] = [on_rail(page.upload((GARMENTS / name).read_bytes())) for name in ("tee.jpg", "trousers.jpg")]
    page.click("try_on")
    worn = [job.arguments["cloth_type"] for name, job in fal.jobs.items() if name not in known]
    assert worn == ["lower", "upper"]


def test_too_many_looks(url: str, fal: FakeFal) -> None:
    """Before the click the page says that one click makes 12 at most."""
    page = page_with(url, 4, model=ALL_MODELS, wear="each", pictures=2)
    assert "makes 16 looks" in page["notice"]
    assert page.part("try_on")["interactive"] is False


def test_values_that_are_not_offered(url: str, fal: FakeFal) -> None:
    """A script cannot ask the page for more pictures than it offers, or for another way to wear."""
    before = fal.count("submit")
    for wrong in ({"pictures": 8}, {"pictures": "2; 3"}, {"wear": "torn"}, {"model": "cat"}):
        page = page_with(url, 2)
        for name, value in wrong.items():
            page[name] = value
        with pytest.raises(AssertionError):
            page.click("try_on")
    assert fal.count("submit") == before


def test_options_of_all_models(url: str) -> None:
    """With several models the options of each stand under its name; with one there is no name."""
    page = page_with(url, 1)
    headings = [part for part in page.parts.values() if "<h3>" in str(part.get("value"))]
    assert len(headings) == 2 * len(MODELS)
    page["model"] = ALL_MODELS
    page.happens("model", "change")
    assert all(part["visible"] for part in headings)
    page["model"] = FLUX_VTO.name
    page.happens("model", "change")
    assert not any(part["visible"] for part in headings)


def test_the_sheet_is_shown_where_one_is_sent(url: str) -> None:
    """For a model that gets several garments at once, and not where they are tried on one by one."""
    page = page_with(url, 2)
    for choices, visible in [
        ({"model": ALL_MODELS}, True),
        ({"wear": "each"}, False),
        ({"wear": "together", "model": CAT_VTON.name}, False),
        ({"model": FLUX_VTO.name}, True),
    ]:
        for name, value in choices.items():
            page[name] = value
        page.happens("model", "change")
        assert page.part("sheet")["visible"] is visible, choices


def test_a_model_that_cannot_take_them_is_left_out(fal: FakeFal, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Side by side are those that can; alone, it leads to one that takes as many."""
    third = replace(FLUX_VTO, name="third", title="Third Model", max_garments=2)
    settings = Settings(fal_key=TEST_KEY, data_dir=tmp_path_factory.mktemp("third"), fal_api_url=fal.api_url)
    with serving(settings, {**MODELS, third.name: third}) as url:
        page = page_with(url, 3, model=ALL_MODELS)
        assert page["try_on"] == "Try on · 2 looks · $0.1075"
        assert "Third Model takes 2 garments together at most, and is left out." in page["notice"]
        chosen(page, wear="each")
        assert page["try_on"] == "Try on · 9 looks · $0.345"
        chosen(page, wear="together", model=third.name)
        assert "takes 2 at most" in page["notice"]
        assert page.part("use_model")["visible"]
        page.click("use_model")
        assert page["model"] == FLUX_VTO.name


# The question


def test_a_costly_click_asks_first(url: str, fal: FakeFal) -> None:
    """The first click orders nothing; the answer does, and the next click asks again."""
    before = fal.count("submit")
    page = page_with(url, 2, wear="each", pictures=2)
    page.click("try_on")
    assert asked(page) == "4 looks cost $0.19. Order them?"
    assert fal.count("submit") == before
    page.happens("confirm", "submit")
    assert fal.count("submit") > before
    assert asked(page) == ""
    ordered = fal.count("submit")
    page.click("try_on")
    assert asked(page)
    assert fal.count("submit") == ordered


def test_a_cheap_click_does_not_ask(url: str, fal: FakeFal) -> None:
    """One look is ordered at once."""
    before = fal.count("submit")
    page = page_with(url, 1)
    page.click("try_on")
    assert fal.count("submit") == before + 1
    assert not asked(page)


def test_not_now(url: str, fal: FakeFal) -> None:
    """The question goes, and an answer to it afterwards is asked anew."""
    before = fal.count("submit")
    page = page_with(url, 1, pictures=4)
    page.click("try_on")
    page.happens("confirm", "clear")
    assert asked(page) == ""
    page.happens("confirm", "submit")
    assert asked(page)
    assert fal.count("submit") == before


def test_an_answer_holds_for_what_was_asked(url: str, fal: FakeFal) -> None:
    """A script that answers unasked, or to something else than was asked, is asked first."""
    before = fal.count("submit")
    page = page_with(url, 1, pictures=4)
    page.happens("confirm", "submit")
    assert asked(page) == "4 looks cost $0.19. Order them?"
    page["pictures"] = 3
    page.happens("confirm", "submit")
    assert asked(page) == "3 looks cost $0.1425. Order them?"
    page["garments"] = [on_rail(page.upload(PHOTOS[5]))]
    page.happens("confirm", "submit")
    assert fal.count("submit") == before
    page.happens("confirm", "submit")
    assert fal.count("submit") > before


def test_a_change_withdraws_the_question(url: str, fal: FakeFal) -> None:
    """What was asked about another choice is no longer on the page; a refresh without a change leaves it there."""
    page = page_with(url, 1, pictures=4)
    page.click("try_on")
    chosen(page)
    assert asked(page)
    chosen(page, pictures=3)
    assert asked(page) == ""
    page.click("try_on")
    chosen(page, garments=[])
    assert asked(page) == ""


def test_another_price_is_asked_about(url: str, fal: FakeFal, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer holds for the price that was told."""
    monkeypatch.setattr(backend, "PRICE_SECONDS", -1)
    fal.keys.add("own-id:own-secret")  # and no price is known yet with this key
    before = fal.count("submit")
    monkeypatch.setitem(fal.prices, CAT_ENDPOINT, (0.04, "image"))
    page = page_with(url, 1, model=CAT_VTON.name, pictures=4, fal_key="own-id:own-secret")
    page.click("try_on")
    assert asked(page) == "4 looks cost $0.16. Order them?"
    monkeypatch.setitem(fal.prices, CAT_ENDPOINT, (0.05, "image"))
    page.happens("confirm", "submit")
    assert asked(page) == "4 looks cost $0.20. Order them?"
    assert fal.count("submit") == before


def test_a_costly_repetition_asks_too(url: str, fal: FakeFal) -> None:
    """Again with another seed; the answer takes another seed as well."""
    page = page_with(url, 1, pictures=4, **{"option-seed": "7"})
    page.click("again")
    assert asked(page)
    known = set(fal.jobs)
    page.happens("confirm", "submit")
    new = [job for name, job in fal.jobs.items() if name not in known]
    assert new
    assert all(job.arguments["seed"] not in range(7, 11) for job in new)


def test_drafts_are_not_asked_about(tmp_path_factory: pytest.TempPathFactory) -> None:
    """They are free, however many; the button says so."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("free"), confirm_usd=Decimal(0))
    with serving(settings) as url:
        page = page_with(url, 2, model=ALL_MODELS, wear="each")
        assert page["try_on"] == "Try on · 4 free drafts"
        assert "4 free drafts. With a key: from $0.095" in page["estimate"]
        assert any("working" in [tile["state"] for tile in page.tiles()] for _ in page.following("try_on"))
        assert not asked(page)
