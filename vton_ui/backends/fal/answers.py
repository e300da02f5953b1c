"""fal's HTTP answers, read without trust: their JSON, the errors they stand for, and when to believe them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from vton_ui.backends.fal import errors
from vton_ui.errors import FalError
from vton_ui.tryon.job import Job

FAILURES_BELIEVED = 3
"""How often in a row fal must say that it does not know a key, a job or a file: once may be a passing fault."""
RETRY_SECONDS = 0.5
"""Before the first retry of whatever may be retried."""
SILENCE_SECONDS = 120.0
"""How long fal may be unreachable or give malformed answers about a job before we stop asking."""


class FailureStreak:
    """Counts the answers in a row that say: unknown key, job or file."""

    def __init__(self) -> None:
        self._length = 0

    def confirmed(self, response: httpx.Response) -> bool:
        """Count this answer. True if the streak is now long enough to be believed."""
        self._length = self._length + 1 if response.status_code in (401, 404) else 0
        return self._length >= FAILURES_BELIEVED


def body(response: httpx.Response) -> Mapping[str, Any]:
    """The JSON object of an answer; empty if it is none."""
    try:
        read = response.json()
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def translated(response: httpx.Response, job: Job | None = None) -> FalError:
    """The error that an answer stands for."""
    return errors.translate(
        response.status_code,
        body(response) or None,
        header_type=response.headers.get("x-fal-error-type"),
        request_id=job.request_id if job else None,
    )


def is_final(response: httpx.Response) -> bool:
    """Whether an error is about the job itself, and not about the connection to it."""
    if response.status_code in (401, 403, 404, 408, 429):
        return False
    # A 400 without a type of fal's says that the job is not over yet: its status came before its result.
    if response.status_code < 500 and response.status_code != 400:
        return not response.is_success
    return errors.is_final_error(body(response) or None, response.headers.get("x-fal-error-type"))


def announced_bytes(response: httpx.Response) -> int:
    """The size of an answer that is still to be read; 0 if unknown."""
    size = response.headers.get("content-length", "")
    return int(size) if size.isdecimal() else 0
