"""The table of plans' items, in the file of `job_store`: whose they are, and what those ask for that were not sent."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

UNSENT_SECONDS = 3600.0
"""How long an item that was not sent is offered: photos are deleted after an hour."""

SCHEMA = (
    # Each item under the id of its job. `item` says what to order; it is empty once that may have been sent.
    """CREATE TABLE IF NOT EXISTS planned (
        id TEXT PRIMARY KEY, at REAL NOT NULL, browser TEXT NOT NULL, plan TEXT NOT NULL, item TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS planned_by_browser ON planned (browser, at)",
)


@dataclass(frozen=True, kw_only=True)
class Planned:
    """An item of a plan that was never sent.

    Attributes:
        id: The name of its reservation, and of its job if it is ordered.
        plan: The click that it belongs to.
        item: What to order; see `plan.item_of`.
    """

    id: str
    plan: str
    item: Mapping[str, Any]


def add(db: sqlite3.Connection, browser: str, plan: str, items: Mapping[str, Mapping[str, Any] | None]) -> None:
    """Write the items of a plan down, by the ids of their jobs; None where nothing of it may be kept."""
    now = time.time()
    rows = [
        (job_id, now, browser, plan, json.dumps(item) if item is not None and browser else "")
        for job_id, item in items.items()
    ]
    db.executemany("INSERT INTO planned VALUES (?, ?, ?, ?, ?)", rows)


def submitting(db: sqlite3.Connection, job_id: str) -> None:
    """An item is about to be sent; from here on the table only knows whose it is."""
    db.execute("DELETE FROM planned WHERE id = ? AND browser = ''", (job_id,))
    db.execute("UPDATE planned SET item = '' WHERE id = ?", (job_id,))


def refused(db: sqlite3.Connection, job_id: str) -> None:
    """Nothing of a job reached fal: an item that was about to be sent is over, one that was not is still to be sent."""
    db.execute("DELETE FROM planned WHERE id = ? AND item = ''", (job_id,))


def remove(db: sqlite3.Connection, job_ids: Iterable[str]) -> None:
    """Delete items."""
    db.executemany("DELETE FROM planned WHERE id = ?", [(job_id,) for job_id in job_ids])


def expire(db: sqlite3.Connection, before: float) -> None:
    """Delete the items from before this moment, and what the others ask for once nobody can order it."""
    db.execute("DELETE FROM planned WHERE at < ?", (before,))
    db.execute("DELETE FROM planned WHERE item != '' AND at < ?", (time.time() - UNSENT_SECONDS,))


def is_unsent(db: sqlite3.Connection, job_id: str) -> bool:
    """Whether this is an item whose job was never made."""
    query = "SELECT 1 FROM planned WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM jobs WHERE id = ?1)"
    return db.execute(query, (job_id,)).fetchone() is not None


def unsent(db: sqlite3.Connection, browser: str) -> list[Planned]:
    """The items of a browser that were never sent, in their order, the newest plan first."""
    query = """SELECT planned.id, plan, item FROM planned LEFT JOIN jobs USING (id)
        WHERE browser = ? AND planned.at > ? AND item != '' AND IFNULL(ordered, 0) = 0
        ORDER BY planned.at DESC, planned.rowid"""
    rows = db.execute(query, (browser, time.time() - UNSENT_SECONDS))
    return [Planned(id=job_id, plan=plan, item=json.loads(item)) for job_id, plan, item in rows]


def jobs(db: sqlite3.Connection, browser: str) -> list[sqlite3.Row]:
    """The rows of a browser's jobs that may have been submitted, newest first."""
    query = """SELECT jobs.* FROM jobs JOIN planned USING (id)
        WHERE browser = ? AND ordered AND NOT forgotten ORDER BY jobs.at DESC, jobs.rowid DESC"""
    return db.execute(query, (browser,)).fetchall()


def disown(db: sqlite3.Connection, job_ids: Iterable[str]) -> None:
    """Delete what items ask for and whose they are. That they were planned stays, until their money is given back."""
    db.executemany("UPDATE planned SET browser = '', item = '' WHERE id = ?", [(job_id,) for job_id in job_ids])


def forget(db: sqlite3.Connection, browser: str) -> None:
    """The same for all items of a browser."""
    db.execute("UPDATE planned SET browser = '', item = '' WHERE browser = ?", (browser,))
