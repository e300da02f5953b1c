"""What fal accepted, what happens to it, and who does the work: types only."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Union

from vton_ui.errors import Cost
from vton_ui.framing import Frame
from vton_ui.pricing import UnitPrice
from vton_ui.results import Result
from vton_ui.spec import Answer

LOST_SECONDS = 600.0
"""How long after an order its answer can be lost, rather than late: no request of ours takes longer to go out."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What was ordered, and what is needed to finish it; small and plain enough to keep in a browser.

    Attributes:
        id: Our own name for it, which it has before fal knows of it.
        request_id: fal's name for it; empty until fal's answer is in.
        cost_usd: The estimate, in dollars; None where the price is unknown.
        started_at: When the visitor clicked, in seconds since 1970.
        ordered_at: Just before the order went out, in seconds since 1970.
        photo_url: Where the person's photo lies at fal, which no two visitors share; empty where unknown.
        frame: Where the photo lies in the picture; None where nobody knows any more.
        own_key: Whether it was paid with a key of the visitor's own.
        private: Whether fal was told to store no record of it, so that it cannot be looked for.
        reservation: Its line in the ledger, where there is one.
    """

    id: str
    model: str
    endpoint: str
    request_id: str
    seed: int | None
    prompt: str | None
    cost_usd: str | None
    started_at: float
    ordered_at: float
    photo_url: str
    frame: Frame | None
    sandbox: bool
    own_key: bool
    private: bool
    reservation: str | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Job:
        """From `to_dict`. TypeError or KeyError if it is not one."""
        frame, started_at = data["frame"], data["started_at"]
        # Browsers still keep jobs from before these had a place.
        added = {"id": f"{started_at} {data['seed']}", "ordered_at": started_at, "photo_url": ""}
        return cls(**{**added, **data, "frame": Frame(**frame) if frame else None})


@dataclass(frozen=True, kw_only=True)
class Preparing:
    """The photos are being made ready."""


@dataclass(frozen=True, kw_only=True)
class Uploading:
    """The pictures are on their way to fal."""


@dataclass(frozen=True, kw_only=True)
class Ordering:
    """The order is about to go out; from here on fal may know of it."""

    job: Job


@dataclass(frozen=True, kw_only=True)
class Looking:
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
class Over:
    """The job is over, well or badly; `ran`: it was at work, as far as fal tells."""

    ran: bool


Progress = Union[Waiting, Running]
Event = Union[Preparing, Uploading, Ordering, Looking, Accepted, Waiting, Running, Cancelling, Cancelled, Done]


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

    async def upload(self, jpeg: bytes, *, role: str, visitor: str = "") -> str:
        """Store a picture; its URL, which no other visitor's picture has. A visitor's bytes are not sent twice."""
        ...

    async def submit(self, endpoint: str, arguments: Mapping[str, Any], *, private: bool = False) -> str:
        """Order the job, in one attempt; its request id. `private`: nothing of it is to be stored.

        Raises:
            Unreachable: Nothing was sent.
            SubmitUnclear: It may have been accepted.
        """
        ...

    async def look(self, job: Job) -> list[str] | None:
        """The request ids that an order whose answer was lost can have, the likeliest first; None: nobody tells."""
        ...

    async def status(self, job: Job) -> Progress | Over:
        """How the job is going, asked once.

        Raises:
            JobFailed: It is unknown.
            FalError: Nobody tells.
        """
        ...

    def follow(self, job: Job) -> AsyncGenerator[Progress, None]:
        """What happens to the job, until it is over."""
        ...

    async def fetch(self, job: Job, read: Callable[[Mapping[str, Any]], Answer]) -> Fetched:
        """The outcome of a job that is over."""
        ...

    async def cancel(self, job: Job) -> bool:
        """Ask for the job to be cancelled; it may complete all the same. Whether the wish was heard."""
        ...

    async def price(self, endpoint: str) -> UnitPrice | None:
        """The endpoint's live price, None where nobody can tell."""
        ...


class Purse(Protocol):
    """The owner's money: what is set aside for a job counts against the caps until it is given back."""

    async def reserve(self, name: str, cost_usd: str | None) -> None:
        """Set money aside under a name; None is an unknown price. OverBudget if a cap is reached."""
        ...

    async def accept(self, reservation: str, request_id: str) -> None:
        """fal took the job."""
        ...

    async def settle(self, reservation: str) -> None:
        """It is spent."""
        ...

    async def release(self, reservation: str) -> None:
        """fal does not charge it."""
        ...

    async def unsettled(self, since: float, before: float) -> list[str]:
        """All visitors' reservations of a span of time, in seconds since 1970, whose end is open."""
        ...
