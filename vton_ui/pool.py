"""Where pictures are worked on: a few threads beside the event loop, as many as there are cores."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from typing_extensions import ParamSpec

P = ParamSpec("P")
T = TypeVar("T")

NICENESS = 10


def _step_back() -> None:
    """Let the event loop go first: a picture can wait for a few milliseconds, and everybody waits for the loop."""
    with suppress(AttributeError, OSError):  # elsewhere than on Linux, niceness is the whole process's
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


# Pillow releases the interpreter lock while it decodes, scales and encodes; more threads than cores only
# hold more pictures in memory at once.
_POOL = ThreadPoolExecutor(max_workers=os.cpu_count() or 2, thread_name_prefix="pictures", initializer=_step_back)


async def in_pool(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The outcome of `work`, done off the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_POOL, lambda: work(*args, **kwargs))
