"""Work is let in one piece after the other, each as soon as the event loop has caught up with those before it.

Of fifty visitors who click in the same moment, all would else be served at once: the loop would go round by way of
all fifty, whoever comes by would wait that long, and the first would get the picture hardly sooner than the last.
"""

from __future__ import annotations

import asyncio
import sys
import time

BREATH = 0.016 if sys.platform == "win32" else 0.002
"""Seconds that the loop is left to itself; if it comes back this much too late, it is behind with its work. Windows'
clocks tick no faster."""
PATIENCE = 0.05
"""Seconds after which the next is let in all the same: with many try-ons under way the loop may never be idle."""


class Admission:
    """One line, in which nobody waits while there is nobody before them. For one event loop."""

    def __init__(self) -> None:
        self._line = asyncio.Lock()
        self._catching_up: asyncio.Task[None] | None = None

    async def turn(self) -> None:
        """Returns when it is the caller's turn, in the order of the calls."""
        await self._line.acquire()
        self._catching_up = asyncio.create_task(self._catch_up())  # asyncio itself does not keep it alive

    async def _catch_up(self) -> None:
        begin = time.monotonic()
        try:
            late = BREATH
            while late >= BREATH and time.monotonic() - begin < PATIENCE:
                slept = time.monotonic()
                await asyncio.sleep(BREATH)
                late = time.monotonic() - slept - BREATH
        finally:
            self._line.release()
