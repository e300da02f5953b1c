"""The owner's caps, from the environment to the page."""

from __future__ import annotations

import os
import sqlite3
import sys
import uuid
from contextlib import closing
from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

import app
from tests.conftest import photo_bytes, serving
from tests.fake_fal.schemas import platform_error
from tests.fake_fal.server import TEST_KEY, FakeFal
from vton_ui.errors import OverBudget
from vton_ui.money.ledger import LEDGER_FILE, Caps
from vton_ui.settings import Settings, load, secret_of


@pytest.fixture
def photos(tmp_path: Path) -> dict[str, object]:
    """The two photos of every try."""
    person, garment = tmp_path / "person.jpg", tmp_path / "garment.jpg"
    person.write_bytes(photo_bytes(600, 800))
    garment.write_bytes(photo_bytes(500, 500))
    return {"person": handle_file(str(person)), "garments": [handle_file(str(garment))], "api_name": "/try_on"}


def settings(fal: FakeFal, tmp_path: Path, **caps: object) -> Settings:
    return Settings(fal_key=TEST_KEY, data_dir=tmp_path / "data", fal_api_url=fal.api_url, **caps)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_day_is_over(fal: FakeFal, tmp_path: Path, photos: dict[str, object]) -> None:
    """Two tries fit, the third is refused before anything is submitted, and a visitor's own key still works."""
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


@pytest.mark.slow
def test_rate_of_one_visitor(fal: FakeFal, tmp_path: Path, photos: dict[str, object]) -> None:
    """Tries an hour are counted for each address; behind one proxy the believed one is the last."""
    with serving(settings(fal, tmp_path, visitor_rate=1, proxies=1)) as url:
        first = Client(url, verbose=False, headers={"x-forwarded-for": "198.51.100.7"})
        first.predict(**photos)
        forged = Client(url, verbose=False, headers={"x-forwarded-for": "203.0.113.9, 198.51.100.7"})
        with pytest.raises(AppError, match="hour"):
            forged.predict(**photos)
        Client(url, verbose=False, headers={"x-forwarded-for": "198.51.100.8"}).predict(**photos)


LIMITS: dict[str, dict[str, object]] = {
    "daily_usd": {"daily_budget_usd": Decimal("0.05")},
    "visitor_usd": {"visitor_budget_usd": Decimal("0.05")},
    "visitor_rate": {"visitor_rate": 1},
    "unknown_usd": {"daily_budget_usd": Decimal("0.10"), "unknown_price_usd": Decimal("0.06")},  # 0.05 by default
}
"""Each cap of the ledger, and settings under which a first try passes and a second does not."""


@pytest.mark.parametrize("cap", [cap.name for cap in fields(Caps)])
async def test_every_cap_holds(cap: str, tmp_path: Path) -> None:
    """The ledger enforces every cap that the owner sets."""
    studio = app.open_studio(Settings(fal_key=TEST_KEY, data_dir=tmp_path, **LIMITS[cap]))  # type: ignore[arg-type]
    cost = None if cap == "unknown_usd" else Decimal("0.04")
    await studio.budget_for("somebody").reserve([{uuid.uuid4().hex: cost}])
    with pytest.raises(OverBudget):
        await studio.budget_for("somebody").reserve([{uuid.uuid4().hex: cost}])


async def test_visitors_are_hashed_with_the_secret(tmp_path: Path) -> None:
    """Two servers know the same visitor by different names, since nobody could guess the salt."""
    names = set()
    for server in ("one", "other"):
        data = tmp_path / server
        studio = app.open_studio(Settings(fal_key=TEST_KEY, data_dir=data))
        await studio.budget_for("somebody").reserve([{"one": Decimal("0.04")}])
        with closing(sqlite3.connect(data / LEDGER_FILE)) as db:
            names |= set(db.execute("SELECT visitor FROM tries"))
    assert len(names) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="files have other rights there")
def test_the_secret_is_the_owners_alone(tmp_path: Path) -> None:
    """No other user can read the server's secret, whatever the umask; it stays the same."""
    before = os.umask(0)
    try:
        secret = secret_of(tmp_path / "data")
    finally:
        os.umask(before)
    assert (tmp_path / "data" / "secret").stat().st_mode & 0o077 == 0
    assert len(secret) == 32
    assert secret_of(tmp_path / "data") == secret
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret"]


def test_settings_from_the_environment(tmp_path: Path) -> None:
    """Every cap is read; a value that is no number stops the start."""
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


@pytest.mark.parametrize("value", ["-1", "-0.01", "NaN", "Infinity", "five"])
@pytest.mark.parametrize(
    "name",
    [
        "VTON_DAILY_BUDGET_USD",
        "VTON_VISITOR_BUDGET_USD",
        "VTON_VISITOR_RATE",
        "VTON_UNKNOWN_PRICE_USD",
        "VTON_KEEP_HOURS",
        "VTON_PROXIES",
        "VTON_PARALLEL",
        "VTON_CONFIRM_USD",
    ],
)
def test_a_setting_that_is_no_amount(name: str, value: str, tmp_path: Path) -> None:
    """What is negative or no number stops the start, and is named."""
    with pytest.raises(SystemExit, match=f"{name} is '{value}'; it must be a number, 0 or more"):
        load({name: value}, tmp_path / "none")


def test_settings_of_plans(tmp_path: Path) -> None:
    """How many looks run at once, and when the page asks first: read, and handed to the studio."""
    assert (Settings().parallel, Settings().confirm_usd) == (4, Decimal("0.50"))
    read = load({"VTON_PARALLEL": "2", "VTON_CONFIRM_USD": "0", "VTON_DATA_DIR": str(tmp_path)}, Path("none"))
    studio = app.open_studio(read)
    assert (studio.parallel, studio.confirm_usd) == (2, 0)
    for value, words in (("0", "1 or more"), ("1.5", "whole number")):
        with pytest.raises(SystemExit, match=f"VTON_PARALLEL is {value}; it must be (a )?{words}"):
            load({"VTON_PARALLEL": value}, Path("none"))


def test_zero_is_not_unset() -> None:
    """A 0 that the owner sets on purpose counts, on a Space too; unset, a Space has one proxy."""
    assert load({"SPACE_ID": "me/studio"}, dotenv=Path("none")).proxies == 1
    zero = load({"SPACE_ID": "me/studio", "VTON_PROXIES": "0", "VTON_KEEP_HOURS": "0"}, dotenv=Path("none"))
    assert (zero.proxies, zero.keep_hours) == (0, 0)
