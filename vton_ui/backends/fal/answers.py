"""fal's answers over HTTP, read without trust: their JSON, the errors they stand for, and how far to believe them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from vton_ui.backends.fal import errors
from vton_ui.errors import FalError
from vton_ui.tryon.job import Job

FAILURES_BELIEVED = 3
"""How often in a row fal has to say that it does not know a key, a job or a file: once may be a hiccup."""


class FailureStreak:
    """What fal says of a key, a job or a file that it does not know; heard often enough, it is believed."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def confirmed(self, response: httpx.Response) -> bool:
        """Whether this answer is the one too many."""
        self._in_a_row = self._in_a_row + 1 if response.status_code in (401, 404) else 0
        return self._in_a_row >= FAILURES_BELIEVED


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


def is_last_word(response: httpx.Response) -> bool:
    """Whether an error answers for the job itself, rather than for the way to it."""
    if response.status_code in (401, 403, 404, 408, 429):
        return False
    # A 400 without a type of fal's says that the job is not over yet: its status was ahead of its result.
    if response.status_code < 500 and response.status_code != 400:
        return not response.is_success
    return errors.is_final(body(response) or None, response.headers.get("x-fal-error-type"))


def announced_bytes(response: httpx.Response) -> int:
    """The size of an answer that is still to be read; 0 if it is not told."""
    size = response.headers.get("content-length", "")
    return int(size) if size.isdecimal() else 0
