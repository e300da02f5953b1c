"""Following a job: by fal's event stream, by polling, and from one to the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.fake_fal.server import LOCKED_403, NGINX_502, TEST_KEY, FakeFal
from tests.fal_helpers import followed, ordered, outcome, size_of
from tests.fast_timings import use_fast_timings
from tests.fault_table import until
from vton_ui.backends.fal import answers, client, follow, stream
from vton_ui.backends.fal.backend import FalBackend
from vton_ui.backends.fal.follow import pause
from vton_ui.backends.fal.status import step_of
from vton_ui.errors import Cost, FalError, JobFailed, KeyRefused, ResultLost
from vton_ui.models import FLUX_VTO, MODELS
from vton_ui.models.spec import ModelSpec
from vton_ui.tryon.events import Progress, Running, Waiting

by_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No delay is longer than a test can wait."""
    use_fast_timings(monkeypatch)


@pytest.fixture
def no_stream(fal: FakeFal) -> None:
    """fal has no event streams, so that jobs are polled."""
    fal.streams = False


without_stream = pytest.mark.usefixtures("no_stream")


@by_model
async def test_follow(fal: FakeFal, backend: FalBackend, model: ModelSpec) -> None:
    """Position by position through the queue, then step by step to the end."""
    fal.queue_seconds, fal.run_seconds = 0.3, 0.4
    job = await ordered(backend, model, num_inference_steps=4)
    events = await followed(backend, job)
    positions = [event.position or 0 for event in events if isinstance(event, Waiting)]
    steps = [event.step for event in events if isinstance(event, Running) and event.step is not None]
    assert positions == sorted(positions, reverse=True)
    assert len(set(positions)) >= 2
    assert positions[-1] == 0
    assert steps == sorted(steps)
    assert len(set(steps)) >= 2
    assert {event.steps for event in events if isinstance(event, Running) and event.step} == {4}
    running = [isinstance(event, Running) for event in events]
    assert running == sorted(running)
    assert all(before.seconds <= after.seconds for before, after in pairwise(events))


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda body: {key: value for key, value in body.items() if key != name}


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        {"action": "status", "code": 500},
        {"action": "status", "code": 502, "body": NGINX_502},
        {"action": "status", "code": 503},
        {"action": "status", "code": 403, "body": LOCKED_403},
        {"action": "status", "code": 429},
        {"action": "status", "code": 408},
        {"action": "status", "code": 401},
        {"action": "status", "code": 404},
        {"action": "garbage"},
        {"action": "half_body"},
        {"action": "drop_before"},
        {"action": "accept_then_drop"},
        {"action": "edit", "edit": lambda body: [body]},
        {"action": "edit", "edit": lambda body: None},
        {"action": "edit", "edit": lambda body: {**body, "status": None}},
    ],
    ids=[
        "500",
        "502 page",
        "503",
        "403 locked",
        "429",
        "408",
        "401",
        "404",
        "garbage",
        "half an answer",
        "reset",
        "dropped",
        "a list",
        "null",
        "no status",
    ],
)
@without_stream
async def test_follow_through_faults(fal: FakeFal, backend: FalBackend, fault: dict[str, Any]) -> None:
    """A poll without a usable status is skipped."""
    fal.concurrent = 0
    job = await ordered(backend)
    fal.fault("status", times=2 if fault.get("code") in (401, 404) else 3, **fault)
    following = asyncio.ensure_future(followed(backend, job))
    await until(lambda: fal.count("status") > 3)
    fal.concurrent = None
    events = await following
    assert isinstance(events[-1], Running)
    assert size_of(await backend.fetch(job, FLUX_VTO.read)) == (300, 400)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (without("logs"), Running(step=None, steps=None, seconds=0)),
        (lambda body: {**body, "logs": None}, Running(step=None, steps=None, seconds=0)),
        (
            lambda body: {**body, "logs": ["text", {"odd": 1}, {"message": None}]},
            Running(step=None, steps=None, seconds=0),
        ),
        (lambda body: {**body, "status": "THINKING", "logs": []}, Running(step=None, steps=None, seconds=0)),
        (lambda body: {**without("queue_position")(body), "status": "IN_QUEUE"}, Waiting(position=None, seconds=0)),
        (lambda body: {**body, "status": "IN_QUEUE", "queue_position": "2nd"}, Waiting(position=None, seconds=0)),
    ],
    ids=["no logs", "null logs", "odd logs", "unknown word", "no position", "odd position"],
)
@pytest.mark.parametrize("operation", ["stream", "status"])
async def test_odd_status(
    fal: FakeFal, backend: FalBackend, operation: str, edit: Callable[[Any], Any], expected: Progress
) -> None:
    """A status with missing or new fields is passed on as far as it is known, and ends nothing."""
    fal.queue_seconds, fal.run_seconds, fal.streams = 0, 0.4, operation == "stream"
    job = await ordered(backend)
    await asyncio.sleep(0.02)
    fal.fault(operation, "edit", edit=lambda body: body if body["status"] == "COMPLETED" else edit(body))
    first = (await followed(backend, job))[0]
    assert type(first) is type(expected)
    assert {**vars(first), "seconds": 0} == vars(expected)


@without_stream
async def test_patience_ends(fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """After two minutes without a status following ends, with the request id and the possible cost."""
    monkeypatch.setattr(answers, "SILENCE_SECONDS", 0.4)
    job = await ordered(backend)
    fal.fault("status", "status", times=None, code=503)
    begin = time.monotonic()
    with pytest.raises(ResultLost) as caught:
        await followed(backend, job)
    assert (caught.value.cost, caught.value.request_id) == (Cost.MAYBE, job.request_id)
    assert time.monotonic() - begin > 0.4
    assert fal.count("status") >= 2


@without_stream
@pytest.mark.slow
async def test_patience_starts_anew(fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every good status restarts the time limit."""
    monkeypatch.setattr(answers, "SILENCE_SECONDS", 1.0)
    fal.queue_seconds, fal.run_seconds = 1.6, 0.3
    seen: list[Progress] = []
    async for event in backend.follow(await ordered(backend)):
        if event.seconds > 1.2 and not any(before.seconds > 1.2 for before in seen):
            fal.fault("status", "status", times=3)
        seen.append(event)
    assert isinstance(seen[-1], Running)


@without_stream
@pytest.mark.parametrize(("code", "error"), [(401, KeyRefused), (404, JobFailed)], ids=["key withdrawn", "job unknown"])
async def test_follow_ends(fal: FakeFal, backend: FalBackend, code: int, error: type[FalError]) -> None:
    """A key or job that fal no longer knows ends following once that is confirmed; it may have cost something."""
    job = await ordered(backend)
    fal.fault("status", "status", times=None, code=code)
    with pytest.raises(error) as caught:
        await followed(backend, job)
    assert (caught.value.request_id, caught.value.cost) == (job.request_id, Cost.MAYBE)
    assert fal.count("status") == 3


@pytest.mark.parametrize(("operation", "code"), [("status", 401), ("result", 404), ("download", 401)])
@pytest.mark.slow
async def test_hiccup_is_not_believed(fal: FakeFal, backend: FalBackend, operation: str, code: int) -> None:
    """A key, job or picture that fal does not know for a moment is requested again."""
    fal.run_seconds, fal.streams = 0.3, operation != "status"
    for _ in range(2):
        fal.fault(operation, "status", 2, code=code)
        fal.fault(operation, "status", code=503)
    assert size_of(await outcome(backend)) == (300, 400)
    assert fal.count(operation) >= 7


async def test_job_that_ran_between_two_looks(
    fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that started and ended between two polls is reported as having run."""
    fal.streams = False
    use_fast_timings(monkeypatch, 0.2, 0.2)
    job = await ordered(backend)
    assert [type(event) for event in await followed(backend, job)][-1] is Running


@pytest.mark.slow
async def test_humane_pace(fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job is polled at intervals that grow with the wait."""
    use_fast_timings(monkeypatch, 0.1, 0.3)
    fal.queue_seconds, fal.streams = 2.4, False
    await followed(backend, await ordered(backend))
    looks = [seen.at for seen in fal.seen if seen.operation == "status"]
    pauses = [after - before for before, after in pairwise(looks)]
    assert pauses[0] > 0.09
    assert pauses[-1] > max(0.29, pauses[0])


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([], (None, None)),
        (["Loading"], (None, None)),
        (["Step 2/4"], (2, 4)),
        (["Step 1/4", "Step 2/4", "saved"], (2, 4)),
        ([" 50%|█████     | 15/30 [00:03<00:03,  4.53it/s]"], (15, 30)),
        (["9/4"], (None, None)),
        (["at 1024/1024 px", "Step 3/4", "2048/4096"], (3, 4)),
    ],
    ids=str,
)
def test_progress(messages: list[str], expected: tuple[int | None, int | None]) -> None:
    """The newest step in a model's log is found, whatever else stands there."""
    assert step_of(messages) == expected


# The stream


async def test_one_request(fal: FakeFal, backend: FalBackend) -> None:
    """A whole job takes one request, and its end is known as soon as fal knows it."""
    fal.queue_seconds, fal.run_seconds = 0.2, 0.4
    job = await ordered(backend)
    await followed(backend, job)
    late = time.time() - (fal.jobs[job.request_id].finished_at or 0)
    assert (fal.count("stream"), fal.count("status")) == (1, 0)
    assert late < 5


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        {"action": "status", "code": 401},
        {"action": "status", "code": 404},
        {"action": "status", "code": 200, "body": {"status": "COMPLETED"}},
        {"action": "status", "code": 200, "body": "<html>"},
        {"action": "status", "code": 302, "headers": {"Location": "/"}},
        {"action": "drop_before"},
        {"action": "accept_then_drop"},
        {"action": "garbage"},
        {"action": "half_body"},
        {"action": "edit", "edit": lambda body: {**body, "status": None}},
        {"action": "edit", "edit": lambda body: [body]},
        {"action": "edit", "edit": lambda body: "COMPLETED"},
    ],
    ids=["401", "404", "no stream", "a page", "moved", "reset", "dropped", "garbage", "half", "null", "list", "text"],
)
async def test_useless_stream(fal: FakeFal, backend: FalBackend, fault: dict[str, Any]) -> None:
    """A stream that is refused, cut or malformed is not tried again: the job is polled to its end."""
    fal.concurrent = 0
    job = await ordered(backend)
    fal.fault("stream", **fault)
    following = asyncio.ensure_future(followed(backend, job))
    await until(lambda: fal.count("status") > 2)
    fal.concurrent = None
    events = await following
    assert isinstance(events[-1], Running)
    assert fal.jobs[job.request_id].state == "COMPLETED"
    assert fal.count("stream") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("action", "asked"),
    [("slow", 3), ("accept_then_hang", 3), ("mute", 3)],
    ids=["no answer", "silent after its first word", "nothing but comments"],
)
async def test_silent_stream(
    fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch, action: Any, asked: int
) -> None:
    """An open stream without events delays nothing: the job's end is found soon after it."""
    monkeypatch.setattr(stream, "QUIET", (0.1, 0.1))
    fal.comment_seconds, fal.queue_seconds, fal.run_seconds = 0.02, 0.2, 0.3
    job = await ordered(backend)
    fal.fault("stream", action, seconds=30)
    events = await followed(backend, job)
    late = time.time() - (fal.jobs[job.request_id].finished_at or 0)
    assert late < 10
    assert isinstance(events[-1], Running)
    assert (fal.count("stream"), fal.count("status") >= asked) == (1, True)


async def test_stale_stream_is_left(fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that missed an event is closed while the job runs, and the job is polled from then on."""
    monkeypatch.setattr(stream, "QUIET", (0.1, 0.1))
    fal.queue_seconds, fal.run_seconds = 0.1, 60
    begin = time.monotonic()
    streams = asyncio.Semaphore(1)
    job = await ordered(backend)
    url = f"{fal.url}/queue/{fal.jobs[job.request_id].app}/requests/{job.request_id}/status"
    fal.fault("stream", "accept_then_hang", seconds=30)
    async with aclosing(follow.follow(backend._client.api, url, job, streams)) as events:
        async for _ in events:
            if not streams.locked():
                break
        assert fal.jobs[job.request_id].state == "IN_PROGRESS"
        assert time.monotonic() - begin < stream.STREAM_TIMEOUT.read / 2  # otherwise the read timeout ended it


@pytest.mark.slow
async def test_stale_stream_at_its_real_pace(fal: FakeFal, backend: FalBackend) -> None:
    """With the real delays, a stream that falls silent after its first event delays the end by at most ten seconds."""
    fal.queue_seconds, fal.run_seconds = 0.5, 0.5
    job = await ordered(backend)
    fal.fault("stream", "accept_then_hang", seconds=60)
    events = await followed(backend, job)
    assert isinstance(events[-1], Running)
    assert time.time() - (fal.jobs[job.request_id].finished_at or 0) < 15


async def test_dead_stream(fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream without even comments is closed, even if polls meanwhile show no change."""
    monkeypatch.setattr(stream, "STREAM_TIMEOUT", httpx.Timeout(0.3))
    fal.queue_seconds, fal.queue_length = 1.2, 0
    job = await ordered(backend)
    fal.fault("stream", "accept_then_hang", seconds=30)
    async for event in backend.follow(job):
        if event.seconds > 0.6:
            break
    assert fal.count("status") > 2


@pytest.mark.slow
async def test_quiet_stream(fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a stream is alive and has no news, the job is polled now and then, and the stream goes on."""
    monkeypatch.setattr(stream, "QUIET", (0.1, 0.1))
    fal.comment_seconds, fal.queue_seconds, fal.run_seconds, fal.steps = 0.02, 0, 0.8, 1
    await followed(backend, await ordered(backend))
    assert fal.count("stream") == 1
    assert 2 <= fal.count("status") <= 9


@pytest.mark.slow
async def test_time_passes(fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without news the seconds go on, in events that are not marked as fresh."""
    monkeypatch.setattr(stream, "TICK", 0.05)
    fal.queue_seconds, fal.run_seconds, fal.steps = 0, 0.5, 1
    events = [event for event in await followed(backend, await ordered(backend)) if isinstance(event, Running)]
    assert [event.fresh for event in events[:4]] == [True, False, False, False]
    assert all(before.seconds < after.seconds for before, after in pairwise(events))
    assert all(after.seconds - before.seconds > 0.04 for before, after in pairwise(events[:4]))


@pytest.mark.slow
async def test_chatter(fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeated equal statuses are passed on once a tick."""
    monkeypatch.setattr(stream, "TICK", 0.2)
    fal.run_seconds, fal.steps = 0.5, 50
    fal.fault("stream", "edit", edit=lambda body: {**body, "logs": [{"message": "at work"}]})
    events = await followed(backend, await ordered(backend))
    assert sum(isinstance(event, Running) for event in events) <= 4


@pytest.mark.slow
async def test_log_sent_line_by_line(fal: FakeFal, backend: FalBackend) -> None:
    """A step holds until the next one, since a stream may send each log line only once."""
    fal.queue_seconds, fal.run_seconds, fal.steps = 0, 0.4, 4

    def newest(body: dict[str, Any]) -> dict[str, Any]:
        logs = body.get("logs") or []
        return {**body, "logs": [{"message": "saved"}] if len(logs) == 3 else logs[-1:] if len(logs) < 3 else None}

    fal.fault("stream", "edit", edit=newest)
    events = [event for event in await followed(backend, await ordered(backend)) if isinstance(event, Running)]
    steps = [event.step for event in events if event.step is not None]
    assert steps == sorted(steps)
    assert (events[-1].step, events[-1].steps, events[-1].log) == (2, 4, None)


@pytest.mark.slow
async def test_streams_are_limited(fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit of streams jobs are polled; a stream that ends makes room for the next."""
    monkeypatch.setattr(client, "STREAMS", 1)
    few = FalBackend(TEST_KEY, api_url=fal.api_url)
    fal.run_seconds = 0.3
    first, second = await ordered(few), await ordered(few)
    await asyncio.gather(followed(few, first), followed(few, second))
    assert fal.count("stream") == 1
    assert fal.count("status") > 2
    await followed(few, await ordered(few))
    assert fal.count("stream") == 2


async def test_leaving_closes_the_stream(fal: FakeFal, backend: FalBackend) -> None:
    """A caller who leaves makes room for another stream at once."""
    fal.run_seconds = 5
    streams = asyncio.Semaphore(1)
    job = await ordered(backend)
    url = f"{fal.url}/queue/{fal.jobs[job.request_id].app}/requests/{job.request_id}/status"
    async with aclosing(follow.follow(backend._client.api, url, job, streams)) as events:
        await anext(events)
        assert streams.locked()
    assert not streams.locked()


# The pace of polling


def polls(seconds: float) -> tuple[int, float]:
    """How often a job of so many seconds is polled, and how long after its end that is found."""
    at, count = 0.0, 1
    while at < seconds:
        at += pause(at)
        count += 1
    return count, at - seconds


@pytest.fixture
def real_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the real delays."""
    monkeypatch.undo()


@pytest.mark.usefixtures("real_pace")
@pytest.mark.parametrize(("seconds", "most"), [(2.5, 7), (60, 40), (600, 320)])
def test_pace(seconds: float, most: int) -> None:
    """Often at first, then every two seconds."""
    count, late = polls(seconds)
    assert count <= most
    assert late <= 2.0


@pytest.mark.slow
@pytest.mark.usefixtures("real_pace")
@pytest.mark.parametrize(("seconds", "most"), [(2.5, 6), (25.0, 20)])
async def test_requests_and_end_at_the_real_pace(fal: FakeFal, backend: FalBackend, seconds: float, most: int) -> None:
    """With the real delays, the stream needs few requests and reports the end at once: 60 s may take 40."""
    fal.queue_seconds, fal.run_seconds, fal.comment_seconds = 0.5, seconds - 0.5, 1.0
    job = await ordered(backend)
    await followed(backend, job)
    late = time.time() - (fal.jobs[job.request_id].finished_at or 0)
    assert fal.count("stream") + fal.count("status") <= most
    assert late < 1.5
