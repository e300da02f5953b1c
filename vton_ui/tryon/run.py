"""One request, from the click to the picture: prepare → upload → reserve → submit → follow → fetch → keep.

`try_on` and `resume` are async generators of events; the page, the API and the tests consume the same ones. Only `stop`
cancels a job at fal. However else the stream ends (the consumer is cancelled, closes it, or fails), the job runs on and
is remembered: the visitor may come back to it with `resume`, and `reconcile` ends its reservation if nobody does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import Any, TypeVar

from vton_ui.errors import MAY_STILL_BE_HAD, Cost, JobCancelled, JobFailed, SubmitUnclear, VtonError
from vton_ui.models.spec import Inputs, ModelSpec, Value
from vton_ui.money import pricing
from vton_ui.pictures.pool import Unfinished, in_pool
from vton_ui.pictures.prepare import Prepared, prepare
from vton_ui.tryon import booking
from vton_ui.tryon.backend import Backend
from vton_ui.tryon.booking import uninterrupted
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.events import (
    Accepted,
    Cancelled,
    Cancelling,
    Done,
    Event,
    Preparing,
    Progress,
    Recovering,
    Running,
    Submitting,
    Uploading,
    Waiting,
)
from vton_ui.tryon.job import Job, Part
from vton_ui.tryon.look_source import keep_source
from vton_ui.tryon.request import Request, live_price, named
from vton_ui.tryon.results import Result, keep, lost
from vton_ui.tryon.submit import new_job, recover, submit

CANCEL_PATIENCE = 15.0
"""Seconds to wait for fal's answer on a job that was cancelled while it still waited in fal's queue."""

T = TypeVar("T")


async def try_on(
    request: Request, context: RunContext, stop: asyncio.Event | None = None, part: Part | None = None
) -> AsyncGenerator[Event, None]:
    """Run a request.

    Args:
        stop: Set it to cancel; the last event then says what that cost.
        part: What its job is in a plan; None where it comes alone.

    Raises:
        VtonError: It failed; the error says why and what it cost.
    """
    stop = stop or asyncio.Event()
    started_at = time.time()
    try:
        yield Preparing()
        limits = request.model.limits(request.values)
        ready = await unless(stop, prepare(request.person, named(request.garments), limits, request.layout))
        yield Uploading()
        live, *urls = await unless(stop, _upload(request, ready, context))
    except Stopped:
        yield Cancelled(cost=Cost.NOTHING)
        return
    inputs = Inputs(person=urls[0], garment=urls[1], garment_count=len(request.garments), values=request.values)
    arguments = request.model.arguments(inputs)
    job = new_job(request, ready, inputs, arguments, live, started_at, context, part)
    with context.jobs.following(job.id):
        try:
            # Persist before submitting, here and in the browser, so that a crash is recoverable.
            await uninterrupted(booking.reserve(job, context))
            yield Submitting(job=job)
        except BaseException:
            await booking.drop(job, context)
            raise
        if stop.is_set():
            await booking.drop(job, context)
            yield Cancelled(cost=Cost.NOTHING)
            return
        try:
            job = await submit(job, arguments, context)
        except SubmitUnclear:
            pass  # resume recovers it
        else:
            yield Accepted(job=job)
        async with aclosing(resume(job, request.model, context, stop)) as events:
            async for event in events:
                yield event


async def resume(
    job: Job, model: ModelSpec, context: RunContext, stop: asyncio.Event | None = None
) -> AsyncGenerator[Event, None]:
    """The rest of a try-on, from a job that was submitted. Arguments and errors as `try_on`."""
    with context.jobs.following(job.id):
        if not job.request_id:
            yield Recovering()
            job = await recover(job, context)
            yield Accepted(job=job)
        try:
            async with aclosing(_finish(job, model, context, stop or asyncio.Event())) as events:
                async for event in events:
                    if isinstance(event, (Done, Cancelled)):
                        # Book before telling, since the consumer may leave at the last event.
                        free = isinstance(event, Cancelled) and event.cost is Cost.NOTHING
                        await uninterrupted(booking.book(job, context, free=free, kept=isinstance(event, Done)))
                    yield event
        except VtonError as exc:
            kept = isinstance(exc, MAY_STILL_BE_HAD)
            await uninterrupted(booking.book(job, context, free=exc.cost is Cost.NOTHING, kept=kept))
            raise


async def _finish(job: Job, model: ModelSpec, context: RunContext, stop: asyncio.Event) -> AsyncGenerator[Event, None]:
    """The events of an accepted job, until its picture is kept or it is cancelled."""
    cancelling = ran = over = False
    try:
        async with aclosing(_follow(job, context.backend, stop)) as events:
            async for event in events:
                cancelling = cancelling or isinstance(event, Cancelling)
                ran = ran or isinstance(event, Running)
                yield event
                if isinstance(event, Cancelled):
                    return
        over = True
        result = await fetch_result(job, model, context)
    except JobFailed as exc:
        if over and (cancelling or isinstance(exc, JobCancelled)) and not ran:
            exc.cost = Cost.NOTHING  # a cancelled job that never ran is free, whatever fal's error says
        if not cancelling:
            raise
        yield Cancelled(cost=exc.cost, request_id=job.request_id)
        return
    yield Done(result=result)


async def fetch_result(job: Job, model: ModelSpec, context: RunContext) -> Result:
    """The picture of a job that is over, fetched, cut back to its photo and kept. VtonError if there is none."""
    fetched = await context.backend.fetch(job, model.read)
    try:
        result = await in_pool(keep, fetched.picture, fetched.answer, job_facts(job), job.frame, context.store)
    except Unfinished as exc:
        raise lost("The picture took too long to save.", job.request_id) from exc
    if job.source:
        await asyncio.to_thread(keep_source, job.source, result.path)
    await context.jobs.keep(job.request_id, result.path)
    return result


def job_facts(job: Job) -> dict[str, Value]:
    """What a result says about its making: for the page, the API and the file itself."""
    return {
        "model": job.model,
        "endpoint": job.endpoint,
        "request_id": job.request_id,
        "seed": job.seed,
        "seconds": round(max(0.0, time.time() - job.started_at), 1),
        "cost_usd": job.cost_usd,
        "prompt": job.prompt,
        "sandbox": job.sandbox,
    }


class Stopped(Exception):
    """`stop` was set before anything was submitted."""


async def _upload(request: Request, ready: Prepared, context: RunContext) -> tuple[pricing.UnitPrice | None, str, str]:
    """The live price, where one is needed, and the URLs of person and garment."""
    backend, visitor = context.backend, context.visitor
    return await asyncio.gather(
        live_price(request.model, backend),
        backend.upload(ready.person.jpeg, role="person", visitor=visitor),
        backend.upload(ready.garment.jpeg, role="garment", visitor=visitor),
    )


async def _follow(job: Job, backend: Backend, stop: asyncio.Event) -> AsyncGenerator[Event, None]:
    """The backend's events; on `stop` the job is cancelled at fal, and still followed until fal says how it ended."""
    stopped = asyncio.ensure_future(stop.wait())
    upcoming: asyncio.Future[Progress | None] | None = None
    waiting, deadline, accepted, still_waiting = True, None, False, False
    async with aclosing(backend.follow(job)) as events:
        try:
            while True:
                upcoming = upcoming or asyncio.ensure_future(anext(events, None))
                watched: set[asyncio.Future[Any]] = {upcoming, stopped} if deadline is None else {upcoming}
                # Only a job that still waits is left after a while: one that runs is paid for, and worth waiting for.
                patience = deadline - time.monotonic() if deadline is not None and waiting else None
                done, _ = await asyncio.wait(watched, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    cost = Cost.NOTHING if accepted and still_waiting else Cost.MAYBE
                    yield Cancelled(cost=cost, request_id=job.request_id)
                    return
                if stopped in done and deadline is None:
                    # Cancel before telling, since the consumer may leave at this event.
                    accepted = await backend.cancel(job)
                    deadline = time.monotonic() + CANCEL_PATIENCE
                    yield Cancelling()
                    continue
                event, upcoming = upcoming.result(), None
                if event is None:
                    return
                waiting = isinstance(event, Waiting)
                still_waiting = waiting and deadline is not None and (event.fresh or still_waiting)
                yield event
        finally:
            stopped.cancel()
            if upcoming is not None:
                upcoming.cancel()
                await asyncio.wait({upcoming})


async def unless(stop: asyncio.Event, work: Awaitable[T]) -> T:
    """The outcome of `work`, unless `stop` is set first: then the work is cancelled, and Stopped raised."""
    task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            raise Stopped
        return task.result()
    finally:
        task.cancel()
        stopped.cancel()
