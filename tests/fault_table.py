"""Every operation of fal's × everything that may go wrong with it: what becomes of a try-on.

`python -m tests.fault_table` plays all of it against a local stand-in for fal, and writes FAULTS.md.
"""

from __future__ import annotations

import asyncio
import logging
import re
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import photo_bytes
from tests.fake_fal.server import LOCKED_403, NGINX_502, TEST_KEY, FakeFal
from tests.fast_timings import use_fast_timings
from vton_ui.backends.fal import answers, client, stream
from vton_ui.backends.fal import backend as backend_module
from vton_ui.backends.fal.backend import FalBackend
from vton_ui.errors import Cost, VtonError
from vton_ui.models import CAT_VTON, FLUX_VTO
from vton_ui.models.spec import ModelSpec
from vton_ui.money.budget import LedgerBudget
from vton_ui.money.ledger import Caps, Ledger, Summary
from vton_ui.tryon import run, submit
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.events import Accepted, Cancelled, Done, Event, Recovering, Submitting, Uploading, Waiting
from vton_ui.tryon.request import Request, new_request
from vton_ui.tryon.run import try_on

FAULTS_FILE = Path(__file__).parent / "FAULTS.md"

OPERATIONS = {
    "token": "asking for leave to upload",
    "upload": "uploading a photo",
    "pricing": "asking for the live price (CatVTON)",
    "submit": "sending the order",
    "requests": "looking for an order whose answer was lost",
    "stream": "listening how the job is going",
    "status": "asking how the job is going, where there is nothing to listen to",
    "result": "fetching the outcome",
    "download": "downloading the picture",
    "cancel": "cancelling a job that waits in line",
}
HUNG = "accepted, then hung"
REFUSED = "connection refused"
FAULTS: dict[str, dict[str, Any]] = {
    "401": {"action": "status", "code": 401},
    "403 locked": {"action": "status", "code": 403, "body": LOCKED_403},
    "404": {"action": "status", "code": 404},
    "422": {"action": "status", "code": 422},
    "429": {"action": "status", "code": 429},
    "500": {"action": "status", "code": 500},
    "502 page of a proxy": {"action": "status", "code": 502, "body": NGINX_502},
    "503": {"action": "status", "code": 503},
    "504": {"action": "status", "code": 504},
    REFUSED: {},
    "dropped before": {"action": "drop_before"},
    "accepted, then dropped": {"action": "accept_then_drop"},
    HUNG: {"action": "accept_then_hang", "seconds": 0.5},
    "garbage": {"action": "garbage"},
    "half a body": {"action": "half_body"},
    "slow": {"action": "slow", "seconds": 0.05},
}

PERSON, GARMENT = photo_bytes(256, 320), photo_bytes(256, 256)

STOP_AT: dict[str, type[Event]] = {
    "token": Uploading,
    "pricing": Uploading,
    "submit": Submitting,
    "requests": Recovering,
    "stream": Accepted,
    "status": Accepted,
    "cancel": Waiting,
}
CLOSE_AFTER = {"upload": "token", "result": "status", "download": "result"}
"""When connections are refused: from an event on, or from the answer to the operation before."""

CHARGED = {Cost.NOTHING: "no", Cost.MAYBE: "maybe", Cost.CHARGED: "yes"}

INTRODUCTION = """\
# What becomes of a try-on when fal, or the way to it, fails

Written by `python -m tests.fault_table`, which plays every fault against a local stand-in for fal, through fal's own
client; `tests/test_faults.py` does the same and holds this page to it. In every case: at most one order was accepted
and at most one job billed, an error says what to do and names the request where fal had told its id, the owner's
ledger holds what fal bills, and the next try-on succeeds.

"Once" is a fault that strikes one request and passes; "for good" strikes every request of its operation. "Charged"
is what the visitor is told.
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One cell of the table."""

    operation: str
    fault: str
    lasting: bool

    def __str__(self) -> str:
        return f"{self.operation}-{self.fault}-{'for good' if self.lasting else 'once'}"

    @property
    def model(self) -> ModelSpec:
        return CAT_VTON if self.operation == "pricing" else FLUX_VTO


CASES = [
    Case(operation=operation, fault=fault, lasting=lasting)
    for operation in OPERATIONS
    for fault in FAULTS
    for lasting in (False, True)
]


@dataclass(kw_only=True)
class Run:
    """One try-on: its events and its end."""

    events: list[Event] = field(default_factory=list)
    error: VtonError | None = None

    def first(self, kind: type[Any]) -> Any:
        return next((event for event in self.events if isinstance(event, kind)), None)

    @property
    def price(self) -> Decimal:
        """What the try counts for in the ledger."""
        ordering = self.first(Submitting)
        if ordering is None:
            return Decimal(0)
        cost = ordering.job.cost_usd
        return World.caps.unknown_usd if cost is None else Decimal(cost)

    @property
    def words(self) -> str:
        """The end, in the words of the table."""
        if self.error is not None:
            return f"error: {type(self.error).__name__}, charged: {CHARGED[self.error.cost]}"
        last = self.events[-1]
        if isinstance(last, Cancelled):
            return f"cancelled, charged: {CHARGED[last.cost]}"
        assert isinstance(last, Done)
        return "delivered"


@dataclass(frozen=True, kw_only=True)
class Played:
    """A case, and a try-on after it when all is well again.

    Attributes:
        accepted: The ids of the jobs that fal accepted in the case.
        bills: How many of these it bills in the end.
        ledger: As it was after the case.
        after: The try-on after it.
        after_accepted: How many more jobs fal accepted for that.
        after_ledger: As it was after all.
    """

    run: Run
    accepted: list[str]
    bills: int
    ledger: Summary
    after: Run
    after_accepted: int
    after_ledger: Summary


class World:
    """A stand-in for fal, a backend, and an owner's ledger with a cap."""

    caps = Caps(daily_usd=Decimal(1), visitor_usd=Decimal(1), visitor_rate=20)

    def __init__(self, fal: FakeFal, folder: Path) -> None:
        self.fal = fal
        self.folder = folder
        self.ledger = Ledger(folder / "ledger.sqlite3", self.caps, salt=b"salt")
        backend = FalBackend(TEST_KEY, api_url=fal.api_url)
        budget = LedgerBudget(ledger=self.ledger, visitor="somebody")
        self.context = RunContext(backend=backend, store=folder / "store", budget=budget)

    def request(self, model: ModelSpec, **options: Any) -> Request:
        person, garment = self.folder / "person.jpg", self.folder / "garment.jpg"
        person.write_bytes(PERSON)
        garment.write_bytes(GARMENT)
        shape = {"image_size": "square"} if model is CAT_VTON else {}
        return new_request(model, person, [garment], {**shape, **options})


async def collect(events: AsyncIterator[Event], at: Callable[[Event], Any] = lambda event: None) -> Run:
    """A try-on to its end, with something done at each event."""
    run = Run()
    try:
        async with aclosing(events) as each:  # type: ignore[type-var]
            async for event in each:
                run.events.append(event)
                await asyncio.sleep(0)
                done = at(event)
                if asyncio.iscoroutine(done):
                    await done
    except VtonError as error:
        run.error = error
    return run


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something that is bound to happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def play(case: Case, world: World) -> Played:
    """Try on while something goes wrong, and then again when all is well."""
    fal, backend = world.fal, world.context.backend
    stop = asyncio.Event()
    before: set[str] = set()
    fal.streams = case.operation not in ("status", "result")
    if case.operation == "requests":
        fal.fault("submit", "accept_then_drop")
    if case.operation == "cancel":
        fal.queue_seconds = 3
    if case.operation == "pricing":
        # The uploads are known by then, so that the price is all that is asked for.
        await collect(try_on(world.request(case.model), RunContext(backend=backend, store=world.context.store)))
        before = set(fal.jobs)
    if case.fault != REFUSED:
        fal.fault(case.operation, times=None if case.lasting else 1, **FAULTS[case.fault])
    elif case.operation in CLOSE_AFTER:
        fal.fault(CLOSE_AFTER[case.operation], "close")

    async def at(event: Event) -> None:
        if case.fault == REFUSED and isinstance(event, Accepted) and case.operation == "result":
            await until(lambda: fal.jobs[event.job.request_id].state == "COMPLETED")
        if case.fault == REFUSED and isinstance(event, STOP_AT.get(case.operation, ())) and not stop.is_set():
            fal.stop()
        if case.operation == "pricing" and isinstance(event, Submitting):
            fal.start()  # fal's platform API is a host of its own; the others are well
        if case.operation == "cancel" and isinstance(event, Waiting):
            stop.set()

    with started_again(fal) if case.fault == REFUSED and not case.lasting else nothing():
        run = await collect(try_on(world.request(case.model), world.context, stop=stop), at)
    jobs = [job for name, job in fal.jobs.items() if name not in before]
    ledger = world.ledger.today()
    bills = sum(not job.cancelled for job in jobs)
    fal.clear_faults()
    fal.start()
    fal.queue_seconds = 0
    after = await collect(try_on(world.request(case.model), world.context))
    return Played(
        run=run,
        accepted=[job.id for job in jobs],
        bills=bills,
        ledger=ledger,
        after=after,
        after_accepted=len(fal.jobs) - len(before) - len(jobs),
        after_ledger=world.ledger.today(),
    )


@contextmanager
def nothing() -> Iterator[None]:
    yield


@contextmanager
def started_again(fal: FakeFal) -> Iterator[None]:
    """fal is back as soon as one connection was refused, which httpcore tells in its log."""

    class Refused(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "connect_tcp.failed" in record.getMessage():
                fal.start()

    log, handler = logging.getLogger("httpcore.connection"), Refused()
    level, propagate = log.level, log.propagate
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = propagate


@contextmanager
def world_for(case: Case, folder: Path) -> Iterator[World]:
    """A world with short time limits where the case is to exceed them, and long ones elsewhere."""
    hung = case.fault == HUNG
    patience = 60.0
    if case.lasting and case.fault not in ("401", "404") and case.operation != "cancel":
        patience = 0.5 if hung else 0.15
    timeout = 0.25 if hung else 10.0
    with pytest.MonkeyPatch.context() as patch, playing(patch) as fal:
        use_fast_timings(patch, 0.01, 0.01)
        patch.setattr(answers, "SILENCE_SECONDS", patience)
        patch.setattr(backend_module, "UPLOAD_TIMEOUT", 0.6 if hung and case.operation == "upload" else 30.0)
        patch.setattr(backend_module, "PRICE_SECONDS", 0.0)
        patch.setattr(backend_module, "PRICE_TIMEOUT", timeout)
        patch.setattr(client, "TIMEOUT", httpx.Timeout(timeout))
        patch.setattr(stream, "STREAM_TIMEOUT", httpx.Timeout(timeout))
        patch.setattr(submit, "RECOVERY_PAUSES", (0.02, 0.05, 0.1))
        patch.setattr(run, "CANCEL_PATIENCE", 0.15 if case.lasting and not_heard(case) else 30.0)
        yield World(fal, folder)


def not_heard(case: Case) -> bool:
    """Whether fal never learns of a cancelling."""
    action = FAULTS[case.fault].get("action")
    return action in ("status", "drop_before", None)


@contextmanager
def playing(patch: pytest.MonkeyPatch) -> Iterator[FakeFal]:
    fal = FakeFal(queue_seconds=0, run_seconds=0)
    fal.prices[CAT_VTON.endpoint] = (0.04, "image")
    fal.start()
    fal.patch(patch)
    try:
        yield fal
    finally:
        fal.stop()
        crashes = list(fal.crashes)
        fal.reset()
    assert not crashes, crashes[0]


def table(outcomes: dict[Case, str]) -> str:
    """The page: for each operation its faults, those with the same two outcomes in one row."""
    parts = [INTRODUCTION]
    for operation, meaning in OPERATIONS.items():
        rows: dict[tuple[str, str], list[str]] = {}
        for fault in FAULTS:
            once, lasting = (
                outcomes[Case(operation=operation, fault=fault, lasting=lasting)] for lasting in (False, True)
            )
            rows.setdefault((once, lasting), []).append(fault)
        parts.append(f"\n## {operation}: {meaning}\n\n| fault | once | for good |\n|---|---|---|\n")
        parts += [f"| {' · '.join(faults)} | {once} | {lasting} |\n" for (once, lasting), faults in rows.items()]
    return "".join(parts)


def read(page: str) -> dict[Case, str]:
    """The outcomes that a page lists."""
    outcomes: dict[Case, str] = {}
    operation = ""
    for line in page.splitlines():
        heading = re.fullmatch(r"## (\w+): .*", line)
        operation = heading[1] if heading else operation
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("| ") or cells[0] == "fault":
            continue
        for fault in cells[0].split(" · "):
            for lasting, words in zip((False, True), cells[1:], strict=True):
                outcomes[Case(operation=operation, fault=fault, lasting=lasting)] = words
    return outcomes


def main() -> None:
    """Play all cases and write the page."""
    outcomes: dict[Case, str] = {}
    for case in CASES:
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder, world_for(case, Path(folder)) as world:
            outcomes[case] = asyncio.run(play(case, world)).run.words
        print(f"{time.monotonic() - started:5.2f} s  {case}: {outcomes[case]}", flush=True)
    FAULTS_FILE.write_text(table(outcomes), encoding="utf-8")


if __name__ == "__main__":
    main()
