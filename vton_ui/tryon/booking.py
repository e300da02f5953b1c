"""Writes down what becomes of a job: in the job store, so that it is never lost, and in the owner's budget."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import replace
from decimal import Decimal

from vton_ui.tryon.context import RunContext
from vton_ui.tryon.job import Job


async def reserve(job: Job, context: RunContext) -> None:
    """Store the job, then reserve its cost. VtonError if it cannot be stored, or a cap is reached."""
    await context.jobs.add(job)
    if context.budget and job.reservation:
        cost = None if job.cost_usd is None else Decimal(job.cost_usd)
        await context.budget.reserve([{job.reservation: cost}])


async def claim(job: Job, request_ids: Iterable[str], context: RunContext) -> Job | None:
    """The job with the first of these request ids that no other job has; None if others have them all."""
    for request_id in request_ids:
        if await context.jobs.claim(job, request_id):
            return await accept(job, request_id, context)
    return None


async def accept(job: Job, request_id: str, context: RunContext) -> Job:
    """The job with its request id, after the budget was told of it."""
    if context.budget and job.reservation:
        await context.budget.accept(job.reservation, request_id)
    return replace(job, request_id=request_id)


async def book(job: Job, context: RunContext, *, free: bool, kept: bool = True) -> None:
    """End the reservation: release it if fal does not charge for the job, else count it as spent.

    Args:
        free: Whether fal does not charge for it.
        kept: Whether its browser can still come back to it.
    """
    if context.budget and job.reservation:
        await (context.budget.release if free else context.budget.settle)(job.reservation)
    if not kept:
        await context.jobs.end([job.id])


async def drop(job: Job, context: RunContext) -> None:
    """Forget a job of which nothing reached fal, and release its reservation."""
    await uninterrupted(book(job, context, free=True))
    await uninterrupted(context.jobs.drop(job))


async def uninterrupted(work: Awaitable[None]) -> None:
    """Finish `work`, even if the caller is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
