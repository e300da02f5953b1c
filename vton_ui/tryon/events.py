"""What happens to a job: types only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from vton_ui.errors import Cost, VtonError
from vton_ui.tryon.job import Job
from vton_ui.tryon.results import Result


@dataclass(frozen=True, kw_only=True)
class Preparing:
    """The photos are being made ready."""


@dataclass(frozen=True, kw_only=True)
class Uploading:
    """The pictures are on their way to fal."""


@dataclass(frozen=True, kw_only=True)
class Submitting:
    """The order is about to go out; from here on fal may know of it."""

    job: Job


@dataclass(frozen=True, kw_only=True)
class Recovering:
    """The answer to an order was lost; it is being looked for among fal's requests."""


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """fal has taken the job. From here on it may cost money."""

    job: Job


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The job is in fal's queue; `position` 0 is next, None is unknown. `seconds` count from the click.

    Not `fresh`: nothing was heard since the last event, only time has passed.
    """

    position: int | None
    seconds: float
    fresh: bool = True


@dataclass(frozen=True, kw_only=True)
class Running:
    """The model is at work; `step` of `steps` where its log tells them, and else the log's last line.

    `seconds` and `fresh` as in Waiting.
    """

    step: int | None
    steps: int | None
    seconds: float
    log: str | None = None
    fresh: bool = True


@dataclass(frozen=True, kw_only=True)
class Cancelling:
    """fal was asked to cancel; the last word is still to come."""


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """It was cancelled, and this is what that did to the bill."""

    cost: Cost
    request_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Done:
    """The picture is kept."""

    result: Result


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The error that ended one of several streams (see `streams.merged`); one alone raises it."""

    error: VtonError


Progress = Union[Waiting, Running]
Event = Union[Preparing, Uploading, Submitting, Recovering, Accepted, Waiting, Running, Cancelling, Cancelled, Done]
