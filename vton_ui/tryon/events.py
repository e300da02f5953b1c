"""What happens to a job: types only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from vton_ui.errors import Cost, VtonError
from vton_ui.tryon.job import Job
from vton_ui.tryon.results import Result


@dataclass(frozen=True, kw_only=True)
class Preparing:
    """The photos are being prepared."""


@dataclass(frozen=True, kw_only=True)
class Uploading:
    """The pictures are being uploaded."""


@dataclass(frozen=True, kw_only=True)
class Submitting:
    """The job is about to be submitted; from here on fal may know of it."""

    job: Job


@dataclass(frozen=True, kw_only=True)
class Recovering:
    """fal's answer to a submitted job was lost; the job is searched for in fal's list of requests."""


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """fal has accepted the job. From here on it may cost money."""

    job: Job


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The job is in fal's queue; `position` 0 is next, None is unknown. `seconds` count from the click.

    Not `fresh`: fal said nothing since the last event, only time has passed.
    """

    position: int | None
    seconds: float
    fresh: bool = True


@dataclass(frozen=True, kw_only=True)
class Running:
    """The model is at work; `step` of `steps` where its log has them, and else the log's last line.

    `seconds` and `fresh` as in Waiting.
    """

    step: int | None
    steps: int | None
    seconds: float
    log: str | None = None
    fresh: bool = True


@dataclass(frozen=True, kw_only=True)
class Cancelling:
    """fal was asked to cancel; how the job ends is still open."""


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """The job was cancelled; `cost` is what it cost all the same."""

    cost: Cost
    request_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """Nothing was sent: the item before, whose picture this one needs, did not end in a picture."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """The picture is finished and kept."""

    result: Result


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The error that ended one of several streams (see `streams.merged`); one alone raises it."""

    error: VtonError


Progress = Union[Waiting, Running]
Last = Union[Cancelled, Skipped, Done]
"""What a stream ends with, unless it fails."""
Event = Union[Preparing, Uploading, Submitting, Recovering, Accepted, Progress, Cancelling, Last]
