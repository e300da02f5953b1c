"""Whatever fails at fal or on the network: nothing is lost, nothing is paid twice, the ledger is exact."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fake_fal.schemas import Failure, model_error, platform_error
from tests.fast_timings import use_fast_timings
from tests.fault_table import CASES, FAULTS_FILE, Case, Played, World, collect, play, read, table, until, world_for
from vton_ui.backends.fal import stream
from vton_ui.errors import Cost, JobFailed, KeyRefused, OverBudget, SubmitUnclear
from vton_ui.models import FLUX_VTO
from vton_ui.money.budget import LedgerBudget
from vton_ui.money.ledger import Caps, Ledger
from vton_ui.tryon import run as running
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.events import Accepted, Cancelled, Done, Event, Recovering, Submitting, Waiting
from vton_ui.tryon.job import Job
from vton_ui.tryon.request import estimate
from vton_ui.tryon.run import resume, try_on
from vton_ui.tryon.streams import running as background

WRITTEN = read(FAULTS_FILE.read_text(encoding="utf-8")) if FAULTS_FILE.exists() else {}


EVERY_DAY = {"503": False, "accepted, then dropped": True}
"""Of each operation these are enough to see at a glance that all is well: one that passes, and one that does not."""


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=[] if EVERY_DAY.get(case.fault) is case.lasting else pytest.mark.slow, id=str(case))
        for case in CASES
    ],
)
async def test_fault(case: Case, tmp_path: Path) -> None:
    """One job, one bill, a helpful end, an exact ledger, and the next try-on succeeds."""
    with world_for(case, tmp_path) as world:
        played = await play(case, world)
    check_orders(played)
    check_end(played)
    check_ledger(played)
    check_after(played)
    assert played.run.words == WRITTEN.get(case), "python -m tests.fault_table writes FAULTS.md anew"


def check_orders(played: Played) -> None:
    """fal accepted at most one job, and bills at most one."""
    assert len(played.accepted) <= 1
    assert played.bills <= len(played.accepted)


def check_end(played: Played) -> None:
    """A picture, or an error with a cause, a cure and the request id; what is called free is free."""
    run = played.run
    told = run.first(Accepted)
    if told is not None:
        assert [told.job.request_id] == played.accepted
    if run.error is None:
        last = run.events[-1]
        assert isinstance(last, (Done, Cancelled))
        cost = last.cost if isinstance(last, Cancelled) else Cost.CHARGED
        assert not isinstance(last, Cancelled) or [last.request_id] == played.accepted
    else:
        assert run.error.cause.endswith(".")
        assert run.error.cure.endswith(".")
        assert run.error.request_id == (told.job.request_id if told else None)
        cost = run.error.cost
    assert cost is not Cost.NOTHING or played.bills == 0
    assert cost is not Cost.CHARGED or played.bills == 1


def check_ledger(played: Played) -> None:
    """The ledger counts what fal bills; only if that is unknown, what it may bill."""
    unclear = isinstance(played.run.error, SubmitUnclear)
    assert played.ledger.spent == played.run.price * (1 if unclear else played.bills)
    assert played.ledger.reserved == (played.run.price if unclear else 0)
    assert played.ledger.tries == (1 if played.run.first(Submitting) else 0)


def check_after(played: Played) -> None:
    """Nothing is blocked: the next try-on is one job, delivered and booked."""
    assert played.after.words == "delivered"
    assert played.after_accepted == 1
    assert played.after_ledger.spent == played.ledger.spent + played.after.price
    assert played.after_ledger.reserved == played.ledger.reserved


def test_page_is_whole() -> None:
    """FAULTS.md has the outcome of every case, of no other, as the table writes it."""
    assert WRITTEN.keys() == set(CASES)
    assert table(WRITTEN) == FAULTS_FILE.read_text(encoding="utf-8")


# Killed between the order and its answer; orders whose answer was lost


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """No faults, and short delays."""
    with world_for(Case(operation="submit", fault="garbage", lasting=False), tmp_path) as world:
        yield world


def restarted(world: World) -> RunContext:
    """What a new process on the same disk has."""
    return World(world.fal, world.folder).context


async def ordering(events: AsyncGenerator[Event, None]) -> Job:
    """The job as the browser keeps it, from the moment before the order goes out."""
    async for event in events:
        if isinstance(event, Submitting):
            return Job.from_dict(json.loads(json.dumps(event.job.to_dict())))
    raise AssertionError("nothing was ordered")


def price_of(world: World) -> Decimal:
    total = estimate(world.request(FLUX_VTO)).total
    assert total
    return total


async def test_the_browser_knows_before_fal_does(world: World) -> None:
    """The job is stored and its cost reserved before it is submitted."""
    events = try_on(world.request(FLUX_VTO, seed=7), world.context)
    job = await ordering(events)
    assert (job.request_id, job.seed, world.fal.count("submit")) == ("", 7, 0)
    assert world.ledger.today().reserved == price_of(world)
    accepted = await anext(events)
    assert isinstance(accepted, Accepted)
    assert accepted.job == replace(job, request_id=next(iter(world.fal.jobs)))
    await events.aclose()


async def test_left_before_the_order(world: World) -> None:
    """Leaving before the job is submitted submits nothing, and releases its cost."""
    events = try_on(world.request(FLUX_VTO), world.context)
    job = await ordering(events)
    await events.aclose()
    assert world.ledger.today().spent == 0
    run = await collect(resume(job, FLUX_VTO, restarted(world)))
    assert isinstance(run.error, SubmitUnclear)
    assert [type(event) for event in run.events] == [Recovering]
    assert (world.fal.count("submit"), world.ledger.today().tries) == (0, 1)
    assert world.ledger.today().spent == 0


async def test_killed_before_the_order(world: World) -> None:
    """Killed before submitting: the job is searched for, never sent, and its cost goes on counting."""
    events = try_on(world.request(FLUX_VTO), world.context)
    job = await ordering(events)
    run = await collect(resume(job, FLUX_VTO, restarted(world)))
    assert isinstance(run.error, SubmitUnclear)
    assert run.error.cost is Cost.MAYBE
    assert (world.fal.count("submit"), world.ledger.today().reserved) == (0, price_of(world))
    await events.aclose()


async def test_killed_while_the_order_went_out(world: World) -> None:
    """Killed while submitting: the job is found by its seed, delivered, and paid once."""
    world.fal.fault("submit", "accept_then_hang", seconds=0.2)
    events = try_on(world.request(FLUX_VTO), world.context)
    job = await ordering(events)
    killed = asyncio.ensure_future(anext(events))
    await until(lambda: len(world.fal.jobs) == 1)
    run = await collect(resume(job, FLUX_VTO, restarted(world)))
    assert [type(event) for event in run.events][:2] == [Recovering, Accepted]
    assert run.words == "delivered"
    assert (world.fal.count("submit"), world.fal.billed) == (1, 1)
    assert world.ledger.today().spent == price_of(world)
    assert world.ledger.today().reserved == 0
    killed.cancel()
    await asyncio.wait({killed})


async def test_two_tabs_return_to_the_same_order(world: World) -> None:
    """Two tabs that resume the same job deliver it twice and pay it once."""
    world.fal.fault("submit", "accept_then_hang", seconds=0.2)
    events = try_on(world.request(FLUX_VTO), world.context)
    job = await ordering(events)
    killed = asyncio.ensure_future(anext(events))
    await until(lambda: len(world.fal.jobs) == 1)
    runs = await asyncio.gather(*[collect(resume(job, FLUX_VTO, restarted(world))) for _ in range(2)])
    assert [run.words for run in runs] == ["delivered"] * 2
    assert (world.fal.count("submit"), world.fal.billed, world.ledger.today().spent) == (1, 1, price_of(world))
    killed.cancel()
    await asyncio.wait({killed})


@pytest.mark.parametrize("found_at", [1, 2, 3])
async def test_found_late(world: World, found_at: int) -> None:
    """A job that appears in fal's list a little later is found too."""
    world.fal.fault("submit", "accept_then_drop")
    world.fal.fault("requests", "edit", found_at - 1, edit=lambda body: {**body, "items": []})
    run = await collect(try_on(world.request(FLUX_VTO), world.context))
    assert run.words == "delivered"
    assert run.first(Recovering)
    assert (world.fal.count("requests"), world.fal.count("submit"), world.fal.billed) == (found_at, 1, 1)


async def test_never_found(world: World) -> None:
    """A job that never appears is reported as unclear, and its cost goes on counting."""
    world.fal.fault("submit", "drop_before")
    run = await collect(try_on(world.request(FLUX_VTO), world.context))
    assert isinstance(run.error, SubmitUnclear)
    assert (world.fal.count("requests"), world.fal.count("submit")) == (3, 1)
    assert world.ledger.today().reserved == price_of(world)


async def test_only_its_own_order(world: World) -> None:
    """Another job of the same account, submitted just before, is not taken for the lost one."""
    await collect(try_on(world.request(FLUX_VTO, seed=1), world.context))
    world.fal.fault("submit", "drop_before")
    run = await collect(try_on(world.request(FLUX_VTO, seed=2), world.context))
    assert isinstance(run.error, SubmitUnclear)
    assert world.ledger.today().spent == 2 * price_of(world)


async def test_private_order_is_not_looked_for(world: World) -> None:
    """fal does not list private jobs, so a lost one is not searched for, and reported as unclear."""
    world.fal.fault("submit", "accept_then_drop")
    request = replace(world.request(FLUX_VTO), private=True)
    run = await collect(try_on(request, world.context))
    assert isinstance(run.error, SubmitUnclear)
    assert (world.fal.count("requests"), world.fal.count("submit")) == (0, 1)
    [job] = world.fal.jobs.values()
    assert job.headers["X-Fal-Store-IO"] == "0"


async def test_cancelled_while_it_is_looked_for(world: World) -> None:
    """Cancelled while the job is searched for: it is found, and cancelled at fal."""
    world.fal.queue_seconds = 3
    world.fal.fault("submit", "accept_then_drop")
    stop = asyncio.Event()
    events = try_on(world.request(FLUX_VTO), world.context, stop=stop)
    run = await collect(events, lambda event: stop.set() if isinstance(event, Recovering) else None)
    assert run.words == "cancelled, charged: no"
    assert next(iter(world.fal.jobs.values())).cancelled
    assert world.ledger.today().spent == 0


# The ledger through other ends


@pytest.mark.parametrize(
    ("failure", "billed"),
    [
        (model_error("internal_server_error", "Boom"), 0),
        (model_error("generation_timeout", "Slow"), 0),
        (model_error("face_detection_error", "No face"), 1),
        (model_error("downstream_service_error", "No"), 1),
        (platform_error(503, "runner_disconnected", "gone"), 0),
        (platform_error(504, "request_timeout", "late"), 0),
    ],
    ids=["500", "504 of the model", "422", "400", "503", "504"],
)
async def test_failed_job(world: World, failure: Failure, billed: int) -> None:
    """A failed job counts if fal bills it, and is released if not."""
    world.fal.next_error = failure
    run = await collect(try_on(world.request(FLUX_VTO), world.context))
    assert isinstance(run.error, JobFailed)
    assert world.fal.billed == billed
    assert world.ledger.today().spent == price_of(world) * world.fal.billed
    assert world.ledger.today().reserved == 0


async def test_no_budget_no_order(world: World) -> None:
    """What exceeds the budget is neither reserved nor submitted."""
    ledger = Ledger(world.folder / "other.sqlite3", Caps(daily_usd=Decimal("0.05")), salt=b"salt")
    context = replace(world.context, budget=LedgerBudget(ledger=ledger, visitor="somebody"))
    assert (await collect(try_on(world.request(FLUX_VTO), context))).words == "delivered"
    run = await collect(try_on(world.request(FLUX_VTO), context))
    assert isinstance(run.error, OverBudget)
    assert run.first(Submitting) is None
    assert (world.fal.count("submit"), ledger.today().tries) == (1, 1)


async def test_task_cancelled_while_fal_refuses(world: World) -> None:
    """A job that fal refused while its visitor was leaving is released."""
    world.fal.fault("submit", "slow", seconds=0.1)
    events = try_on(world.request(FLUX_VTO), world.context)
    await ordering(events)
    world.fal.keys.clear()
    leaving = asyncio.ensure_future(anext(events))
    await until(lambda: world.fal.count("submit") == 1)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await asyncio.wait(background)
    assert world.fal.jobs == {}
    assert world.ledger.today().spent == 0


@pytest.mark.parametrize("streams", [True, False], ids=["listening", "asking"])
async def test_cancelled_and_then_silence(world: World, monkeypatch: pytest.MonkeyPatch, streams: bool) -> None:
    """fal received the cancel and then gave no status: whether the job ran is unknown, so it counts."""
    monkeypatch.setattr(running, "CANCEL_PATIENCE", 0.1)
    world.fal.queue_seconds, world.fal.run_seconds, world.fal.streams = 0.2, 5, streams
    if streams:
        world.fal.fault("stream", "accept_then_hang", seconds=30)  # after its first word
    stop = asyncio.Event()

    async def at(event: Event) -> None:
        if isinstance(event, Waiting) and not stop.is_set():
            world.fal.fault("status", "status", times=None)
            await until(lambda: next(iter(world.fal.jobs.values())).state == "IN_PROGRESS")
            stop.set()

    run = await collect(try_on(world.request(FLUX_VTO), world.context, stop=stop), at)
    assert run.words == "cancelled, charged: maybe"
    assert world.ledger.today().spent == price_of(world)


@pytest.mark.parametrize("streams", [True, False], ids=["listening", "asking"])
async def test_still_waiting_after_cancelling(world: World, monkeypatch: pytest.MonkeyPatch, streams: bool) -> None:
    """fal received the cancel and says that the job still waits: it is free."""
    monkeypatch.setattr(running, "CANCEL_PATIENCE", 1.0)  # in which a busy machine, too, hears from fal
    monkeypatch.setattr(stream, "QUIET", (0.05, 0.05))
    world.fal.queue_seconds, world.fal.streams = 30, streams
    world.fal.fault("cancel", "edit", edit=lambda body: {"status": "CANCELLATION_REQUESTED"})
    for operation in ("stream", "status"):
        world.fal.fault(operation, "edit", None, edit=lambda body: {**body, "status": "IN_QUEUE", "queue_position": 0})
    stop = asyncio.Event()
    events = try_on(world.request(FLUX_VTO), world.context, stop=stop)
    run = await collect(events, lambda event: stop.set() if isinstance(event, Waiting) else None)
    assert run.words == "cancelled, charged: no"
    assert world.ledger.today().spent == 0


async def test_ran_between_two_looks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that began between two polls and was then cancelled may have cost something, and counts."""
    world.fal.streams = False
    use_fast_timings(monkeypatch, 0.3, 0.3)
    world.fal.concurrent, world.fal.run_seconds, world.fal.cancel_running = 0, 5, True
    stop = asyncio.Event()

    async def at(event: Event) -> None:
        if isinstance(event, Waiting) and not stop.is_set():
            world.fal.concurrent = None
            await until(lambda: next(iter(world.fal.jobs.values())).state == "IN_PROGRESS")
            stop.set()

    run = await collect(try_on(world.request(FLUX_VTO), world.context, stop=stop), at)
    assert run.words == "cancelled, charged: maybe"
    assert world.ledger.today().spent == price_of(world) * world.fal.billed
    assert world.fal.billed == 1


async def test_key_refused_under_way(world: World) -> None:
    """A key that is withdrawn while its job runs does not make the job free."""
    run = await collect(
        try_on(world.request(FLUX_VTO), world.context),
        lambda event: world.fal.keys.clear() if isinstance(event, Accepted) else None,
    )
    assert isinstance(run.error, KeyRefused)
    assert run.error.cost is Cost.MAYBE
    assert run.error.request_id == next(iter(world.fal.jobs))
    assert world.ledger.today().spent == price_of(world)
