"""How long an app's event loop keeps others waiting: the time that a trivial request takes, asked from outside."""

from __future__ import annotations

import http.client
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event

from tests.bench.table import percentile

PATH = "/gradio_api/app_id"
PAUSE = 0.02


class Lag:
    """Seconds; filled when the watch is over."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def p99(self) -> float:
        return percentile(self.seen, 99)

    def median(self) -> float:
        return percentile(self.seen, 50)


@contextmanager
def watched(port: int) -> Iterator[Lag]:
    """Ask fifty times a second, on one connection, from a process of its own."""
    context = multiprocessing.get_context("spawn")
    started, stop, out = context.Event(), context.Event(), context.Queue()
    process = context.Process(target=_watch, args=(port, started, stop, out), daemon=True)
    process.start()
    started.wait(30)
    lag = Lag()
    try:
        yield lag
    finally:
        stop.set()
        lag.seen = out.get(timeout=60)
        process.join()


def _watch(port: int, started: Event, stop: Event, out: multiprocessing.Queue[list[float]]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    seen: list[float] = []
    started.set()
    while not stop.is_set():
        begin = time.perf_counter()
        connection.request("GET", PATH)
        connection.getresponse().read()
        seen.append(time.perf_counter() - begin)
        time.sleep(PAUSE)
    out.put(seen)
