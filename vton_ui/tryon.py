"""One try-on, from the click to the picture: prepare → upload → submit → follow → keep.

`try_on` and `resume` are async generators of events; the page, the API and the tests consume the same ones.
Cancelling them cancels the job at fal; merely dropping them leaves it running, for the visitor may come back.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from vton_ui import pricing
from vton_ui.errors import Cost, FalError, GarmentsError, JobFailed, PhotoError
from vton_ui.job import (
    Accepted,
    Backend,
    Cancelled,
    Cancelling,
    Done,
    Event,
    Job,
    Preparing,
    Progress,
    Running,
    Uploading,
    Waiting,
)
from vton_ui.options import complete
from vton_ui.photos import fitted, measure
from vton_ui.pool import in_pool
from vton_ui.prepare import Prepared, prepare_garment, prepare_person
from vton_ui.results import keep
from vton_ui.spec import Inputs, ModelSpec, Size, Value, Values

CANCEL_PATIENCE = 15.0
"""Seconds to wait for fal's last word on a job that was cancelled while it still waited in line."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a visitor asks for; its values are checked and its seed is chosen."""

    model: ModelSpec
    person: Path
    garments: tuple[Path, ...]
    values: Values


def new_request(model: ModelSpec, person: Path | None, garments: Sequence[Path], given: Mapping[str, Any]) -> Request:
    """A request, checked as far as it can be without decoding a photo; a missing seed is chosen here.

    Raises:
        InputError: A photo is missing, there are too many garments, or a setting is out of range.
    """
    if person is None:
        raise PhotoError("There is no photo of a person yet.", "Add one.", slot="Person")
    if not garments:
        raise GarmentsError("There is no garment yet.", "Add a photo of one.", slot="Garments")
    if len(garments) > model.max_garments:
        raise GarmentsError(
            f"{model.title} takes {model.max_garments} at most, and there are {len(garments)} garments.",
            f"Take {len(garments) - model.max_garments} away, or choose a model that takes more.",
            slot="Garments",
        )
    values = complete(model, given)
    if values.get("seed") is None:
        values["seed"] = random.SystemRandom().randrange(2**31)
    return Request(model=model, person=person, garments=tuple(garments), values=values)


def estimate(request: Request, live: pricing.UnitPrice | None = None) -> pricing.Estimate:
    """What the request will cost, from the photos' headers alone; the sizes are those `prepare` sends.

    Raises:
        PhotoError: A photo cannot be used.
    """
    model, values = request.model, request.values
    fixed = model.output_size(values)
    person = fixed or fitted(measure(request.person, slot="Person"), model.person_pixels(values))
    garments = [measure(path, slot=slot) for path, slot in named(request.garments)]
    limit = model.garment_pixels(values)
    # A sheet fills its limit at most, whatever is on it, and limits are whole steps of the price.
    garment = fixed or (fitted(garments[0], limit) if len(garments) == 1 else Size(limit, 1))
    return pricing.estimate(model, person=person, garment=garment, output=person, live=live)


def named(garments: Sequence[Path]) -> list[tuple[Path, str]]:
    """Every garment with the name of its slot."""
    if len(garments) == 1:
        return [(garments[0], "Garment")]
    return [(path, f"Garment {number}") for number, path in enumerate(garments, 1)]


async def try_on(
    request: Request, backend: Backend, *, store: Path, stop: asyncio.Event | None = None
) -> AsyncGenerator[Event, None]:
    """One try-on.

    Args:
        request: What to do.
        backend: Who does it.
        store: The folder that results are kept in.
        stop: Set it to cancel; the last event then says how that went.

    Raises:
        VtonError: It failed; the error says why and what it cost.
    """
    stop = stop or asyncio.Event()
    started_at = time.time()
    try:
        yield Preparing()
        prepared = await _unless(stop, _prepare(request))
        yield Uploading()
        live, *urls = await _unless(stop, _upload(request, prepared, backend))
    except _Stopped:
        yield Cancelled(cost=Cost.NOTHING)
        return
    job = await _submit(request, prepared, urls, backend, live, started_at)
    yield Accepted(job=job)
    async with aclosing(resume(job, request.model, backend, store=store, stop=stop)) as events:
        async for event in events:
            yield event


async def resume(
    job: Job, model: ModelSpec, backend: Backend, *, store: Path, stop: asyncio.Event | None = None
) -> AsyncGenerator[Event, None]:
    """The rest of a try-on, from a job that was accepted. Arguments and errors as `try_on`."""
    stop = stop or asyncio.Event()
    cost_of_cancelling = Cost.NOTHING
    asked = False
    try:
        async with aclosing(_follow(job, backend, stop)) as events:
            async for event in events:
                asked = asked or isinstance(event, Cancelling)
                if isinstance(event, Running):
                    cost_of_cancelling = Cost.MAYBE
                yield event
                if isinstance(event, Cancelled):
                    return
        fetched = await backend.fetch(job, model.read)
    except JobFailed:
        if not asked:
            raise
        yield Cancelled(cost=cost_of_cancelling, request_id=job.request_id)
        return
    except asyncio.CancelledError:
        await asyncio.shield(backend.cancel(job))
        raise
    result = await in_pool(keep, fetched.picture, fetched.answer, job_facts(job), job.frame, store)
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


async def _prepare(request: Request) -> Prepared:
    model, values = request.model, request.values
    fixed = model.output_size(values)
    person, garment = await asyncio.gather(
        in_pool(prepare_person, request.person, model.person_pixels(values), fixed),
        in_pool(prepare_garment, named(request.garments), model.garment_pixels(values), fixed),
    )
    return Prepared(person=person, garment=garment)


async def _upload(request: Request, prepared: Prepared, backend: Backend) -> tuple[pricing.UnitPrice | None, str, str]:
    """The live price, where one is needed, and the URLs of person and garment."""
    return await asyncio.gather(
        live_price(request.model, backend),
        backend.upload(prepared.person.jpeg, role="person"),
        backend.upload(prepared.garment.jpeg, role="garment"),
    )


async def live_price(model: ModelSpec, backend: Backend) -> pricing.UnitPrice | None:
    """fal's price for a model that has none published; not asked for otherwise."""
    return await backend.price(model.endpoint) if model.price is None else None


async def _submit(
    request: Request,
    prepared: Prepared,
    urls: Sequence[str],
    backend: Backend,
    live: pricing.UnitPrice | None,
    started_at: float,
) -> Job:
    model = request.model
    inputs = Inputs(person=urls[0], garment=urls[1], garment_count=len(request.garments), values=request.values)
    arguments = model.arguments(inputs)
    size = prepared.person.size
    cost = pricing.estimate(model, person=size, garment=prepared.garment.size, output=size, live=live).total

    def accepted(request_id: str) -> Job:
        return Job(
            model=model.name,
            endpoint=model.endpoint,
            request_id=request_id,
            seed=int(request.values["seed"] or 0),
            prompt=arguments.get("prompt"),
            cost_usd="0" if backend.sandbox else None if cost is None else str(cost),
            started_at=started_at,
            frame=prepared.person.frame,
            sandbox=backend.sandbox,
        )

    order = asyncio.ensure_future(backend.submit(model.endpoint, arguments))
    try:
        # An order on the wire is not taken back by dropping it: let it land, so that it can be cancelled.
        return accepted(await asyncio.shield(order))
    except asyncio.CancelledError:
        with suppress(FalError):  # then there is no job to cancel, or no way to it
            await backend.cancel(accepted(await order))
        raise


async def _follow(job: Job, backend: Backend, stop: asyncio.Event) -> AsyncGenerator[Event, None]:
    """The backend's events; on `stop`, fal is asked to cancel and is still followed to its last word."""
    stopped = asyncio.ensure_future(stop.wait())
    upcoming: asyncio.Future[Progress | None] | None = None
    waiting, deadline = True, None
    async with aclosing(backend.follow(job)) as events:
        try:
            while True:
                upcoming = upcoming or asyncio.ensure_future(anext(events, None))
                watched: set[asyncio.Future[Any]] = {upcoming, stopped} if deadline is None else {upcoming}
                # Only a job that still waits is given up on: one that runs is paid for, and worth waiting for.
                patience = deadline - time.monotonic() if deadline is not None and waiting else None
                done, _ = await asyncio.wait(watched, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    yield Cancelled(cost=Cost.NOTHING, request_id=job.request_id)
                    return
                if stopped in done and deadline is None:
                    deadline = time.monotonic() + CANCEL_PATIENCE
                    yield Cancelling()
                    await backend.cancel(job)
                    continue
                event, upcoming = upcoming.result(), None
                if event is None:
                    return
                waiting = isinstance(event, Waiting)
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
