"""Work for the pool in a module of its own, since a worker imports the whole module of its function."""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path


def linger(path: Path, seconds: float) -> None:
    """Write the worker's process id to the file, and wait."""
    with path.open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(seconds)


def modules() -> set[str]:
    """The names of the imported packages."""
    return {name.partition(".")[0] for name in sys.modules}


def memory_limit() -> int:
    """The worker's limit, in bytes."""
    return resource.getrlimit(resource.RLIMIT_DATA)[0]


def eat(size: int) -> int:
    """Allocate so many bytes."""
    return len(b"\1" * size)
