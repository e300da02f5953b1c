"""What is written down of a job: in the job store, so that it is never lost, and in the owner's ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from vton_ui.admission import Admission
from vton_ui.money.budget import Budget
from vton_ui.tryon.backend import Backend
from vton_ui.tryon.job import Job
from vton_ui.tryon.jobs import JobStore, job_store


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What a try-on is done with.

    Attributes:
        backend: Who does it.
        store: The folder that results are kept in.
        budget: Whose money it is; None if nobody's but the visitor's own.
        own_key: Whether the backend runs on a key of the visitor's own, which is not kept anywhere.
        visitor: Who asks for it, or empty: what one uploads is not shared with another.
        admission: The line in which it waits for its turn.
    """

    backend: Backend
    store: Path
    budget: Budget | None = None
    own_key: bool = False
    visitor: str = ""
    admission: Admission = field(default_factory=Admission)

    @property
    def jobs(self) -> JobStore:
        """Where what is ordered is written down."""
        return job_store(self.store)


async def reserved(job: Job, context: RunContext) -> None:
    """The job written down, and then its money set aside. VtonError if that cannot be, or a cap is reached."""
    await context.jobs.add(job)
    if context.budget and job.reservation:
        await context.budget.reserve(job.reservation, job.cost_usd)


async def claimed(job: Job, request_ids: Iterable[str], context: RunContext) -> Job | None:
    """The job with the first of these request ids that no other job has; None if they all have."""
    for request_id in request_ids:
        if await context.jobs.claim(job, request_id):
            return await accepted(job, request_id, context)
    return None


async def accepted(job: Job, request_id: str, context: RunContext) -> Job:
    """The job with the name that fal gave it."""
    if context.budget and job.reservation:
        await context.budget.accept(job.reservation, request_id)
    return replace(job, request_id=request_id)


async def booked(job: Job, context: RunContext, *, free: bool) -> None:
    """Give the money back if fal does not charge for the job, else count it as spent."""
    if context.budget and job.reservation:
        await (context.budget.release if free else context.budget.settle)(job.reservation)


async def unsent(job: Job, context: RunContext) -> None:
    """Nothing of the job reached fal."""
    await unbroken(booked(job, context, free=True))
    await unbroken(context.jobs.drop(job))


async def unbroken(work: Awaitable[None]) -> None:
    """Do something to its end, even if the caller is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
