"""Prepared pictures: each is made once, shared by callers who wait for it, and found again by its content."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file  # type: ignore[import-untyped]
from PIL import Image

from tests.conftest import photo_bytes, serving, until
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.pictures.bombs import black
from tests.pictures.test_pool import workers
from vton_ui.errors import PhotoError
from vton_ui.models import CAT_VTON
from vton_ui.models.spec import Limits
from vton_ui.pictures import pool, prepare
from vton_ui.pictures.pool import in_pool
from vton_ui.pictures.prepare import Prepared, forget, prefetch
from vton_ui.settings import Settings

LIMITS = CAT_VTON.limits(CAT_VTON.defaults())


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    """Empty caches."""
    prepare._pictures._entries.clear()
    prepare._hashes._entries.clear()
    yield
    prepare._pictures._entries.clear()


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the functions that workers are given."""
    names: list[str] = []

    async def counting(work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        names.append(work.__name__)
        return await in_pool(work, *args, **kwargs)

    monkeypatch.setattr(prepare, "in_pool", counting)
    return names


def photos(folder: Path, name: str = "person") -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    person, garment = folder / f"{name}.jpg", folder / "garment.jpg"
    person.write_bytes(photo_bytes(900, 1300))
    garment.write_bytes(photo_bytes(900, 900))
    return person, garment


async def prepared(photos: tuple[Path, Path], limits: Limits = LIMITS) -> Prepared:
    return await prepare.prepare(photos[0], [(photos[1], "Garment")], limits)


async def test_four_at_the_same_moment(tmp_path: Path, jobs: list[str]) -> None:
    """Four requests for one photo in one moment prepare it once, also if it was prefetched just before."""
    pair = photos(tmp_path)
    prefetch(pair[0], [(pair[1], "Garment")], LIMITS)
    results = await asyncio.gather(*(prepared(pair) for _ in range(4)))
    assert sorted(jobs) == ["prepare_garment", "prepare_person"]
    assert all(result.person is results[0].person and result.garment is results[0].garment for result in results)
    assert (await prepared(pair)).person is results[0].person


async def test_the_same_content_elsewhere(tmp_path: Path, jobs: list[str]) -> None:
    """A photo that is uploaded again, under any name, is not decoded again."""
    first = await prepared(photos(tmp_path))
    again = photos(tmp_path)
    os.utime(again[0], (1, 1))
    assert (await prepared(again)).person is first.person
    assert (await prepared(photos(tmp_path / "other", "me"))).person is first.person
    assert len(jobs) == 2


async def test_another_photo_under_the_same_name(tmp_path: Path) -> None:
    """Another photo of the same length and time is not taken for the first."""
    pair, results = photos(tmp_path), []
    for transpose in (Image.Transpose.ROTATE_180, Image.Transpose.FLIP_TOP_BOTTOM):
        with Image.open(io.BytesIO(photo_bytes(900, 1300))) as image:
            image.transpose(transpose).save(pair[0], "JPEG")
        os.truncate(pair[0], 200_000)
        os.utime(pair[0], (1, 1))
        results.append((await prepared(pair)).person.jpeg)
    assert results[0] != results[1]


async def test_other_limits_are_another_picture(tmp_path: Path) -> None:
    """A picture made for one model or one of its options is not taken for another."""
    pair = photos(tmp_path)
    square = CAT_VTON.limits({**CAT_VTON.defaults(), "image_size": "square"})
    assert (await prepared(pair)).person.size == (768, 1024)
    assert (await prepared(pair, square)).person.size == (512, 512)


async def test_one_of_several_is_cancelled(tmp_path: Path) -> None:
    """The work goes on as long as one caller waits."""
    pair = photos(tmp_path)
    cancelled, waiting = (asyncio.ensure_future(prepared(pair)) for _ in range(2))
    await asyncio.sleep(0.05)
    cancelled.cancel()
    assert (await waiting).person.size == (768, 1024)


@pytest.mark.usefixtures("_fresh")
async def test_the_last_one_is_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is stopped when its last caller is cancelled, and nothing of it is kept."""
    monkeypatch.setattr(pool, "DEADLINE", 60.0)
    heavy = tmp_path / "heavy.png"
    heavy.write_bytes(black(10_000, 6_000, 16, 6))
    waiting = [asyncio.ensure_future(prepared((heavy, heavy))) for _ in range(3)]
    await asyncio.to_thread(until, lambda: workers(more_than=100e6) != [])
    killed = await asyncio.to_thread(workers, 100e6)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.to_thread(until, lambda: not set(killed) & set(workers()))
    assert not prepare._pictures._entries


@pytest.fixture
async def _fresh() -> None:
    """Workers that have started."""
    await asyncio.gather(*(in_pool(os.getpid) for _ in range(pool.WORKERS)))


@pytest.mark.slow
async def test_errors_are_not_kept(tmp_path: Path) -> None:
    """An error is not kept: the photo is read again."""
    pair = photos(tmp_path)
    good = pair[0].read_bytes()
    pair[0].write_bytes(good[: len(good) // 2])
    with pytest.raises(PhotoError):
        await prepared(pair)
    assert len(prepare._pictures._entries) <= 1  # the garment's
    pair[0].write_bytes(good)
    assert (await prepared(pair)).person.size == (768, 1024)


async def test_too_slow_a_photo_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A photo that takes too long is refused by the name of its slot, with a cure."""
    pair = photos(tmp_path)
    await in_pool(os.getpid)
    monkeypatch.setattr(pool, "DEADLINE", 0.0)
    with pytest.raises(PhotoError, match="takes too long to read") as caught:
        await prepared(pair)
    assert caught.value.slot in ("Person", "Garment")
    assert "smaller JPEG" in caught.value.cure


async def test_forget_drops_only_its_own(tmp_path: Path, jobs: list[str]) -> None:
    """Forgetting keeps another visitor's pictures, even if both have the same photo."""
    mine, theirs = photos(tmp_path), photos(tmp_path / "theirs")
    theirs[0].write_bytes(photo_bytes(700, 1300))
    kept, first = await prepared(theirs), await prepared(mine)
    forget(mine)
    assert len(jobs) == 3  # both have the same garment
    again = await prepared(mine)
    assert again.person is not first.person
    assert again.garment is kept.garment is first.garment
    assert (await prepared(theirs)).person is kept.person
    assert len(jobs) == 4


async def test_forget_drops_what_is_deleted(tmp_path: Path) -> None:
    """Nothing of a deleted file stays in memory."""
    pair = photos(tmp_path)
    await prepared(pair)
    for path in pair:
        path.unlink()
    forget([])
    assert not prepare._pictures._entries
    assert not prepare._hashes._entries


@pytest.mark.slow
async def test_second_call_of_a_script(
    fal: FakeFal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: list[str]
) -> None:
    """gradio_client uploads the same photos again with each call; they cost what another seed costs: no decoding.

    A photo that is sent unscaled is paid by the size of what comes back.
    """
    fal.queue_seconds = fal.run_seconds = 0.02
    fal.prices[CAT_VTON.endpoint] = (0.04, "megapixel")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    person, garment = photos(tmp_path)
    person.write_bytes(photo_bytes(1080, 1440))
    with serving(Settings(fal_key=TEST_KEY, data_dir=tmp_path / "data", fal_api_url=fal.api_url)) as url:

        def call(seed: int) -> Any:
            client = Client(url, verbose=False)
            arguments = {"person": handle_file(person), "garments": [handle_file(garment)], "model": "cat-vton"}
            return client.predict(**arguments, seed=seed, api_name="/try_on")[1]

        for seed in (1, 2):
            facts = await asyncio.to_thread(call, seed)
            assert (facts["width"], facts["height"], facts["cost_usd"]) == (768, 1024, 0.04)
    assert sorted(jobs) == ["prepare_garment", "prepare_person"]
    assert (fal.count("upload"), fal.count("submit")) == (2, 2)
