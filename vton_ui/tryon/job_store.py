"""The jobs of this server, on disk and shared by its processes.

A job is stored before it is submitted, so that a crash is recoverable, and again when fal has accepted it. The store
knows which request belongs to which job, how to cut a result back to its photo, and what a reservation was for.

No key is ever in it. The prompt and the photo's address are kept until fal has accepted the job, since a lost job is
recovered by them; of a private job, which cannot be recovered, neither is kept.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from vton_ui.database import BROKEN, Database, reason
from vton_ui.disk import disk_full
from vton_ui.errors import VtonError
from vton_ui.tryon.job import Job

FILE = "jobs.sqlite3"  # beside the folder of results
RECONCILED_HOURS = 2.0
"""How long a job is kept at least: its reservation may be reconciled until then."""

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS jobs (
        id TEXT PRIMARY KEY, at REAL NOT NULL, request_id TEXT UNIQUE, ordered INTEGER NOT NULL DEFAULT 0,
        forgotten INTEGER NOT NULL DEFAULT 0, result TEXT, job TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (at)",
)
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known of a job.

    Attributes:
        job: The job, without the prompt and the photo's address once fal has accepted it.
        ordered: Whether it may have been submitted.
        result: Its picture, if it is still kept.
    """

    job: Job
    ordered: bool
    result: Path | None


class JobStore:
    """The jobs whose results are kept in a folder.

    Args:
        store: The folder of results; the file is beside it.
    """

    def __init__(self, store: Path) -> None:
        self._store, self._file = store, Database(store.parent / FILE, _SCHEMA)
        self._followed: Counter[str] = Counter()

    @contextmanager
    def following(self, job_id: str) -> Iterator[None]:
        """Mark the job as followed in this process, while this lasts."""
        self._followed[job_id] += 1
        try:
            yield
        finally:
            self._followed -= Counter([job_id])

    def is_followed(self, job_id: str) -> bool:
        """Whether the job is followed in this process."""
        return job_id in self._followed

    async def add(self, job: Job) -> None:
        """Store a job. VtonError if that fails."""
        values = (job.id, time.time(), _written(job))
        await self._surely("INSERT INTO jobs (id, at, job) VALUES (?, ?, ?)", values)

    async def order(self, job: Job) -> None:
        """The job is about to be submitted. VtonError if that cannot be stored."""
        await self._surely("UPDATE jobs SET ordered = 1 WHERE id = ?", (job.id,))

    async def accept(self, job: Job, request_id: str) -> None:
        """fal answered this job itself: the request is its own, even if another job has claimed it."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("UPDATE jobs SET request_id = NULL WHERE request_id = ? AND id != ?", (request_id, job.id))
            values = (request_id, _written(_accepted(job, request_id)), job.id)
            db.execute("UPDATE jobs SET request_id = ?, job = ? WHERE id = ?", values)

        await self._transact(write, None)

    async def claim(self, job: Job, request_id: str) -> bool:
        """A request that may be the job's was found. True if the job has it now, and no other job does."""

        def write(db: sqlite3.Connection) -> bool:
            if db.execute("SELECT 1 FROM jobs WHERE request_id = ? AND id != ?", (request_id, job.id)).fetchone():
                return False
            values = (request_id, _written(_accepted(job, request_id)), job.id, request_id)
            wanted = "UPDATE jobs SET request_id = ?, job = ? WHERE id = ? AND IFNULL(request_id, ?4) = ?4"
            return db.execute(wanted, values).rowcount == 1

        return await self._transact(write, False)

    async def keep(self, request_id: str, result: Path) -> None:
        """The request's picture is in the folder of results."""
        values = (str(result.relative_to(self._store)), request_id)
        await self._write("UPDATE jobs SET result = ? WHERE request_id = ? AND NOT forgotten", values)

    async def drop(self, job: Job) -> None:
        """Delete a job that never reached fal."""
        await self._write("DELETE FROM jobs WHERE id = ?", (job.id,))

    async def get(self, job_id: str) -> Record | None:
        """What is known of a job; of a forgotten one only what its reservation needs."""
        return await self._read("SELECT * FROM jobs WHERE id = ?", job_id)

    async def find(self, request_id: str) -> Record | None:
        """What is known of a request."""
        return await self._read("SELECT * FROM jobs WHERE request_id = ? AND NOT forgotten", request_id)

    async def forget(self, request_ids: Collection[str]) -> None:
        """Delete what is personal in these: all but the request id, and what the reservation was for."""

        def write(db: sqlite3.Connection) -> None:
            for request_id in request_ids:
                found = db.execute("SELECT id, job FROM jobs WHERE request_id = ?", (request_id,)).fetchone()
                if found is not None:
                    job = replace(Job.from_dict(json.loads(found[1])), seed=None, frame=None)
                    change = "UPDATE jobs SET forgotten = 1, result = NULL, job = ? WHERE id = ?"
                    db.execute(change, (_written(job), found[0]))

        await self._transact(write, None)

    async def expire(self, hours: float) -> None:
        """Delete what is older than so many hours."""
        oldest = time.time() - max(hours, RECONCILED_HOURS) * 3600
        await self._write("DELETE FROM jobs WHERE at < ?", (oldest,))

    async def _read(self, query: str, value: str) -> Record | None:
        def read(db: sqlite3.Connection) -> Record | None:
            db.row_factory = sqlite3.Row
            row = db.execute(query, (value,)).fetchone()
            if row is None:
                return None
            job = replace(Job.from_dict(json.loads(row["job"])), request_id=row["request_id"] or "")
            result = self._store / row["result"] if row["result"] else None
            return Record(job=job, ordered=bool(row["ordered"]), result=result if result and result.is_file() else None)

        return await self._transact(read, None)

    async def _write(self, change: str, values: Sequence[str | float]) -> None:
        def write(db: sqlite3.Connection) -> None:
            db.execute(change, values)

        await self._transact(write, None)

    async def _surely(self, change: str, values: Sequence[str | float]) -> None:
        try:
            await asyncio.to_thread(self._in_transaction, lambda db: db.execute(change, values))
        except BROKEN as exc:
            _log.error("The jobs cannot be written: %s", reason(exc))
            raise disk_full(exc) or VtonError(
                "The studio cannot write down what it orders, so it ordered nothing.",
                "The owner should see that VTON_DATA_DIR can be written and has room.",
            ) from exc

    async def _transact(self, work: Callable[[sqlite3.Connection], _T], otherwise: _T) -> _T:
        """What `work` returns, or `otherwise` if the file fails: the job is under way, and must not fail with it."""
        try:
            return await asyncio.to_thread(self._in_transaction, work)
        except (*BROKEN, KeyError, TypeError) as exc:  # the last two: a job that another version of this app wrote
            _log.error("The jobs cannot be read or written: %s", reason(exc))
            return otherwise

    def _in_transaction(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        with self._file.transaction() as db:
            return work(db)


@lru_cache(maxsize=8)
def job_store(store: Path) -> JobStore:
    """The store of this process for a folder of results."""
    return JobStore(store)


def _accepted(job: Job, request_id: str) -> Job:
    return replace(job, request_id=request_id, prompt=None, photo_url="")


def _written(job: Job) -> str:
    kept = replace(job, prompt=None, photo_url="") if job.private else job
    return json.dumps(kept.to_dict())
