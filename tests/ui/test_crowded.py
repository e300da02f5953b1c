"""One visitor's heavy photos barely delay another visitor, over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from tests.conftest import in_detail, photo_bytes, serving, until
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.pictures.bombs import black, claiming, grain, many_scans, saved
from tests.pictures.test_pool import resident
from tests.subprocess_app import subprocess_app
from vton_ui.pictures import pool
from vton_ui.settings import Settings

pytestmark = pytest.mark.slow

PATIENCE = httpx.Timeout(110.0)


def called(url: str, endpoint: str, **arguments: object) -> str:
    """The end of a call: "complete" or "error", and what came with it."""
    started = httpx.post(f"{url}gradio_api/call/v2/{endpoint}", json=arguments, timeout=PATIENCE)
    return httpx.get(f"{url}gradio_api/call/{endpoint}/{started.json()['event_id']}", timeout=PATIENCE).text


def composed(url: str, *photos: dict[str, object]) -> str:
    """The end of a sheet of these photos."""
    return called(url, "compose", garments=photos)


def uploaded(url: str, *photos: bytes) -> list[dict[str, object]]:
    files = [("files", (f"{time.monotonic_ns()}.jpg", photo)) for photo in photos]
    paths = httpx.post(f"{url}gradio_api/upload", files=files, timeout=PATIENCE).json()
    return [{"path": path, "meta": {"_type": "gradio.FileData"}} for path in paths]


def try_on(url: str) -> float:
    """Seconds of a try-on with fresh photos, their upload included."""
    photos = saved(grain(1080, 1440, seed=None), quality=60), saved(grain(1000, 1000, seed=None), quality=60)
    begin = time.monotonic()
    person, garment = uploaded(url, *photos)
    end = called(url, "try_on", person=person, garments=[garment], model="cat-vton")
    assert "event: complete" in end
    return time.monotonic() - begin


@pytest.fixture
def url(fal: FakeFal, tmp_path: Path) -> Iterator[str]:
    """The whole app."""
    with serving(Settings(fal_key=TEST_KEY, data_dir=tmp_path, fal_api_url=fal.api_url)) as url:
        yield url


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "refused by their structure": (many_scans, "unusual way"),
    "stopped in the middle": (lambda: black(10_000, 6_000, 16, 6), "takes too long to read"),
}


@pytest.mark.parametrize("kind", ["refused by their structure", *in_detail("stopped in the middle")])
def test_bombs_hold_up_nobody(kind: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With three of somebody's bombs under way, another visitor's try-on takes little longer than alone."""
    build, words = BOMBS[kind]
    bomb = build()
    if words != "unusual way":
        monkeypatch.setattr(pool, "DEADLINE", 1.0)
    files, alone = uploaded(url, bomb, bomb, bomb), try_on(url)
    with ThreadPoolExecutor() as threads:
        attacks: list[Future[str]] = [threads.submit(composed, url, *files) for _ in range(3)]
        until(lambda: all(attack.running() or attack.done() for attack in attacks))
        seconds = try_on(url)
        ends = [attack.result() for attack in attacks]
    assert seconds < 8 + 4 * alone
    for end in ends:
        assert "event: error" in end
        assert words in end


@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
def test_header_that_lies_is_not_ordered(progressive: bool, url: str, fal: FakeFal) -> None:
    """A JPEG whose header claims more than there is costs nobody anything."""
    lie = claiming(
        saved(grain(600, 800), progressive=progressive), *((2000, 2000) if progressive else (14_000, 14_000))
    )
    person, garment = uploaded(url, lie, photo_bytes(400, 400))
    end = called(url, "try_on", person=person, garments=[garment], model="flux-vto")
    assert "Person: The photo cannot be read to its end" in end
    assert not fal.jobs


def memory(pid: int) -> float:
    """Megabytes that a process and its children hold."""
    process = psutil.Process(pid)
    return sum(map(resident, [process, *process.children(recursive=True)])) / 1e6


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_memory_comes_back(fal: FakeFal, tmp_path: Path) -> None:
    """After heavy and bad photos the server and its workers hold what they held before, by a quarter at most."""
    heavy = [black(10_000, 6_000, 16, 6), black(10_000, 6_000, 16, 0), saved(grain(4000, 3000), progressive=True)]
    heavy += [photo_bytes(2000, 2000, kind) for kind in ("WEBP", "HEIF", "AVIF")]
    bad = [many_scans(), heavy[2][: len(heavy[2]) // 2], b"no photo", claiming(saved(grain(600, 800)), 7000, 7000)]
    with subprocess_app(fal, tmp_path) as app:
        assert app.process
        for _ in range(4):  # until everything is imported and warm
            try_on(app.url)
        before = memory(app.process.pid)
        files = [file for photo in (*heavy, *bad) for file in uploaded(app.url, photo)]
        with ThreadPoolExecutor(max_workers=4) as threads:
            ends = list(threads.map(lambda file: composed(app.url, file), files * 2))
        assert len([end for end in ends if "event: error" in end]) >= 2 * len(bad)
        until(lambda: memory(app.process.pid) < 1.25 * before, 60)  # type: ignore[union-attr]
