"""Where pictures are worked on: a few processes beside the server's, as many as there are cores.

A decode cannot be stopped from within its process, so one that takes too long, or that nobody waits for any longer,
ends with its process, and another process takes the place. `worker` is what runs in each.
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
"""Seconds that a piece of work may take in its worker. The heaviest photos that are let in take two."""


READY = b"\n"
"""What a worker says when it is."""


class Unfinished(Exception):
    """The work took longer than `DEADLINE` (`late`), or its worker died of it."""

    def __init__(self, *, late: bool) -> None:
        super().__init__("too slow" if late else "the worker died")
        self.late = late


async def in_pool(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The outcome of `work`, done in a worker; whoever is cancelled frees the worker at once.

    Args:
        work: A function of a module, and its arguments; all of it is pickled.

    Raises:
        Unfinished: It came to nothing.
    """
    job = _Job(pickle.dumps((work, args, kwargs), pickle.HIGHEST_PROTOCOL))
    try:
        done, outcome = await asyncio.wrap_future(_THREADS.submit(job.run))
    except asyncio.CancelledError:
        job.kill()
        raise
    if not done:
        raise outcome
    return cast(T, outcome)


def warm_up() -> None:
    """Start the workers, so that the first photo does not wait for one. Returns at once."""
    for _ in range(WORKERS):
        _THREADS.submit(lambda: _places.put(_places.get() or _started()))


class _Worker:
    """A process that works on pictures."""

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
        """Its start is no part of the work."""
        if not self._ready:
            self._ready = self._stdout.read(1) == READY

    def ask(self, request: bytes) -> tuple[bool, Any]:
        """Whether the work was done, and its outcome or its error. Raises anything if the worker dies meanwhile."""
        self._stdin.write(request)
        self._stdin.flush()
        return cast(tuple[bool, Any], pickle.load(self._stdout))

    def kill(self) -> None:
        """End it, whatever it does."""
        self.killed = True
        self._process.kill()

    def bury(self) -> None:
        """Let go of what a killed worker leaves behind."""
        self._process.wait()
        for pipe in (self._stdin, self._stdout):
            with suppress(OSError):  # what was not written yet has nowhere to go
                pipe.close()


class _Job:
    """A piece of work on its way through a worker."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._left = self._late = False

    def run(self) -> tuple[bool, Any]:
        """Do it, in a thread that waits for the worker. Returns as `_Worker.ask`; raises Unfinished."""
        worker = _places.get()
        timer = threading.Timer(DEADLINE, self.kill, kwargs={"late": True})
        try:
            worker = worker or _Worker()
            worker.wait_until_ready()
            with self._lock:
                self._worker = None if self._left else worker
            timer.start()
            return worker.ask(self._request) if self._worker else (False, Unfinished(late=False))
        except Exception as exc:  # whatever a pipe and half an answer may raise
            if worker:
                worker.kill()
            raise Unfinished(late=self._late) from exc
        finally:
            timer.cancel()
            with self._lock:
                self._worker = None
            if worker and worker.killed:
                worker.bury()
                worker = _started()
            _places.put(worker)

    def kill(self, *, late: bool = False) -> None:
        """Stop it, if it is in a worker; if it still waits for one, it gets none."""
        with self._lock:
            self._left, self._late = True, late
            if self._worker:
                self._worker.kill()


def _started() -> _Worker | None:
    """A new worker; None where the system has no room for one, and the next job tries again."""
    with suppress(OSError):
        return _Worker()
    return None


_THREADS = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="pictures")
_places: SimpleQueue[_Worker | None] = SimpleQueue()
for _ in range(WORKERS):
    _places.put(None)
