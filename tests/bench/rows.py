"""What is measured, one function for each part of the table."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import median

from tests.bench.estimate import seconds_to_estimate
from tests.bench.fal import BenchFal, JobRecord
from tests.bench.first import first_and_second
from tests.bench.growth import Crowded
from tests.bench.lag import watched
from tests.bench.phone import seconds_to_server
from tests.bench.pictures import PHONE, READY, SHRUNK, photo
from tests.bench.server import BARE, BASELINE, EMPTY, ONE_IMAGE, OURS, Server, start
from tests.bench.table import Row
from tests.bench.visitor import AppClient, Crowd, Refused, at_once, baselines, ours
from tests.browser import NoBrowser

LONG_SECONDS = 60.0
LOOKS = 4
GROWTH = (1, 5, 20, 50, 100)


@dataclass(kw_only=True)
class Bench:
    """The fake fal and the apps that use it, each started when it is first needed.

    Attributes:
        rounds: How often the quick things are measured.
        full: Whether to take the time for the long ones.
    """

    fal: BenchFal
    folder: Path
    stack: ExitStack
    rounds: int = 5
    full: bool = False
    _numbers: Iterator[int] = field(default_factory=itertools.count, init=False)

    def start(self, module: str) -> Server:
        """One more process of an app, stopped at the end."""
        server = start(module, self.folder / str(next(self._numbers)), self.fal.where())
        self.stack.callback(server.stop)
        return server

    @cached_property
    def ours(self) -> AppClient:
        """This app."""
        return self._warm(AppClient(self.start(OURS), ours))

    @cached_property
    def baseline(self) -> AppClient:
        """The other."""
        return self._warm(AppClient(self.start(BASELINE), baselines))

    @cached_property
    def bare(self) -> AppClient:
        """The app that only calls fal, with the baseline's arguments."""
        return self._warm(AppClient(self.start(BARE), baselines))

    def both(self) -> tuple[AppClient, AppClient]:
        """The baseline and this app, started at the same time."""
        with ThreadPoolExecutor(max_workers=2) as threads:
            baseline, ours = threads.submit(lambda: self.baseline), threads.submit(lambda: self.ours)
            return baseline.result(), ours.result()

    def _warm(self, client: AppClient) -> AppClient:
        """Run one try-on: the first opens connections and imports codecs."""
        self.fal.pace(0.05, 0.05)
        client.try_on(*client.upload(photo(READY), photo(READY)))
        self.fal.pace()
        return client


def start_rows(bench: Bench) -> Iterator[Row]:
    """From the start of the process to its first page."""
    started: dict[str, list[Server]] = {EMPTY: [], BASELINE: [], OURS: []}
    for _ in range(3):
        for module, servers in started.items():
            servers.append(bench.start(module))
            servers[-1].stop()
    wall = {module: median(server.first_page for server in servers) for module, servers in started.items()}
    cpu = {module: median(server.first_cpu or 0.0 for server in servers) for module, servers in started.items()}
    for what, seconds, target in (("first page after the start", wall, 1.15), ("… processor time", cpu, None)):
        empty = seconds[EMPTY]
        if empty:
            yield Row(
                what=f"{what} ÷ an empty Blocks",
                unit="×",
                baseline=seconds[BASELINE] / empty,
                ours=seconds[OURS] / empty,
                target=target,
                note=f"which takes {empty:.2f} s",
            )


@dataclass(frozen=True, kw_only=True)
class Beyond:
    """One try-on of two photos: seconds beyond fal's own, bytes sent to fal, and fal's record of the job."""

    seconds: float
    with_upload: float
    sent: float
    record: JobRecord


def photo_rows(bench: Bench) -> Iterator[Row]:
    """Two new phone photos, then the same again with another seed."""
    new: dict[str, list[Beyond]] = {"baseline": [], "ours": []}
    again: dict[str, list[Beyond]] = {"baseline": [], "ours": []}
    for _ in range(bench.rounds):
        for name, client in zip(("baseline", "ours"), bench.both(), strict=True):
            pair = photo(PHONE), photo(PHONE)
            begin = time.perf_counter()
            paths = client.upload(*pair)
            uploading = time.perf_counter() - begin
            new[name].append(_beyond(bench, client, paths, 1, uploading))
            again[name].append(_beyond(bench, client, paths, 2, 0.0))

    def row(
        what: str, unit: str, of: Callable[[Beyond], float], seen: dict[str, list[Beyond]], target: float | None
    ) -> Row:
        figures = {name: float(median(map(of, runs))) for name, runs in seen.items()}
        return Row(what=what, unit=unit, baseline=figures["baseline"], ours=figures["ours"], target=target)

    yield row("beyond fal's own time, two new 12 MP photos, from the click", "s", lambda run: run.seconds, new, 0.2)
    yield row("… their upload to the app included", "s", lambda run: run.with_upload, new, None)
    yield row("… the same photos, another seed", "s", lambda run: run.seconds, again, 0.1)
    yield row("sent to fal for two new photos", "MB", lambda run: run.sent / 1e6, new, 0.45)
    yield row("… for the same photos, another seed", "MB", lambda run: run.sent / 1e6, again, 0.0)
    yield row("status requests, job of 2.5 s", "", lambda run: float(run.record.status_requests), new, 6.0)
    yield row("… its end seen after", "s", lambda run: run.record.seen_after or 0.0, new, 0.3)


def _beyond(bench: Bench, client: AppClient, paths: Sequence[str], seed: int, uploading: float) -> Beyond:
    before = bench.fal.uploaded()
    visit = client.try_on(paths[0], paths[1], seed=seed)
    sent, record = bench.fal.uploaded() - before, bench.fal.newest()[0]
    seconds = visit.seconds - record.seconds
    return Beyond(seconds=seconds, with_upload=seconds + uploading, sent=float(sent), record=record)


def long_rows(bench: Bench) -> Iterator[Row]:
    """A job of a minute, on fresh processes: neither knows how long jobs take."""
    clients = AppClient(bench.start(BASELINE), baselines), AppClient(bench.start(OURS), ours)
    bench.fal.pace(run_seconds=LONG_SECONDS - 0.5)
    records = []
    with ThreadPoolExecutor(max_workers=2) as threads:
        under_way = []
        for client in clients:  # one after the other, so that fal's list tells which is whose
            begun = bench.fal.begun()
            under_way.append(threads.submit(client.try_on, *client.upload(photo(READY), photo(READY))))
            while bench.fal.begun() == begun and not under_way[-1].done():
                time.sleep(0.05)
        bench.fal.pace()
        for visit in under_way:
            visit.result()
        records = bench.fal.newest(2)
    asked = [float(job.status_requests) for job in records]
    seen = [job.seen_after for job in records]
    yield Row(what="status requests, job of 60 s", unit="", baseline=asked[0], ours=asked[1], target=40.0)
    yield Row(what="… its end seen after", unit="s", baseline=seen[0], ours=seen[1], target=0.3)


def five_rows(bench: Bench) -> Iterator[Row]:
    """Five visitors with phone photos."""
    ratios = []
    for client in bench.both():
        one = median(_crowd(client, 1, PHONE).wall for _ in range(3))
        five = median(_crowd(client, 5, PHONE).wall for _ in range(1 if client is bench.baseline else 3))
        ratios.append((five / one, five))
    (theirs, seconds), (mine, ours_seconds) = ratios
    note = f"{seconds:.1f} s and {ours_seconds:.1f} s"
    yield Row(what="5 visitors at once ÷ one", unit="×", baseline=theirs, ours=mine, target=1.15, note=note)


def fifty_rows(bench: Bench) -> Iterator[Row]:
    """Fifty visitors, with photos as the page shrinks them, and with photos of CatVTON's own size."""
    with watched(bench.ours.server.port) as idle:
        time.sleep(3.0)
    control = f"{1000 * idle.p99():.0f} ms with nobody there"
    for what, size, target in (("1080 × 1440 photos", SHRUNK, 1.8), ("768 × 1024 photos", READY, 1.6)):
        one = median(_crowd(bench.ours, 1, size).wall for _ in range(3))
        walls, lags, cpu = [], [], []
        for _ in range(2):
            pairs, before = _pairs(50, size), bench.ours.server.cpu()
            with watched(bench.ours.server.port) as lag:
                walls.append(at_once(bench.ours, pairs).wall)
            lags.append(lag.p99())
            cpu.append((bench.ours.server.cpu() - before) / 50)
        note, fifty = f"{what}, {min(walls):.1f} s", min(walls)
        theirs: float | str = "one by one"
        if bench.full:
            theirs, least = _fifty_to_one(bench.baseline, size, 1), _fifty_to_one(bench.bare, size, 2)
            note += f"; {least:.2f} if an app does nothing but call fal"
        yield Row(
            what="50 visitors at once ÷ one", unit="×", baseline=theirs, ours=fifty / one, target=target, note=note
        )
        yield Row(
            what="… event loop lag, p99", unit="ms", baseline=None, ours=1000 * min(lags), target=50.0, note=control
        )
        each = 1000 * min(cpu)
        yield Row(what="… processor time of each", unit="ms", baseline=None, ours=each, target=80.0, note=what)


def _fifty_to_one(client: AppClient, size: tuple[int, int], rounds: int) -> float:
    one = median(_crowd(client, 1, size).wall for _ in range(2))
    return min(_crowd(client, 50, size).wall for _ in range(rounds)) / one


def _pairs(count: int, size: tuple[int, int]) -> list[tuple[bytes, bytes]]:
    return [(photo(size), photo(size)) for _ in range(count)]


def _crowd(client: AppClient, count: int, size: tuple[int, int]) -> Crowd:
    return at_once(client, _pairs(count, size))


def looks_rows(bench: Bench) -> Iterator[Row]:
    """Four looks of two new photos ÷ one: from one click here, from one click after the other with the baseline."""
    seconds: dict[tuple[str, int], list[float]] = defaultdict(list)
    sent: dict[tuple[str, int], list[float]] = defaultdict(list)
    for number in range(bench.rounds):
        for count in (1, LOOKS):
            for name, client in zip(("baseline", "ours"), bench.both(), strict=True):
                if name == "baseline" and number > 1:
                    continue  # it takes long, and is far off
                (person, garment), before = client.upload(photo(SHRUNK), photo(SHRUNK)), bench.fal.uploaded()
                if name == "ours":
                    visits = [client.looks(person, garment, count)]
                else:
                    visits = [client.try_on(person, garment) for _ in range(count)]
                seconds[name, count].append(sum(visit.seconds for visit in visits))
                sent[name, count].append(float(bench.fal.uploaded() - before))

    def ratio(of: Mapping[tuple[str, int], Sequence[float]], name: str) -> float:
        return median(of[name, LOOKS]) / median(of[name, 1])

    note = f"{median(seconds['ours', LOOKS]):.1f} s and {median(seconds['ours', 1]):.1f} s"
    what, theirs = f"{LOOKS} looks of one photo ÷ one", ratio(seconds, "baseline")
    yield Row(what=what, unit="×", baseline=theirs, ours=ratio(seconds, "ours"), target=1.2, note=note)
    what, theirs = "… bytes sent to fal ÷ those for one", ratio(sent, "baseline")
    # Two photos are never of quite the same size.
    yield Row(what=what, unit="×", baseline=theirs, ours=ratio(sent, "ours"), target=1.02)


def flux_rows(bench: Bench) -> Iterator[Row]:
    """What a phone photo costs with FLUX."""
    figures: list[float | str] = []
    clients = bench.both()
    bench.fal.pace(0.05, 0.1)
    for client in clients:
        try:
            answer = client.try_on(*client.upload(photo(PHONE), photo(PHONE)), model="flux-vto").answer
            figures.append(float(answer[1]["cost_usd"]))
        except Refused:
            figures.append("refused")
    bench.fal.pace()
    yield Row(what="a 12 MP photo with FLUX", unit="$", baseline=figures[0], ours=figures[1], target=0.0475)


def memory_rows(bench: Bench) -> Iterator[Row]:
    """Resident memory after many try-ons of many sessions."""
    few, many = 100, 1000 if bench.full else 300
    client = AppClient(bench.start(OURS), ours)
    pool = [photo(SHRUNK) for _ in range(60)]
    bench.fal.pace(0.05, 0.1)

    def session(number: int) -> None:
        person, garment = client.upload(pool[number % 60], pool[(7 * number + 1) % 60])
        for seed in range(5):
            client.try_on(person, garment, f"session{number}", seed=seed)

    def settled(first: int, last: int) -> float:
        with ThreadPoolExecutor(max_workers=10) as threads:
            list(threads.map(session, range(first // 5, last // 5)))
        time.sleep(1.0)
        return client.server.weigh().memory

    try:
        early = settled(0, few)
    except FileNotFoundError:
        yield Row(what="resident memory", unit="", baseline=None, ours="known on Linux only")
        return
    late = settled(few, many)
    bench.fal.pace()
    yield Row(
        what=f"resident memory after {many} try-ons of {many // 5} sessions ÷ after {few}",
        unit="×",
        baseline=None,
        ours=late / early,
        target=1.15,
        note=f"{early:.0f} → {late:.0f} MB",
    )


def estimate_rows(bench: Bench) -> Iterator[Row]:
    """From a change on the page to the estimate that follows it."""
    what, url = "estimate on screen after a change", f"http://127.0.0.1:{bench.ours.server.port}/"
    try:
        seen = seconds_to_estimate(url, photo(SHRUNK), bench.rounds)
    except (NoBrowser, ImportError):
        yield Row(what=what, unit="ms", baseline=None, ours="no browser")
        return
    yield Row(what=what, unit="ms", baseline=None, ours=1000 * median(seen), target=150.0)


def phone_rows(bench: Bench) -> Iterator[Row]:
    """A phone's photo over a mobile uplink."""
    what, figures = "phone photo, pick to server at 5 Mbit/s", []
    for client, slot in zip(bench.both(), ("input[type=file]", "#person input[type=file]"), strict=True):
        url = f"http://127.0.0.1:{client.server.port}/"
        try:
            figures.append(median(seconds_to_server(url, slot, photo(PHONE), min(bench.rounds, 3))))
        except (NoBrowser, ImportError):
            yield Row(what=what, unit="s", baseline=None, ours="no browser")
            return
    yield Row(what=what, unit="s", baseline=figures[0], ours=figures[1], target=1.0)


def first_rows(bench: Bench) -> Iterator[Row]:
    """A new visitor on a slow line, and the same again; in turns with a page that has one picture on it."""
    what = "first event answered at 1.5 Mbit/s and 150 ms ÷ a Blocks with one Image"
    urls = {module: f"http://127.0.0.1:{bench.start(module).port}/" for module in (ONE_IMAGE, OURS)}
    try:
        visits = first_and_second(urls, bench.rounds)
    except (NoBrowser, ImportError):
        yield Row(what=what, unit="×", baseline=None, ours="no browser")
        return
    seconds = {module: median(first.seconds for first, _ in found) for module, found in visits.items()}
    note = f"which takes {seconds[ONE_IMAGE]:.1f} s"
    yield Row(what=what, unit="×", baseline=None, ours=seconds[OURS] / seconds[ONE_IMAGE], target=1.3, note=note)
    first, second = visits[OURS][0]
    yield Row(what="received on the first visit", unit="KB", baseline=None, ours=first.received / 1e3, target=600.0)
    yield Row(what="… requests", unit="", baseline=None, ours=float(first.requests), target=100.0)
    yield Row(what="… on the second visit", unit="KB", baseline=None, ours=second.received / 1e3, target=40.0)


def growth(bench: Bench) -> Iterator[Crowded]:
    """From one visitor to a hundred."""
    for count in GROWTH:
        crowds, lags = [], []
        for _ in range(3 if count <= 5 else 2):
            pairs = _pairs(count, SHRUNK)
            with watched(bench.ours.server.port) as lag:
                crowds.append(at_once(bench.ours, pairs))
            lags.append(lag.p99())
        best = min(crowds, key=lambda crowd: crowd.wall)
        yield Crowded(visitors=count, last=best.wall, median=median(best.each), lag=1000 * min(lags))


PARTS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "start": start_rows,
    "photos": photo_rows,
    "long": long_rows,
    "five": five_rows,
    "fifty": fifty_rows,
    "looks": looks_rows,
    "flux": flux_rows,
    "memory": memory_rows,
    "estimate": estimate_rows,
    "phone": phone_rows,
    "first": first_rows,
}
