"""What happens to a job at fal, as its event stream tells it; where that is of no use, by asking again and again."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from vton_ui.backends.fal import stream
from vton_ui.backends.fal.answers import FailureStreak, body, translated
from vton_ui.backends.fal.stream import Status, streamed
from vton_ui.errors import Cost, FalError, ResultLost
from vton_ui.tryon.backend import Over
from vton_ui.tryon.events import Progress, Running, Waiting
from vton_ui.tryon.job import Job

PATIENCE = 120.0
"""Seconds that fal may be unreachable or talk nonsense while a job is under way."""
STREAMS = 100
"""Open at once, for each holds a connection; the jobs beyond are asked for."""
POLL_SECONDS = (0.5, 2.0)
"""Between two looks at a job: at first, and on a long wait."""
NEAR_END_SECONDS = 0.25
"""Between two looks when a job of its kind usually ends."""
FAR_FROM_END_SECONDS = 4.0
"""The longest pause when it is known that a job does not end yet."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Line:
    """The way to fal on which jobs are followed: its client, how many streams may still be opened, and how many
    seconds the last jobs of each endpoint ran."""

    api: httpx.AsyncClient
    streams: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(STREAMS))
    ran: dict[str, deque[float]] = field(default_factory=dict)


async def follow(line: Line, url: str, job: Job) -> AsyncGenerator[Progress, None]:
    """What happens to a job, until it is over.

    Args:
        line: The way to fal.
        url: The address of the job's status.
        job: The job.

    Raises:
        FalError: fal no longer knows the key or the job.
        ResultLost: It told nothing of the job for as long as PATIENCE lasts.
    """
    streak, course = FailureStreak(), _Course(began=time.monotonic())

    async def ask() -> Status:
        return await _asked(line.api, url, job, streak)

    async with aclosing(_statuses(line, url, job, course, ask)) as statuses:
        async for status in statuses:
            event = course.heard(status, max(0.0, time.time() - job.started_at))
            if event is not None:
                yield event
            if status.get("status") == "COMPLETED":
                _remember(line, job, status, course)
                return
            if time.monotonic() - course.good > PATIENCE:
                raise ResultLost(
                    "fal has not told how the job is going for two minutes.",
                    "Find the request again by its id; that costs nothing.",
                    cost=Cost.MAYBE,
                    request_id=job.request_id,
                )


@dataclass(kw_only=True)
class _Course:
    """How a job went so far: when it was last heard of and seen to run, and what was told of it, and when."""

    began: float
    good: float = field(init=False)
    running_since: float | None = field(default=None, init=False)
    _last: Progress | None = field(default=None, init=False)
    _told_at: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.good = self.began

    def heard(self, status: Status, seconds: float) -> Progress | None:
        """The event that a status is worth: none if nothing has changed but the time, and that not for long."""
        word, now = status.get("status"), time.monotonic()
        if word is None:
            return self._retold(seconds, now)
        self.good = now
        if word == "COMPLETED":
            ran_unseen = self.running_since is None and _inference_seconds(status) > 0
            return Running(step=None, steps=None, seconds=seconds) if ran_unseen else None
        event, last = _progress(word, status, seconds), self._last
        if isinstance(event, Running):
            self.running_since = self.running_since or now
            if isinstance(last, Running) and event.step is None and (last.step is not None or event.log is None):
                event = replace(last, seconds=seconds)  # a stream may send each line of the log only once
        if last is not None and replace(last, seconds=seconds) == event and now - self._told_at < stream.TICK:
            return None
        self._last, self._told_at = event, now
        return event

    def _retold(self, seconds: float, now: float) -> Progress | None:
        if self._last is None or now - self._told_at < stream.TICK:
            return None
        self._told_at = now
        return replace(self._last, seconds=seconds, fresh=False)


async def _statuses(
    line: Line, url: str, job: Job, course: _Course, ask: Callable[[], Awaitable[Status]]
) -> AsyncGenerator[Status, None]:
    """The job's status, again and again: from the stream, and when that is over, by asking."""
    if not line.streams.locked():
        async with line.streams, aclosing(streamed(line.api, url, ask)) as told:
            async for status in told:
                yield status
    while True:
        yield await ask()
        now = time.monotonic()
        ran = None if course.running_since is None else now - course.running_since
        await asyncio.sleep(pause(now - course.began, ran, line.ran.get(job.endpoint, ())))


async def _asked(api: httpx.AsyncClient, url: str, job: Job, streak: FailureStreak) -> Status:
    """The job's status, empty where this look told nothing."""
    try:
        response = await api.get(url, params={"logs": 1})
    except httpx.HTTPError as exc:
        _log.info("status of %s: %s", job.request_id, type(exc).__name__)
        return {}
    # A 403 says that the account is locked, not that the job is lost.
    if streak.confirmed(response):
        raise translated(response, job)
    return body(response) if response.is_success else {}


async def ask_once(line: Line, url: str, job: Job) -> Progress | Over:
    """How a job is going. Arguments as `follow`.

    Raises:
        FalError: fal does not know the key or the job, or tells nothing of it.
    """
    try:
        response = await line.api.get(url, params={"logs": 1})
    except httpx.HTTPError as exc:
        raise _untold(job) from exc
    if response.status_code in (401, 404):
        raise translated(response, job)
    status = body(response) if response.is_success else {}
    word = status.get("status")
    if word is None:
        raise _untold(job)
    if word == "COMPLETED":
        return Over(ran=_inference_seconds(status) > 0)
    return _progress(word, status, max(0.0, time.time() - job.started_at))


def _untold(job: Job) -> FalError:
    return FalError(
        "fal does not tell how this request is going.",
        "Ask again in a moment; that costs nothing.",
        cost=Cost.MAYBE,
        request_id=job.request_id,
    )


def pause(waited: float, ran: float | None, seen: Sequence[float]) -> float:
    """How long to wait before the next look at a job: quick when jobs of its kind usually end, slow elsewhere.

    Args:
        waited: Seconds that it has been followed.
        ran: Seconds that it has run; None if it waits in line.
        seen: How many seconds each of the last jobs of its kind ran.
    """
    quick, slow = POLL_SECONDS
    steady = min(slow, max(quick, waited / 6))
    if ran is None or not seen:
        return steady
    begin, end = 0.95 * min(seen), 1.05 * max(seen) + 1.0
    if ran < begin:
        return min(FAR_FROM_END_SECONDS, max(NEAR_END_SECONDS, begin - ran))
    return min(NEAR_END_SECONDS, steady) if ran < end else steady


def progress(messages: Sequence[str]) -> tuple[int | None, int | None]:
    """The newest "step of steps" in a model's log ("Step 2/4", or a tqdm bar), or two Nones."""
    for message in reversed(messages):
        found = re.findall(r"(?<![\d/])(\d{1,3})\s*/\s*(\d{1,3})(?![\d/])", message)
        if found and int(found[-1][0]) <= int(found[-1][1]):
            return int(found[-1][0]), int(found[-1][1])
    return None, None


def _progress(word: Any, status: Status, seconds: float) -> Progress:
    """The event of a status; an unknown word counts as running, since only COMPLETED ends a job."""
    if word == "IN_QUEUE":
        position = status.get("queue_position")
        return Waiting(position=position if isinstance(position, int) else None, seconds=seconds)
    logs = status.get("logs")
    lines = [line for line in logs if isinstance(line, Mapping)] if isinstance(logs, list) else []
    said = [line.get("message") for line in lines]
    messages = [text.strip() for text in said if isinstance(text, str) and text.strip()]
    step, steps = progress(messages)
    return Running(step=step, steps=steps, seconds=seconds, log=messages[-1] if messages and step is None else None)


def _inference_seconds(status: Status) -> float:
    """How long a job that is over was at work, as fal says; 0 if it says nothing of it."""
    metrics = status.get("metrics")
    seconds = metrics.get("inference_time") if isinstance(metrics, Mapping) else None
    return float(seconds) if isinstance(seconds, (int, float)) and seconds > 0 else 0.0


def _remember(line: Line, job: Job, status: Status, course: _Course) -> None:
    """Learn how long such a job runs from one that went well."""
    seconds = _inference_seconds(status)
    if not seconds and course.running_since is not None:
        seconds = time.monotonic() - course.running_since
    if seconds and not status.get("error"):
        line.ran.setdefault(job.endpoint, deque(maxlen=9)).append(seconds)
