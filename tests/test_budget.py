"""The owner's caps, from the environment to the visitor's eye."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from tests.conftest import photo_bytes, serving
from tests.fake_fal import TEST_KEY, FakeFal
from tests.fake_schemas import platform_error
from vton_ui.settings import Settings, load


@pytest.fixture
def photos(tmp_path: Path) -> dict[str, object]:
    """The two photos of every try."""
    person, garment = tmp_path / "person.jpg", tmp_path / "garment.jpg"
    person.write_bytes(photo_bytes(600, 800))
    garment.write_bytes(photo_bytes(500, 500))
    return {"person": handle_file(str(person)), "garments": [handle_file(str(garment))], "api_name": "/try_on"}


def settings(fal: FakeFal, tmp_path: Path, **caps: object) -> Settings:
    return Settings(fal_key=TEST_KEY, data_dir=tmp_path / "data", fal_api_url=fal.api_url, **caps)  # type: ignore[arg-type]


def test_a_day_is_over(fal: FakeFal, tmp_path: Path, photos: dict[str, object]) -> None:
    """Two tries fit, the third is refused before anything is ordered, and a key of one's own still works."""
    with serving(settings(fal, tmp_path, daily_budget_usd=Decimal("0.095"))) as url:
        client = Client(url, verbose=False)
        for _ in range(2):
            client.predict(**photos)
        with pytest.raises(AppError, match="key of your own"):
            client.predict(**photos)
        assert fal.count("submit") == 2
        fal.keys.add("visitor-id:visitor-secret")
        Client(url, verbose=False, headers={"x-fal-key": "visitor-id:visitor-secret"}).predict(**photos)
    assert fal.count("submit") == 3


def test_failures_that_fal_does_not_charge_give_the_money_back(
    fal: FakeFal, tmp_path: Path, photos: dict[str, object]
) -> None:
    """A failed machine costs nothing, so the budget still holds a try."""
    fal.next_error = platform_error(503, "runner_scheduling_failure", "no runner")
    with serving(settings(fal, tmp_path, daily_budget_usd=Decimal("0.05"))) as url:
        client = Client(url, verbose=False)
        with pytest.raises(AppError, match="no machine"):
            client.predict(**photos)
        client.predict(**photos)


def test_rate_of_one_visitor(fal: FakeFal, tmp_path: Path, photos: dict[str, object]) -> None:
    """Tries an hour are counted for each address; behind one proxy the believed one is the last."""
    with serving(settings(fal, tmp_path, visitor_rate=1, proxies=1)) as url:
        first = Client(url, verbose=False, headers={"x-forwarded-for": "198.51.100.7"})
        first.predict(**photos)
        forged = Client(url, verbose=False, headers={"x-forwarded-for": "203.0.113.9, 198.51.100.7"})
        with pytest.raises(AppError, match="hour"):
            forged.predict(**photos)
        Client(url, verbose=False, headers={"x-forwarded-for": "198.51.100.8"}).predict(**photos)


def test_settings_from_the_environment(tmp_path: Path) -> None:
    """Every cap is read; a word where a number belongs stops the start."""
    dotenv = tmp_path / ".env"
    dotenv.write_text("VTON_DAILY_BUDGET_USD=9\nVTON_VISITOR_RATE=10\nFAL_KEY=from-the-file\n")
    read = load({"VTON_DAILY_BUDGET_USD": "2.50", "SPACE_ID": "me/it"}, dotenv)
    assert (read.daily_budget_usd, read.visitor_rate, read.fal_key) == (Decimal("2.50"), 10, "from-the-file")
    assert read.proxies == 1
    assert load({}, tmp_path / "none").proxies == 0
    assert load({"FAL_KEY": ""}, dotenv).fal_key is None
    with pytest.raises(SystemExit, match="VTON_VISITOR_RATE"):
        load({"VTON_VISITOR_RATE": "many"}, tmp_path / "none")
    with pytest.raises(SystemExit, match="whole"):
        load({"VTON_VISITOR_RATE": "0.5"}, tmp_path / "none")
