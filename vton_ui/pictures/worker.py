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
"""Bytes that a worker may take; the heaviest photo that is let in takes one gigabyte."""
_USED = ("vton_ui.pictures.work", "vton_ui.pictures.provenance")


def main() -> None:
    """Do one piece of work after another, for as long as the server lives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl+C to the workers, too
    _step_back()
    _stay_small()
    source, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a codec prints is no answer
    for name in _USED:  # not before it has stepped back
        import_module(name)
    answers.write(READY)
    while True:
        answers.flush()
        _give_memory_back()
        try:
            work, args, kwargs = pickle.load(source)
        except EOFError:
            return
        answers.write(_answer(work, args, kwargs))


def _answer(work: Any, args: Any, kwargs: Any) -> bytes:
    try:
        return pickle.dumps((True, work(*args, **kwargs)), pickle.HIGHEST_PROTOCOL)
    except Exception as exc:
        error = pickle.dumps((False, exc), pickle.HIGHEST_PROTOCOL)
        pickle.loads(error)  # or else the worker dies of it, and says so
        return error


def _step_back() -> None:
    """Let the event loop go first: a picture can wait for a few milliseconds, and everybody waits for the loop."""
    with suppress(AttributeError, OSError):  # elsewhere than on Unix
        os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))


def _stay_small() -> None:
    """What takes too much memory fails here, and not in the whole machine."""
    with suppress(ImportError, ValueError, OSError):  # elsewhere than on Unix
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


def _give_memory_back() -> None:
    """glibc keeps what a heavy picture took, for the next one."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


if __name__ == "__main__":
    main()
