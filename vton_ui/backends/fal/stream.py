"""fal's event stream of a job: each status as it comes, as long as the stream works.

It is one request where polling is dozens, and reports the end at once. Nothing depends on it: a stream that is
refused, cut, silent or stale is closed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import httpx
from httpx_sse import EventSource, SSEError

from vton_ui.backends.fal.status import Status

TICK = 1.0
"""Seconds without an event after which an empty status is passed on, so that the time on screen goes on."""
QUIET = (3.0, 10.0)
"""Seconds that a stream may be silent before the job is polled: until its first status, and after it."""
END_SECONDS = 0.05
"""How long a stream may take to close after COMPLETED."""
STREAM_TIMEOUT = httpx.Timeout(20.0, connect=10.0)
"""A living stream brings a comment every 15 s: https://docs.fal.ai/model-apis/model-endpoints/queue"""

_log = logging.getLogger(__name__)


async def streamed(
    api: httpx.AsyncClient, url: str, poll: Callable[[], Awaitable[Status]]
) -> AsyncGenerator[Status, None]:
    """The stream's statuses, an empty one at each tick without; it ends as soon as the stream fails."""
    request = api.build_request(
        "GET", f"{url}/stream", params={"logs": 1}, headers={"Accept": "text/event-stream"}, timeout=STREAM_TIMEOUT
    )
    last: str | None = None
    try:
        response = await asyncio.wait_for(api.send(request, stream=True), QUIET[0])
        try:
            if not response.is_success:
                return
            async with aclosing(_events(response)) as events:
                async for status in events:
                    if status is None:
                        status = await poll()
                        yield status
                        if status.get("status") not in (None, last):
                            return  # the stream has missed an event
                    else:
                        last = status.get("status", last)
                        yield status
        finally:
            await response.aclose()
    except (httpx.HTTPError, SSEError, ValueError, asyncio.TimeoutError) as exc:
        _log.info("stream %s: %s", url, type(exc).__name__)


async def _events(response: httpx.Response) -> AsyncGenerator[Status | None, None]:
    """Each event of a stream, an empty one at a tick without, None when it has been quiet for too long.

    Raises:
        httpx.HTTPError: It broke.
        SSEError, ValueError: It is no event stream of statuses.
    """
    upcoming: asyncio.Future[Any] | None = None
    last_at, begun = time.monotonic(), False
    async with aclosing(EventSource(response).aiter_sse()) as events:
        try:
            while True:
                upcoming = upcoming or asyncio.ensure_future(anext(events, None))
                done, _ = await asyncio.wait({upcoming}, timeout=min(TICK, QUIET[begun]))
                if done:
                    event, upcoming = upcoming.result(), None
                    if event is None:
                        return
                    status = json.loads(event.data)
                    if not isinstance(status, dict) or not isinstance(status.get("status"), str):
                        raise ValueError("no status")
                    last_at, begun = time.monotonic(), True
                    if status["status"] == "COMPLETED":
                        # Read to its end, so that the connection serves for the result too.
                        upcoming = asyncio.ensure_future(anext(events, None))
                        await asyncio.wait({upcoming}, timeout=END_SECONDS)
                    yield status
                elif time.monotonic() - last_at < QUIET[begun]:
                    yield {}
                else:
                    last_at = time.monotonic()
                    yield None
        finally:
            if upcoming is not None:
                upcoming.cancel()
                await asyncio.gather(upcoming, return_exceptions=True)  # its outcome does not matter
