"""A lost job is found as itself or not at all, whatever another browser replays."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.client import Client, memory_of, on_rail
from tests.conftest import in_detail, photo_bytes, serving, until
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.fast_timings import use_fast_timings
from tests.fault_table import Case, World, collect, world_for
from tests.fault_table import until as happens
from vton_ui.errors import SubmitUnclear
from vton_ui.models import FLUX_VTO
from vton_ui.settings import Settings
from vton_ui.tryon import submit
from vton_ui.tryon.events import Accepted, Submitting
from vton_ui.tryon.job import LOST_SECONDS
from vton_ui.tryon.run import resume, try_on

EXAMPLE = photo_bytes(300, 400)
SEED = "7"


@pytest.fixture(autouse=True)
def quick(fal: FakeFal, monkeypatch: pytest.MonkeyPatch) -> None:
    use_fast_timings(monkeypatch)
    monkeypatch.setattr(submit, "RECOVERY_PAUSES", (0.05, 0.1))


def visitor(url: str, number: int) -> Client:
    """A visitor behind the owner's proxy."""
    return Client(url, headers={"x-forwarded-for": f"198.51.100.{number}"})


def page_order(client: Client, photo: bytes) -> dict[str, Any]:
    person, garment = client.upload(photo, "person.jpg"), client.upload(EXAMPLE, "garment.jpg")
    return {"person": person, "garments": [on_rail(garment)], "option-seed": SEED}


def memories(client: Client, event: Any) -> list[str]:
    """What the browser is to keep, step by step."""
    values = [value for output in client.outputs(event) for value in output.get("data") or []]
    return [value for value in values if memory_of(value)]


def words(client: Client, event: Any) -> str:
    return json.dumps(list(client.messages(event)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "photo", [EXAMPLE, *in_detail(photo_bytes(310, 400))], ids=["the same example", "other photos"]
)
@pytest.mark.parametrize("lost", [True, *in_detail(False)], ids=["lost", "answered"])
def test_replayed_job(fal: FakeFal, tmp_path: Path, photo: bytes, lost: bool) -> None:
    """A job from before fal's answer, replayed while another orders the same, never yields the other's request or
    picture, and cancelling it does not cancel the other's."""
    settings = Settings(fal_key=TEST_KEY, data_dir=tmp_path / "data", fal_api_url=fal.api_url, proxies=1)
    with serving(settings) as url:
        attacker, victim = visitor(url, 1), visitor(url, 2)
        if lost:
            fal.fault("submit", "drop_before")
        event = attacker.join("try_on_1", **page_order(attacker, EXAMPLE))
        ordering = memories(attacker, event)[0]
        assert len((memory_of(ordering) or {})["jobs"]) == 1
        before = set(fal.jobs)
        fal.queue_seconds = 6
        theirs = page_order(victim, photo)
        paid = victim.join("try_on_1", **theirs)
        until(lambda: len(fal.jobs) == len(before) + 1)
        (request_id,) = set(fal.jobs) - before
        replayed = attacker.join("come_back", browserstate=ordering)
        said = words(attacker, replayed)
        assert request_id not in said
        assert ("fal may have accepted this" in said) == lost
        stopped = attacker.join("come_back", browserstate=ordering)
        attacker.cancel(stopped)
        assert not fal.jobs[request_id].cancel_requested
        victim.cancel(paid)


async def killed(world: World, seed: int) -> Any:
    """A job that fal accepted, and whose process died before the answer."""
    world.fal.fault("submit", "accept_then_hang", seconds=0.3)
    count = len(world.fal.jobs)
    events = try_on(world.request(FLUX_VTO, seed=seed), world.context)
    job = next(event.job for event in [await anext(events) for _ in range(3)] if isinstance(event, Submitting))
    sending = asyncio.ensure_future(anext(events))
    await happens(lambda: len(world.fal.jobs) == count + 1)
    return job, sending


@pytest.fixture
def world(tmp_path: Path) -> Any:
    with world_for(Case(operation="submit", fault="garbage", lasting=False), tmp_path) as world:
        yield world


async def test_two_lost_orders_of_one_visitor(world: World) -> None:
    """Two lost jobs with the same photos and seed find their own requests."""
    found = []
    orders = [await killed(world, 7) for _ in range(2)]
    for job, _ in orders:
        run = await collect(resume(job, FLUX_VTO, world.context))
        found.append(run.first(Accepted).job.request_id)
        assert run.words == "delivered"
    assert found == list(world.fal.jobs)
    for _, sending in orders:
        sending.cancel()


async def test_a_request_is_found_once(world: World) -> None:
    """Of two lost jobs of which fal has one, one is found and the other is not."""
    job, sending = await killed(world, 7)
    world.fal.fault("submit", "drop_before")
    run = await collect(try_on(world.request(FLUX_VTO, seed=7), world.context))
    first = await collect(resume(job, FLUX_VTO, world.context))
    assert sorted([run.words, first.words]) == ["delivered", "error: SubmitUnclear, charged: maybe"]
    assert len(world.fal.jobs) == 1
    sending.cancel()


async def test_known_is_not_looked_for(world: World) -> None:
    """A job stored before fal's answer is known as the one that was answered; no other is searched for."""
    run = await collect(try_on(world.request(FLUX_VTO, seed=7), world.context))
    again = await collect(resume(run.first(Submitting).job, FLUX_VTO, world.context))
    assert again.first(Accepted).job.request_id == run.first(Accepted).job.request_id
    assert (again.words, world.fal.count("requests"), world.fal.count("submit")) == ("delivered", 0, 1)


async def test_lost_for_minutes_only(world: World) -> None:
    """A job that is not found within minutes is not searched for any more."""
    world.fal.fault("submit", "drop_before")
    run = await collect(try_on(world.request(FLUX_VTO, seed=7), world.context))
    world.fal.seen.clear()
    job = run.first(Submitting).job
    old = replace(job, submitted_at=job.submitted_at - LOST_SECONDS)
    late = await collect(resume(old, FLUX_VTO, world.context))
    assert isinstance(late.error, SubmitUnclear)
    assert world.fal.count("requests") == 0


async def test_unwritten_is_not_looked_for(world: World) -> None:
    """A job that this server never wrote down, or that fal refused, is not looked for."""
    world.fal.fault("submit", "status", code=422)
    run = await collect(try_on(world.request(FLUX_VTO, seed=7), world.context))
    world.fal.seen.clear()
    late = await collect(resume(run.first(Submitting).job, FLUX_VTO, world.context))
    assert isinstance(late.error, SubmitUnclear)
    assert world.fal.count("requests") == 0
