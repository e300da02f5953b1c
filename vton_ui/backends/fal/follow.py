"""Follows a job at fal: by its event stream, and by polling where there is no usable stream."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial

import httpx

from vton_ui.backends.fal import answers, stream
from vton_ui.backends.fal.answers import FailureStreak, body, translated
from vton_ui.backends.fal.status import Status, has_run, progress_of
from vton_ui.errors import Cost, FalError, ResultLost
from vton_ui.tryon.backend import Over
from vton_ui.tryon.events import Progress, Running
from vton_ui.tryon.job import Job

POLL_SECONDS = (0.5, 2.0)
"""Between two polls of a job: at first, and on a long wait."""

_log = logging.getLogger(__name__)


async def follow(
    api: httpx.AsyncClient, url: str, job: Job, streams: asyncio.Semaphore
) -> AsyncGenerator[Progress, None]:
    """What happens to a job, until it is over.

    Args:
        api: The client that sends the key.
        url: The address of the job's status.
        streams: How many event streams may still be opened.

    Raises:
        FalError: fal no longer knows the key or the job.
        ResultLost: fal said nothing of the job for SILENCE_SECONDS.
    """
    streak, follower, answered_at = FailureStreak(), JobFollower(), time.monotonic()

    async with aclosing(_statuses(api, url, streams, partial(_poll, api, url, job, streak))) as statuses:
        async for status in statuses:
            event = follower.event_of(status, max(0.0, time.time() - job.started_at))
            if event is not None:
                yield event
            if status.get("status") == "COMPLETED":
                return
            if status.get("status") is not None:
                answered_at = time.monotonic()
            if time.monotonic() - answered_at > answers.SILENCE_SECONDS:
                raise ResultLost(
                    "fal has not told how the job is going for two minutes.",
                    "Find the request again by its id; that costs nothing.",
                    cost=Cost.MAYBE,
                    request_id=job.request_id,
                )


class JobFollower:
    """Turns the statuses of one job into events, and leaves out those that change nothing but the time."""

    def __init__(self) -> None:
        self._last: Progress | None = None
        self._sent_at = 0.0

    def event_of(self, status: Status, seconds: float) -> Progress | None:
        """The event of a status, if it is worth one; each tick is. `seconds` count from the click."""
        last, tick = self._last, time.monotonic() - self._sent_at >= stream.TICK
        if status.get("status") is None:
            return self._sent(replace(last, seconds=seconds, fresh=False)) if last and tick else None
        if status["status"] == "COMPLETED":
            ran_unseen = not isinstance(last, Running) and has_run(status)
            return Running(step=None, steps=None, seconds=seconds) if ran_unseen else None
        event = progress_of(status, seconds)
        if last and _says_less(event, last):
            event = replace(last, seconds=seconds, fresh=True)
        if last and replace(last, seconds=seconds, fresh=True) == event and not tick:
            return None
        return self._sent(event)

    def _sent(self, event: Progress) -> Progress:
        self._last, self._sent_at = event, time.monotonic()
        return event


def _says_less(event: Progress, last: Progress) -> bool:
    """Whether what was said before still holds: a stream may send each line of the log only once."""
    if not isinstance(event, Running) or not isinstance(last, Running):
        return False
    return event.step is None and (last.step is not None or event.log is None)


async def _statuses(
    api: httpx.AsyncClient, url: str, streams: asyncio.Semaphore, poll: Callable[[], Awaitable[Status]]
) -> AsyncGenerator[Status, None]:
    """The job's status, again and again: from the stream, and when that has ended, by polling."""
    begin = time.monotonic()
    if not streams.locked():
        async with streams, aclosing(stream.streamed(api, url, poll)) as events:
            async for status in events:
                yield status
    while True:
        yield await poll()
        await asyncio.sleep(pause(time.monotonic() - begin))


def pause(waited: float) -> float:
    """Seconds before the next poll of a job that was followed for so long: the longer the wait, the less often."""
    shortest, longest = POLL_SECONDS
    return min(longest, max(shortest, waited / 6))


async def _poll(api: httpx.AsyncClient, url: str, job: Job, streak: FailureStreak) -> Status:
    """The job's status; empty if this poll gave none."""
    try:
        response = await api.get(url, params={"logs": 1})
    except httpx.HTTPError as exc:
        _log.info("status of %s: %s", job.request_id, type(exc).__name__)
        return {}
    # A 403 says that the account is locked, not that the job is lost.
    if streak.confirmed(response):
        raise translated(response, job)
    return body(response) if response.is_success else {}


async def status_of(api: httpx.AsyncClient, url: str, job: Job) -> Progress | Over:
    """How a job is going, asked once.

    Raises:
        FalError: fal does not know the key or the job, or says nothing of it.
    """
    try:
        response = await api.get(url, params={"logs": 1})
    except httpx.HTTPError as exc:
        raise _no_status(job) from exc
    if response.status_code in (401, 404):
        raise translated(response, job)
    status = body(response) if response.is_success else {}
    if status.get("status") is None:
        raise _no_status(job)
    if status["status"] == "COMPLETED":
        return Over(ran=has_run(status))
    return progress_of(status, max(0.0, time.time() - job.started_at))


def _no_status(job: Job) -> FalError:
    return FalError(
        "fal does not tell how this request is going.",
        "Ask again in a moment; that costs nothing.",
        cost=Cost.MAYBE,
        request_id=job.request_id,
    )
