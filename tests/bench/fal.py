"""The fake fal in a process of its own, so that its processor time does not count as the apps', with figures."""

from __future__ import annotations

import io
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.managers import BaseManager
from typing import Any, cast

from PIL import Image

from tests.bench import pictures
from tests.fake_fal import schemas
from tests.fake_fal.schemas import Endpoint, image_bytes, output_size, result_body
from tests.fake_fal.server import FakeFal, Job

QUEUE_SECONDS, RUN_SECONDS = 0.5, 2.0


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """One finished job, measured at fal.

    Attributes:
        seconds: From its submission to its end.
        status_requests: How often its status was asked for; an event stream counts once.
        seen_after: Seconds from its end to the moment its result was asked for; None: never.
    """

    seconds: float
    status_requests: int
    seen_after: float | None


class BenchFal(FakeFal):
    """A fake fal that does no picture work of its own: on a small machine that would be measured too."""

    def __init__(self) -> None:
        super().__init__(queue_seconds=QUEUE_SECONDS, run_seconds=RUN_SECONDS)
        schemas._look = _look
        pictures.result(pictures.READY, "PNG")
        self.start()

    def where(self) -> tuple[dict[str, str], str]:
        """`addresses()` and `api_url`."""
        return self.addresses(), self.api_url

    def pace(self, queue_seconds: float = QUEUE_SECONDS, run_seconds: float = RUN_SECONDS) -> None:
        """Set the delays of jobs that enter and leave the queue from now on."""
        self.queue_seconds, self.run_seconds = queue_seconds, run_seconds

    def uploaded(self) -> int:
        """How many bytes of photos came so far."""
        with self._lock:
            return sum(seen.size for seen in self.seen if seen.operation in ("upload", "put"))

    def begun(self) -> int:
        """How many jobs have left the queue: only then is their pace fixed."""
        with self._lock:
            return sum(job.started_at is not None for job in self.jobs.values())

    def newest(self, count: int = 1) -> list[JobRecord]:
        """The jobs submitted last, the oldest first."""
        with self._lock:
            return [self._record(job) for job in list(self.jobs.values())[-count:]]

    def _record(self, job: Job) -> JobRecord:
        about = [seen for seen in self.seen if f"/requests/{job.id}" in seen.path]
        end = job.finished_at or time.time()
        fetched = [seen.at - end for seen in about if seen.operation == "result"]
        return JobRecord(
            seconds=end - job.accepted_at,
            status_requests=sum(seen.operation in ("status", "stream") for seen in about),
            seen_after=fetched[0] if fetched else None,
        )

    def _result(self, job: Job, endpoint: Endpoint) -> dict[str, Any]:
        format = "PNG" if endpoint.output == "image" else str(job.arguments.get("output_format", "jpeg")).upper()
        if "image_size" in endpoint.fields:
            size = output_size(job.arguments.get("image_size", "portrait_4_3"))
        else:
            seen = _look(image_bytes(job.arguments[endpoint.person], self.fetch) or b"")
            size = seen[1:] if seen else pictures.READY
        data = pictures.result(size, format)
        picture = schemas.Picture(data=data, content_type=schemas.FORMATS[format], width=size[0], height=size[1])
        file = self._store(f"result.{format.lower()}", picture.content_type, job.headers)
        file.data = data
        return result_body(endpoint, job.arguments, picture, file.url, job.seconds, self.unsafe)


@lru_cache(maxsize=256)
def _look(data: bytes) -> tuple[str, int, int] | None:
    """Format and size of a picture from its header alone, which is all that the benchmark's photos need."""
    with Image.open(io.BytesIO(data)) as image:
        return image.format or "", image.width, image.height


class _Process(BaseManager):
    pass


_Process.register("BenchFal", BenchFal)


@contextmanager
def fal_process() -> Iterator[BenchFal]:
    """A proxy of a BenchFal that runs in another process."""
    process = _Process(ctx=multiprocessing.get_context("spawn"))
    process.start()
    try:
        yield cast(BenchFal, process.BenchFal())  # type: ignore[attr-defined]
    finally:
        process.shutdown()
