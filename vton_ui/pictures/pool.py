"""A pool of worker processes for CPU work on pictures, one for each core; `worker` is the program of each.

A decode can only be stopped by killing its process, so work that takes too long or is cancelled ends with its worker,
and a new worker takes its place. This is not `anyio.to_process`, which leaks a worker that is cancelled while starting.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import IO, Any, TypeVar, cast

from typing_extensions import ParamSpec

P = ParamSpec("P")
T = TypeVar("T")

WORKERS = os.cpu_count() or 2
DEADLINE = 5.0
"""Seconds that one piece of work may take. The heaviest photos that are accepted take two."""
READY = b"\n"
"""What a worker writes when it has started."""


class Unfinished(Exception):
    """The work took longer than `DEADLINE` (`late`), or its worker died."""

    def __init__(self, *, late: bool) -> None:
        super().__init__("too slow" if late else "the worker died")
        self.late = late


async def in_pool(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of `work`, done in a worker. Cancelling kills the worker, which stops the work at once.

    Args:
        work: A function at the top level of a module. It, its arguments and its result are pickled.

    Raises:
        Unfinished: There is no result.
    """
    job = _Job(pickle.dumps((work, args, kwargs), pickle.HIGHEST_PROTOCOL))
    try:
        done, result = await asyncio.wrap_future(_THREADS.submit(job.run))
    except asyncio.CancelledError:
        job.kill()
        raise
    if not done:
        raise result
    return cast(T, result)


def warm_up() -> None:
    """Start the workers, so that the first photo does not wait for one. Returns at once."""
    for _ in range(WORKERS):
        _THREADS.submit(lambda: _slots.put(_slots.get() or _new_worker()))


class _Worker:
    """A worker process and its pipes."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "vton_ui.pictures.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self._stdin, self._stdout = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)
        self._ready = False
        self.killed = False

    def wait_until_ready(self) -> None:
        """Wait for its start, which does not count towards the deadline."""
        if not self._ready:
            self._ready = self._stdout.read(1) == READY

    def run(self, request: bytes) -> tuple[bool, Any]:
        """Whether the work succeeded, and its result or its error. Raises any exception if the worker dies."""
        self._stdin.write(request)
        self._stdin.flush()
        return cast(tuple[bool, Any], pickle.load(self._stdout))

    def kill(self) -> None:
        """End the process, whatever it does."""
        self.killed = True
        self._process.kill()

    def close(self) -> None:
        """Release the pipes of a killed process."""
        self._process.wait()
        for pipe in (self._stdin, self._stdout):
            with suppress(OSError):  # unwritten data cannot be flushed to a dead process
                pipe.close()


class _Job:
    """One piece of work, from the queue to its result."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._cancelled = self._late = False

    def run(self) -> tuple[bool, Any]:
        """Do the work; called in a thread. Returns as `_Worker.run`; raises Unfinished."""
        worker = _slots.get()
        timer = threading.Timer(DEADLINE, self.kill, kwargs={"late": True})
        try:
            worker = worker or _Worker()
            worker.wait_until_ready()
            with self._lock:
                self._worker = None if self._cancelled else worker
            timer.start()
            return worker.run(self._request) if self._worker else (False, Unfinished(late=False))
        except Exception as exc:  # a broken pipe or an incomplete pickle may raise anything
            if worker:
                worker.kill()
            raise Unfinished(late=self._late) from exc
        finally:
            timer.cancel()
            with self._lock:
                self._worker = None
            if worker and worker.killed:
                worker.close()
                worker = _new_worker()
            _slots.put(worker)

    def kill(self, *, late: bool = False) -> None:
        """Stop the work if it runs; if it still waits for a worker, it never starts."""
        with self._lock:
            self._cancelled, self._late = True, late
            if self._worker:
                self._worker.kill()


def _new_worker() -> _Worker | None:
    """A new worker; None if the system cannot start one now, and then the next job tries again."""
    with suppress(OSError):
        return _Worker()
    return None


_THREADS = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="pictures")
_slots: SimpleQueue[_Worker | None] = SimpleQueue()
for _ in range(WORKERS):
    _slots.put(None)
