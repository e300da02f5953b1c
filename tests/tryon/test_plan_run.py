"""A plan that runs: reserved as a whole, side by side, each look on its own."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.bill import bill_of
from tests.conftest import in_detail, photo_bytes
from tests.fake_fal.schemas import model_error
from tests.fault_table import Case, World, collect, world_for
from tests.fault_table import until as happens
from tests.subprocess_app import ROOT
from vton_ui.errors import Cost, JobFailed, OverBudget, PhotoError
from vton_ui.models import CAT_VTON, FLUX_VTO, MODELS
from vton_ui.models.spec import ModelSpec
from vton_ui.money.budget import LedgerBudget
from vton_ui.money.ledger import Caps, Ledger
from vton_ui.money.pricing import UnitPrice
from vton_ui.tryon import job_store, reconcile
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.events import Accepted, Cancelled, Done, Event, Failed, Preparing, Skipped, Submitting, Waiting
from vton_ui.tryon.plan import Plan, cost, item_of, new_plan
from vton_ui.tryon.plan_run import run, take_unsent
from vton_ui.tryon.planned import Planned
from vton_ui.tryon.run import resume, try_on

BROWSER = "hash of a browser"
PRICE = Decimal("0.0475")
KINDS = ["upper", "lower", "outer"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """All is well, and every wait is short."""
    with world_for(Case(operation="submit", fault="garbage", lasting=False), tmp_path) as world:
        add_photos(world)
        yield remembered_by_browser(world)


def remembered_by_browser(world: World) -> World:
    """The same for a visitor who can come back."""
    world.context = replace(world.context, browser=BROWSER)
    return world


def add_photos(world: World) -> None:
    """A person and four garments that differ."""
    (world.folder / "person.jpg").write_bytes(photo_bytes(300, 400))
    for index in range(4):
        (world.folder / f"garment{index}.jpg").write_bytes(photo_bytes(256 + index, 300))


def planned(world: World, garments: int = 4, models: tuple[ModelSpec, ...] = (FLUX_VTO,), **wish: Any) -> Plan:
    """A plan of looks of one photo, one for each garment unless the wish says otherwise."""
    photos = [world.folder / f"garment{index}.jpg" for index in range(garments)]
    values = {"image_size": "square", **wish.pop("values", {})}
    given = {model.name: values for model in models}
    return new_plan(models, world.folder / "person.jpg", photos, given, **{"wear": "each", **wish})


def stops_of(plan: Plan) -> dict[str, asyncio.Event]:
    return {item.id: asyncio.Event() for item in plan}


@dataclass(kw_only=True)
class Played:
    """What happened to each item of a plan."""

    events: dict[str, list[Event | Failed]] = field(default_factory=lambda: defaultdict(list))

    @property
    def ends(self) -> list[type]:
        """How the items ended, by their ids."""
        return [type(self.events[name][-1]) for name in sorted(self.events)]

    def end(self, item_id: str) -> Any:
        return self.events[item_id][-1]


def kinds(events: Iterable[Event | Failed]) -> list[type]:
    """The kinds of events, each once."""
    return list(dict.fromkeys(map(type, events)))


async def play(
    plan: Plan,
    context: RunContext,
    at: Callable[[str, Event | Failed], Any] = lambda name, event: None,
    *,
    parallel: int = 4,
    stops: Mapping[str, asyncio.Event] | None = None,
) -> Played:
    """A plan to its end, with something done at each event."""
    played = Played()
    async with aclosing(run(plan, context, stops or stops_of(plan), parallel=parallel)) as events:
        async for name, event in events:
            played.events[name].append(event)
            done = at(name, event)
            if asyncio.iscoroutine(done):
                await done
    return played


def restarted(world: World) -> RunContext:
    """What a new process on the same disk has: nothing in its memory."""
    job_store.job_store.cache_clear()
    return remembered_by_browser(World(world.fal, world.folder)).context


def capped(world: World, **caps: Any) -> RunContext:
    """The same with other caps."""
    world.ledger = Ledger(world.folder / "capped.sqlite3", Caps(**caps), salt=b"salt")
    return replace(world.context, budget=LedgerBudget(ledger=world.ledger, visitor="somebody"))


# All is well


async def test_looks_of_one_photo(world: World) -> None:
    """Four looks are four orders and four pictures; the photo is sent once, and the ledger holds what fal bills."""
    world.fal.queue_seconds = 0.05
    plan = planned(world)
    played = await play(plan, world.context)
    assert played.ends == [Done] * 4
    assert len({played.end(item.id).result.path for item in plan}) == 4
    assert (world.fal.count("submit"), world.fal.count("upload")) == (4, 5)
    assert len({job.arguments["human_image_url"] for job in world.fal.jobs.values()}) == 1
    today = world.ledger.today()
    assert (today.spent, today.reserved, today.tries) == (bill_of(world.fal), 0, 4)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
async def test_one_item_is_a_try_on(world: World, model: ModelSpec) -> None:
    """A plan of one has the events of a try-on, and asks fal for the same."""
    plan = planned(world, 1, (model,), values={"seed": 5})
    alone = await collect(try_on(plan[0].request, world.context))
    played = await play(plan, world.context)
    assert kinds(played.events["1"]) == kinds(alone.events)
    assert world.ledger.today().tries == 2
    first, second = world.fal.jobs.values()
    assert first.arguments == second.arguments


async def test_not_all_at_once(world: World) -> None:
    """No more than so many looks of a plan are under way, and another plan does not wait for it."""
    world.fal.concurrent = 0  # nobody's turn comes
    begun: set[str] = set()
    waiting: set[str] = set()
    async with aclosing(run(plan := planned(world), world.context, stops_of(plan), parallel=2)) as events:
        async for name, event in events:
            begun.add(name)
            waiting |= {name} if isinstance(event, Waiting) else set()
            if len(waiting) == 2:
                assert begun == {"1", "2"}
                world.fal.concurrent = None
                assert (await play(planned(world, 2), world.context, parallel=1)).ends == [Done] * 2
                break


async def test_steps_of_an_outfit(world: World) -> None:
    """Each step begins when the one before is done, with its picture as the person: no photo of the visitor's again."""
    plan = planned(world, 3, (CAT_VTON,), wear="together", cloth_types=KINDS)
    seen: list[tuple[str, type]] = []
    played = await play(plan, world.context, lambda name, event: seen.append((name, type(event))))
    assert played.ends == [Done] * 3
    for before, after in pairwise(plan):
        assert seen.index((before.id, Done)) < seen.index((after.id, Preparing))
    jobs = list(world.fal.jobs.values())
    assert [job.arguments["cloth_type"] for job in jobs] == KINDS
    assert len({job.arguments["human_image_url"] for job in jobs}) == 3
    assert world.fal.count("upload") == 6
    assert world.ledger.today().spent == bill_of(world.fal) == 3 * Decimal("0.04")


async def test_a_look_ends_before_the_next_begins(world: World) -> None:
    """An outfit keeps its turn from step to step, so that the first look is done early."""
    plan = planned(world, 2, (CAT_VTON,), wear="together", variations=3)
    ended: list[str] = []

    def at(name: str, event: Event | Failed) -> None:
        if isinstance(event, Done):
            ended.append(name)

    await play(plan, world.context, at, parallel=1)
    assert ended == [item.id for item in plan]


async def test_jobs_know_their_looks(world: World) -> None:
    """A job carries its plan, its item and its label, wherever it is written down."""
    plan = planned(world, 2)
    jobs = {}

    def at(name: str, event: Event | Failed) -> None:
        if isinstance(event, Submitting):
            jobs[name] = event.job

    await play(plan, world.context, at)
    assert [(jobs[item.id].item, jobs[item.id].label) for item in plan] == [(item.id, item.label) for item in plan]
    assert len({job.plan for job in jobs.values()}) == 1
    assert {job.id for job in jobs.values()} == {job.reservation for job in jobs.values()}


# Money


async def test_over_budget_as_a_whole(world: World) -> None:
    """A plan that does not fit is refused whole, says how many looks would, and leaves no trace."""
    context = capped(world, visitor_usd=Decimal("0.15"))
    with pytest.raises(
        OverBudget, match=r"no room for 4 looks like these on any day\. 3 of them would fit now"
    ) as caught:
        await play(planned(world), context)
    assert caught.value.cost is Cost.NOTHING
    assert (world.fal.seen, world.ledger.today().tries) == ([], 0)
    assert (await context.jobs.of_browser(BROWSER)).unsent == ()
    assert (await play(planned(world, 3), context)).ends == [Done] * 3
    with pytest.raises(OverBudget, match=r"no room for these 2 looks until 00:00 UTC.* None of them would fit"):
        await play(planned(world, 2), context)


async def test_tries_of_all_looks_count(world: World) -> None:
    """Each look is a try of the hour, and each step of an outfit."""
    context = capped(world, visitor_rate=5)
    with pytest.raises(OverBudget, match=r"limit of 5 tries an hour .* for 3 looks like these on any day. 2 of them"):
        await play(planned(world, 2, (CAT_VTON,), wear="together", variations=3), context)
    assert (await play(planned(world, 2, (CAT_VTON,), wear="together", variations=2), context)).ends == [Done] * 4
    with pytest.raises(OverBudget, match=r"limit of 5 tries an hour .* for these 2 looks until .* 1 of them would fit"):
        await play(planned(world, 2), context)


async def test_own_key_reserves_nothing(world: World) -> None:
    """Where the owner does not pay, nothing is reserved."""
    context = replace(world.context, budget=None)
    assert (await play(planned(world, 2), context)).ends == [Done] * 2
    assert world.ledger.today().tries == 0


async def test_a_photo_that_cannot_be_used(world: World) -> None:
    """Of a plan with a photo that cannot be used nothing is ordered."""
    (world.folder / "garment2.jpg").write_bytes(b"no photo")
    with pytest.raises(PhotoError):
        await play(planned(world), world.context)
    assert (world.fal.seen, world.ledger.today().tries) == ([], 0)


async def test_steps_that_would_be_too_small(world: World) -> None:
    """An outfit whose first picture would be too small for the second step is refused before the first is paid."""
    (world.folder / "person.jpg").write_bytes(photo_bytes(300, 900))
    with pytest.raises(PhotoError, match="171 × 512 pixels, too small for the next one"):
        await play(planned(world, 2, (CAT_VTON,), wear="together"), world.context)
    assert world.fal.count("submit") == 0


def any_plan(world: World, pick: random.Random) -> Plan:
    """A plan that somebody may ask for, with photos of any size."""
    for name in ("person", *(f"garment{index}" for index in range(3))):
        size = pick.randrange(800, 1500), pick.randrange(800, 1500)
        (world.folder / f"{name}.jpg").write_bytes(photo_bytes(*size))
    models = pick.choice([(FLUX_VTO,), (CAT_VTON,), (FLUX_VTO, CAT_VTON)])
    wish = {"wear": pick.choice(["together", "each"]), "variations": pick.randint(1, 2)}
    return planned(world, pick.randint(1, 3), models, values={"full_size": pick.random() < 0.5}, **wish)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, *in_detail(*range(1, 5))])
async def test_ten_plans_cost_what_fal_bills(world: World, seed: int) -> None:
    """Whatever the plan, its sum is what was reserved, and what fal bills in the end."""
    pick = random.Random(seed)
    world.context = capped(world)
    for _ in range(10):
        plan, before = any_plan(world, pick), bill_of(world.fal)
        expected = cost(plan, {"cat-vton": UnitPrice(usd=Decimal("0.04"), unit="image")})
        reserved = []

        def at(name: str, event: Event | Failed, reserved: list[Decimal] = reserved) -> None:
            if isinstance(event, Preparing):
                reserved.append(world.ledger.today().spent)

        played = await play(plan, world.context, at)
        assert set(played.ends) == {Done}, [played.end(item.id) for item in plan]
        assert len(plan) == 1 or reserved[0] - before == expected
        assert bill_of(world.fal) - before == expected
        today = world.ledger.today()
        assert (today.spent, today.reserved) == (bill_of(world.fal), 0)


# What goes wrong


async def test_one_that_fails_harms_no_other(world: World) -> None:
    """The error of one is its last event; the others are delivered, and it costs what fal bills."""
    world.fal.next_error = model_error("internal_server_error", "Boom")
    played = await play(planned(world), world.context)
    assert sorted(kind.__name__ for kind in played.ends) == ["Done", "Done", "Done", "Failed"]
    assert world.fal.count("submit") == 4
    assert (world.ledger.today().spent, world.ledger.today().reserved) == (bill_of(world.fal), 0)
    assert bill_of(world.fal) == 3 * PRICE


async def test_a_step_that_fails(world: World) -> None:
    """The step before it is kept, the steps after it are never sent, and their money is given back."""
    plan = planned(world, 4, (CAT_VTON,), wear="together")

    def at(name: str, event: Event | Failed) -> None:
        if name == plan[0].id and isinstance(event, Done):
            world.fal.next_error = model_error("internal_server_error", "Boom")

    played = await play(plan, world.context, at)
    assert played.ends == [Done, Failed, Skipped, Skipped]
    assert isinstance(played.end(plan[1].id).error, JobFailed)
    assert world.fal.count("submit") == 2
    assert (world.ledger.today().spent, world.ledger.today().reserved) == (Decimal("0.04"), 0)
    remembered = await world.context.jobs.of_browser(BROWSER)
    assert ([record.job.item for record in remembered.finished], remembered.unsent) == ([plan[0].id], ())
    assert remembered.open == ()


async def test_one_is_cancelled(world: World) -> None:
    """The stop of an item ends that one, before its turn or at fal; the others go on."""
    world.fal.queue_seconds = 60
    plan = planned(world)
    stops = stops_of(plan)

    def at(name: str, event: Event | Failed) -> None:
        if name == "1" and isinstance(event, Accepted):
            stops["4"].set()
        if name == "4" and isinstance(event, Cancelled):
            assert event.cost is Cost.NOTHING
            stops["1"].set()
            world.fal.queue_seconds = 0

    played = await play(plan, world.context, at, parallel=1, stops=stops)
    assert played.ends == [Cancelled, Done, Done, Cancelled]
    assert [len(played.events[name]) == 1 for name in "1234"] == [False, False, False, True]
    assert (world.fal.count("submit"), world.ledger.today().spent) == (3, 2 * PRICE)
    assert (await world.context.jobs.of_browser(BROWSER)).unsent == ()


async def test_cancel_of_an_outfit(world: World) -> None:
    """All steps are cancelled with all stops; what is not sent is free."""
    world.fal.queue_seconds = 60
    plan = planned(world, 3, (CAT_VTON,), wear="together")
    stops = stops_of(plan)

    def at(name: str, event: Event | Failed) -> None:
        if isinstance(event, Accepted):
            for stop in stops.values():
                stop.set()

    played = await play(plan, world.context, at, stops=stops)
    assert played.ends == [Cancelled] * 3
    assert (world.fal.count("submit"), world.ledger.today().spent) == (1, 0)


async def test_left_in_the_middle(world: World) -> None:
    """Who leaves orders nothing more: what was sent runs on, and the rest costs nothing and is offered again."""
    world.fal.queue_seconds = 60
    plan = planned(world)
    accepted = 0
    async with aclosing(run(plan, world.context, stops_of(plan), parallel=2)) as events:
        async for _, event in events:
            accepted += isinstance(event, Accepted)
            if accepted == 2:
                break
    assert world.fal.count("submit") == 2
    assert not any(job.cancel_requested for job in world.fal.jobs.values())
    assert world.ledger.today().spent == 2 * PRICE
    remembered = await world.context.jobs.of_browser(BROWSER)
    assert {record.job.item for record in remembered.open} == {"1", "2"}
    assert [item_of(unsent.item, MODELS) for unsent in remembered.unsent] == list(plan[2:])


async def test_killed_in_the_middle(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed server leaves reservations of what was never sent; they are released, and it is offered again."""
    monkeypatch.setattr(reconcile, "YOUNG_SECONDS", 0.0)
    world.fal.queue_seconds = 60
    plan = planned(world)
    events = run(plan, world.context, stops_of(plan), parallel=2)
    await anext(events)
    while world.fal.count("submit") < 2:
        await anext(events)
    assert world.ledger.today().reserved == 4 * PRICE
    context = restarted(world)
    await reconcile.reconcile(MODELS, context)
    assert world.ledger.today().spent == 2 * PRICE
    remembered = await context.jobs.of_browser(BROWSER)
    assert [unsent.item["id"] for unsent in remembered.unsent] == ["3", "4"]
    assert {record.job.item for record in remembered.open} == {"1", "2"}
    await events.aclose()


@pytest.mark.slow
async def test_killed_with_eight_in_flight(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """`kill -9`: the eight that were ordered are delivered, the four that were not are offered; all are paid once."""
    monkeypatch.setattr(reconcile, "YOUNG_SECONDS", 0.0)
    world.fal.concurrent = 0  # nobody's turn comes
    world.fal.fault("submit", "accept_then_hang", seconds=60)  # fal has it, and nobody else knows
    where = json.dumps(world.fal.addresses()), str(world.fal.port), str(world.folder)
    command = sys.executable, "-m", "tests.tryon.plan_process", *where
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    try:
        await happens(lambda: world.fal.count("stream") >= 7 and len(world.fal.jobs) == 8, 60)
    finally:
        process.kill()
        await process.wait()
    world.fal.concurrent = None
    assert world.ledger.today().reserved == 12 * PRICE
    context = restarted(world)
    remembered = await context.jobs.of_browser(BROWSER)
    assert (len(remembered.open), len(remembered.unsent)) == (8, 4)
    ends = await asyncio.gather(*(collect(resume(record.job, FLUX_VTO, context)) for record in remembered.open))
    assert [run.words for run in ends] == ["delivered"] * 8
    await reconcile.reconcile(MODELS, context)
    assert (world.ledger.today().spent, world.ledger.today().reserved) == (8 * PRICE, 0)
    unsent = await take_unsent([planned.id for planned in remembered.unsent], context)
    rest = tuple(item for planned in unsent if (item := item_of(planned.item, MODELS)))
    assert (await play(rest, context)).ends == [Done] * 4
    finished = (await context.jobs.of_browser(BROWSER)).finished
    assert sorted(int(record.job.item) for record in finished) == list(range(1, 13))
    assert (len(world.fal.jobs), world.fal.billed, world.ledger.today().spent) == (12, 12, 12 * PRICE)


async def test_the_rest_is_ordered_anew(world: World) -> None:
    """What was not sent is taken once, its money is given back, and it can be ordered as it was."""
    context = capped(world, daily_usd=3 * PRICE)
    world.fal.queue_seconds = 60
    plan = planned(world, 3)
    events = run(plan, context, stops_of(plan), parallel=1)
    while not isinstance((await anext(events))[1], Accepted):
        pass
    job_store.job_store.cache_clear()  # killed: a new process knows only what is on disk
    (unsent, again) = [await take_unsent([item.id for item in left], context) for left in await twice(context)]
    assert ([planned.item["id"] for planned in unsent], again) == (["2", "3"], [])
    world.fal.queue_seconds = 0
    rest = tuple(item for planned in unsent if (item := item_of(planned.item, MODELS)))
    assert rest == plan[1:]
    assert (await play(rest, context)).ends == [Done] * 2
    assert world.ledger.today().spent == 3 * PRICE
    await events.aclose()


async def twice(context: RunContext) -> list[tuple[Planned, ...]]:
    """What two tabs see that was not sent."""
    return [(await context.jobs.of_browser(BROWSER)).unsent for _ in range(2)]


async def test_given_back_while_another_process_works(world: World) -> None:
    """A reservation that a sweep released is made anew before its job is sent, under the caps."""
    world.fal.queue_seconds = 60
    plan, stops = planned(world, 3), None
    context = capped(world, daily_usd=3 * PRICE)
    events = run(plan, context, stops := stops_of(plan), parallel=1)
    _, event = await anext(events)
    for reservation in await context.budget.unsettled(0, 10**12):  # type: ignore[union-attr]
        await context.budget.release(reservation)  # type: ignore[union-attr]
    while not isinstance(event, Accepted):
        _, event = await anext(events)
    assert world.ledger.today().spent == PRICE
    world.ledger.reserve("another", 2 * PRICE)
    stops["1"].set()
    world.fal.queue_seconds = 0
    ends = {name: type(event) async for name, event in events if isinstance(event, (Failed, Cancelled, Done))}
    assert [ends[name] for name in "123"] == [Cancelled, Done, Failed]
