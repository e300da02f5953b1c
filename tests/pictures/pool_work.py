"""Work for the pool, in a module of its own: a worker imports the module of what it is to do, and nothing else."""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path


def linger(path: Path, seconds: float) -> None:
    """Write one's id into the file, and stay."""
    with path.open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(seconds)


def modules() -> set[str]:
    """What is imported."""
    return {name.partition(".")[0] for name in sys.modules}


def memory_limit() -> int:
    """In bytes."""
    return resource.getrlimit(resource.RLIMIT_DATA)[0]


def eat(size: int) -> int:
    """Take so many bytes."""
    return len(b"\1" * size)
