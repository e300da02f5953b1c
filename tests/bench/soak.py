"""Steady load for minutes, to see what grows: `python -m tests.bench.soak [--minutes 10] [--visitors 8]`.

Prints a line a minute and ends with a verdict: the growth from the second minute to the last. Linux only.
"""

from __future__ import annotations

import argparse
import itertools
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench.fal import fal_process
from tests.bench.pictures import SHRUNK, photo
from tests.bench.rows import Bench
from tests.bench.server import Weight
from tests.bench.table import median
from tests.bench.visitor import AppClient

ALLOWED = 15.0
"""Percent of growth that still counts as none."""
TRIES_A_SESSION = 5
PAUSE = 0.5
"""Seconds in which a visitor looks at a result."""


@dataclass(frozen=True, kw_only=True)
class Minute:
    """What happened in one."""

    tries: int
    failed: int
    seconds: float
    weight: Weight

    def figures(self) -> dict[str, float]:
        """What must not grow."""
        held = self.weight
        return {
            "seconds per try-on": self.seconds,
            "memory": held.memory,
            "open files": held.files,
            "sockets": held.sockets,
            "threads": held.threads,
        }


class Load:
    """Visitors who come, try on a few times, and go."""

    def __init__(self, client: AppClient) -> None:
        self._door = client
        self._photos = [photo(SHRUNK) for _ in range(40)]
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._seconds: list[float] = []
        self._failed = 0
        self.over = threading.Event()

    def visit(self) -> None:
        """One visitor after another, until it is over."""
        while not self.over.is_set():
            number = next(self._numbers)
            try:
                self._session(number)
            except Exception as exc:  # any failure is counted and printed, and the load goes on
                print(f"visitor {number}: {type(exc).__name__}: {exc}", file=sys.stderr)
                with self._lock:
                    self._failed += 1

    def taken(self) -> tuple[list[float], int]:
        """Seconds of each try-on since the last call, and how many failed."""
        with self._lock:
            seconds, failed = self._seconds, self._failed
            self._seconds, self._failed = [], 0
        return seconds, failed

    def _session(self, number: int) -> None:
        person, garment = (self._photos[(number * step) % len(self._photos)] for step in (1, 7))
        own, worn = self._door.upload(person, garment)
        for seed in range(TRIES_A_SESSION):
            if self.over.is_set():
                return
            visit = self._door.try_on(own, worn, f"soak{number}", seed=seed)
            with self._lock:
                self._seconds.append(visit.seconds)
            self.over.wait(PAUSE)


def soaked(bench: Bench, minutes: int, visitors: int, minute_seconds: float = 60.0) -> list[Minute]:
    """The minutes, each printed as it ends."""
    client = bench.ours
    bench.fal.pace(0.3, 0.7)
    load, results = Load(client), []
    print("| minute | try-ons | failed | median s | memory MB | files | sockets | threads |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    with ThreadPoolExecutor(max_workers=visitors) as threads:
        for _ in range(visitors):
            threads.submit(load.visit)
        try:
            for number in range(1, minutes + 1):
                time.sleep(minute_seconds)
                seconds, failed = load.taken()
                now = Minute(
                    tries=len(seconds),
                    failed=failed,
                    seconds=median(seconds) if seconds else float("inf"),
                    weight=client.server.weigh(),
                )
                results.append(now)
                cells = (number, now.tries, now.failed, f"{now.seconds:.2f}", f"{now.weight.memory:.0f}")
                held = (now.weight.files, now.weight.sockets, now.weight.threads)
                print("| " + " | ".join(map(str, (*cells, *held))) + " |", flush=True)
        finally:
            load.over.set()
    return results


def verdict(minutes: Sequence[Minute]) -> tuple[list[str], bool]:
    """The growth of each figure in words, and whether nothing grew."""
    first, last = minutes[min(1, len(minutes) - 1)].figures(), minutes[-1].figures()
    words, steady = [], True
    for name, before in first.items():
        percent = 100 * (last[name] / before - 1) if before else 0.0
        # A handful of connections comes and goes by chance.
        grown = percent > ALLOWED and last[name] - before > (8 if name in ("open files", "sockets", "threads") else 0)
        steady = steady and not grown
        words.append(f"{name}: {percent:+.1f} %" + (" - grows" if grown else ""))
    failed = sum(minute.failed for minute in minutes)
    words.append(f"failed: {failed}")
    return words, steady and not failed


def main() -> int:
    """The command; 1 if something grew or failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--visitors", type=int, default=8, help="at any time (8)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the processes it started end with it
    with tempfile.TemporaryDirectory(prefix="bench") as folder, ExitStack() as stack:
        bench = Bench(fal=stack.enter_context(fal_process()), folder=Path(folder), stack=stack)
        words, steady = verdict(soaked(bench, max(1, options.minutes), options.visitors))
    print("\nFrom the second minute to the last: " + ", ".join(words))
    print("Steady." if steady else "Not steady.")
    return 0 if steady else 1


if __name__ == "__main__":
    sys.exit(main())
