"""One SQLite file for all threads and processes: opened once, and right whatever happens to the file."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from vton_ui.database import Database

ROOT = Path(__file__).parent.parent
SCHEMA = ("CREATE TABLE IF NOT EXISTS words (word TEXT NOT NULL)",)
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows neither forks nor moves an open file")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "data" / "words.sqlite3", SCHEMA)


def write(database: Database, word: str) -> None:
    with database.transaction() as db:
        db.execute("INSERT INTO words VALUES (?)", (word,))


def words(path: Path) -> list[str]:
    """What another process reads."""
    with closing(sqlite3.connect(path)) as db:
        return [word for (word,) in db.execute("SELECT word FROM words")]


def python(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    begin = f"import os, sys\nfrom pathlib import Path\nfrom vton_ui.database import Database\nSCHEMA = {SCHEMA!r}\n"
    command = [sys.executable, "-c", begin + program, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_opened_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction opens no connection and reads no schema, whichever thread it runs in."""
    write(database, "made")
    write(database, "opened")
    monkeypatch.setattr(sqlite3, "connect", None)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: write(database, str(number)), range(100)))
    monkeypatch.undo()
    assert len(words(database.path)) == 102


def deleted(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def deleted_alone(path: Path) -> None:
    path.unlink()


def moved(path: Path) -> None:
    path.rename(path.with_name("old"))


def folder_deleted(path: Path) -> None:
    shutil.rmtree(path.parent)


@posix
@pytest.mark.parametrize("done", [deleted, deleted_alone, moved, folder_deleted])
@pytest.mark.parametrize("before", [1, 3])
def test_file_gone(database: Database, done: Callable[[Path], None], before: int) -> None:
    """After the file is moved or deleted there is a new, empty one, which loses nothing."""
    for number in range(before):
        write(database, f"old {number}")
    for again in range(2):
        done(database.path)
        for number in range(3):
            write(database, f"new {again} {number}")
            assert words(database.path) == [f"new {again} {one}" for one in range(number + 1)]


@posix
def test_file_replaced(database: Database) -> None:
    """An older copy put in the file's place is used from the next transaction on."""
    write(database, "kept")
    write(database, "kept too")
    copy = database.path.with_name("copy")
    with closing(sqlite3.connect(database.path)) as db, closing(sqlite3.connect(copy)) as other:
        db.backup(other)
    write(database, "lost")
    for ending in ("-wal", "-shm"):
        database.path.with_name(database.path.name + ending).unlink()
    copy.replace(database.path)
    write(database, "new")
    assert words(database.path) == ["kept", "kept too", "new"]


@posix
@pytest.mark.parametrize("endings", [["-wal"], ["-shm"], ["-wal", "-shm"]], ids=str)
def test_log_deleted(database: Database, endings: list[str]) -> None:
    """Deleting SQLite's log beside the file loses nothing, even if the server is killed later."""
    for number in range(3):
        write(database, f"before {number}")
    for ending in endings:
        database.path.with_name(database.path.name + ending).unlink()
    for number in range(3):
        write(database, f"after {number}")
    assert words(database.path) == [f"{when} {number}" for when in ("before", "after") for number in range(3)]


@pytest.mark.parametrize("error", [ValueError("a number"), RuntimeError("a refusal"), KeyboardInterrupt()])
def test_undone(database: Database, error: BaseException) -> None:
    """Of a transaction that fails nothing is kept, and the next one is as good as the first."""
    write(database, "first")
    write(database, "second")

    def fail() -> None:
        with database.transaction() as db:
            db.row_factory = sqlite3.Row
            db.execute("INSERT INTO words VALUES ('undone')")
            raise error

    with pytest.raises(type(error)):
        fail()
    with database.transaction() as db:
        assert db.execute("SELECT word FROM words").fetchall() == [("first",), ("second",)]


def test_broken_connection(database: Database) -> None:
    """A connection that fails is not used again."""
    write(database, "first")
    write(database, "second")

    def fail() -> None:
        with database.transaction() as db:
            db.close()

    with closing(sqlite3.connect(database.path)) as other:
        other.execute("SELECT * FROM words").fetchone()  # opens it: the last connection would delete SQLite's log
        with pytest.raises(sqlite3.Error):
            fail()
        write(database, "third")
    assert words(database.path) == ["first", "second", "third"]


FULL = """
import resource, sqlite3
database = Database(Path(sys.argv[1]), SCHEMA)
def write(word):
    with database.transaction() as db:
        db.execute("INSERT INTO words VALUES (?)", (word,))
write("first")
write("second")
size = database.path.with_name(database.path.name + "-wal").stat().st_size
for limit in (size + 100, size + 5000, resource.RLIM_INFINITY):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        write("x" * 100_000)
        print("written")
    except sqlite3.Error as exc:
        print(exc)
write("last")
"""


@posix
def test_disk_full(database: Database) -> None:
    """What does not fit on the disk is an error, and the file is good as soon as there is room again."""
    done = python(FULL, database.path)
    assert done.stdout.splitlines()[-1] == "written", done.stderr
    assert "written" not in done.stdout.splitlines()[:-1]
    assert [word[:9] for word in words(database.path)] == ["first", "second", "xxxxxxxxx", "last"]


FORKED = """
import signal, threading
database = Database(Path(sys.argv[1]), SCHEMA)
def write(word):
    with database.transaction() as db:
        db.execute("INSERT INTO words VALUES (?)", (word,))
write("before")
write("opened")
def keep_writing():
    for turn in range(200):
        write(f"thread.{turn}")
thread = threading.Thread(target=keep_writing)
thread.start()
children = []
for number in range(4):
    child = os.fork()
    if not child:
        for turn in range(20):
            write(f"{number}.{turn}")
        os.kill(os.getpid(), signal.SIGKILL) if number % 2 else os._exit(0)
    children.append(child)
thread.join()
for turn in range(20):
    write(f"parent.{turn}")
for child in children:
    os.waitpid(child, 0)
write("after")
"""


@posix
def test_forked(database: Database) -> None:
    """Forked workers and their parent write at the same time, and one that ends or is killed harms no other."""
    done = python(FORKED, database.path)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(words(database.path)) == sorted(
        ["before", "opened", "after", *(f"thread.{turn}" for turn in range(200))]
        + [f"{who}.{turn}" for who in (0, 1, 2, 3, "parent") for turn in range(20)]
    )
    with closing(sqlite3.connect(database.path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
