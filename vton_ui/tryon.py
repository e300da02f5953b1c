"""One try-on, from the click to the picture: prepare → upload → reserve → submit → follow → keep.

`try_on` and `resume` are async generators of events; the page, the API and the tests consume the same ones.
Cancelling them cancels the job at fal; merely dropping them leaves it running, for the visitor may come back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from vton_ui import pricing
from vton_ui.admission import Admission
from vton_ui.ahead import prepared
from vton_ui.errors import Cost, FalError, JobFailed, ResultLost, SubmitUnclear, VtonError
from vton_ui.job import (
    Accepted,
    Backend,
    Cancelled,
    Cancelling,
    Done,
    Event,
    Job,
    Looking,
    Ordering,
    Preparing,
    Progress,
    Purse,
    Running,
    Uploading,
    Waiting,
)
from vton_ui.pool import Unfinished, in_pool
from vton_ui.prepare import Prepared
from vton_ui.request import Request, live_price
from vton_ui.results import keep
from vton_ui.spec import Inputs, ModelSpec, Value

CANCEL_PATIENCE = 15.0
"""Seconds to wait for fal's last word on a job that was cancelled while it still waited in line."""
LOOKS = (0.5, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each look for an order whose answer was lost: fal sorts its list of requests by their end, so it
may not show one before that."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Means:
    """What a try-on is done with.

    Attributes:
        backend: Who does it.
        store: The folder that results are kept in.
        purse: Whose money it is; None if nobody's but the visitor's own.
        own_key: Whether the backend runs on a key of the visitor's own, which is not kept anywhere.
        admission: The line in which it waits for its turn.
    """

    backend: Backend
    store: Path
    purse: Purse | None = None
    own_key: bool = False
    admission: Admission = field(default_factory=Admission)


async def try_on(request: Request, means: Means, *, stop: asyncio.Event | None = None) -> AsyncGenerator[Event, None]:
    """One try-on.

    Args:
        request: What to do.
        means: What to do it with.
        stop: Set it to cancel; the last event then says how that went.

    Raises:
        VtonError: It failed; the error says why and what it cost.
    """
    stop = stop or asyncio.Event()
    started_at = time.time()
    try:
        yield Preparing()
        await _unless(stop, means.admission.turn())
        ready = await _unless(stop, prepared(request))
        yield Uploading()
        live, *urls = await _unless(stop, _upload(request, ready, means.backend))
    except _Stopped:
        yield Cancelled(cost=Cost.NOTHING)
        return
    arguments = request.model.arguments(
        Inputs(person=urls[0], garment=urls[1], garment_count=len(request.garments), values=request.values)
    )
    job = await _reserved(_job(request, ready, arguments, live, started_at, means), means.purse)
    # Before it goes out, so that whoever is told of it can look for it should this process die on the spot.
    try:
        yield Ordering(job=job)
    except GeneratorExit:
        await _booked(job, means.purse, free=True)
        raise
    try:
        job = await _order(job, arguments, means)
    except SubmitUnclear:
        yield Looking()
        job = await _found(job, means)
    yield Accepted(job=job)
    async with aclosing(resume(job, request.model, means, stop=stop)) as events:
        async for event in events:
            yield event


async def resume(
    job: Job, model: ModelSpec, means: Means, *, stop: asyncio.Event | None = None
) -> AsyncGenerator[Event, None]:
    """The rest of a try-on, from a job that was ordered. Arguments and errors as `try_on`."""
    stop = stop or asyncio.Event()
    if not job.request_id:
        yield Looking()
        job = await _found(job, means)
        yield Accepted(job=job)
    try:
        async with aclosing(_finish(job, model, means, stop)) as events:
            async for event in events:
                if isinstance(event, (Done, Cancelled)):
                    await _booked(job, means.purse, free=isinstance(event, Cancelled) and event.cost is Cost.NOTHING)
                yield event
    except VtonError as exc:
        await _booked(job, means.purse, free=exc.cost is Cost.NOTHING)
        raise


async def _finish(job: Job, model: ModelSpec, means: Means, stop: asyncio.Event) -> AsyncGenerator[Event, None]:
    """The events of an accepted job, to its picture or to its cancelling."""
    backend = means.backend
    asked = ran = over = False
    try:
        async with aclosing(_follow(job, backend, stop)) as events:
            async for event in events:
                asked = asked or isinstance(event, Cancelling)
                ran = ran or isinstance(event, Running)
                yield event
                if isinstance(event, Cancelled):
                    return
        over = True
        fetched = await backend.fetch(job, model.read)
    except JobFailed as exc:
        if not asked:
            raise
        # What is over and never ran is free, whatever the words of its end.
        yield Cancelled(cost=Cost.NOTHING if over and not ran else exc.cost, request_id=job.request_id)
        return
    except asyncio.CancelledError:
        await asyncio.shield(backend.cancel(job))
        raise
    try:
        result = await in_pool(keep, fetched.picture, fetched.answer, job_facts(job), job.frame, means.store)
    except Unfinished as exc:
        raise ResultLost(
            "The picture took too long to save.",
            "Fetch the request again by its id; that costs nothing.",
            request_id=job.request_id,
        ) from exc
    yield Done(result=result)


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


async def _upload(request: Request, ready: Prepared, backend: Backend) -> tuple[pricing.UnitPrice | None, str, str]:
    """The live price, where one is needed, and the URLs of person and garment."""
    return await asyncio.gather(
        live_price(request.model, backend),
        backend.upload(ready.person.jpeg, role="person"),
        backend.upload(ready.garment.jpeg, role="garment"),
    )


def _job(
    request: Request,
    ready: Prepared,
    arguments: Mapping[str, Any],
    live: pricing.UnitPrice | None,
    started_at: float,
    means: Means,
) -> Job:
    """The job as it is about to be ordered, without a request id."""
    model, size, sandbox = request.model, ready.person.size, means.backend.sandbox
    cost = pricing.estimate(model, person=size, garment=ready.garment.size, output=size, live=live).total
    return Job(
        model=model.name,
        endpoint=model.endpoint,
        request_id="",
        seed=int(request.values["seed"] or 0),
        prompt=arguments.get("prompt"),
        cost_usd="0" if sandbox else None if cost is None else str(cost),
        started_at=started_at,
        frame=ready.person.frame,
        sandbox=sandbox,
        own_key=means.own_key,
        private=request.private,
        reservation=None,
    )


async def _order(job: Job, arguments: Mapping[str, Any], means: Means) -> Job:
    """Send the order, once.

    Raises:
        SubmitUnclear: It may have arrived.
        FalError: It did not.
    """
    # An order on the wire is not taken back by dropping it: let it land, so that it can be cancelled.
    order = asyncio.ensure_future(_landed(job, arguments, means))
    try:
        return await asyncio.shield(order)
    except asyncio.CancelledError:
        with suppress(FalError):  # then there is no job to cancel, or nobody knows of one
            await means.backend.cancel(await order)
        raise


async def _landed(job: Job, arguments: Mapping[str, Any], means: Means) -> Job:
    """The order sent and booked. Raises as `_order`."""
    try:
        request_id = await means.backend.submit(job.endpoint, arguments, private=job.private)
    except SubmitUnclear:
        raise
    except FalError:
        await _booked(job, means.purse, free=True)
        raise
    return await _accepted(job, request_id, means.purse)


async def _found(job: Job, means: Means) -> Job:
    """An order whose answer was lost, found among fal's requests.

    Raises:
        SubmitUnclear: It is not there, or nobody can tell.
    """
    for pause in LOOKS if not job.private else ():
        await asyncio.sleep(pause)
        request_id = await means.backend.look(job)
        if request_id:
            return await _accepted(job, request_id, means.purse)
    raise SubmitUnclear(
        "fal may have accepted this: the order went out and no answer came back. It was not sent again.",
        "Look again in a moment, or send it again as a new order.",
    )


async def _reserved(job: Job, purse: Purse | None) -> Job:
    """The job with its money set aside. OverBudget if a cap is reached."""
    return replace(job, reservation=await purse.reserve(job.cost_usd)) if purse else job


async def _accepted(job: Job, request_id: str, purse: Purse | None) -> Job:
    """The job with the name that fal gave it."""
    if purse and job.reservation:
        await purse.accept(job.reservation, request_id)
    return replace(job, request_id=request_id)


async def _booked(job: Job, purse: Purse | None, *, free: bool) -> None:
    """Give the money back if fal does not charge for the job, else count it as spent."""
    if purse and job.reservation:
        await (purse.release if free else purse.settle)(job.reservation)


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
