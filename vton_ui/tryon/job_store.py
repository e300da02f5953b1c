"""The jobs of this server, on disk and shared by its processes.

A job is stored before it is submitted, so that a crash is recoverable, and again when fal has accepted it. The store
knows which request belongs to which job, how to cut a result back to its photo, and what a reservation was for.

No key is ever in it. The prompt and the photos' addresses are kept until fal has accepted the job, since a lost job is
recovered by them; of a private job, which cannot be recovered, neither is kept. What its look is made from is kept
until its picture is, or until it ends without one; of a private job not at all.

It also remembers, for each browser, what its clicks asked for: which jobs are its own, and, of a plan that was cut
short, what was never sent. A browser is known by a salted hash only.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from vton_ui.database import BROKEN, Database, reason
from vton_ui.disk import disk_full
from vton_ui.errors import VtonError
from vton_ui.tryon import planned
from vton_ui.tryon.job import Job
from vton_ui.tryon.planned import Planned

JOBS_FILE = "jobs.sqlite3"  # beside the folder of results
RECONCILED_HOURS = 2.0
"""How long a job is kept at least: its reservation may be reconciled until then."""

_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS jobs (
        id TEXT PRIMARY KEY, at REAL NOT NULL, request_id TEXT UNIQUE, ordered INTEGER NOT NULL DEFAULT 0,
        forgotten INTEGER NOT NULL DEFAULT 0, result TEXT, job TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (at)",
    *planned.SCHEMA,
)
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is known of a job.

    Attributes:
        job: The job, without the prompt and the photos' addresses once fal has accepted it.
        may_be_submitted: Whether fal may know of it.
        result: Its picture, if it is still kept.
        had_result: Whether it was kept at some time.
    """

    job: Job
    may_be_submitted: bool
    result: Path | None
    had_result: bool


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """What one browser asked for, newest first: jobs that are open, jobs whose picture is kept, and what was not sent.

    What was not sent is in the order of its plan, and of the last hour: then its photos are deleted.
    """

    open: tuple[Record, ...]
    finished: tuple[Record, ...]
    unsent: tuple[Planned, ...]


class JobStore:
    """The jobs whose results are kept in a folder.

    Args:
        store: The folder of results; the file is beside it.
    """

    def __init__(self, store: Path) -> None:
        self._store, self._file = store, Database(store.parent / JOBS_FILE, _SCHEMA)
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
        await self._surely(lambda db: db.execute("INSERT INTO jobs (id, at, job) VALUES (?, ?, ?)", values))

    async def submitting(self, job: Job) -> None:
        """The job is about to be submitted. VtonError if that cannot be stored."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("UPDATE jobs SET ordered = 1 WHERE id = ?", (job.id,))
            planned.submitting(db, job.id)

        await self._surely(write)

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
        name = str(result.relative_to(self._store))

        def write(db: sqlite3.Connection) -> None:
            found = db.execute("SELECT id, job FROM jobs WHERE request_id = ? AND NOT forgotten", (request_id,))
            for job_id, job in found.fetchall():
                db.execute("UPDATE jobs SET result = ?, job = ? WHERE id = ?", (name, _without_source(job), job_id))

        await self._transact(write, None)

    async def drop(self, job: Job) -> None:
        """Delete a job that never reached fal. What a plan asked for stays, until it was submitted."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM jobs WHERE id = ?", (job.id,))
            planned.refused(db, job.id)

        await self._transact(write, None)

    async def plan(self, browser: str, plan: str, items: Mapping[str, Mapping[str, Any] | None]) -> None:
        """Store the items of a plan before anything of it is reserved. VtonError if that fails.

        Args:
            browser: Whose plan it is, as `RunContext` names it; empty: nobody who could come back.
            plan: The plan's id.
            items: The items by the ids of their jobs; None where nothing of it may be kept.
        """
        await self._surely(lambda db: planned.add(db, browser, plan, items))

    async def is_unsent(self, job_id: str) -> bool:
        """Whether this is an item of a plan whose job was never made."""
        return await self._transact(lambda db: planned.is_unsent(db, job_id), False)

    async def end(self, job_ids: Collection[str]) -> None:
        """Nobody needs to come back to these items: they ended without a picture, or were never reserved."""

        def write(db: sqlite3.Connection) -> None:
            planned.remove(db, job_ids)
            for job_id in job_ids:
                found = db.execute("SELECT job FROM jobs WHERE id = ?", (job_id,)).fetchone()
                if found is not None:
                    db.execute("UPDATE jobs SET job = ? WHERE id = ?", (_without_source(found[0]), job_id))

        await self._transact(write, None)

    async def take(self, browser: str, job_ids: Collection[str]) -> list[Planned]:
        """Those of these items that were not sent. They are given out once, however many tabs ask."""

        def write(db: sqlite3.Connection) -> list[Planned]:
            found = [item for item in self._unsent(db, browser) if item.id in job_ids]
            planned.disown(db, [item.id for item in found])
            return found

        return await self._transact(write, [])

    async def of_browser(self, browser: str) -> Remembered:
        """What a browser, named as by `RunContext`, asked for. What is followed in this process counts as sent."""

        def read(db: sqlite3.Connection) -> Remembered:
            records = self._records(db, browser)
            return Remembered(
                open=tuple(record for record in records if not record.had_result and record.job.can_be_found),
                finished=tuple(record for record in records if record.result),
                unsent=tuple(self._unsent(db, browser)),
            )

        nothing = Remembered(open=(), finished=(), unsent=())
        return await self._transact(read, nothing) if browser else nothing

    async def get(self, job_id: str) -> Record | None:
        """What is known of a job; of a forgotten one only what its reservation needs."""
        return await self._read("SELECT * FROM jobs WHERE id = ?", job_id)

    async def find(self, request_id: str) -> Record | None:
        """What is known of a request."""
        return await self._read("SELECT * FROM jobs WHERE request_id = ? AND NOT forgotten", request_id)

    async def forget(self, request_ids: Collection[str]) -> None:
        """Delete what is personal in these: all but the request id, and what the reservation was for."""
        await self._transact(lambda db: _forget(db, "request_id", request_ids), None)

    async def forget_browser(self, browser: str) -> list[Path]:
        """The same for all jobs of a browser, and delete what it asked for. Returns the pictures that are kept."""

        def write(db: sqlite3.Connection) -> list[Path]:
            records = self._records(db, browser)
            _forget(db, "id", [record.job.id for record in records])
            planned.forget(db, browser)
            return [record.result for record in records if record.result]

        return await self._transact(write, []) if browser else []

    async def expire(self, hours: float) -> None:
        """Delete what is older than so many hours, and sooner what nobody can order any more."""
        oldest = time.time() - max(hours, RECONCILED_HOURS) * 3600

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM jobs WHERE at < ?", (oldest,))
            planned.expire(db, oldest)

        await self._transact(write, None)

    async def _read(self, query: str, value: str) -> Record | None:
        def read(db: sqlite3.Connection) -> Record | None:
            db.row_factory = sqlite3.Row
            row = db.execute(query, (value,)).fetchone()
            return None if row is None else self._record(row)

        return await self._transact(read, None)

    def _record(self, row: sqlite3.Row) -> Record:
        job = replace(Job.from_dict(json.loads(row["job"])), request_id=row["request_id"] or "")
        result = self._store / row["result"] if row["result"] else None
        there = result if result and result.is_file() else None
        return Record(job=job, may_be_submitted=bool(row["ordered"]), result=there, had_result=result is not None)

    def _records(self, db: sqlite3.Connection, browser: str) -> list[Record]:
        """The jobs of a browser that this version can read, as `_record`."""
        db.row_factory = sqlite3.Row
        records = []
        for row in planned.jobs(db, browser):
            with suppress(ValueError, KeyError, TypeError):
                records.append(self._record(row))
        db.row_factory = None
        return records

    def _unsent(self, db: sqlite3.Connection, browser: str) -> list[Planned]:
        """The items of a browser that were never sent and are not about to be."""
        return [item for item in planned.unsent(db, browser) if not self.is_followed(item.id)]

    async def _surely(self, work: Callable[[sqlite3.Connection], object]) -> None:
        try:
            await asyncio.to_thread(self._in_transaction, work)
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


def _forget(db: sqlite3.Connection, column: str, names: Iterable[str]) -> None:
    for name in names:
        found = db.execute(f"SELECT id, job FROM jobs WHERE {column} = ?", (name,)).fetchone()
        if found is not None:
            job = replace(Job.from_dict(json.loads(found[1])), seed=None, frame=None, label="", step="", source=None)
            change = "UPDATE jobs SET forgotten = 1, result = NULL, job = ? WHERE id = ?"
            db.execute(change, (_written(job), found[0]))


def _accepted(job: Job, request_id: str) -> Job:
    return replace(job, request_id=request_id, prompt=None, photo_url="", garment_url="")


def _written(job: Job) -> str:
    private = {"prompt": None, "photo_url": "", "garment_url": "", "label": "", "step": "", "source": None}
    return json.dumps({**job.to_dict(), **(private if job.private else {})})


def _without_source(job: str) -> str:
    """What is stored of a job once its picture is kept, or will never be."""
    return json.dumps({**json.loads(job), "source": None})
