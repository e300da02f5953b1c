"""Who runs a job: the Backend protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from vton_ui.models.spec import Answer
from vton_ui.money.pricing import UnitPrice
from vton_ui.tryon.events import Progress
from vton_ui.tryon.job import Job


@dataclass(frozen=True, kw_only=True)
class Over:
    """The job is over, well or badly; `ran`: it was at work, as far as fal tells."""

    ran: bool


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

    async def find_lost_job(self, job: Job) -> list[str] | None:
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
