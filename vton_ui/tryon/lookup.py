"""Looks a request up by its id: its result, or its status. Nothing is submitted or booked, so it is free."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from vton_ui.errors import Filtered, JobFailed, KeyRefused, OptionError, ResultLost
from vton_ui.models.spec import ModelSpec, Value
from vton_ui.tryon.backend import Over
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.events import Progress, Running
from vton_ui.tryon.job import Job
from vton_ui.tryon.results import Result, kept_result
from vton_ui.tryon.run import fetch_result, job_facts


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is known of a request.

    Attributes:
        result: Its picture, if it has one.
        facts: `status` is "waiting", "running", "done", "failed" or "unknown"; what else is known stands beside it.
    """

    result: Result | None = None
    facts: Mapping[str, Value]


def request_id_of(typed: object) -> str:
    """A request id as a visitor typed it, checked: it becomes part of an address that gets the owner's key.

    Raises:
        OptionError: It is not one.
    """
    request_id = typed.strip() if isinstance(typed, str) else ""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", request_id):
        raise OptionError("This is no request id.", "Copy it from the result's details.", slot="Request id")
    return request_id


def unknown_job(model: ModelSpec, request_id: str, *, sandbox: bool = False, own_key: bool = False) -> Job:
    """A job of which nothing is known but its request id."""
    now = time.time()
    return Job(
        id=request_id,
        model=model.name,
        endpoint=model.endpoint,
        request_id=request_id,
        seed=None,
        prompt=None,
        cost_usd=None,
        started_at=now,
        submitted_at=now,
        photo_url="",
        frame=None,
        sandbox=sandbox,
        own_key=own_key,
        private=False,
        reservation=None,
    )


async def look_up(
    typed: object, models: Mapping[str, ModelSpec], context_for: Callable[[str | None], RunContext], key: str | None
) -> Found:
    """The picture of a request, or its status.

    A picture that is still kept here is not fetched again; fal is asked once.

    Args:
        typed: The request id, as the visitor typed it.
        context_for: The context on a key of the visitor's own, and on the server's key for None.
        key: The visitor's own fal key, if there is one.

    Raises:
        OptionError: It is no request id.
        KeyRefused: It was paid with another key.
        FalError: fal does not say.
    """
    request_id = request_id_of(typed)
    record = await context_for(None).jobs.find(request_id)
    if record and record.result:
        result = await asyncio.to_thread(kept_result, record.result)
        if result:
            return _done(result)
    job = record.job if record else None
    if job and job.own_key and not key:
        raise KeyRefused(
            "This was ordered with a key of the visitor's own.", "Ask with that key.", request_id=request_id
        )
    context = replace(context_for(key if job is None or job.own_key else None), budget=None)
    if job and job.sandbox == context.backend.sandbox and job.model in models:
        return await _at_fal(job, models[job.model], context)
    for model in models.values() if job is None else ():
        found = await _at_fal(
            unknown_job(model, request_id, sandbox=context.backend.sandbox, own_key=context.own_key), model, context
        )
        if found.facts["status"] != "unknown":
            return found
    return Found(facts={"status": "unknown", "request_id": request_id})


async def _at_fal(job: Job, model: ModelSpec, context: RunContext) -> Found:
    """What fal says of a request of a model."""
    known = {name: value for name, value in job_facts(job).items() if value is not None and name != "seconds"}
    try:
        status = await context.backend.status(job)
    except JobFailed:
        return Found(facts={"status": "unknown", **known})
    if not isinstance(status, Over):
        return Found(facts={**_status_facts(status), **known})
    try:
        return _done(await fetch_result(job, model, context))
    except (JobFailed, Filtered, ResultLost) as exc:
        return Found(facts={"status": "failed", **known, "error": f"{exc.cause} {exc.cure}", "charged": exc.cost.value})


def _status_facts(status: Progress) -> dict[str, Value]:
    if isinstance(status, Running):
        return {"status": "running", "step": status.step, "steps": status.steps}
    return {"status": "waiting", "position": status.position}


def _done(result: Result) -> Found:
    size = {"width": result.size.width, "height": result.size.height}
    return Found(result=result, facts={"status": "done", **result.facts, **size})
