"""The backend for a server without a key: free drafts, made on this machine, with the delays of a real model.

A draft is the garment cut from its plain background and laid over the person, or beside one who cannot be measured. It
is stamped, so that it is not mistaken for a result.
"""

from __future__ import annotations

import asyncio
import io
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping
from hashlib import sha256
from typing import Any

from PIL import Image

from vton_ui.backends.sandbox.draft import stamped_draft
from vton_ui.errors import JobFailed
from vton_ui.models.spec import Answer
from vton_ui.money.pricing import UnitPrice
from vton_ui.pictures.framing import Frame
from vton_ui.pictures.photos import to_jpeg
from vton_ui.pictures.pool import Unfinished, in_pool
from vton_ui.tryon.backend import Fetched, Over
from vton_ui.tryon.events import Progress, Running, Waiting
from vton_ui.tryon.job import Job

QUEUE_SECONDS = 0.6
STEP_SECONDS = 0.35
STEPS = 4
EVENT_SECONDS = 0.3
REMEMBERED = 256
"""Uploads and jobs kept in memory."""


class Sandbox:
    """The Backend protocol without fal."""

    sandbox = True

    def __init__(self) -> None:
        self._uploads: OrderedDict[str, bytes] = OrderedDict()
        self._jobs: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    async def upload(self, jpeg: bytes, *, role: str, visitor: str = "") -> str:
        """See Backend. Nothing leaves this machine. The URL names the role, as field names differ by model."""
        url = f"sandbox:{role}/{sha256(jpeg).hexdigest()}"
        _remember(self._uploads, url, jpeg)
        return url

    async def submit(self, endpoint: str, arguments: Mapping[str, Any], *, private: bool = False) -> str:
        request_id = f"draft-{secrets.token_hex(8)}"
        _remember(self._jobs, request_id, dict(arguments))
        return request_id

    async def find_lost_job(self, job: Job) -> list[str] | None:
        """See Backend. No answer is ever lost here."""
        return []

    async def status(self, job: Job) -> Progress | Over:
        """See Backend. A draft is made when it is fetched, so it counts as over at once."""
        if job.request_id not in self._jobs:
            raise _gone(job)
        return Over(ran=True)

    async def follow(self, job: Job) -> AsyncGenerator[Progress, None]:
        start = time.monotonic()
        before = max(0.0, time.time() - job.started_at)
        while (elapsed := time.monotonic() - start) < QUEUE_SECONDS + STEPS * STEP_SECONDS:
            if job.request_id not in self._jobs:
                return
            if elapsed < QUEUE_SECONDS:
                yield Waiting(position=0, seconds=before + elapsed)
            else:
                step = 1 + int((elapsed - QUEUE_SECONDS) / STEP_SECONDS)
                yield Running(step=step, steps=STEPS, seconds=before + elapsed)
            await asyncio.sleep(EVENT_SECONDS)

    async def fetch(self, job: Job, read: Callable[[Mapping[str, Any]], Answer]) -> Fetched:
        """See Backend. The draft, whatever the model's own answer would look like."""
        arguments = self._jobs.get(job.request_id)
        if arguments is None:
            raise _gone(job)
        person, garment = (_find(arguments, self._uploads, role) for role in ("person", "garment"))
        try:
            picture = await in_pool(_draft, person, garment, arguments.get("cloth_type"), job.frame)
        except Unfinished as exc:
            raise JobFailed(
                "The draft took too long to make.", "Use a smaller photo.", request_id=job.request_id
            ) from exc
        return Fetched(picture=picture, answer=Answer(url=f"sandbox:{job.request_id}"))

    async def cancel(self, job: Job) -> bool:
        self._jobs.pop(job.request_id, None)
        return True

    async def price(self, endpoint: str) -> UnitPrice | None:
        """See Backend. Drafts are free, and fal is not asked."""
        return None


def _gone(job: Job) -> JobFailed:
    return JobFailed("The draft is gone.", "Make a new one.", request_id=job.request_id)


def _draft(person_jpeg: bytes, garment_jpeg: bytes, region: str | None, frame: Frame | None) -> bytes:
    padded, garment = (Image.open(io.BytesIO(jpeg)).convert("RGB") for jpeg in (person_jpeg, garment_jpeg))
    # Without the padding, which is cut off the draft later on, and would take the stamp along.
    box = (frame.left, frame.top, frame.right, frame.bottom) if frame else (0, 0, *padded.size)
    padded.paste(stamped_draft(padded.crop(box), garment, region), box)
    return to_jpeg(padded)


def _find(arguments: Mapping[str, Any], uploads: Mapping[str, bytes], role: str) -> bytes:
    """The upload of a role among a model's arguments, whatever the model calls the field, list or not."""
    for value in arguments.values():
        for url in value if isinstance(value, list) else [value]:
            if isinstance(url, str) and url.startswith(f"sandbox:{role}/") and url in uploads:
                return uploads[url]
    raise JobFailed(f"The picture of the {role} is gone.", "Try again.")


def _remember(memory: OrderedDict[str, Any], name: str, value: Any) -> None:
    memory[name] = value
    memory.move_to_end(name)
    while len(memory) > REMEMBERED:
        memory.popitem(last=False)
