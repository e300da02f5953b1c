"""Whatever way a try-on ends, its reservation ends at what fal charges."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

import app
from tests.client import Client
from tests.conftest import in_detail, photo_bytes, serving, until
from tests.fake_fal.schemas import model_error, platform_error
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.fast_timings import use_fast_timings
from tests.fault_table import until as happens
from tests.subprocess_app import subprocess_app
from vton_ui.errors import SubmitUnclear
from vton_ui.models import FLUX_VTO
from vton_ui.money.ledger import LEDGER_FILE, Caps, Ledger, Summary
from vton_ui.settings import Settings
from vton_ui.studio import Studio
from vton_ui.tryon import job_store, reconcile, run, submit
from vton_ui.tryon.events import Accepted, Done, Event, Preparing, Running, Submitting, Uploading, Waiting
from vton_ui.tryon.job import Job
from vton_ui.tryon.request import Request, new_request
from vton_ui.tryon.run import try_on
from vton_ui.tryon.streams import in_background, running

PRICE = Decimal("0.0475")
PERSON, GARMENT = photo_bytes(300, 400), photo_bytes(260, 260)
STUCK = 60.0
HELD = 6.0
"""Seconds: the kill comes before they are over, on a busy machine too."""


async def reconciled(studio: Studio) -> None:
    """One round of `reconcile`."""
    await reconcile.reconcile(studio.models, studio.context(None, ""))


@pytest.fixture(autouse=True)
def quick(fal: FakeFal, monkeypatch: pytest.MonkeyPatch) -> None:
    """No delay is longer than a test can wait."""
    use_fast_timings(monkeypatch)
    monkeypatch.setattr(submit, "RECOVERY_PAUSES", (0.02, 0.05))
    monkeypatch.setattr(run, "CANCEL_PATIENCE", 1.0)
    monkeypatch.setattr(reconcile, "YOUNG_SECONDS", 0.0)
    monkeypatch.setattr(reconcile, "EVERY_SECONDS", 0.1)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def settings(fal: FakeFal, data: Path, **caps: Any) -> Settings:
    return Settings(fal_key=TEST_KEY, data_dir=data, fal_api_url=fal.api_url, **caps)


def today(data: Path) -> Summary:
    return Ledger(data / LEDGER_FILE, Caps(), salt=b"not needed to read").today()


def reserved(data: Path) -> Decimal:
    return today(data).reserved


def written_jobs(data: Path) -> int:
    with closing(sqlite3.connect(data / job_store.JOBS_FILE)) as db:
        return int(db.execute("SELECT COUNT(*) FROM jobs").fetchone()[0])


def photos(client: Client) -> dict[str, Any]:
    return {"person": client.upload(PERSON, "person.jpg"), "garments": [client.upload(GARMENT, "garment.jpg")]}


def join(client: Client, **options: Any) -> Any:
    """A call of /try_on, joined to the queue."""
    return client.join("try_on", **photos(client), **options)


# Cancelled over HTTP


@pytest.mark.slow
def test_ten_cancelled_calls_leave_the_budget_whole(fal: FakeFal, data: Path) -> None:
    """Ten calls that join the queue and are cancelled cost nothing, and the next visitor is served."""
    with serving(settings(fal, data, daily_budget_usd=10 * PRICE)) as url:
        client = Client(url)
        fal.queue_seconds = STUCK
        for number in range(10):
            event = join(client)
            until(lambda number=number: len(fal.jobs) == number + 1)  # type: ignore[misc]
            client.cancel(event)
        until(lambda: all(job.cancelled for job in fal.jobs.values()))
        until(lambda: reserved(data) == 0)
        assert (fal.billed, today(data).spent) == (0, 0)
        fal.queue_seconds = 0.02
        assert client.call("try_on", **photos(client))[1]["request_id"] in fal.jobs
    assert today(data).spent == PRICE


@pytest.mark.slow
@pytest.mark.parametrize("streams", [True, *in_detail(False)], ids=["listening", "asking"])
def test_cancelled_at_any_moment(fal: FakeFal, data: Path, monkeypatch: pytest.MonkeyPatch, streams: bool) -> None:
    """Cancelled at any moment, a call costs the budget what fal bills, without `reconcile`."""
    monkeypatch.setattr(reconcile, "EVERY_SECONDS", 3600.0)
    fal.streams = streams
    with serving(settings(fal, data)) as url:
        client = Client(url)
        for number, delay in enumerate([0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.45]):
            fresh = {"person": client.upload(photo_bytes(300, 401 + number))}
            event = client.join("try_on", **{**photos(client), **fresh})
            time.sleep(delay)
            client.cancel(event)
            until(lambda: not running)
            until(lambda: reserved(data) == 0)
            assert today(data).spent == PRICE * fal.billed, f"cancelled after {delay} s"


def test_cancelled_while_money_is_set_aside(fal: FakeFal, data: Path) -> None:
    """A call that is cancelled while the ledger is busy orders nothing, and holds no money."""
    with serving(settings(fal, data)) as url:
        client = Client(url)
        client.call("try_on", **photos(client))
        with closing(sqlite3.connect(data / LEDGER_FILE, isolation_level=None)) as busy:
            busy.execute("BEGIN IMMEDIATE")
            event = join(client)
            until(lambda: written_jobs(data) == 2)
            leaving = threading.Thread(target=client.cancel, args=(event,))
            leaving.start()
            leaving.join(0.1)
        leaving.join()
        until(lambda: not running)
        until(lambda: reserved(data) == 0)
        assert (fal.count("submit"), today(data).tries) == (1, 2)
    assert today(data).spent == PRICE


# Cancelled or dropped at every event


@pytest.fixture
def studio(fal: FakeFal, data: Path) -> Studio:
    return app.open_studio(settings(fal, data))


@pytest.fixture
def request_of(tmp_path: Path) -> Callable[..., Request]:
    def asking(**options: Any) -> Request:
        person, garment = tmp_path / "person.jpg", tmp_path / "garment.jpg"
        person.write_bytes(PERSON)
        garment.write_bytes(GARMENT)
        return new_request(FLUX_VTO, person, [garment], options)

    return asking


async def swept(studio: Studio, data: Path) -> Summary:
    """The ledger after all background work and `reconcile`."""
    while running:
        await asyncio.wait(set(running))
    end = time.monotonic() + 20
    while reserved(data):
        assert time.monotonic() < end
        await reconciled(studio)
        await asyncio.sleep(0.02)
    return today(data)


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, *in_detail(0.01, 0.05)])
@pytest.mark.parametrize("kind", [Preparing, Uploading, Submitting, Accepted, Waiting, Running, Done])
@pytest.mark.parametrize("how", ["cancelled", "cancelled in background", "dropped"])
async def test_left_at_every_event(
    fal: FakeFal, studio: Studio, data: Path, request_of: Callable[..., Request], how: str, kind: type, delay: float
) -> None:
    """The consumer of the events is cancelled, or drops them: the ledger ends at what fal bills."""
    reached, stop = asyncio.Event(), asyncio.Event()
    # However busy the machine is, it sees the job wait; it runs long enough to be seen.
    fal.concurrent, fal.run_seconds = 0 if kind is Waiting else None, 0.5 if kind is Running else 0.1

    async def take() -> None:
        events = try_on(request_of(), studio.context(None, "somebody"), stop)
        async with aclosing(in_background(events, stop.set) if "background" in how else events) as events:
            async for event in events:
                if isinstance(event, kind):
                    reached.set()
                    if how == "dropped":
                        return

    taking = asyncio.ensure_future(take())
    await asyncio.wait({taking, asyncio.ensure_future(reached.wait())}, return_when=asyncio.FIRST_COMPLETED)
    assert reached.is_set()
    fal.concurrent = None
    await asyncio.sleep(delay)
    taking.cancel()
    await asyncio.wait({taking})
    assert (await swept(studio, data)).spent == PRICE * fal.billed


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["submit", "stream", "result", "download"])
async def test_cancelled_while_fal_answers(
    fal: FakeFal, studio: Studio, data: Path, request_of: Callable[..., Request], operation: str
) -> None:
    """Cancelled with the order, the status or the picture on its way."""
    fal.fault(operation, "slow", seconds=0.2)
    taking = asyncio.ensure_future(_all(try_on(request_of(), studio.context(None, "somebody"))))
    await happens(lambda: fal.count(operation) > 0)
    taking.cancel()
    await asyncio.wait({taking})
    assert (await swept(studio, data)).spent == PRICE * fal.billed


async def _all(events: AsyncGenerator[Event, None]) -> list[Event]:
    return [event async for event in events]


# Reconciling


async def left(events: AsyncGenerator[Event, None], kind: type[Any]) -> Job:
    """The job of a try-on whose process died at an event: nothing that would run on the way out does."""
    job: Job | None = None
    async for event in events:
        job = event.job if isinstance(event, (Submitting, Accepted)) else job
        if isinstance(event, kind):
            break
    assert job
    dead.append(events)
    return job


dead: list[AsyncGenerator[Event, None]] = []
"""Generators that are never closed, since the process that held them is gone."""


@pytest.fixture(autouse=True)
async def closed() -> AsyncIterator[None]:
    yield
    while dead:
        await dead.pop().aclose()


def restarted(fal: FakeFal, data: Path) -> Studio:
    """What a new process on the same disk has."""
    job_store.job_store.cache_clear()
    return app.open_studio(settings(fal, data))


async def test_never_sent(fal: FakeFal, studio: Studio, data: Path, request_of: Callable[..., Request]) -> None:
    """The reservation of a job that was never submitted is released."""
    await left(try_on(request_of(), studio.context(None, "a")), Submitting)
    assert reserved(data) == PRICE
    await reconciled(studio)
    assert reserved(data) == PRICE, "it is under way here"
    await reconciled(restarted(fal, data))
    assert (today(data).spent, today(data).released, fal.count("submit")) == (0, 1, 0)


async def test_under_way(fal: FakeFal, studio: Studio, data: Path, request_of: Callable[..., Request]) -> None:
    """A job that waits, runs or has no status goes on counting; then it is settled."""
    fal.queue_seconds, fal.run_seconds = 0.3, 0.3
    job = await left(try_on(request_of(), studio.context(None, "a")), Accepted)
    studio = restarted(fal, data)
    for state in ("IN_QUEUE", "IN_PROGRESS"):
        await happens(lambda state=state: fal.jobs[job.request_id].state == state)  # type: ignore[misc]
        await reconciled(studio)
        assert reserved(data) == PRICE
    fal.fault("status", "status", code=500)
    fal.fault("status", "drop_before")
    fal.fault("status", "status", code=401)
    fal.fault("status", "status", code=404)
    await happens(lambda: fal.jobs[job.request_id].state == "COMPLETED")
    for _ in range(4):
        await reconciled(studio)
        assert reserved(data) == PRICE
    await reconciled(studio)
    assert (today(data).spent, reserved(data)) == (PRICE, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failure", "free"),
    [
        (platform_error(503, "runner_disconnected", "gone"), True),
        (model_error("internal_server_error", "Boom"), True),
        (model_error("face_detection_error", "No face"), False),
        (None, False),
    ],
    ids=["503", "500", "422", "done"],
)
async def test_over(
    fal: FakeFal, studio: Studio, data: Path, request_of: Callable[..., Request], failure: Any, free: bool
) -> None:
    """A job that ended unfollowed costs the budget what fal bills."""
    fal.next_error = failure
    job = await left(try_on(request_of(), studio.context(None, "a")), Accepted)
    await happens(lambda: fal.jobs[job.request_id].state == "COMPLETED")
    await reconciled(restarted(fal, data))
    assert fal.billed == (not free)
    assert (today(data).spent, reserved(data)) == (PRICE * fal.billed, 0)


async def test_cancelled_by_the_dead(
    fal: FakeFal, studio: Studio, data: Path, request_of: Callable[..., Request]
) -> None:
    """A job that was cancelled in fal's queue by a process that died then is free."""
    fal.queue_seconds = STUCK
    job = await left(try_on(request_of(), studio.context(None, "a")), Accepted)
    await studio.backend_for(None).cancel(job)
    await reconciled(restarted(fal, data))
    assert (today(data).spent, fal.billed) == (0, 0)


async def test_forgotten(fal: FakeFal, studio: Studio, data: Path, request_of: Callable[..., Request]) -> None:
    """A visitor who forgets a job that runs is forgotten, and the job's bill is not."""
    job = await left(try_on(request_of(), studio.context(None, "a")), Accepted)
    await studio.jobs.forget([job.request_id])
    assert await studio.jobs.find(job.request_id) is None
    assert (await swept(restarted(fal, data), data)).spent == PRICE


@pytest.mark.parametrize("shown", [True, False], ids=["listed", "not listed"])
async def test_lost(
    fal: FakeFal,
    studio: Studio,
    data: Path,
    request_of: Callable[..., Request],
    monkeypatch: pytest.MonkeyPatch,
    shown: bool,
) -> None:
    """A job whose answer was lost is searched for; one that fal does not have is released when it is old."""
    fal.fault("submit", "accept_then_drop" if shown else "drop_before")
    fal.fault("requests", "edit", times=2, edit=lambda body: {**body, "items": []})
    with pytest.raises(SubmitUnclear):
        await _all(try_on(request_of(), studio.context(None, "a")))
    assert reserved(data) == PRICE
    if shown:
        assert (await swept(studio, data)).spent == PRICE * fal.billed == PRICE
        return
    await reconciled(studio)
    assert reserved(data) == PRICE, "fal may show it later"
    monkeypatch.setattr(reconcile, "GONE_SECONDS", 0.0)
    for fault in ("status", "drop_before", "garbage"):
        fal.fault("requests", fault)  # type: ignore[arg-type]
        await reconciled(studio)
        assert reserved(data) == PRICE, "fal did not tell"
    await reconciled(studio)
    assert today(data).spent == 0


async def test_what_nobody_can_know_counts(
    fal: FakeFal,
    studio: Studio,
    data: Path,
    request_of: Callable[..., Request],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A lost private job cannot be searched for, nor can one that was not stored: both go on counting."""
    monkeypatch.setattr(reconcile, "GONE_SECONDS", 0.0)
    fal.fault("submit", "accept_then_drop")
    with pytest.raises(SubmitUnclear):
        await _all(try_on(replace(request_of(), private=True), studio.context(None, "a")))
    Ledger(data / LEDGER_FILE, Caps(), salt=b"of another version").reserve("b", PRICE)
    await reconciled(studio)
    assert reserved(data) == 2 * PRICE
    assert fal.count("requests") == 0


async def test_young_ones_are_left_alone(
    fal: FakeFal, studio: Studio, data: Path, request_of: Callable[..., Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another process of this server may be busy with is not touched."""
    monkeypatch.setattr(reconcile, "YOUNG_SECONDS", 60.0)
    await left(try_on(request_of(), studio.context(None, "a")), Accepted)
    fal.seen.clear()
    await reconciled(restarted(fal, data))
    assert (reserved(data), fal.seen) == (PRICE, [])


# Killed


@pytest.mark.slow
def test_killed(fal: FakeFal, data: Path) -> None:
    """`kill -9` with jobs at every step: started again, the app ends every reservation at what fal bills."""
    delays = {
        "tryon.reconcile.YOUNG_SECONDS": 0.0,
        "tryon.reconcile.EVERY_SECONDS": 0.2,
        "tryon.reconcile.GONE_SECONDS": 3.0,
    }
    with subprocess_app(fal, data, delays) as server:
        client = Client(server.url)
        given = photos(client)
        client.call("try_on", **given)
        fal.queue_seconds, fal.run_seconds = HELD, 0.2
        client.join("try_on", **given)  # waits
        until(lambda: len(fal.jobs) == 2)
        fal.queue_seconds = STUCK
        client.join("try_on", **given)  # waits, and is cancelled
        until(lambda: len(fal.jobs) == 3)
        cancelled = list(fal.jobs)[2]
        fal.queue_seconds, fal.run_seconds = 0.0, HELD
        client.join("try_on", **given)  # runs
        until(lambda: len(fal.jobs) == 4)
        fal.next_error = platform_error(503, "runner_disconnected", "gone")
        client.join("try_on", **given)  # fails
        until(lambda: len(fal.jobs) == 5)
        fal.run_seconds = 0.0
        fal.fault("download", "slow", times=None, seconds=HELD)
        client.join("try_on", **given)  # is being fetched
        until(lambda: fal.count("download") > 1)
        fal.fault("submit", "accept_then_hang", seconds=HELD)
        client.join("try_on", **given)  # fal has it, and its answer was lost
        until(lambda: len(fal.jobs) == 7)
        fal.fault("submit", "slow", seconds=2)  # less than fal is given to know of it
        client.join("try_on", **given)  # is being sent, and arrives later
        until(lambda: fal.count("submit") == 8)
        fal.fault("submit", "drop_before", times=1)
        fal.fault("requests", "status", times=3)
        client.join("try_on", **given)  # never arrives
        until(lambda: fal.count("submit") == 9)
        server.kill()
        httpx.put(
            f"{fal.url}/queue/fal-ai/flux-pro/requests/{cancelled}/cancel", headers={"Authorization": f"Key {TEST_KEY}"}
        ).raise_for_status()
        fal.clear_faults()
        assert reserved(data) == 8 * PRICE
        server.start()
        until(lambda: reserved(data) == 0, 30)
    assert len(fal.jobs) == 8
    assert [job.state for job in fal.jobs.values()] == ["COMPLETED"] * 8
    assert (fal.billed, fal.jobs[cancelled].billed) == (6, False)
    assert (today(data).spent, today(data).released) == (PRICE * fal.billed, 3)
