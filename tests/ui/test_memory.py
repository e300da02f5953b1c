"""What a browser keeps: signed, each kind for itself, and no longer than it is of use."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from itsdangerous import URLSafeSerializer

from tests.fal_helpers import job_of
from vton_ui.models.spec import Size
from vton_ui.tryon.job import LOST_SECONDS
from vton_ui.tryon.results import Result
from vton_ui.ui.memory import MAX_JOBS, NO_MEMORY, Memory

SECRET = b"the server's"
NEW = {"garment_url", "plan", "item", "label", "step"}
"""Fields that jobs did not always have."""


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(secret=SECRET, store=tmp_path, browser="hers")


@pytest.fixture
def result(tmp_path: Path) -> Result:
    """A kept picture."""
    path = tmp_path / "folder" / "picture.jpg"
    path.parent.mkdir()
    path.write_bytes(b"picture")
    return Result(path=path, size=Size(300, 400), facts={"model": "flux-vto", "seed": 42})


def test_round_trip(memory: Memory, result: Result) -> None:
    """A job is there until its result is, and the result until its file is gone."""
    job = job_of("abc")
    state = memory.with_job(NO_MEMORY, job)
    assert (memory.jobs(state), memory.results(state)) == ([job], [])
    state = memory.with_result(state, result, job)
    assert (memory.jobs(state), memory.results(state)) == ([], [(result, job)])
    assert memory.job_of(state, "abc") == job
    result.path.unlink()
    assert memory.results(state) == []


def test_signature(memory: Memory, result: Result) -> None:
    """Only what this server signed, for this browser and as a memory, is believed."""
    job = job_of("abc")
    state = memory.with_job(memory.with_result(NO_MEMORY, result, replace(job, id="other", request_id="def")), job)
    data = {"jobs": [job.to_dict()], "results": URLSafeSerializer(b"").loads_unsafe(state)[1]["results"]}

    def believed(secret: bytes, salt: str) -> tuple[int, int]:
        signed = URLSafeSerializer(secret, salt=salt).dumps(data)
        return len(memory.jobs(signed)), len(memory.results(signed))

    assert believed(SECRET, "memory of hers") == (1, 1)
    assert believed(SECRET, "memory of his") == (0, 0)
    assert believed(SECRET, "jobs of hers") == (0, 0)
    assert believed(b"vton-ui", "memory of hers") == (0, 0)


def test_a_result_is_no_job(memory: Memory, result: Result) -> None:
    """What was signed as the one is not read as the other."""
    state = memory.with_result(NO_MEMORY, result, job_of("abc"))
    (kept,) = URLSafeSerializer(b"").loads_unsafe(state)[1]["results"]
    signer = URLSafeSerializer(SECRET, salt="memory of hers")
    assert memory.jobs(signer.dumps({"jobs": [kept], "results": []})) == []
    assert memory.results(signer.dumps({"jobs": [], "results": [kept["job"]]})) == []


OLD = {"jobs": ["a.b"], "results": ["c.d"]}
"""What earlier versions wrote."""


@pytest.mark.parametrize("state", [None, "", "a.b", [], 7, OLD, {"jobs": "text", "results": 7}], ids=repr)
def test_anything_else_is_empty(state: object, memory: Memory) -> None:
    """A browser may send whatever it likes."""
    assert (memory.jobs(state), memory.results(state)) == ([], [])


def test_empty_is_written() -> None:
    """gr.BrowserState does not write what is falsy."""
    assert NO_MEMORY


def test_a_lost_order_is_given_up(memory: Memory) -> None:
    """An order without fal's answer is looked for as long as fal may keep it waiting; an accepted job stays."""
    begin = time.time() - LOST_SECONDS
    young, old = (replace(job_of(""), submitted_at=begin + more) for more in (60, -1))
    accepted = replace(job_of("abc"), submitted_at=begin - 1)
    for job, kept in ((young, [young]), (old, []), (accepted, [accepted])):
        assert memory.jobs(memory.with_job(NO_MEMORY, job)) == kept


def test_twelve_jobs_of_a_click(memory: Memory) -> None:
    """All jobs of the largest click are kept, and those of another tab's."""
    state, jobs = NO_MEMORY, [job_of(f"request {number}") for number in range(24)]
    for job in jobs:
        state = memory.with_job(state, job)
    assert len(jobs) <= MAX_JOBS
    assert memory.jobs(state) == jobs[::-1]


def test_job_of_an_older_version(memory: Memory) -> None:
    """A job that a browser keeps since before plans is still followed."""
    job = job_of("abc")
    old = {name: value for name, value in job.to_dict().items() if name not in NEW}
    old["ordered_at"] = old.pop("submitted_at")
    data = {"jobs": [old], "results": []}
    assert memory.jobs(URLSafeSerializer(SECRET, salt="memory of hers").dumps(data)) == [job]
