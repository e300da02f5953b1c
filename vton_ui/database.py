"""One SQLite file that all threads and processes of this server share."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

BROKEN = (sqlite3.Error, OSError, ValueError, OverflowError)  # the last two: a number no column can hold, such as NaN
"""What a transaction raises if the file cannot be used, or cannot hold a value."""
BUSY_SECONDS = 20.0
"""How long a transaction waits for other writers, who need some milliseconds each."""


class Database:
    """A file that is created when it is first written.

    Args:
        path: The file; its folder is made with it.
        schema: Statements that create missing tables. They may be run any number of times.
    """

    def __init__(self, path: Path, schema: Sequence[str]) -> None:
        self.path, self._schema = path, schema
        self._held: tuple[int, sqlite3.Connection] | None = None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction on a connection of its own, which neither threads nor a replaced file can confuse."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)) as db:
            _use_wal(db)
            # What is committed survives a kill -9, since the system has it. Syncing every commit would only help in a
            # power cut, which can cost the last rows, but never the file.
            db.execute("PRAGMA synchronous = NORMAL")
            with db:
                db.execute("BEGIN IMMEDIATE")  # the write lock before the first read, so that no sum is stale
                for statement in self._schema:
                    db.execute(statement)
                yield db
            with suppress(*BROKEN):  # without it the next transaction is only slower
                self._hold()

    def _hold(self) -> None:
        """Keep the file open for reading: when the last connection closes, SQLite checkpoints, which takes six times as
        long as the transaction itself."""
        file = self.path.stat()
        if self._held is None or self._held[0] != file.st_ino:
            reader = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
            reader.execute("SELECT 1 FROM sqlite_master").fetchone()
            self._held = file.st_ino, reader


def reason(exc: Exception) -> str:
    """What a log may say of one of `BROKEN`: an OSError's own text contains the path."""
    return f"{type(exc).__name__}: {exc.strerror if isinstance(exc, OSError) else exc}"


def _use_wal(db: sqlite3.Connection) -> None:
    """Retries, since SQLite's own timeout does not cover two processes that create the same file at once."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as exc:
            if "locked" not in str(exc) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
