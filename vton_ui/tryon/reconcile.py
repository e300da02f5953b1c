"""Ends reservations that were left open: fal is asked what became of the job, and the money is settled or released.

A visitor closes the tab, a server is killed, an answer is lost: until this runs, the reservation counts against the
caps.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping

from vton_ui.errors import Cost, FalError, JobCancelled, JobFailed, KeyRefused, VtonError
from vton_ui.models.spec import ModelSpec
from vton_ui.tryon import booking
from vton_ui.tryon.backend import Over
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.job import Job

EVERY_SECONDS = 180.0
YOUNG_SECONDS = 300.0
"""Younger reservations are left alone: their jobs may be under way, in another process of this server too."""
GONE_SECONDS = 3600.0
"""Age of a job that fal no longer keeps, if it ever had it."""
OLDEST_SECONDS = 2 * 24 * 3600.0
"""Older reservations are left alone: no cap counts them any more."""

_log = logging.getLogger(__name__)


Models = Mapping[str, ModelSpec]


async def keep_reconciled(models: Models, context: RunContext, keep_hours: float) -> None:
    """Reconcile now and every few minutes, and delete expired jobs."""
    while True:
        try:
            await reconcile(models, context)
            await context.jobs.expire(keep_hours)
        except Exception as exc:
            _log.error("reservations: %s", type(exc).__name__)  # the next round may fare better
        await asyncio.sleep(EVERY_SECONDS)


async def reconcile(models: Models, context: RunContext) -> None:
    """End every reservation whose job is over; one whose job is unknown or under way stays.

    Args:
        context: The one of a request that the owner pays.
    """
    if context.budget is None:
        return
    now = time.time()
    for reservation in await context.budget.unsettled(now - OLDEST_SECONDS, now - YOUNG_SECONDS):
        if context.jobs.is_followed(reservation):
            continue
        record = await context.jobs.get(reservation)
        try:
            if record is None:
                # Of a plan that was cut short. Without a trace of the job, money goes on counting as spent.
                if await context.jobs.is_unsent(reservation):
                    await context.budget.release(reservation)
            elif record.may_be_submitted:
                await _end(record.job, models, context)
            else:
                await booking.drop(record.job, context)
        except VtonError as exc:
            _log.info("reservation: %s", type(exc).__name__)


async def _end(job: Job, models: Models, context: RunContext) -> None:
    """End the reservation of a job that may have been submitted, if its end is known. FalError if fal does not say."""
    gone = time.time() - job.submitted_at > GONE_SECONDS
    if not job.request_id:
        if job.private:
            return  # fal does not list it
        found = await context.backend.find_lost_job(job)
        if found is None:
            return
        if not found and gone:
            await booking.drop(job, context)
        claim = await booking.claim(job, found, context)
        if claim is None:
            return
        job = claim
    else:
        await booking.accept(job, job.request_id, context)
    free = await _free(job, models, context, gone=gone)
    if free is not None:
        await booking.book(job, context, free=free)


async def _free(job: Job, models: Models, context: RunContext, *, gone: bool) -> bool | None:
    """Whether fal charges nothing for a job; None as long as that is open. FalError if fal does not say."""
    model = models.get(job.model)
    try:
        status = await context.backend.status(job)
    except JobFailed:
        return False if gone else None  # fal did accept it, so one 404 may be a passing fault
    if model is None or not isinstance(status, Over):
        return None
    try:
        await context.backend.fetch(job, model.read)
    except KeyRefused:
        return None
    except FalError as exc:
        # A cancelled job that never ran is free.
        return exc.cost is Cost.NOTHING or (isinstance(exc, JobCancelled) and not status.ran)
    return False
