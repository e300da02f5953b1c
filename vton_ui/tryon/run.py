"""One try-on, from the click to the picture: prepare → upload → reserve → submit → follow → keep.

`try_on` and `resume` are async generators of events; the page, the API and the tests consume the same ones.
Cancelling them cancels the job at fal, and books what that cost; merely dropping them leaves it running, for the
visitor may come back. What is then still reserved, `reconcile` settles or gives back.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any, TypeVar

from vton_ui.errors import Cost, JobCancelled, JobFailed, ResultLost, SubmitUnclear, VtonError
from vton_ui.models.spec import Inputs, ModelSpec, Value
from vton_ui.money import pricing
from vton_ui.pictures.pool import Unfinished, in_pool
from vton_ui.pictures.prepare import Prepared, prepare
from vton_ui.tryon.backend import Backend
from vton_ui.tryon.context import RunContext, accepted, booked, claimed, reserved, unbroken, unsent
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
from vton_ui.tryon.job import LOST_SECONDS, Job
from vton_ui.tryon.request import Request, live_price, named
from vton_ui.tryon.results import Result, keep

CANCEL_PATIENCE = 15.0
"""Seconds to wait for fal's last word on a job that was cancelled while it still waited in line."""
LOOKS = (0.5, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each look for an order whose answer was lost: fal sorts its list of requests by their end, so it
may not show one before that."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


async def try_on(
    request: Request, context: RunContext, *, stop: asyncio.Event | None = None
) -> AsyncGenerator[Event, None]:
    """One try-on.

    Args:
        request: What to do.
        context: What to do it with.
        stop: Set it to cancel; the last event then says how that went.

    Raises:
        VtonError: It failed; the error says why and what it cost.
    """
    stop = stop or asyncio.Event()
    started_at = time.time()
    try:
        yield Preparing()
        await _unless(stop, context.admission.turn())
        limits = request.model.limits(request.values)
        ready = await _unless(stop, prepare(request.person, named(request.garments), limits))
        yield Uploading()
        live, *urls = await _unless(stop, _upload(request, ready, context))
    except _Stopped:
        yield Cancelled(cost=Cost.NOTHING)
        return
    arguments = request.model.arguments(
        Inputs(person=urls[0], garment=urls[1], garment_count=len(request.garments), values=request.values)
    )
    job = _job(request, ready, arguments, live, started_at, context, urls[0])
    with context.jobs.following(job.id):
        try:
            # Before anything goes out, so that a crash is recoverable, here and in the browser.
            await unbroken(reserved(job, context))
            yield Submitting(job=job)
        except BaseException:
            await unsent(job, context)
            raise
        order = asyncio.ensure_future(_ordered(job, arguments, context))
        try:
            # An order on the wire is not taken back by dropping it: it lands, so that it can be cancelled.
            job = await asyncio.shield(order)
        except SubmitUnclear:
            pass  # it is looked for
        except asyncio.CancelledError:
            await _withdrawn(job, request.model, context, order=order)
            raise
        if job.request_id:
            yield Accepted(job=job)
        async with aclosing(resume(job, request.model, context, stop=stop)) as events:
            async for event in events:
                yield event


async def resume(
    job: Job, model: ModelSpec, context: RunContext, *, stop: asyncio.Event | None = None
) -> AsyncGenerator[Event, None]:
    """The rest of a try-on, from a job that was ordered. Arguments and errors as `try_on`."""
    ran = over = False
    with context.jobs.following(job.id):
        try:
            async with aclosing(_rest(job, model, context, stop or asyncio.Event())) as events:
                async for event in events:
                    job = event.job if isinstance(event, Accepted) else job
                    ran = ran or isinstance(event, Running)
                    over = isinstance(event, (Done, Cancelled))
                    yield event
        except asyncio.CancelledError:
            if not over:
                await _withdrawn(job, model, context, ran=ran)
            raise


async def _rest(
    job: Job, model: ModelSpec, context: RunContext, stop: asyncio.Event, *, ran: bool = False
) -> AsyncGenerator[Event, None]:
    """The events of an ordered job, each end booked before it is told."""
    if not job.request_id:
        yield Recovering()
        job = await _found(job, context)
        yield Accepted(job=job)
    try:
        async with aclosing(_finish(job, model, context, stop, ran)) as events:
            async for event in events:
                if isinstance(event, (Done, Cancelled)):
                    free = isinstance(event, Cancelled) and event.cost is Cost.NOTHING
                    await unbroken(booked(job, context, free=free))
                yield event
    except VtonError as exc:
        await unbroken(booked(job, context, free=exc.cost is Cost.NOTHING))
        raise


async def _finish(
    job: Job, model: ModelSpec, context: RunContext, stop: asyncio.Event, ran: bool
) -> AsyncGenerator[Event, None]:
    """The events of an accepted job, to its picture or to its cancelling; `ran`: it was seen at work before."""
    asked = over = False
    try:
        async with aclosing(_follow(job, context.backend, stop)) as events:
            async for event in events:
                asked = asked or isinstance(event, Cancelling)
                ran = ran or isinstance(event, Running)
                yield event
                if isinstance(event, Cancelled):
                    return
        over = True
        result = await kept(job, model, context)
    except JobFailed as exc:
        if over and (asked or isinstance(exc, JobCancelled)) and not ran:
            exc.cost = Cost.NOTHING  # what was cancelled and never ran is free, whatever the words of its end
        if not asked:
            raise
        yield Cancelled(cost=exc.cost, request_id=job.request_id)
        return
    yield Done(result=result)


async def kept(job: Job, model: ModelSpec, context: RunContext) -> Result:
    """The picture of a job that is over, fetched, cut back to its photo and kept. VtonError if there is none."""
    fetched = await context.backend.fetch(job, model.read)
    try:
        result = await in_pool(keep, fetched.picture, fetched.answer, job_facts(job), job.frame, context.store)
    except Unfinished as exc:
        raise ResultLost(
            "The picture took too long to save.",
            "Fetch the request again by its id; that costs nothing.",
            request_id=job.request_id,
        ) from exc
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


class _Stopped(Exception):
    """The visitor cancelled before anything was ordered."""


async def _upload(request: Request, ready: Prepared, context: RunContext) -> tuple[pricing.UnitPrice | None, str, str]:
    """The live price, where one is needed, and the URLs of person and garment."""
    backend, visitor = context.backend, context.visitor
    return await asyncio.gather(
        live_price(request.model, backend),
        backend.upload(ready.person.jpeg, role="person", visitor=visitor),
        backend.upload(ready.garment.jpeg, role="garment", visitor=visitor),
    )


def _job(
    request: Request,
    ready: Prepared,
    arguments: Mapping[str, Any],
    live: pricing.UnitPrice | None,
    started_at: float,
    context: RunContext,
    photo_url: str,
) -> Job:
    """The job as it is about to be ordered, without a request id."""
    name = uuid.uuid4().hex
    model, size, sandbox = request.model, ready.person.size, context.backend.sandbox
    output = model.output_size(request.values) or size
    cost = pricing.estimate(model, person=size, garment=ready.garment.size, output=output, live=live).total
    return Job(
        id=name,
        model=model.name,
        endpoint=model.endpoint,
        request_id="",
        seed=int(request.values["seed"] or 0),
        prompt=arguments.get("prompt"),
        cost_usd="0" if sandbox else None if cost is None else str(cost),
        started_at=started_at,
        ordered_at=time.time(),
        photo_url=photo_url,
        frame=ready.person.frame,
        sandbox=sandbox,
        own_key=context.own_key,
        private=request.private,
        reservation=name if context.budget else None,
    )


async def _ordered(job: Job, arguments: Mapping[str, Any], context: RunContext) -> Job:
    """The job, after its order was sent, once.

    Raises:
        SubmitUnclear: It may have arrived.
        VtonError: It did not.
    """
    try:
        await context.jobs.order(job)
        request_id = await context.backend.submit(job.endpoint, arguments, private=job.private)
    except SubmitUnclear:
        raise
    except VtonError:
        await unsent(job, context)
        raise
    await context.jobs.accept(job, request_id)
    return await accepted(job, request_id, context)


async def _found(job: Job, context: RunContext) -> Job:
    """An order whose answer was lost, found where the answer was written down, or else among fal's requests.

    Raises:
        SubmitUnclear: It is not there, or nobody can tell.
    """
    for pause in (*LOOKS, None):
        record = await context.jobs.get(job.id)
        if record and record.job.request_id:
            return replace(job, request_id=record.job.request_id)
        # A job that is not written down was never sent, and one that is old is not lost.
        lost = record and not job.private and time.time() - job.ordered_at < LOST_SECONDS
        if pause is None or not lost:
            break
        await asyncio.sleep(pause)
        found = await claimed(job, await context.backend.find_lost_job(job) or (), context)
        if found:
            return found
    raise SubmitUnclear(
        "fal may have accepted this: the order went out and no answer came back. It was not sent again.",
        "Look again in a moment, or send it again as a new order.",
    )


_in_background: set[asyncio.Task[None]] = set()
"""asyncio itself does not keep a task alive."""


async def _withdrawn(
    job: Job, model: ModelSpec, context: RunContext, *, ran: bool = False, order: Awaitable[Job] | None = None
) -> None:
    """Cancel a job whose events nobody takes any more, and see it out in the background, as if it had been stopped.

    Returns once fal was asked to cancel, or there is nothing to ask it.

    Args:
        job: The job.
        model: Its model.
        context: What it is done with.
        ran: Whether it was seen at work.
        order: Its order, where that is still on its way.
    """
    asked = asyncio.Event()
    task = asyncio.create_task(_seen_out(job, model, context, ran, order, asked))
    _in_background.add(task)
    task.add_done_callback(_in_background.discard)
    await asked.wait()


async def _seen_out(
    job: Job, model: ModelSpec, context: RunContext, ran: bool, order: Awaitable[Job] | None, asked: asyncio.Event
) -> None:
    stop = asyncio.Event()
    stop.set()
    try:
        with context.jobs.following(job.id):
            with suppress(SubmitUnclear):  # it is looked for
                job = await order if order else job
            async with aclosing(_rest(job, model, context, stop, ran=ran)) as events:
                async for event in events:
                    if isinstance(event, (Recovering, Cancelling)):
                        asked.set()
    except VtonError as exc:
        _log.info("cancelled: %s %s", type(exc).__name__, exc.request_id or "")
    finally:
        asked.set()


async def _follow(job: Job, backend: Backend, stop: asyncio.Event) -> AsyncGenerator[Event, None]:
    """The backend's events; on `stop`, fal is asked to cancel and is still followed to its last word."""
    stopped = asyncio.ensure_future(stop.wait())
    upcoming: asyncio.Future[Progress | None] | None = None
    waiting, deadline, heard, waits_on = True, None, False, False
    async with aclosing(backend.follow(job)) as events:
        try:
            while True:
                upcoming = upcoming or asyncio.ensure_future(anext(events, None))
                watched: set[asyncio.Future[Any]] = {upcoming, stopped} if deadline is None else {upcoming}
                # Only a job that still waits is given up on: one that runs is paid for, and worth waiting for.
                patience = deadline - time.monotonic() if deadline is not None and waiting else None
                done, _ = await asyncio.wait(watched, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    cost = Cost.NOTHING if heard and waits_on else Cost.MAYBE
                    yield Cancelled(cost=cost, request_id=job.request_id)
                    return
                if stopped in done and deadline is None:
                    # Asked before it is told, so that whoever leaves at the word has cancelled.
                    heard = await backend.cancel(job)
                    deadline = time.monotonic() + CANCEL_PATIENCE
                    yield Cancelling()
                    continue
                event, upcoming = upcoming.result(), None
                if event is None:
                    return
                waiting = isinstance(event, Waiting)
                waits_on = waiting and deadline is not None and (event.fresh or waits_on)
                yield event
        finally:
            stopped.cancel()
            if upcoming is not None:
                upcoming.cancel()
                await asyncio.wait({upcoming})


async def _unless(stop: asyncio.Event, work: Awaitable[T]) -> T:
    """The outcome of `work`, unless `stop` is set first: then it is dropped, and _Stopped raised."""
    task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            raise _Stopped
        return task.result()
    finally:
        task.cancel()
        stopped.cancel()
