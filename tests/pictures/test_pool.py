"""Work in other processes: it succeeds, fails or is stopped."""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
import uvloop

from tests.conftest import in_detail, until
from tests.pictures.pool_work import eat, linger, memory_limit, modules
from vton_ui import errors
from vton_ui.errors import Cost, PhotoError, VtonError
from vton_ui.pictures import pool
from vton_ui.pictures.pool import Unfinished, in_pool
from vton_ui.pictures.work import prepare_person


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and resident(psutil.Process(pid)) > 0


def resident(process: psutil.Process) -> int:
    """The bytes of memory that a process holds; 0 once it has ended."""
    try:
        return 0 if process.status() == psutil.STATUS_ZOMBIE else process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0


def is_worker(process: psutil.Process) -> bool:
    try:
        return "vton_ui.pictures.worker" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False


def workers(more_than: float = 0) -> list[int]:
    """The ids of the pool's processes that hold more than these bytes."""
    children = psutil.Process().children()
    return [each.pid for each in children if is_worker(each) and resident(each) > more_than]


async def busy(path: Path, seconds: float) -> None:
    """All workers, each with its id written to the file when it has begun."""
    await asyncio.gather(*(in_pool(linger, path, seconds) for _ in range(pool.WORKERS)))


def begun(path: Path) -> list[int]:
    """The ids of these workers, once all have begun. To be called in a thread."""
    until(lambda: path.exists() and len(path.read_text().split()) == pool.WORKERS)
    return [int(pid) for pid in path.read_text().split()]


@pytest.fixture
async def _fresh() -> None:
    """Workers that have started."""
    await asyncio.gather(*(in_pool(os.getpid) for _ in range(pool.WORKERS)))


async def test_another_process() -> None:
    """Work is done in another process, which loads neither the page nor app.py."""
    assert await in_pool(os.getpid) != os.getpid()
    assert (await in_pool(modules)).isdisjoint({"gradio", "app", "fastapi", "uvicorn", "fal_client"})


async def test_errors_come_back() -> None:
    """An error in a worker is raised here, with its whole message."""
    with pytest.raises(PhotoError) as caught:
        await in_pool(prepare_person, Path("gone.jpg"), 1_000_000, None)
    assert caught.value.slot == "Person"
    assert "no longer there" in str(caught.value)


@pytest.mark.parametrize("kind", [kind for kind in vars(errors).values() if isinstance(kind, type)])
def test_errors_can_be_sent(kind: type) -> None:
    """Every error that a visitor may see can be pickled."""
    if issubclass(kind, VtonError):
        error = kind("Cause.", "Cure.", slot="Person", cost=Cost.MAYBE, request_id="id")
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), vars(again), str(again)) == (kind, vars(error), str(error))


@pytest.mark.usefixtures("_fresh")
async def test_cancelling_frees_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelling kills the workers, and the next work runs at once."""
    monkeypatch.setattr(pool, "DEADLINE", 60.0)
    work = asyncio.ensure_future(busy(tmp_path / "pids", 60))
    pids = await asyncio.to_thread(begun, tmp_path / "pids")
    next_work = asyncio.ensure_future(in_pool(os.getpid))
    begin = time.monotonic()
    work.cancel()
    assert await next_work not in pids
    assert time.monotonic() - begin < 20
    await asyncio.to_thread(until, lambda: not [pid for pid in pids if alive(pid)])


@pytest.mark.slow
async def test_cancelled_in_the_queue(tmp_path: Path) -> None:
    """Work that is cancelled while it waits never starts."""
    work = asyncio.ensure_future(busy(tmp_path / "pids", 1))
    await asyncio.to_thread(begun, tmp_path / "pids")
    queued = asyncio.ensure_future(in_pool(linger, tmp_path / "never", 0))
    await asyncio.sleep(0)
    queued.cancel()
    await work
    await asyncio.gather(*(in_pool(os.getpid) for _ in range(pool.WORKERS)))
    assert not (tmp_path / "never").exists()


@pytest.mark.slow
@pytest.mark.parametrize("pause", [0.0, 0.03, 0.3, *in_detail(0.005, 0.1)])
async def test_no_worker_leaks(pause: float) -> None:
    """Cancelling at any moment, while a worker starts, works or answers, leaves no more workers than cores."""
    for _ in range(5):
        work = [asyncio.ensure_future(in_pool(time.sleep, 0.1)) for _ in range(2 * pool.WORKERS)]
        await asyncio.sleep(pause)
        for each in work:
            each.cancel()
        await asyncio.gather(*work, return_exceptions=True)
    pids = {await in_pool(os.getpid) for _ in range(4 * pool.WORKERS)}
    assert 1 <= len(pids) <= pool.WORKERS
    assert len(await asyncio.to_thread(workers)) <= pool.WORKERS


async def test_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that takes too long is stopped, and its worker is replaced."""
    await in_pool(os.getpid)
    monkeypatch.setattr(pool, "DEADLINE", 0.2)
    begin = time.monotonic()
    with pytest.raises(Unfinished) as caught:
        await in_pool(time.sleep, 60)
    assert caught.value.late
    assert time.monotonic() - begin < 20
    monkeypatch.undo()
    assert await in_pool(os.getpid)


@pytest.mark.slow
async def test_worker_that_dies() -> None:
    """A worker that dies is replaced."""
    for _ in range(2 * pool.WORKERS):
        with pytest.raises(Unfinished) as caught:
            await in_pool(os._exit, 1)
        assert not caught.value.late
    assert await in_pool(os.getpid)


@pytest.mark.skipif(sys.platform != "linux", reason="limits differ elsewhere")
async def test_memory_is_bounded() -> None:
    """Work that needs too much memory fails in its worker."""
    assert 1e9 <= await in_pool(memory_limit) <= 2e9
    with pytest.raises(MemoryError):
        await in_pool(eat, 3_000_000_000)


def test_any_loop_in_any_thread() -> None:
    """It works on uvloop's loop and on asyncio's, in a thread that is not the main one."""
    seen: list[int] = []
    for run in (uvloop.run, asyncio.run):
        thread = threading.Thread(target=lambda run=run: seen.append(run(in_pool(os.getpid))))  # type: ignore[misc]
        thread.start()
        thread.join(20)
    assert len(seen) == 2
