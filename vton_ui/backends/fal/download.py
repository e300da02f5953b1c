"""Results from fal: whole, of a sane size, and retried through passing faults."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import time
from collections.abc import Callable

import httpx

from vton_ui.backends.fal import answers
from vton_ui.backends.fal.answers import FailureStreak, announced_bytes, body, is_final, translated
from vton_ui.errors import ResultLost
from vton_ui.tryon.job import Job

MAX_PICTURE_BYTES = 60_000_000
LONGEST_PAUSE = 10.0
"""Seconds between two tries at most."""

_FIRST_BYTES = (b"\xff\xd8", b"\x89PNG", b"RIFF")
"""What a JPEG, PNG or WebP begins with, and an error page does not."""

_log = logging.getLogger(__name__)


async def get_output(api: httpx.AsyncClient, url: str, job: Job) -> httpx.Response:
    """What the model answered, as JSON. FalError if fal says that there is none."""
    return await _get(api, url, job, whole=lambda response: bool(body(response)))


async def get_picture(files: httpx.AsyncClient, url: str, job: Job) -> bytes:
    """The bytes of a picture, from its address or from the data URI itself. ResultLost if fal no longer has it."""
    if url.startswith("data:"):
        return _decoded(url, job)
    response = await _get(files, url, job, whole=lambda response: response.content.startswith(_FIRST_BYTES), file=True)
    return response.content


async def _get(
    client: httpx.AsyncClient, url: str, job: Job, *, whole: Callable[[httpx.Response], bool], file: bool = False
) -> httpx.Response:
    """A whole good answer; retried until fal's answer is final, or silence has lasted too long."""
    start, pause, streak = time.monotonic(), answers.RETRY_SECONDS, FailureStreak()
    while True:
        try:
            async with client.stream("GET", url) as response:
                if response.is_success and announced_bytes(response) > MAX_PICTURE_BYTES:
                    raise _too_large(job)
                await response.aread()
            if response.is_success and whole(response):
                return response
            if streak.confirmed(response) or is_final(response):
                raise _gone(job) if file else translated(response, job)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as exc:
            raise _gone(job) from exc
        except httpx.HTTPError as exc:
            _log.info("result of %s: %s", job.request_id, type(exc).__name__)
        if time.monotonic() - start > answers.SILENCE_SECONDS:
            raise _lost("The picture is made, but fal does not hand it over.", job)
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _decoded(uri: str, job: Job) -> bytes:
    try:
        return base64.b64decode(uri.partition(",")[2], validate=True)
    except binascii.Error as exc:
        raise _lost("The picture arrived damaged.", job) from exc


def _lost(cause: str, job: Job) -> ResultLost:
    return ResultLost(cause, "Find the request again by its id; that costs nothing.", request_id=job.request_id)


def _too_large(job: Job) -> ResultLost:
    return ResultLost(
        f"fal's picture has more than {MAX_PICTURE_BYTES // 1_000_000} MB, and is not fetched.",
        "Find it at fal.ai/dashboard/requests by its id.",
        request_id=job.request_id,
    )


def _gone(job: Job) -> ResultLost:
    return ResultLost("The picture was made, and fal no longer has it.", "Start a new try.", request_id=job.request_id)
