"""Jobs at the fake fal, from the photos to the picture."""

from __future__ import annotations

import asyncio
import io
import uuid
from dataclasses import replace
from typing import Any

from PIL import Image

from tests.conftest import photo_bytes
from vton_ui.backends.fal.backend import FalBackend
from vton_ui.models import FLUX_VTO
from vton_ui.models.options import complete
from vton_ui.models.spec import Inputs, ModelSpec
from vton_ui.pictures.framing import Frame
from vton_ui.tryon.backend import Fetched
from vton_ui.tryon.events import Progress
from vton_ui.tryon.job import Job
from vton_ui.tryon.lookup import unknown_job

NOWHERE = Frame(width=1, height=1, left=0, top=0, right=1, bottom=1)


async def arguments(backend: FalBackend, model: ModelSpec, **options: Any) -> dict[str, Any]:
    person, garment = await asyncio.gather(
        backend.upload(photo_bytes(300, 400), role="person"), backend.upload(photo_bytes(260, 260), role="garment")
    )
    values = complete(model, {"seed": 42, **options})
    return model.arguments(Inputs(person=person, garment=garment, garment_count=1, values=values))


def job_of(request_id: str, model: ModelSpec = FLUX_VTO) -> Job:
    return replace(unknown_job(model, request_id), id=uuid.uuid4().hex, seed=42, frame=NOWHERE)


async def ordered(backend: FalBackend, model: ModelSpec = FLUX_VTO, **options: Any) -> Job:
    return job_of(await backend.submit(model.endpoint, await arguments(backend, model, **options)), model)


async def followed(backend: FalBackend, job: Job) -> list[Progress]:
    return [event async for event in backend.follow(job)]


async def outcome(backend: FalBackend, model: ModelSpec = FLUX_VTO, **options: Any) -> Fetched:
    job = await ordered(backend, model, **options)
    await followed(backend, job)
    return await backend.fetch(job, model.read)


def size_of(fetched: Fetched) -> tuple[int, int]:
    return Image.open(io.BytesIO(fetched.picture)).size
