"""What was spent on the owner's key, and the caps; `python -m vton_ui.money.ledger` prints today's spend.

A try is reserved before anything is submitted, and counts for its UTC day until fal is known not to charge it:

    reserved → accepted → settled | released

If the process dies in between, the try goes on counting until `reconcile` knows what became of it. A released job that
turns out to have run counts again: when in doubt, money counts as spent. Every call waits for the disk and for other
writers, so call it off the event loop.
"""

from __future__ import annotations

import hmac
import logging
import sqlite3
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_CEILING, Decimal
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple, Optional

from vton_ui import settings
from vton_ui.database import BROKEN, Database, reason
from vton_ui.errors import OverBudget, VtonError
from vton_ui.money.pricing import money

LEDGER_FILE = "ledger.sqlite3"  # in VTON_DATA_DIR
KEEP = timedelta(days=35)  # a month's bill can still be compared

_HOUR = 3600
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS tries (
        id TEXT PRIMARY KEY, day TEXT NOT NULL, at REAL NOT NULL, visitor TEXT NOT NULL,
        micro INTEGER NOT NULL CHECK (micro >= 0),
        state TEXT NOT NULL CHECK (state IN ('reserved', 'accepted', 'settled', 'released')), request_id TEXT)""",
    "CREATE INDEX IF NOT EXISTS tries_of_day ON tries (day, visitor)",
    "CREATE INDEX IF NOT EXISTS tries_of_visitor ON tries (visitor, at)",
)
_MEND = "the owner should see that VTON_DATA_DIR can be written and has room, and move a damaged ledger away."
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Caps:
    """What the owner allows on the server's key; None: no cap.

    Attributes:
        daily_usd: VTON_DAILY_BUDGET_USD, dollars in a UTC day, all visitors together.
        visitor_usd: VTON_VISITOR_BUDGET_USD, dollars in a UTC day for each visitor.
        visitor_rate: VTON_VISITOR_RATE, tries of each visitor in any 60 minutes, failed ones too.
        unknown_usd: VTON_UNKNOWN_PRICE_USD, what a try counts as if its model has no known price.
    """

    daily_usd: Decimal | None = None
    visitor_usd: Decimal | None = None
    visitor_rate: int | None = None
    unknown_usd: Decimal = Decimal("0.05")


@dataclass(frozen=True, kw_only=True)
class Summary:
    """One UTC day: dollars and counts.

    Attributes:
        spent: What counts towards the caps: every try that was not released.
        reserved: The part of `spent` that is not settled.
    """

    day: date
    spent: Decimal
    reserved: Decimal
    tries: int
    settled: int
    released: int
    visitors: int


Costs = Mapping[str, Optional[Decimal]]
"""The dollars of a look's tries by the names of their reservations; None where the price is unknown."""
Micros = Mapping[str, int]
"""The same in micro-dollars."""


class _Refusal(NamedTuple):
    """The cap that is reached, and when it has room again; None where waiting does not help."""

    cap: str
    resets: float | None


class Ledger:
    """The tries made on the owner's key, shared by all threads and processes that open the same file.

    Args:
        path: The SQLite file; it and its folder are made at the first try.
        caps: What the owner allows.
        salt: A secret of this server, which keeps a visitor's hash from being guessed.
        clock: Seconds since 1970.
    """

    def __init__(self, path: Path, caps: Caps, *, salt: bytes, clock: Callable[[], float] = time.time) -> None:
        self._file, self._caps, self._salt, self._clock = Database(path, _SCHEMA), caps, salt, clock
        self._swept: date | None = None

    def reserve(self, visitor: str, cost: Decimal | None, name: str | None = None) -> str:
        """Reserve one try, `cost` dollars; returns the name of the reservation. See `reserve_all`."""
        reservation = name or uuid.uuid4().hex
        self.reserve_all(visitor, [{reservation: cost}])
        return reservation

    def reserve_all(self, visitor: str, looks: Sequence[Costs]) -> None:
        """Reserve the tries of several looks under every cap, all or none.

        A try that is reserved already stays so, at its new cost: a plan reserves all its tries, and then each itself.

        Args:
            visitor: Whose tries they are; only a salted hash of it is stored.
            looks: The tries that each look takes: their names and costs.

        Raises:
            OverBudget: A cap is reached.
            VtonError: There is a cap, and the ledger cannot be written.
        """
        caps = self._caps
        who = hmac.digest(self._salt, visitor.encode("utf-8", "surrogatepass"), "sha256").hex()
        try:
            micros = [
                {name: _micro(caps.unknown_usd if cost is None else cost) for name, cost in tries.items()}
                for tries in looks
            ]
            with self._file.transaction() as db:
                now = self._clock()  # after the wait for other writers, which may cross midnight
                self._reserve(db, who, [_new(db, tries) for tries in micros], now)
                if self._swept != _day(now):
                    db.execute("DELETE FROM tries WHERE day < ?", ((_day(now) - KEEP).isoformat(),))
                    self._swept = _day(now)
        except BROKEN as exc:
            _report("written", exc)
            if (caps.daily_usd, caps.visitor_usd, caps.visitor_rate) != (None, None, None):
                cause = "The studio cannot write its ledger, and allows no try that it cannot count."
                raise VtonError(cause, f"Use a key of your own; {_MEND}") from exc

    def _reserve(self, db: sqlite3.Connection, who: str, looks: Sequence[Micros], now: float) -> None:
        """Write the tries of these looks down. OverBudget if they do not all fit."""
        refusals = (self._refusal(db, who, looks[:count], now) for count in range(len(looks), 0, -1))
        refused = list(takewhile(lambda refusal: refusal is not None, refusals))
        if refused and refused[0]:
            raise _over(refused[0], len(looks), len(looks) - len(refused), now)
        for tries in looks:
            for name, micro in tries.items():
                row = (name, _day(now).isoformat(), now, who, micro)
                db.execute("INSERT OR REPLACE INTO tries VALUES (?, ?, ?, ?, ?, 'reserved', NULL)", row)

    def accept(self, reservation: str, request_id: str) -> None:
        """fal has accepted the job: it counts, even if it had been released."""
        change = "UPDATE tries SET state = 'accepted', request_id = ? WHERE id = ? AND state != 'settled'"
        self._change(change, request_id, reservation)

    def settle(self, reservation: str) -> None:
        """The job cost what was reserved, even if it had been released: a recovered job counts."""
        self._change("UPDATE tries SET state = 'settled' WHERE id = ?", reservation)

    def release(self, reservation: str) -> None:
        """fal does not charge for the job; what is settled stays settled."""
        self._change("UPDATE tries SET state = 'released' WHERE id = ? AND state != 'settled'", reservation)

    def unsettled(self, since: float, before: float) -> list[str]:
        """The reservations made between two moments (seconds since 1970) that are neither settled nor released, the
        oldest first; none if the ledger cannot be read."""
        query = "SELECT id FROM tries WHERE state IN ('reserved', 'accepted') AND at BETWEEN ? AND ? ORDER BY at"
        try:
            if not self._file.path.exists():
                return []
            with self._file.transaction() as db:
                return [name for (name,) in db.execute(query, (since, before))]
        except BROKEN as exc:
            _report("read", exc)
            return []

    def today(self) -> Summary:
        """The UTC day so far.

        Raises:
            VtonError: The ledger cannot be read.
        """
        query = """SELECT IFNULL(SUM(micro * (state != 'released')), 0),
            IFNULL(SUM(micro * (state IN ('reserved', 'accepted'))), 0),
            COUNT(*), IFNULL(SUM(state = 'settled'), 0), IFNULL(SUM(state = 'released'), 0), COUNT(DISTINCT visitor)
            FROM tries WHERE day = ?"""
        day, row = _day(self._clock()), (0, 0, 0, 0, 0, 0)
        try:
            if self._file.path.exists():
                with self._file.transaction() as db:
                    row = db.execute(query, (day.isoformat(),)).fetchone()
        except BROKEN as exc:
            _report("read", exc)
            raise VtonError("The studio cannot read its ledger.", _MEND[0].upper() + _MEND[1:]) from exc
        usd, (tries, settled, released, visitors) = [_usd(micro) for micro in row[:2]], row[2:]
        counts = {"tries": tries, "settled": settled, "released": released, "visitors": visitors}
        return Summary(day=day, spent=usd[0], reserved=usd[1], **counts)

    def _change(self, statement: str, *values: str) -> None:
        """Change the state of a try. It never raises: the job is under way, and must not fail with the ledger."""
        try:
            with self._file.transaction() as db:
                db.execute(statement, values)
        except BROKEN as exc:
            _report("written", exc)

    def _refusal(self, db: sqlite3.Connection, who: str, looks: Sequence[Micros], now: float) -> _Refusal | None:
        """The cap that has no room for the tries of these looks; None if all have."""
        costs = [micro for tries in looks for micro in tries.values()]
        return self._budget_refusal(db, who, sum(costs), now) or self._rate_refusal(db, who, len(costs), now)

    def _budget_refusal(self, db: sqlite3.Connection, who: str, micro: int, now: float) -> _Refusal | None:
        midnight = datetime.combine(_day(now) + timedelta(days=1), datetime.min.time(), timezone.utc).timestamp()
        query = "SELECT IFNULL(SUM(micro), 0) FROM tries WHERE state != 'released' AND day = ? AND visitor LIKE ?"
        for cap, whose, visitor in (
            (self._caps.daily_usd, "everybody together", "%"),
            (self._caps.visitor_usd, "each visitor", who),
        ):
            (spent,) = db.execute(query, (_day(now).isoformat(), visitor)).fetchone()
            if cap is not None and _usd(spent + micro) > cap:
                resets = None if _usd(micro) > cap else midnight
                return _Refusal(f"budget of {money(cap)} a day for {whose}", resets)
        return None

    def _rate_refusal(self, db: sqlite3.Connection, who: str, tries: int, now: float) -> _Refusal | None:
        rate = self._caps.visitor_rate
        if rate is None or not tries:
            return None
        allowed = f"limit of {rate} {'try' if rate == 1 else 'tries'} an hour for each visitor"
        if rate < tries:
            return _Refusal(allowed, None)
        query = "SELECT at FROM tries WHERE visitor = ? AND at > ? ORDER BY at DESC LIMIT 1 OFFSET ?"
        last_to_leave = db.execute(query, (who, now - _HOUR, rate - tries)).fetchone()
        return None if last_to_leave is None else _Refusal(allowed, last_to_leave[0] + _HOUR)


def _new(db: sqlite3.Connection, tries: Micros) -> Micros:
    """Those of the tries that are not reserved yet; the others get their new cost."""
    change = "UPDATE tries SET micro = ? WHERE id = ? AND state != 'released'"
    return {name: micro for name, micro in tries.items() if not db.execute(change, (micro, name)).rowcount}


def _over(refusal: _Refusal, looks: int, fitting: int, now: float) -> OverBudget:
    """The error for a reached cap."""
    one, cap, resets = looks == 1, refusal.cap, refusal.resets
    fit = "" if one else f" {fitting or 'None'} of them would fit now."
    if resets is None:
        what = "a try like this" if one else f"{looks} looks like these"
        cure = "Use a key of your own." if one else "Ask for fewer, or use a key of your own."
        return OverBudget(f"The owner's {cap} has no room for {what} on any day.{fit}", cure)
    at = -(-resets // 60) * 60  # rounded up, so that nobody comes back too early
    hours, minutes = divmod(max(1, int(-(-(at - now) // 60))), 60)
    wait = f"{hours} h {minutes} min" if hours else f"{minutes} min"
    what = "this try" if one else f"these {looks} looks"
    cause = f"The owner's {cap} has no room for {what} until {_utc(at):%H:%M} UTC, in {wait}.{fit}"
    cure = "Use a key of your own, or wait until then."
    return OverBudget(cause, cure if one else f"Ask for fewer looks. {cure}")


def _report(what: str, exc: Exception) -> None:
    _log.error("The ledger cannot be %s: %s", what, reason(exc))


def _utc(now: float) -> datetime:
    return datetime.fromtimestamp(now, timezone.utc)


def _day(now: float) -> date:
    return _utc(now).date()


def _micro(usd: Decimal) -> int:
    """Whole micro-dollars, rounded up: a try never counts for less than it costs."""
    return int((usd * 1_000_000).to_integral_value(ROUND_CEILING))


def _usd(micro: int) -> Decimal:
    return Decimal(micro) / 1_000_000


def main() -> int:
    """Prints today's spend; returns the exit status."""
    try:
        today = Ledger(settings.load().data_dir / LEDGER_FILE, Caps(), salt=b"not needed to read").today()
    except VtonError as error:
        print(error.cause, error.cure, file=sys.stderr)
        return 1
    for name, value in asdict(today).items():
        print(f"{name:<10}{money(value) if isinstance(value, Decimal) else value!s:>12}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
