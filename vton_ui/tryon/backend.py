"""The Backend protocol: what runs jobs."""

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
    """The job is over, with or without a result. `ran`: the model was at work, as far as fal says."""

    ran: bool


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A job's result: the picture's bytes and what the model said about it."""

    picture: bytes
    answer: Answer


class Backend(Protocol):
    """What runs a model: fal, or the sandbox on this machine. It raises only our own errors."""

    @property
    def sandbox(self) -> bool:
        """Whether its pictures are drafts, made on this machine and free."""

    async def upload(self, jpeg: bytes, *, role: str, visitor: str = "") -> str:
        """Store a picture; its URL, which no other visitor gets. The same bytes of a visitor are not sent twice."""

    async def submit(self, endpoint: str, arguments: Mapping[str, Any], *, private: bool = False) -> str:
        """Submit a job, in one attempt; its request id. `private`: the backend shall store no record of it.

        Raises:
            Unreachable: Nothing was sent.
            SubmitUnclear: It may have been accepted.
        """

    async def find_lost_job(self, job: Job) -> list[str] | None:
        """The request ids that a job whose answer was lost can have, the likeliest first; None if that is unknown."""

    async def status(self, job: Job) -> Progress | Over:
        """How the job is going, asked once.

        Raises:
            JobFailed: The job is unknown.
            FalError: The status cannot be had.
        """

    def follow(self, job: Job) -> AsyncGenerator[Progress, None]:
        """What happens to the job, until it is over."""

    async def fetch(self, job: Job, read: Callable[[Mapping[str, Any]], Answer]) -> Fetched:
        """The result of a job that is over."""

    async def cancel(self, job: Job) -> bool:
        """Cancel the job; it may complete all the same. Whether the backend accepted the call."""

    async def price(self, endpoint: str) -> UnitPrice | None:
        """The endpoint's live price; None if unknown."""
