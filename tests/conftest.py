"""What all tests share: no proxy, no key, no analytics, and a local server in place of fal."""

from __future__ import annotations

import gc
import io
import os
import socket
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.fake_fal.server import PROXY_VARIABLES, TEST_KEY, FakeFal

# Gradio and the tests make a million objects that stay; to look through them again and again takes a fifth of the time
gc.set_threshold(100_000, 50, 50)
# At import and not in a fixture: gradio and fal-client read some of these when they are imported
for _name in (*PROXY_VARIABLES, "FAL_KEY", "FAL_KEY_ID", "FAL_KEY_SECRET"):
    os.environ.pop(_name, None)
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
# No certificate is trusted: nothing gets through to the real fal, and no HTTP client spends 20 ms on loading
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = os.path.dirname(__file__)
# A folder of uploads of their own, which ends with the tests
_UPLOADS = tempfile.TemporaryDirectory(prefix="vton-tests-")
os.environ["GRADIO_TEMP_DIR"] = _UPLOADS.name

from vton_ui.backends.fal.backend import FalBackend  # noqa: E402 - it reads the environment
from vton_ui.models import MODELS  # noqa: E402
from vton_ui.models.spec import ModelSpec  # noqa: E402
from vton_ui.money.ledger import LEDGER_FILE  # noqa: E402
from vton_ui.settings import Settings  # noqa: E402

FREE = 10**6
"""The free calls a minute where a test sets none: all requests come from one address."""

LONGEST = (
    "page/test_access.py",
    "tryon/test_faults.py",
    "page/test_return.py",
    "page/test_page.py",
    "backends/test_follow.py",
    "page/test_rail.py",
    "tryon/test_plan_faults.py",
    "page/test_looks.py",
    "page/test_first_second.py",
    "tryon/test_reservations.py",
    "page/",
    "backends/test_keys.py",
    "ui/test_api.py",
    "pictures/test_bounds.py",
    "fake_fal/",
    "ui/",
    "tryon/",
)
"""Folders and files of tests, the longest first; the others follow. In a folder, files of many tests come first.

What drives a browser needs the processor and what tries faults waits, so that they stand in turns.
"""

_HERE = Path(__file__).parent
_ORIENTATION, _GPS = 0x0112, 0x8825


def pytest_collectstart() -> None:
    """Gradio is imported, which takes seconds, by processes that run tests: xdist's first one only hands them out."""
    import vton_ui.ui  # noqa: F401 - it imports Gradio as the app does

    with _no_web_app():
        import app  # noqa: F401


def pytest_itemcollected(item: pytest.Item) -> None:
    """All tests in tests/page drive a browser."""
    if _HERE / "page" in item.path.parents:
        item.add_marker("page")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process is left alone with it at the end."""
    tests = Counter(item.path for item in items)
    turns = {path: (_turn(path.relative_to(_HERE).as_posix()), -tests[path], path) for path in tests}
    items.sort(key=lambda item: turns[item.path])


def _turn(file: str) -> int:
    return next((turn for turn, name in enumerate(LONGEST) if file.startswith(name)), len(LONGEST))


@pytest.fixture
def fal(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeFal]:
    """A fresh fal that answers within a fraction of a second, with fal-client pointed at it."""
    fake = FakeFal(queue_seconds=0.05, run_seconds=0.1).start()
    fake.patch(monkeypatch)
    yield fake
    fake.stop()
    assert not fake.crashes, fake.crashes[0]
    fake.reset()


@pytest.fixture(scope="module")
def lasting_fal() -> Iterator[FakeFal]:
    """A fal for all tests of a file that share a server. Each of them takes it by a `fal` that calls `begin_anew`."""
    fake = FakeFal().start()
    with pytest.MonkeyPatch.context() as patch:
        fake.patch(patch)
        yield fake
        fake.stop()
    fake.reset()


def begin_anew(fake: FakeFal) -> Iterator[FakeFal]:
    """A fal at its quickest with nothing seen yet; it keeps its files, since the app knows what it has uploaded."""
    fake.clear_faults()
    fake.jobs, fake.seen, fake.next_error, fake.concurrent = {}, [], None, None
    fake.queue_seconds, fake.run_seconds, fake.steps = 0.02, 0.05, None
    yield fake
    assert not fake.crashes, fake.crashes[0]


def empty_ledger(data: Path) -> None:
    """Nobody has tried anything yet."""
    if (data / LEDGER_FILE).exists():
        with closing(sqlite3.connect(data / LEDGER_FILE, isolation_level=None)) as db:
            db.execute("DELETE FROM tries")


@pytest.fixture
def backend(fal: FakeFal) -> FalBackend:
    """The app's backend on it; jobs are done at once."""
    fal.queue_seconds, fal.run_seconds = 0.02, 0.04
    return FalBackend(TEST_KEY, api_url=fal.api_url)


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def in_detail(*cases: Any) -> list[Any]:
    """Cases of a test that say the same as its others in more detail, so that a quick look leaves them out."""
    return [pytest.param(case, marks=pytest.mark.slow) for case in cases]


@lru_cache(maxsize=100)
def photo_bytes(
    width: int,
    height: int,
    format: str = "JPEG",
    exif_orientation: int | None = None,
    gps: bool = False,
) -> bytes:
    """A picture with a different colour in each corner, so that a turn or a crop shows.

    Args:
        exif_orientation: the EXIF value, 1 to 8; the pixels are stored as they are.
        gps: whether the EXIF tells a place.
    """
    corners = Image.new("RGB", (2, 2))
    corners.putdata([(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40)])
    exif = Image.Exif()
    if exif_orientation is not None:
        exif[_ORIENTATION] = exif_orientation
    if gps:
        exif.get_ifd(_GPS).update({1: "N", 2: (47.0, 22.0, 0.0), 3: "E", 4: (8.0, 33.0, 0.0)})
        exif[_GPS] = exif.get_ifd(_GPS)
    buffer = io.BytesIO()
    corners.resize((width, height), Image.Resampling.BILINEAR).save(buffer, format, exif=exif)
    return buffer.getvalue()


def free_port() -> int:
    """A port that nobody listens on. Gradio's own search hangs if another process takes the same one meanwhile."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _no_web_app() -> Iterator[None]:
    """Gradio makes its web app three times over, and uses the last, which `launch` makes: in here it makes none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gradio.routes.App.create_app", lambda *_, **__: None)
        yield


def poll_less(demo: Any) -> None:
    """Gradio looks for new events a thousand times a second, which is a twentieth of a core for each server."""
    demo._queue.sleep_when_free = demo._queue.progress_update_sleep_when_free = 0.02


@contextmanager
def serving(settings: Settings, models: Mapping[str, ModelSpec] = MODELS) -> Iterator[str]:
    """The whole app on a port of its own; yields its address."""
    import app
    from vton_ui.ui import blocks

    if (settings.free_rate, settings.upload_mb) == (Settings.free_rate, Settings.upload_mb):
        settings = replace(settings, free_rate=FREE, upload_mb=FREE)
    studio = replace(app.open_studio(settings), models=models)
    with _no_web_app():
        demo = blocks.build(studio)
    options = {**blocks.launch_options(studio), "server_name": "127.0.0.1", "server_port": free_port()}
    poll_less(demo)
    _, url, _ = demo.launch(**options, prevent_thread_lock=True, quiet=True)
    try:
        yield url
    finally:
        demo.close(verbose=False)
