"""The owner's money: no cap is exceeded, with many callers at once and after any crash."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from vton_ui.errors import Cost, OverBudget, VtonError
from vton_ui.money import ledger as module
from vton_ui.money.ledger import Caps, Ledger, Summary

ROOT = Path(__file__).parents[2]
ADDRESS = "203.0.113.77"
SALT = b"a salt of this test"
TRY = Decimal("0.0475")
MICRO = Decimal("0.000001")
NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone.utc).timestamp()


@dataclass
class Clock:
    """A clock that is set by hand."""

    now: float = NOON

    def __call__(self) -> float:
        return self.now


@dataclass
class House:
    """One file and one clock, for any number of ledgers."""

    path: Path
    clock: Clock = field(default_factory=Clock)

    def ledger(self, **caps: Any) -> Ledger:
        return Ledger(self.path, Caps(**caps), salt=SALT, clock=self.clock)

    def rows(self, query: str = "SELECT * FROM tries") -> list[Any]:
        with closing(sqlite3.connect(self.path)) as db:
            return db.execute(query).fetchall()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "data" / module.LEDGER_FILE)


def refused(ledger: Ledger, visitor: str = ADDRESS, cost: Decimal | None = TRY) -> OverBudget:
    """The refusal of a try, which must leave no trace."""
    before = ledger.today()
    with pytest.raises(OverBudget) as caught:
        ledger.reserve(visitor, cost)
    assert caught.value.cost is Cost.NOTHING
    assert ledger.today() == before
    return caught.value


# --- the caps


@pytest.mark.parametrize("cap", ["daily_usd", "visitor_usd"])
def test_exact_to_the_last_micro_dollar(house: House, cap: str) -> None:
    """Three tries of 10 cents fit into 30 cents, and not a millionth of a dollar more."""
    ledger = house.ledger(**{cap: Decimal("0.30")})
    for _ in range(3):
        ledger.reserve(ADDRESS, Decimal("0.10"))
    refused(ledger, cost=MICRO)
    ledger.reserve(ADDRESS, Decimal(0))
    assert ledger.today().spent == Decimal("0.30")


def test_parts_of_a_micro_dollar_round_up(house: House) -> None:
    """Many tiny tries do not pass below the last digit that is stored."""
    ledger = house.ledger(daily_usd=3 * MICRO)
    for _ in range(3):
        ledger.reserve(ADDRESS, MICRO / 10)
    refused(ledger, cost=MICRO / 10)


def test_everybody_together(house: House) -> None:
    """The daily budget is one for all visitors."""
    ledger = house.ledger(daily_usd=2 * TRY)
    ledger.reserve("a", TRY)
    ledger.reserve("b", TRY)
    assert "for everybody together" in refused(ledger, "c").cause


def test_each_visitor(house: House) -> None:
    """Each visitor has a budget of their own."""
    ledger = house.ledger(visitor_usd=2 * TRY)
    ledger.reserve("a", TRY)
    ledger.reserve("a", TRY)
    assert "for each visitor" in refused(ledger, "a").cause
    ledger.reserve("b", TRY)


def test_unknown_price(house: House) -> None:
    """A model without a known price counts as VTON_UNKNOWN_PRICE_USD."""
    ledger = house.ledger(daily_usd=Decimal("0.25"), unknown_usd=Decimal("0.12"))
    ledger.reserve(ADDRESS, None)
    ledger.reserve(ADDRESS, None)
    refused(ledger, cost=None)
    assert ledger.today().spent == Decimal("0.24")


def test_unknown_price_by_default(house: House) -> None:
    """Without a setting an unknown price counts as 5 cents."""
    house.ledger().reserve(ADDRESS, None)
    assert house.ledger().today().spent == Decimal("0.05")


def test_no_caps(house: House) -> None:
    """Without caps every try passes, and is counted."""
    ledger = house.ledger()
    for _ in range(20):
        ledger.reserve(ADDRESS, Decimal(1000))
    assert ledger.today().spent == 20_000


@pytest.mark.parametrize("cap", ["daily_usd", "visitor_usd"])
def test_midnight(house: House, cap: str) -> None:
    """A day ends at midnight UTC, and no second earlier."""
    ledger = house.ledger(**{cap: TRY})
    ledger.reserve(ADDRESS, TRY)
    house.clock.now += 12 * 3600 - 1
    assert "until 00:00 UTC, in 1 min" in refused(ledger).cause
    house.clock.now += 1
    ledger.reserve(ADDRESS, TRY)
    assert ledger.today().day == date(2026, 3, 2)
    assert ledger.today().tries == 1


def test_rate_slides(house: House) -> None:
    """Two tries in any 60 minutes: each makes room for one more when its own hour is over, for each visitor."""
    ledger = house.ledger(visitor_rate=2)
    ledger.reserve(ADDRESS, TRY)
    house.clock.now += 1800
    ledger.reserve(ADDRESS, TRY)
    assert "until 13:00 UTC, in 30 min" in refused(ledger).cause
    ledger.reserve("somebody else", TRY)
    house.clock.now = NOON + 3599
    refused(ledger)
    house.clock.now = NOON + 3600
    ledger.reserve(ADDRESS, TRY)
    assert "until 13:30 UTC, in 30 min" in refused(ledger).cause
    house.clock.now = NOON + 1800 + 3600
    ledger.reserve(ADDRESS, TRY)


def test_minutes_round_up(house: House) -> None:
    """At the time that the refusal names the next try passes."""
    house.clock.now += 30
    ledger = house.ledger(visitor_rate=1)
    ledger.reserve(ADDRESS, TRY)
    assert "until 13:01 UTC, in 1 h 1 min" in refused(ledger).cause
    house.clock.now += 3599.5
    assert "until 13:01 UTC, in 1 min" in refused(ledger).cause


def test_rate_across_midnight(house: House) -> None:
    """An hour does not end with the day."""
    house.clock.now += 12 * 3600 - 60
    ledger = house.ledger(visitor_rate=1)
    ledger.reserve(ADDRESS, TRY)
    house.clock.now += 120
    assert "until 00:59 UTC, in 58 min" in refused(ledger).cause


def test_rate_lowered(house: House) -> None:
    """After a restart with a lower rate, the time named is the one at which the next try really passes."""
    ledger = house.ledger(visitor_rate=3)
    for _ in range(3):
        ledger.reserve(ADDRESS, TRY)
        house.clock.now += 600
    ledger = house.ledger(visitor_rate=1)
    assert "until 13:20 UTC" in refused(ledger).cause
    house.clock.now = NOON + 1200 + 3600
    ledger.reserve(ADDRESS, TRY)


def test_rate_counts_failures(house: House) -> None:
    """A free try counts for the rate: cancelling does not evade it."""
    ledger = house.ledger(visitor_rate=1)
    ledger.release(ledger.reserve(ADDRESS, TRY))
    refused(ledger)


# --- the tries of a plan


def test_all_or_none(house: House) -> None:
    """Several looks are reserved in one go, or not at all; the refusal says how many would fit."""
    ledger = house.ledger(daily_usd=3 * TRY)
    with pytest.raises(OverBudget) as caught:
        ledger.reserve_all(ADDRESS, [{"a": TRY}, {"b": TRY, "c": TRY}, {"d": TRY}])
    assert caught.value.cause == (
        "The owner's budget of $0.1425 a day for everybody together has no room for 3 looks like these on any day. "
        "2 of them would fit now."
    )
    assert caught.value.cure == "Ask for fewer, or use a key of your own."
    assert ledger.today().tries == 0
    ledger.reserve_all(ADDRESS, [{"a": TRY}, {"b": TRY, "c": TRY}])
    assert (ledger.today().spent, ledger.today().tries) == (3 * TRY, 3)


def test_how_many_fit(house: House) -> None:
    """The count is of looks, under all caps together, and of now."""
    ledger = house.ledger(daily_usd=9 * TRY, visitor_usd=5 * TRY, visitor_rate=4)
    ledger.reserve(ADDRESS, TRY)
    looks = [{f"try {index}": TRY} for index in range(4)]
    with pytest.raises(OverBudget, match=r"limit of 4 .* no room for these 4 looks until .*\. 3 of them would fit now"):
        ledger.reserve_all(ADDRESS, looks)
    ledger.reserve_all("another", [{f"other {index}": TRY} for index in range(4)])
    with pytest.raises(OverBudget, match=r"no room for these 4 looks until .*\. 3 of them would fit now"):
        ledger.reserve_all(ADDRESS, looks)
    ledger = house.ledger(daily_usd=7 * TRY)
    with pytest.raises(OverBudget, match=r"for everybody together .* these 4 looks until .*\. 2 of them would fit now"):
        ledger.reserve_all(ADDRESS, looks)
    ledger.reserve_all(ADDRESS, [])
    assert ledger.today().tries == 5


def test_a_try_of_a_plan_reserves_itself(house: House) -> None:
    """A try that its plan has reserved is not counted twice, and counts at its last cost; a released one is new."""
    ledger = house.ledger(daily_usd=2 * TRY, visitor_rate=2)
    ledger.reserve_all(ADDRESS, [{"a": TRY}, {"b": TRY}])
    ledger.reserve(ADDRESS, TRY, "a")
    ledger.reserve(ADDRESS, TRY / 2, "b")
    assert (ledger.today().spent, ledger.today().tries) == (TRY * 3 / 2, 2)
    ledger.release("a")
    ledger.reserve("another", TRY)
    with pytest.raises(OverBudget):
        ledger.reserve(ADDRESS, TRY, "a")
    ledger.settle("b")
    ledger.reserve("another", TRY / 2, "b")
    assert house.rows("SELECT state FROM tries WHERE id = 'b'") == [("settled",)]


def test_words(house: House) -> None:
    """A refusal names the cap, the time at which it resets and how long that is, and the way around it."""
    house.clock.now += 59 * 60 + 30
    ledger = house.ledger(daily_usd=Decimal(5))
    ledger.reserve(ADDRESS, Decimal(5))
    error = refused(ledger)
    assert error.cause == (
        "The owner's budget of $5.00 a day for everybody together has no room for this try "
        "until 00:00 UTC, in 11 h 1 min."
    )
    assert error.cure == "Use a key of your own, or wait until then."


@pytest.mark.parametrize("caps", [{"daily_usd": TRY - MICRO}, {"visitor_usd": Decimal(0)}, {"visitor_rate": 0}])
def test_hopeless(house: House, caps: dict[str, Any]) -> None:
    """Where waiting does not help, the refusal does not say to wait."""
    error = refused(house.ledger(**caps))
    assert "on any day" in error.cause
    assert error.cure == "Use a key of your own."


# --- what becomes of a try


def fate(house: House, words: str) -> Summary:
    """The day's summary after one try with these calls, in order."""
    ledger = house.ledger()
    reservation = ledger.reserve(ADDRESS, TRY)
    for word in words.split():
        if word == "accept":
            ledger.accept(reservation, "request-1")
        else:
            getattr(ledger, word)(reservation)
    return ledger.today()


@pytest.mark.parametrize("words", ["", "accept", "accept accept", "release accept"])
def test_counts_while_open(house: House, words: str) -> None:
    """What fal may still charge counts: not yet accepted, accepted, or found again after all."""
    day = fate(house, words)
    assert (day.spent, day.reserved, day.tries, day.settled, day.released) == (TRY, TRY, 1, 0, 0)


@pytest.mark.parametrize(
    "words",
    ["settle", "accept settle", "accept settle settle", "settle accept", "accept settle release", "release settle"],
)
def test_counts_once_settled(house: House, words: str) -> None:
    """What fal charged counts once, even if it had been released before."""
    day = fate(house, words)
    assert (day.spent, day.reserved, day.tries, day.settled, day.released) == (TRY, Decimal(0), 1, 1, 0)


@pytest.mark.parametrize("words", ["release", "accept release", "release release", "release accept release"])
def test_released(house: House, words: str) -> None:
    """What fal does not charge does not count."""
    day = fate(house, words)
    assert (day.spent, day.reserved, day.tries, day.settled, day.released) == (Decimal(0), Decimal(0), 1, 0, 1)


@pytest.mark.parametrize("cap", ["daily_usd", "visitor_usd"])
def test_release_gives_back(house: House, cap: str) -> None:
    """A released try frees its cost, once."""
    ledger = house.ledger(**{cap: TRY})
    reservation = ledger.reserve(ADDRESS, TRY)
    refused(ledger)
    ledger.release(reservation)
    ledger.release(reservation)
    ledger.reserve(ADDRESS, TRY)
    refused(ledger)


def test_found_again(house: House) -> None:
    """A recovered job counts, even if its cost was given to another meanwhile."""
    ledger = house.ledger(daily_usd=TRY)
    first = ledger.reserve(ADDRESS, TRY)
    ledger.release(first)
    ledger.reserve(ADDRESS, TRY)
    ledger.settle(first)
    assert ledger.today().spent == 2 * TRY
    refused(ledger)


def test_the_day_of_the_click(house: House) -> None:
    """A try that ends after midnight counts for the day on which it was reserved."""
    house.clock.now += 12 * 3600 - 1
    ledger = house.ledger()
    reservation = ledger.reserve(ADDRESS, TRY)
    house.clock.now += 60
    ledger.settle(reservation)
    assert ledger.today().spent == 0
    house.clock.now -= 60
    assert (ledger.today().spent, ledger.today().settled) == (TRY, 1)


def test_request_id(house: House) -> None:
    """The row knows fal's name for the job, for comparison with the bill."""
    fate(house, "accept settle")
    assert house.rows("SELECT request_id, state FROM tries") == [("request-1", "settled")]


def test_unknown_reservation(house: House) -> None:
    """A call about an unknown try changes nothing."""
    ledger = house.ledger()
    ledger.reserve(ADDRESS, TRY)
    before = ledger.today()
    ledger.accept("nobody", "request-1")
    ledger.settle("nobody")
    ledger.release("nobody")
    assert ledger.today() == before


def test_summary(house: House) -> None:
    """The day's figures, all different."""
    ledger = house.ledger()
    for number, visitor in enumerate("aaabbc"):
        reservation = ledger.reserve(visitor, number * TRY)
        if number < 3:
            ledger.settle(reservation)
        elif number == 3:
            ledger.release(reservation)
    assert ledger.today() == Summary(
        day=date(2026, 3, 1), spent=12 * TRY, reserved=9 * TRY, tries=6, settled=3, released=1, visitors=3
    )


def test_old_rows_go(house: House) -> None:
    """Rows of the last 35 days stay, older ones go."""
    house.ledger().reserve("old", TRY)
    house.clock.now += 24 * 3600
    ledger = house.ledger()
    ledger.reserve("young", TRY)
    house.clock.now = NOON + 35 * 24 * 3600
    ledger.reserve("a", TRY)
    assert len(house.rows()) == 3
    house.clock.now += 24 * 3600
    ledger.reserve("b", TRY)
    days = house.rows("SELECT day FROM tries ORDER BY day")
    assert days == [("2026-03-02",), ("2026-04-05",), ("2026-04-06",)]


def test_hash_only(house: House) -> None:
    """The file has no visitor in it, and another salt gives another visitor."""
    ledger = house.ledger()
    ledger.reserve(ADDRESS, TRY)
    with closing(sqlite3.connect(house.path)) as reader:  # it holds the -wal file in place
        reader.execute("SELECT * FROM tries").fetchall()
        ledger.accept(ledger.reserve(ADDRESS, TRY), "request-1")
        files = list(house.path.parent.iterdir())
        assert {path.name for path in files} >= {module.LEDGER_FILE, f"{module.LEDGER_FILE}-wal"}
        raw = b"".join(path.read_bytes() for path in files)
    assert b"request-1" in raw
    assert ADDRESS.encode() not in raw
    assert SALT not in raw
    other = Ledger(house.path, Caps(), salt=b"another", clock=house.clock)
    other.reserve(ADDRESS, TRY)
    assert ledger.today().visitors == 2
    assert {len(who) for (who,) in house.rows("SELECT visitor FROM tries")} == {64}


@pytest.mark.parametrize("visitor", ["", "日本", "\udcff", "a\0b", "%", "x" * 100_000])
def test_any_name(house: House, visitor: str) -> None:
    """A header may hold anything; it is one visitor, and only itself."""
    ledger = house.ledger(visitor_rate=1)
    ledger.reserve(visitor, TRY)
    refused(ledger, visitor)
    ledger.reserve(visitor + "!", TRY)


# --- many at once


def test_threads(house: House) -> None:
    """Of 200 tries at once exactly as many pass as the budget allows."""
    ledger = house.ledger(daily_usd=73 * TRY)
    start = threading.Barrier(200)

    def attempt(number: int) -> bool:
        start.wait()
        try:
            reservation = ledger.reserve(f"visitor {number}", TRY)
        except OverBudget:
            return False
        ledger.accept(reservation, f"request-{number}")
        ledger.settle(reservation)
        return True

    with ThreadPoolExecutor(200) as pool:
        passed = sum(pool.map(attempt, range(200)))
    assert passed == 73
    day = ledger.today()
    assert (day.spent, day.reserved, day.settled) == (73 * TRY, Decimal(0), 73)


def test_file_in_the_making(house: House) -> None:
    """A process that finds the new file locked while it becomes WAL waits as for any writer."""
    house.path.parent.mkdir()
    ledger = house.ledger(daily_usd=TRY)
    with ThreadPoolExecutor(1) as pool, closing(sqlite3.connect(house.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = pool.submit(ledger.reserve, ADDRESS, TRY)
        time.sleep(0.3)
        other.execute("COMMIT")
        assert waiting.result(timeout=20)
    refused(ledger)


@pytest.mark.parametrize("caps", [{"visitor_usd": 5 * TRY}, {"visitor_rate": 5}], ids=str)
def test_visitor_in_many_tabs(house: House, caps: dict[str, Any]) -> None:
    """Clicks at the same moment exceed neither a visitor's budget nor rate."""
    ledger = house.ledger(**caps)

    def attempt(_: int) -> bool:
        try:
            ledger.reserve(ADDRESS, TRY)
        except OverBudget:
            return False
        return True

    with ThreadPoolExecutor(40) as pool:
        assert sum(pool.map(attempt, range(40))) == 5


RESERVE = """
import sys, time
from decimal import Decimal
from pathlib import Path
from vton_ui.errors import OverBudget
from vton_ui.money.ledger import Caps, Ledger
ledger = Ledger(Path(sys.argv[1]), Caps(daily_usd=Decimal("4.275")), salt=b"a salt of this test")
print("ready", flush=True)
sys.stdin.readline()
for _ in range(25):
    try:
        ledger.settle(ledger.reserve("somebody", Decimal("0.0475")))
        print("passed")
    except OverBudget:
        print("refused")
"""


def child(script: str, path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, str(path)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_processes(house: House) -> None:
    """Of 8 × 25 tries from processes that all make the file at once, exactly 90 fit into $4.275."""
    children = [child(RESERVE, house.path) for _ in range(8)]
    for process in children:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    assert not house.path.exists()
    for process in children:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = Counter(line for process in children for line in process.communicate(timeout=60)[0].split())
    assert [process.returncode for process in children] == [0] * 8
    assert said == {"passed": 90, "refused": 110}
    assert len(house.rows()) == 90


KILLED = """
import sys
from decimal import Decimal
from pathlib import Path
from vton_ui.money.ledger import Caps, Ledger
ledger = Ledger(Path(sys.argv[1]), Caps(daily_usd=Decimal(1000)), salt=b"a salt of this test")
number = 0
while True:
    number += 1
    name = ledger.reserve("somebody", Decimal("0.0475"))
    print(name, "reserved", flush=True)
    if number % 4:
        ledger.accept(name, f"request-{number}")
        print(name, "accepted", flush=True)
    if number % 4 == 2:
        ledger.settle(name)
        print(name, "settled", flush=True)
    if number % 4 == 3:
        ledger.release(name)
        print(name, "released", flush=True)
"""
NEXT = {"": {"reserved"}, "reserved": {"accepted"}, "accepted": {"settled", "released"}}


needs_kill_9 = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")


@pytest.mark.slow
@needs_kill_9
def test_kill_9(house: House) -> None:
    """A kill in the middle loses nothing that was said to be done, and leaves at most one step more."""
    said: dict[str, str] = {}
    for seed in range(8):
        with child(KILLED, house.path) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(10)]
            time.sleep(random.Random(seed).uniform(0, 0.02))
            process.kill()
            lines += process.stdout  # not communicate(), which skips what readline() has buffered
        assert process.returncode == -signal.SIGKILL
        said |= dict(line.split() for line in lines if line.endswith("\n"))  # a cut line was not written
        found = dict(house.rows("SELECT id, state FROM tries"))
        assert said.keys() <= found.keys()
        late = {name: state for name, state in found.items() if said.get(name, "") != state}
        assert len(late) <= 1
        assert all(state in NEXT[said.get(name, "")] for name, state in late.items())
        said = found
    assert house.rows("PRAGMA integrity_check") == [("ok",)]
    states = Counter(said.values())
    assert house.ledger(daily_usd=Decimal(1000)).reserve(ADDRESS, TRY)
    counting = states["reserved"] + states["accepted"] + states["settled"] + 1
    assert house.rows("SELECT SUM(micro) FROM tries WHERE state != 'released'") == [(counting * 47_500,)]


@needs_kill_9
def test_killed_before_the_submit(house: House) -> None:
    """A reservation whose process died goes on counting, in the next process too."""
    suicide = KILLED.replace('print(name, "reserved", flush=True)', "os.kill(os.getpid(), signal.SIGKILL)")
    process = child(f"import os, signal\n{suicide}", house.path)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    house.clock.now = time.time()
    ledger = house.ledger(daily_usd=TRY)
    assert ledger.today().reserved == TRY
    refused(ledger)


def test_midnight_while_waiting(house: House) -> None:
    """A try that waited for the others across midnight counts for the new day."""
    ledger = house.ledger(daily_usd=TRY)
    ledger.reserve(ADDRESS, TRY)
    with ThreadPoolExecutor(1) as pool, closing(sqlite3.connect(house.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = pool.submit(ledger.reserve, ADDRESS, TRY)
        time.sleep(0.3)
        assert not waiting.done()
        house.clock.now += 12 * 3600
        other.execute("COMMIT")
        assert waiting.result(timeout=20)
    assert ledger.today().spent == TRY


# --- when the ledger is broken


def not_a_database(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"This was a ledger once. " * 500)


def damaged_inside(path: Path) -> None:
    ledger = Ledger(path, Caps(), salt=SALT)
    for number in range(60):
        ledger.reserve(str(number), TRY)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # or what was damaged would be mended from the log
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\xa5" * (len(raw) - 4096)
    path.write_bytes(raw)


def a_folder(path: Path) -> None:
    path.mkdir(parents=True)


def no_folder(path: Path) -> None:
    path.parent.write_text("a file where the folder should be")


def another_table(path: Path) -> None:
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE tries (day, visitor, at)")


broken = pytest.mark.parametrize("harm", [not_a_database, damaged_inside, a_folder, no_folder, another_table])


@broken
@pytest.mark.parametrize("caps", [{"daily_usd": Decimal(9)}, {"visitor_usd": Decimal(9)}, {"visitor_rate": 9}], ids=str)
def test_broken_with_caps(
    house: House, harm: Callable[[Path], None], caps: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """With caps a broken ledger refuses tries; the error says what to do, without the file's path."""
    harm(house.path)
    with pytest.raises(VtonError) as caught:
        house.ledger(**caps).reserve(ADDRESS, TRY)
    assert "cannot write its ledger" in caught.value.cause
    assert "VTON_DATA_DIR" in caught.value.cure
    assert caught.value.cost is Cost.NOTHING
    assert "The ledger cannot be written" in caplog.text
    for secret in (str(house.path.parent), ADDRESS):
        assert secret not in caplog.text + str(caught.value)


@broken
def test_broken_without_caps(house: House, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture) -> None:
    """Without caps a broken ledger refuses nothing, and is logged."""
    harm(house.path)
    assert house.ledger().reserve(ADDRESS, TRY)
    assert "The ledger cannot be written" in caplog.text


def test_replaced(house: House) -> None:
    """An owner who takes the files away while the app runs begins a new day's count, and keeps it."""
    ledger = house.ledger(daily_usd=Decimal(9))
    for files in ([""], ["", "-wal", "-shm"]):
        ledger.settle(ledger.reserve(ADDRESS, TRY))
        for ending in files:
            house.path.with_name(house.path.name + ending).unlink(missing_ok=True)
        for tries in (1, 2):
            ledger.settle(ledger.reserve(ADDRESS, TRY))
            assert ledger.today().settled == tries
            assert house.ledger().today().settled == tries


@broken
def test_broken_later(house: House, harm: Callable[[Path], None], caplog: pytest.LogCaptureFixture) -> None:
    """A ledger that breaks while a try is under way does not lose the try."""
    harm(house.path)
    ledger = house.ledger(daily_usd=Decimal(9))
    ledger.accept("some reservation", "request-1")
    ledger.settle("some reservation")
    ledger.release("some reservation")
    assert caplog.text.count("The ledger cannot be written") == 3
    assert str(house.path.parent) not in caplog.text


@pytest.mark.parametrize("cost", ["NaN", "Infinity", "-0.01", "1e30"])
def test_price_that_is_none(house: House, cost: str) -> None:
    """A price that is no number never passes a cap or frees budget, and passes without caps."""
    with pytest.raises(VtonError):
        house.ledger(daily_usd=Decimal(9)).reserve(ADDRESS, Decimal(cost))
    assert house.ledger().reserve(ADDRESS, Decimal(cost))
    assert house.ledger().today().spent == 0


def test_locked_for_too_long(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that is locked for longer than the limit counts as broken."""
    monkeypatch.setattr("vton_ui.database.BUSY_SECONDS", 0.1)
    house.ledger().reserve(ADDRESS, TRY)
    with closing(sqlite3.connect(house.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(VtonError, match="cannot write"):
            house.ledger(daily_usd=Decimal(9)).reserve(ADDRESS, TRY)
        assert house.ledger().reserve(ADDRESS, TRY)
    house.ledger(daily_usd=Decimal(9)).reserve(ADDRESS, TRY)
    assert house.ledger().today().tries == 2


def test_file_taken_away(house: House) -> None:
    """A file that the owner moves away is made anew, without a restart."""
    ledger = house.ledger(daily_usd=TRY)
    ledger.reserve(ADDRESS, TRY)
    house.path.rename(house.path.with_name("old"))
    ledger.reserve(ADDRESS, TRY)
    assert len(house.rows()) == 1


# --- python -m vton_ui.money.ledger


def command(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "VTON_DATA_DIR": str(folder)}
    arguments = [sys.executable, "-m", "vton_ui.money.ledger"]
    return subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30)


def test_command(house: House) -> None:
    """The owner reads today's spend, even while a try is being reserved."""
    house.clock.now = time.time()
    ledger = house.ledger()
    ledger.settle(ledger.reserve("a", Decimal("1.2")))
    ledger.release(ledger.reserve("a", TRY))
    ledger.reserve("b", TRY)
    with closing(sqlite3.connect(house.path)) as other:
        other.execute("SELECT * FROM tries").fetchone()
        done = command(house.path.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["day", str(ledger.today().day)],
        ["spent", "$1.25"],
        ["reserved", "$0.0475"],
        ["tries", "3"],
        ["settled", "1"],
        ["released", "1"],
        ["visitors", "2"],
    ]
    assert len({len(line) for line in done.stdout.splitlines()}) == 1


def test_command_without_a_file(tmp_path: Path) -> None:
    """Before the first try the command prints zeros and makes no file."""
    done = command(tmp_path / "data")
    assert (done.returncode, done.stderr) == (0, "")
    assert "$0.0000" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_command_on_a_broken_file(house: House) -> None:
    """The owner gets a sentence and a cure, not a traceback and not a zero."""
    not_a_database(house.path)
    done = command(house.path.parent)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "The studio cannot read its ledger. The owner should see" in done.stderr
    assert "Traceback" not in done.stderr


# --- any sequence


@dataclass
class Try:
    """What the ledger should know of one try."""

    day: date
    at: float
    visitor: str
    usd: Decimal
    state: str = "reserved"


class Days(RuleBasedStateMachine):
    """Any tries, outcomes and hours in any order: the ledger agrees with a plain list of tries."""

    names: Bundle[str] = Bundle("names")
    caps = Caps(daily_usd=Decimal("0.40"), visitor_usd=Decimal("0.20"), visitor_rate=4)

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.ledger = Ledger(Path(self.folder.name) / module.LEDGER_FILE, self.caps, salt=SALT, clock=self.clock)
        self.tries: dict[str, Try] = {}

    @property
    def day(self) -> date:
        return datetime.fromtimestamp(self.clock.now, timezone.utc).date()

    def today(self) -> Iterator[Try]:
        return (one for one in self.tries.values() if one.day == self.day)

    def spent(self, visitor: str = "") -> Decimal:
        counting = (one for one in self.today() if one.state != "released" and visitor in ("", one.visitor))
        return sum((one.usd for one in counting), Decimal(0))

    @rule(
        target=names,
        visitor=st.sampled_from("abc"),
        cost=st.none() | st.decimals(0, Decimal("0.25"), places=4) | st.just(TRY),
    )
    def reserve(self, visitor: str, cost: Decimal | None) -> str:
        usd = self.caps.unknown_usd if cost is None else cost
        lately = [one for one in self.tries.values() if one.visitor == visitor and one.at > self.clock.now - 3600]
        fits = (
            self.spent() + usd <= Decimal("0.40") and self.spent(visitor) + usd <= Decimal("0.20") and len(lately) < 4
        )
        try:
            name = self.ledger.reserve(visitor, cost)
        except OverBudget:
            assert not fits
            return "refused"
        assert fits
        assert self.ledger.today().spent <= Decimal("0.40")
        self.tries[name] = Try(self.day, self.clock.now, visitor, usd)
        return name

    def say(self, name: str, state: str) -> None:
        if name in self.tries and self.tries[name].state != "settled":
            self.tries[name].state = state

    @rule(name=names)
    def accept(self, name: str) -> None:
        self.ledger.accept(name, "request-1")
        self.say(name, "accepted")

    @rule(name=names)
    def settle(self, name: str) -> None:
        self.ledger.settle(name)
        self.say(name, "settled")

    @rule(name=names)
    def release(self, name: str) -> None:
        self.ledger.release(name)
        self.say(name, "released")

    @rule(seconds=st.sampled_from([1, 600, 3600, 6 * 3600]))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds

    @precondition(lambda self: self.tries)
    @invariant()
    def agrees(self) -> None:
        """What is spent is what was reserved and not released."""
        states = Counter(one.state for one in self.today())
        unsettled = (one.usd for one in self.today() if one.state in ("reserved", "accepted"))
        assert self.ledger.today() == Summary(
            day=self.day,
            spent=self.spent(),
            reserved=sum(unsettled, Decimal(0)),
            tries=states.total(),
            settled=states["settled"],
            released=states["released"],
            visitors=len({one.visitor for one in self.today()}),
        )

    def teardown(self) -> None:
        self.folder.cleanup()


TestDays = Days.TestCase
TestDays.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
