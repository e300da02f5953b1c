"""What was ordered is on disk before it is ordered, belongs to one job only, and holds no more than it must."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.client import Client
from tests.conftest import photo_bytes, serving
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.fal_helpers import job_of
from vton_ui.settings import Settings
from vton_ui.tryon import job_store
from vton_ui.tryon.job import Job
from vton_ui.tryon.job_store import JobStore

PROMPT, PHOTO = "a kimono for aunt Mildred", "https://v3.fal.media/files/secret-name/person.jpg"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def store(folder: Path) -> JobStore:
    return JobStore(folder)


def new(**facts: object) -> Job:
    return replace(job_of(""), prompt=PROMPT, photo_url=PHOTO, **facts)  # type: ignore[arg-type]


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.parent.glob(f"{job_store.FILE}*"))


async def test_another_process_knows(store: JobStore, folder: Path) -> None:
    """A job that was written down is there for all, with all that finishing it needs."""
    job, other = new(), JobStore(folder)
    await store.add(job)
    record = await other.get(job.id)
    assert record
    assert (record.job, record.may_be_submitted, record.result) == (job, False, None)
    await store.submitting(job)
    await store.accept(job, "r1")
    record = await other.find("r1")
    assert record
    assert record.may_be_submitted
    assert record.job == replace(job, request_id="r1", prompt=None, photo_url="")
    (folder / "x").mkdir(parents=True)
    picture = folder / "x" / "try-on.jpg"
    picture.write_bytes(b"picture")
    await store.keep("r1", picture)
    record = await other.find("r1")
    assert record
    assert record.result == picture
    picture.unlink()
    record = await other.find("r1")
    assert record
    assert record.result is None


async def test_one_request_one_job(store: JobStore) -> None:
    """A request is claimed once; what fal itself answered goes before what was found."""
    first, second = new(), new()
    for job in (first, second):
        await store.add(job)
    assert await store.claim(first, "r1")
    assert await store.claim(first, "r1")
    assert not await store.claim(second, "r1")
    assert not await store.claim(first, "r2")
    assert not await store.claim(job_of(""), "r3")
    await store.accept(second, "r1")
    record = await store.find("r1")
    assert record
    assert record.job.id == second.id
    record = await store.get(first.id)
    assert record
    assert record.job.request_id == ""


async def test_no_words_of_a_visitor(store: JobStore, folder: Path) -> None:
    """Of a private job neither prompt nor photo are ever written."""
    job = new(private=True)
    await store.add(job)
    await store.accept(job, "r1")
    assert b"Mildred" not in on_disk(folder)
    assert b"secret-name" not in on_disk(folder)


async def test_forget(store: JobStore) -> None:
    """What is forgotten is found by nobody; its request stays taken."""
    job, other = new(reservation="n1"), new()
    await store.add(job)
    await store.add(other)
    await store.accept(job, "r1")
    await store.forget(["r1", "unknown"])
    assert await store.find("r1") is None
    assert not await store.claim(other, "r1")
    record = await store.get(job.id)
    assert record
    assert (record.job.seed, record.job.frame, record.job.reservation) == (None, None, "n1")


async def test_expire(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are deleted as results are, but not while their bills may be open."""
    job = new()
    await store.add(job)
    await store.expire(0.001)
    assert await store.get(job.id)
    monkeypatch.setattr(job_store, "RECONCILED_HOURS", 0.0)
    await store.expire(1)
    assert await store.get(job.id)
    await store.expire(0)
    assert await store.get(job.id) is None


async def test_job_of_another_version(store: JobStore, caplog: pytest.LogCaptureFixture) -> None:
    """A job that this version cannot read is unknown."""
    job = new()
    await store.add(job)
    with store._file.transaction() as db:
        db.execute("UPDATE jobs SET job = '{}'")
    assert await store.get(job.id) is None
    assert "cannot be read" in caplog.text


def test_no_order_that_cannot_be_written_down(fal: FakeFal, tmp_path: Path) -> None:
    """Where the file cannot be written nothing is ordered, and the visitor is told so."""
    data = tmp_path / "data"
    (data / job_store.FILE).mkdir(parents=True)
    with serving(Settings(fal_key=TEST_KEY, data_dir=data, fal_api_url=fal.api_url)) as url:
        client = Client(url)
        given = {"person": client.upload(photo_bytes(300, 400)), "garments": [client.upload(photo_bytes(260, 260))]}
        answer = client.call("try_on", **given)
    assert "ordered nothing" in answer
    assert "Nothing was charged" in answer
    assert str(data) not in answer
    assert fal.count("submit") == 0
