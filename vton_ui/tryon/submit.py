"""Submits a job, in one attempt, and recovers it if fal's answer was lost."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from vton_ui.errors import SubmitUnclear, VtonError
from vton_ui.models.spec import Inputs
from vton_ui.money import pricing
from vton_ui.pictures.prepare import Prepared
from vton_ui.tryon import booking
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.job import LOST_SECONDS, Job, Part
from vton_ui.tryon.look_source import LookSource, Worn, source_of
from vton_ui.tryon.request import Request, name_of
from vton_ui.tryon.streams import keep_running

RECOVERY_PAUSES = (0.5, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each search for a job whose answer was lost: fal sorts its list of requests by their end, so it may
not show one before that."""


def new_job(
    request: Request,
    ready: Prepared,
    inputs: Inputs,
    arguments: Mapping[str, Any],
    live: pricing.UnitPrice | None,
    started_at: float,
    context: RunContext,
    part: Part | None,
) -> Job:
    """The job that is about to be submitted, without a request id."""
    part = part or Part(id=uuid.uuid4().hex)
    model, size, sandbox = request.model, ready.person.size, context.backend.sandbox
    output = model.output_size(request.values) or size
    cost = pricing.estimate_pictures(model, person=size, garment=ready.garment.size, output=output, live=live).total
    return Job(
        id=part.id,
        model=model.name,
        endpoint=model.endpoint,
        request_id="",
        seed=int(request.values["seed"] or 0),
        prompt=arguments.get("prompt"),
        cost_usd="0" if sandbox else None if cost is None else str(cost),
        started_at=started_at,
        submitted_at=time.time(),
        photo_url=inputs.person,
        garment_url=inputs.garment,
        frame=ready.person.frame,
        sandbox=sandbox,
        own_key=context.own_key,
        private=request.private,
        reservation=part.id if context.budget else None,
        plan=part.plan,
        item=part.item,
        label=part.label,
        step=part.step,
        source=new_source(request, context.store),
    )


def new_source(request: Request, store: Path) -> LookSource:
    """What the look of a request will be made from.

    Where its person is a kept look, it is a further step of that look: it shares the photo, and adds to the garments.

    Args:
        store: The folder of results. What lies beside a photo anywhere else was not written by this app.
    """
    before = source_of(request.person) if request.person.is_relative_to(store) else None
    kind = request.values.get("cloth_type")
    names = request.names or map(name_of, request.garments)
    worn = tuple(
        Worn(path=path, name=name, cloth_type=None if kind is None else str(kind))
        for path, name in zip(request.garments, names, strict=True)
    )
    return LookSource(
        photo=before.photo if before else request.person,
        garments=(*(before.garments if before else ()), *worn),
        model=request.model.name,
        values=request.values,
        private=request.private,
        layout=request.layout,
    )


async def submit(job: Job, arguments: Mapping[str, Any], context: RunContext) -> Job:
    """The job with its request id. A cancelled caller does not interrupt it: fal's answer is still written down.

    Raises:
        SubmitUnclear: fal may have accepted it.
        VtonError: fal did not accept it.
    """
    return await asyncio.shield(keep_running(_submit(job, arguments, context)))


async def _submit(job: Job, arguments: Mapping[str, Any], context: RunContext) -> Job:
    with context.jobs.following(job.id):
        try:
            await context.jobs.submitting(job)
            request_id = await context.backend.submit(job.endpoint, arguments, private=job.private)
        except SubmitUnclear:
            raise
        except VtonError:
            await booking.drop(job, context)
            raise
        await context.jobs.accept(job, request_id)
        return await booking.accept(job, request_id, context)


async def recover(job: Job, context: RunContext) -> Job:
    """A job whose answer was lost, with the request id that is in the job store, or else in fal's list of requests.

    Raises:
        SubmitUnclear: It is in neither, or nobody can tell.
    """
    for pause in (*RECOVERY_PAUSES, None):
        record = await context.jobs.get(job.id)
        if record and record.job.request_id:
            return replace(job, request_id=record.job.request_id)
        # A job that is not in the store was never sent, and one that is old is not lost.
        lost = record and not job.private and time.time() - job.submitted_at < LOST_SECONDS
        if pause is None or not lost:
            break
        await asyncio.sleep(pause)
        found = await booking.claim(job, await context.backend.find_lost_job(job) or (), context)
        if found:
            return found
    raise SubmitUnclear(
        "fal may have accepted this: the order went out and no answer came back. It was not sent again.",
        "Look again in a moment, or send it again as a new order.",
    )
