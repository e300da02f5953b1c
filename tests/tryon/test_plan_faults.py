"""Whatever goes wrong with fal while four looks run: each is ordered once at most, and each is told its own end."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from contextlib import aclosing
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from tests.fault_table import CASES, FAULTS, FAULTS_FILE, HUNG, Case, Run, World, read, world_for
from tests.tryon.test_plan_run import add_photos, planned, stops_of
from vton_ui.errors import SubmitUnclear
from vton_ui.tryon.events import Accepted, Done, Failed, Waiting
from vton_ui.tryon.plan import Plan
from vton_ui.tryon.plan_run import run

WRITTEN = read(FAULTS_FILE.read_text(encoding="utf-8"))
EVERY_DAY = {"503": False, "accepted, then dropped": True}
"""Of two operations these are enough at a glance; `test_faults` plays them of each, with one look."""
OTHERS = {"401", "429", "502 page of a proxy", HUNG, "garbage"}
"""And these in detail, of each operation: one of each kind."""


def is_quick(case: Case) -> bool:
    return case.operation in ("submit", "result") and EVERY_DAY.get(case.fault) is case.lasting


async def play(plan: Plan, case: Case, world: World) -> dict[str, Run]:
    """A plan to its end while something goes wrong; its looks by the ids of their items."""
    runs, stops, fal = {item.id: Run() for item in plan}, stops_of(plan), world.fal
    fal.streams = case.operation not in ("status", "result")
    if case.operation == "requests":
        fal.fault("submit", "accept_then_drop")
    if case.operation == "cancel":
        fal.queue_seconds = 1
    fal.fault(case.operation, times=None if case.lasting else 1, **FAULTS[case.fault])
    async with aclosing(run(plan, world.context, stops, parallel=4)) as events:
        async for item_id, event in events:
            if isinstance(event, Failed):
                runs[item_id].error = event.error
            else:
                runs[item_id].events.append(event)
            if case.operation == "cancel" and isinstance(event, Waiting) and not any(map(_is_set, stops.values())):
                stops[item_id].set()
                fal.queue_seconds = 0
    return runs


def _is_set(stop: asyncio.Event) -> bool:
    return stop.is_set()


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=[] if is_quick(case) else pytest.mark.slow, id=str(case))
        for case in CASES
        if case.fault in OTHERS | EVERY_DAY.keys()
    ],
)
async def test_four_looks(case: Case, tmp_path: Path) -> None:
    """Each look ends as the table says, or is delivered; what strikes one harms no other, and the ledger is exact."""
    with world_for(case, tmp_path) as world:
        add_photos(world)
        plan = planned(world, 4, (case.model,))
        runs = await play(plan, case, world)
        ends = Counter(run.words for run in runs.values())
        assert ends.keys() <= {"delivered", WRITTEN[case]}
        if not case.lasting:
            assert ends["delivered"] >= 3
        check_orders(plan, runs, world)
        check_ledger(runs, world)


def check_orders(plan: Plan, runs: dict[str, Run], world: World) -> None:
    """At most one order for each look, and each look is told of its own."""
    garments = Counter(job.arguments["garment_image_url"] for job in world.fal.jobs.values())
    assert len(garments) == len(world.fal.jobs) <= len(plan)
    told = [accepted.job.request_id for run in runs.values() if (accepted := run.first(Accepted))]
    assert len(told) == len(set(told))
    assert set(told) <= set(world.fal.jobs)


def check_ledger(runs: dict[str, Run], world: World) -> None:
    """What counts is what fal bills in the end, and what it may bill where nobody can know it."""
    unclear = sum((run.price for run in runs.values() if isinstance(run.error, SubmitUnclear)), Decimal(0))
    told = [(run, accepted.job.request_id) for run in runs.values() if (accepted := run.first(Accepted))]
    billed = sum((run.price for run, request_id in told if not world.fal.jobs[request_id].cancelled), Decimal(0))
    today = world.ledger.today()
    assert (today.spent, today.reserved) == (billed + unclear, unclear)


async def test_all_answers_are_lost(tmp_path: Path) -> None:
    """Four orders of one photo and one seed whose answers are lost are found again, each by its own look."""
    case = Case(operation="submit", fault="accepted, then dropped", lasting=True)
    with world_for(case, tmp_path) as world:
        add_photos(world)
        world.fal.queue_seconds = 0.05
        plan = planned(world, 4, values={"seed": 7})
        runs = await play(plan, case, world)
        assert [run.words for run in runs.values()] == ["delivered"] * 4
        check_orders(plan, runs, world)
        for item in plan:
            done = runs[item.id].events[-1]
            assert isinstance(done, Done)
            url = world.fal.jobs[str(done.result.facts["request_id"])].arguments["garment_image_url"]
            assert size_of(world.fal.fetch(url)) == size_of(item.request.garments[0].read_bytes())


def size_of(picture: bytes | None) -> tuple[int, int]:
    assert picture
    with Image.open(io.BytesIO(picture)) as image:
        return image.size
