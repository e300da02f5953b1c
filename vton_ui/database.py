"""One SQLite file that all threads and processes of this server share."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from weakref import WeakSet

BROKEN = (sqlite3.Error, OSError, ValueError, OverflowError)  # the last two: a number no column can hold, such as NaN
"""What a transaction raises if the file cannot be used, or cannot hold a value."""
BUSY_SECONDS = 20.0
"""How long a transaction waits for other writers, who need some milliseconds each."""

_Number = tuple[int, int]
_databases: WeakSet[Database] = WeakSet()
_forking = ExitStack()


class Database:
    """A file that is created when it is first written, and again after its owner has moved or deleted it.

    Each process opens it once, since opening takes ten times as long as a transaction; its threads take turns.

    Args:
        path: The file; its folder is made with it.
        schema: Statements that create missing tables. They may be run any number of times.
    """

    def __init__(self, path: Path, schema: Sequence[str]) -> None:
        self.path, self._schema, self._turn = path, schema, Lock()
        self._connection: sqlite3.Connection | None = None
        self._log = path.with_name(f"{path.name}-wal")
        self._opened: tuple[_Number | None, _Number | None] = (None, None)
        _databases.add(self)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction; other threads and processes wait until it is over."""
        if not self._turn.acquire(timeout=BUSY_SECONDS):
            raise sqlite3.OperationalError("database is locked by another thread")
        try:
            db = self._open()
            with db:
                db.execute("BEGIN IMMEDIATE")  # the write lock before the first read, so that no sum is stale
                yield db
        except BROKEN:
            self._close()  # whatever is wrong with it, the next transaction begins with a new one
            raise
        finally:
            self._turn.release()

    def _open(self) -> sqlite3.Connection:
        # The file is looked up before it is opened: if it is replaced in between, the next transaction will see that. A
        # file that the connection creates has no number yet, so that the next transaction opens it once more.
        file = _number(self.path)
        if self._connection is not None and file is not None and self._opened == (file, _number(self._log)):
            self._connection.row_factory = None
            return self._connection
        self._close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self._connection = db
        _use_wal(db)
        # What is committed survives a kill -9, since the system has it. Syncing every commit would only help in a
        # power cut, which can cost the last rows, but never the file.
        db.execute("PRAGMA synchronous = NORMAL")
        with db:
            db.execute("BEGIN IMMEDIATE")
            for statement in self._schema:
                db.execute(statement)
        self._opened = file, _number(self._log)
        return db

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def closed(self) -> Iterator[None]:
        """No connection is open and none is opened, while this lasts."""
        with self._turn:
            self._close()
            yield


def reason(exc: Exception) -> str:
    """What a log may say of one of `BROKEN`: an OSError's own text contains the path."""
    return f"{type(exc).__name__}: {exc.strerror if isinstance(exc, OSError) else exc}"


def _number(path: Path) -> _Number | None:
    """What tells a file from every other, under whatever name; None if there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


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


def _before_fork() -> None:
    for database in list(_databases):
        _forking.enter_context(database.closed())


if hasattr(os, "register_at_fork"):  # not on Windows
    # A connection must not cross a fork: the child would count on the parent's locks, which are not its own.
    os.register_at_fork(before=_before_fork, after_in_parent=_forking.close, after_in_child=_forking.close)
