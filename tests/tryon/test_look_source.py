"""What a look was made from: with its job until there is a picture, then beside the picture, and nowhere else."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import photo_bytes
from tests.fake_fal.schemas import model_error
from tests.fault_table import Case, World, world_for
from tests.tryon.test_plan_run import play
from vton_ui.errors import JobFailed
from vton_ui.models import CAT_VTON, FLUX_VTO
from vton_ui.models.spec import ModelSpec
from vton_ui.tryon import look_source
from vton_ui.tryon.events import Accepted, Event, Failed
from vton_ui.tryon.job import Job
from vton_ui.tryon.job_store import JOBS_FILE, job_store
from vton_ui.tryon.look_source import LookSource, Worn, source_of
from vton_ui.tryon.plan import Plan, item_of, new_plan, to_dict
from vton_ui.tryon.run import resume, try_on

NAMES = ["Tee of aunt Mildred", "Trousers"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """All is well, and every wait is short."""
    with world_for(Case(operation="submit", fault="garbage", lasting=False), tmp_path) as world:
        world.context = replace(world.context, browser="hash of a browser")
        (tmp_path / "person.jpg").write_bytes(photo_bytes(300, 400))
        for index in range(2):
            (tmp_path / f"garment{index}.jpg").write_bytes(photo_bytes(256 + index, 300))
        yield world


def planned(world: World, model: ModelSpec, **wish: Any) -> Plan:
    """Two garments, worn together."""
    photos = [world.folder / f"garment{index}.jpg" for index in range(2)]
    given: dict[str, Any] = {"image_size": "square"} if model is CAT_VTON else {}
    return new_plan([model], world.folder / "person.jpg", photos, {model.name: given}, names=NAMES, **wish)


def stored(world: World) -> str:
    """Whatever the job store tells of jobs."""
    with closing(sqlite3.connect(world.context.store.parent / JOBS_FILE)) as db:
        return str(db.execute("SELECT job FROM jobs").fetchall())


async def test_source(world: World) -> None:
    """Photo, garments, options and all else that is needed to make the look again is beside its picture."""
    plan = planned(world, FLUX_VTO, layout="row")
    result = (await play(plan, world.context)).end("1").result
    request = plan[0].request
    assert source_of(result.path) == LookSource(
        photo=world.folder / "person.jpg",
        garments=tuple(
            Worn(path=world.folder / f"garment{index}.jpg", name=NAMES[index], cloth_type=None) for index in range(2)
        ),
        model="flux-vto",
        values=request.values,
        private=False,
        layout="row",
    )


async def test_steps(world: World) -> None:
    """The last step of an outfit knows the visitor's own photo and all that is worn, with its kinds."""
    plan = planned(world, CAT_VTON, cloth_types=["upper", "lower"])
    played = await play(plan, world.context)
    first, last = (source_of(played.end(item.id).result.path) for item in plan)
    assert first
    assert last
    assert first.photo == last.photo == world.folder / "person.jpg"
    assert [(worn.name, worn.cloth_type) for worn in last.garments] == [(NAMES[0], "upper"), (NAMES[1], "lower")]
    assert first.garments == last.garments[:1]


async def test_neighbour_of_an_upload(world: World) -> None:
    """A file beside a photo outside the results says nothing of it."""
    plan = planned(world, FLUX_VTO)
    forged = LookSource(photo=Path("/etc/hostname"), garments=(), model="flux-vto", values={}, private=False)
    (world.folder / look_source.FILE).write_text(json.dumps(forged.to_dict()))
    source = source_of((await play(plan, world.context)).end("1").result.path)
    assert source
    assert source.photo == world.folder / "person.jpg"


async def test_after_a_restart(world: World) -> None:
    """A job that is taken up again from what the store has of it brings its source to the picture."""
    jobs: list[Job] = []
    events = try_on(planned(world, FLUX_VTO)[0].request, world.context)
    async for event in events:
        if isinstance(event, Accepted):
            jobs.append(event.job)
            break
    await events.aclose()
    job_store.cache_clear()
    record = await world.context.jobs.get(jobs[0].id)
    assert record
    assert record.job.source == jobs[0].source
    async for event in resume(record.job, FLUX_VTO, world.context):
        last = event
    source = source_of(last.result.path)  # type: ignore[union-attr]
    assert source == jobs[0].source


@pytest.mark.parametrize("private", [False, True])
async def test_not_kept_in_the_store(private: bool, world: World) -> None:
    """The store has it until the picture is kept; of a private one it never does."""
    seen: list[bool] = []

    def look(name: str, event: Event | Failed) -> None:
        if isinstance(event, Accepted):
            seen.append("garment1.jpg" in stored(world))

    await play(planned(world, FLUX_VTO, private=private), world.context, look)
    assert seen == [not private]
    assert "garment1.jpg" not in stored(world)
    assert ("Mildred" in stored(world)) == (not private)


async def test_not_kept_without_a_picture(world: World) -> None:
    """Nor is it there any more when the job failed."""
    world.fal.next_error = model_error("no_media_generated", "No picture.")
    end = (await play(planned(world, FLUX_VTO), world.context)).end("1")
    assert isinstance(end.error, JobFailed)
    assert "garment1.jpg" not in stored(world)


async def test_unsent_item(world: World) -> None:
    """An item that is ordered later has the names and the layout that it was planned with."""
    (item,) = planned(world, FLUX_VTO, layout="grid")
    assert item_of(json.loads(json.dumps(to_dict(item))), {"flux-vto": FLUX_VTO}) == item


async def test_job_as_json(world: World) -> None:
    """A job comes back from a browser as it was, also one that an older version kept."""
    jobs = [
        event.job
        async for event in try_on(planned(world, FLUX_VTO)[0].request, world.context)
        if isinstance(event, Accepted)
    ]
    data = json.loads(json.dumps(jobs[0].to_dict()))
    assert Job.from_dict(data) == jobs[0]
    del data["source"]
    assert Job.from_dict(data) == replace(jobs[0], source=None)
