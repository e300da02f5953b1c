"""What a browser keeps: signed, each kind for itself, and no longer than it is of use."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from itsdangerous import URLSafeSerializer

from tests.fal_helpers import job_of
from vton_ui.models.spec import Size
from vton_ui.tryon.results import Result
from vton_ui.ui.memory import EMPTY, LOST_SECONDS, Memory

SECRET = b"the server's"


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
    state = memory.with_job(EMPTY, job)
    assert (memory.jobs(state), memory.results(state)) == ([job], [])
    state = memory.with_result(state, result, job)
    assert (memory.jobs(state), memory.results(state)) == ([], [(result, job)])
    assert memory.job_of(state, "abc") == job
    result.path.unlink()
    assert memory.results(state) == []


@pytest.mark.parametrize("kind", ["jobs", "results"])
def test_a_signature_is_for_one_kind(kind: str, memory: Memory, result: Result) -> None:
    """What was signed as the one is not believed as the other, nor with any other secret, nor from another browser."""
    job = job_of("abc")
    state = memory.with_job(memory.with_result(EMPTY, result, replace(job, seed=7)), job)
    (token,) = state[kind]
    _, data = URLSafeSerializer(b"").loads_unsafe(token)

    def believed(secret: bytes, said: str, browser: str = "hers") -> int:
        signed = {kind: [URLSafeSerializer(secret, salt=f"{said} of {browser}").dumps(data)]}
        return len(memory.jobs(signed) + memory.results(signed))

    assert believed(SECRET, kind) == 1
    assert believed(SECRET, "jobs" if kind == "results" else "results") == 0
    assert believed(SECRET, kind, "his") == 0
    assert believed(b"vton-ui", kind) == 0


@pytest.mark.parametrize("state", [None, "", [], {"jobs": "text", "results": 7}, {"jobs": [None, 7, "a.b"]}], ids=repr)
def test_anything_else_is_empty(state: object, memory: Memory) -> None:
    """A browser may send whatever it likes."""
    assert (memory.jobs(state), memory.results(state)) == ([], [])


def test_a_lost_order_is_given_up(memory: Memory) -> None:
    """An order without fal's answer is looked for as long as fal may keep it waiting; an accepted job stays."""
    begin = time.time() - LOST_SECONDS
    young, old = (replace(job_of(""), ordered_at=begin + more) for more in (60, -1))
    accepted = replace(job_of("abc"), ordered_at=begin - 1)
    for job, kept in ((young, [young]), (old, []), (accepted, [accepted])):
        assert memory.jobs(memory.with_job(EMPTY, job)) == kept
