"""What fal accepted, what happens to it, and who does the work: types only."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Union

from vton_ui.errors import Cost
from vton_ui.photos import Frame
from vton_ui.pricing import UnitPrice
from vton_ui.results import Result
from vton_ui.spec import Answer


@dataclass(frozen=True, kw_only=True)
class Job:
    """What fal accepted, and what is needed to finish it; small and plain enough to keep in a browser."""

    model: str
    endpoint: str
    request_id: str
    seed: int
    prompt: str | None
    cost_usd: str | None
    started_at: float
    frame: Frame
    sandbox: bool

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Job:
        """From `to_dict`. TypeError or KeyError if it is not one."""
        return cls(**{**data, "frame": Frame(**data["frame"])})


@dataclass(frozen=True, kw_only=True)
class Preparing:
    """The photos are being made ready."""


@dataclass(frozen=True, kw_only=True)
class Uploading:
    """The pictures are on their way to fal."""


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """fal has taken the job. From here on it may cost money."""

    job: Job


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The job is in fal's queue; `position` 0 is next, None is unknown. `seconds` count from the click."""

    position: int | None
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Running:
    """The model is at work; `step` of `steps` where its log tells them."""

    step: int | None
    steps: int | None
    seconds: float


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


Progress = Union[Waiting, Running]
Event = Union[Preparing, Uploading, Accepted, Waiting, Running, Cancelling, Cancelled, Done]


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A job's outcome: the picture's bytes and what the model said about it."""

    picture: bytes
    answer: Answer


class Backend(Protocol):
    """Whoever runs the model: fal, or the sandbox on this machine. All of it raises only our own errors."""

    @property
    def sandbox(self) -> bool:
        """Whether its pictures are drafts, made here and free."""
        ...

    async def upload(self, jpeg: bytes, *, role: str) -> str:
        """Store a picture; its URL. The same bytes are not sent twice."""
        ...

    async def submit(self, endpoint: str, arguments: Mapping[str, Any]) -> str:
        """Order the job, in one attempt; its request id.

        Raises:
            Unreachable: Nothing was sent.
            SubmitUnclear: It may have been accepted.
        """
        ...

    def follow(self, job: Job) -> AsyncGenerator[Progress, None]:
        """What happens to the job, until it is over."""
        ...

    async def fetch(self, job: Job, read: Callable[[Mapping[str, Any]], Answer]) -> Fetched:
        """The outcome of a job that is over."""
        ...

    async def cancel(self, job: Job) -> None:
        """Ask for the job to be cancelled; it may complete all the same."""
        ...

    async def price(self, endpoint: str) -> UnitPrice | None:
        """The endpoint's live price, None where nobody can tell."""
        ...
