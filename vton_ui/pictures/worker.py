"""The program of a worker of `pool`: it reads work from stdin and writes results to stdout."""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

from vton_ui.pictures.pool import READY

NICENESS = 10
MEMORY = 1_500_000_000
"""Bytes that a worker may use; the heaviest photo that is accepted needs one gigabyte."""
_PRELOADED = ("vton_ui.pictures.work", "vton_ui.pictures.provenance")


def main() -> None:
    """Do one piece of work after another, until the server ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl+C to the workers too
    _lower_priority()
    _limit_memory()
    source, results = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a codec prints must not mix with the results
    for name in _PRELOADED:  # imports run at low priority, too
        import_module(name)
    results.write(READY)
    while True:
        results.flush()
        _trim_memory()
        try:
            work, args, kwargs = pickle.load(source)
        except EOFError:
            return
        results.write(_result(work, args, kwargs))


def _result(work: Any, args: Any, kwargs: Any) -> bytes:
    try:
        return pickle.dumps((True, work(*args, **kwargs)), pickle.HIGHEST_PROTOCOL)
    except Exception as exc:
        error = pickle.dumps((False, exc), pickle.HIGHEST_PROTOCOL)
        pickle.loads(error)  # an error that cannot be unpickled ends the worker here, with a traceback
        return error


def _lower_priority() -> None:
    """The event loop goes first: a picture can wait some milliseconds, but every visitor waits for the loop."""
    with suppress(AttributeError, OSError):  # not on Unix
        os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))


def _limit_memory() -> None:
    """Work that needs too much memory fails in its worker, and the machine does not run out."""
    with suppress(ImportError, ValueError, OSError):  # not on Unix
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


def _trim_memory() -> None:
    """Return freed memory to the system; glibc would keep it."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


if __name__ == "__main__":
    main()
