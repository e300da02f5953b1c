"""fal's event stream about a job: each status as it is told, for as long as the stream is of use.

One request where asking is dozens, and it tells the end at once. But it is only ever believed, never waited for:
refused, cut, silent or stale, it is left.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any

import httpx
from httpx_sse import EventSource, SSEError

TICK = 1.0
"""Seconds without an event after which it is told that there is none."""
QUIET = (3.0, 10.0)
"""Seconds that a stream may tell nothing before fal is asked: until its first word, and after it."""
END_SECONDS = 0.05
"""How long a stream may take to end after its last word."""
TIMEOUT = httpx.Timeout(20.0, connect=10.0)
"""A living stream brings a comment every 15 s: https://docs.fal.ai/model-apis/model-endpoints/queue"""

Status = Mapping[str, Any]
"""What fal says of a job; empty where it said nothing."""

_log = logging.getLogger(__name__)


async def streamed(
    api: httpx.AsyncClient, url: str, ask: Callable[[], Awaitable[Status]]
) -> AsyncGenerator[Status, None]:
    """What the stream tells, nothing at each tick without; it ends as soon as the stream is of no use."""
    request = api.build_request(
        "GET", f"{url}/stream", params={"logs": 1}, headers={"Accept": "text/event-stream"}, timeout=TIMEOUT
    )
    word: str | None = None
    try:
        response = await asyncio.wait_for(api.send(request, stream=True), QUIET[0])
        try:
            if not response.is_success:
                return
            async with aclosing(_events(response)) as events:
                async for status in events:
                    if status is None:
                        status = await ask()
                        yield status
                        if status.get("status") not in (None, word):
                            return  # the stream has missed something
                    else:
                        word = status.get("status", word)
                        yield status
        finally:
            await response.aclose()
    except (httpx.HTTPError, SSEError, ValueError, asyncio.TimeoutError) as exc:
        _log.info("stream %s: %s", url, type(exc).__name__)


async def _events(response: httpx.Response) -> AsyncGenerator[Status | None, None]:
    """Each event of a stream, an empty one at a tick without, None when it has been quiet for too long.

    Raises:
        httpx.HTTPError: It broke.
        SSEError, ValueError: It talks nonsense.
    """
    upcoming: asyncio.Future[Any] | None = None
    heard, spoke = time.monotonic(), False
    async with aclosing(EventSource(response).aiter_sse()) as events:
        try:
            while True:
                upcoming = upcoming or asyncio.ensure_future(anext(events, None))
                done, _ = await asyncio.wait({upcoming}, timeout=min(TICK, QUIET[spoke]))
                if done:
                    event, upcoming = upcoming.result(), None
                    if event is None:
                        return
                    status = json.loads(event.data)
                    if not isinstance(status, dict) or not isinstance(status.get("status"), str):
                        raise ValueError("no status")
                    heard, spoke = time.monotonic(), True
                    if status["status"] == "COMPLETED":
                        # Read to its end, the connection serves for the result too.
                        upcoming = asyncio.ensure_future(anext(events, None))
                        await asyncio.wait({upcoming}, timeout=END_SECONDS)
                    yield status
                elif time.monotonic() - heard < QUIET[spoke]:
                    yield {}
                else:
                    heard = time.monotonic()
                    yield None
        finally:
            if upcoming is not None:
                upcoming.cancel()
                await asyncio.gather(upcoming, return_exceptions=True)  # however it ended, nobody asks any more
