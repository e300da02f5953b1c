"""A job is on disk before it is submitted, a request belongs to one job, and no more than necessary is stored."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.client import Client
from tests.conftest import photo_bytes, serving
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.fal_helpers import job_of
from tests.ui.test_memory import NEW
from vton_ui.settings import Settings
from vton_ui.tryon import job_store, planned
from vton_ui.tryon.job import Job
from vton_ui.tryon.job_store import JobStore, Remembered

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
    return b"".join(path.read_bytes() for path in folder.parent.glob(f"{job_store.JOBS_FILE}*"))


async def test_another_process_knows(store: JobStore, folder: Path) -> None:
    """A stored job can be read by every process, with all that finishing it needs."""
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
    """A request is claimed once; fal's own answer goes before a request that was found."""
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
    """A forgotten job is not found; its request stays claimed."""
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
    """Jobs expire as results do, but not while their reservations may be open."""
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


# What belongs to a browser

HERS, HIS = "hash of her browser", "hash of his"


def ask(label: str) -> dict[str, str]:
    return {"label": label}


async def sent(store: JobStore, job: Job, request_id: str = "") -> None:
    """A planned job that goes out; fal answers, if there is a request id."""
    await store.add(job)
    await store.submitting(job)
    if request_id:
        await store.accept(job, request_id)


async def test_what_a_browser_asked_for(store: JobStore, folder: Path) -> None:
    """What was sent is open until its picture is kept; what was not is there with what it asks for, in its order."""
    open_job, finished, private = new(), new(), new(private=True)
    items = {"first": ask("tee"), finished.id: ask("coat"), open_job.id: ask("skirt"), "last": ask("dress")}
    await store.plan(HERS, "plan", {**items, private.id: None})
    await sent(store, finished, "r1")
    await sent(store, open_job)
    picture = folder / "x" / "try-on.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"picture")
    await store.keep("r1", picture)
    remembered = await JobStore(folder).of_browser(HERS)
    assert [record.job.id for record in remembered.open] == [open_job.id]
    assert [(record.job.id, record.result) for record in remembered.finished] == [(finished.id, picture)]
    assert [(item.id, item.plan, item.item) for item in remembered.unsent] == [
        ("first", "plan", ask("tee")),
        ("last", "plan", ask("dress")),
    ]
    for nobody in (HIS, ""):
        assert await store.of_browser(nobody) == Remembered(open=(), finished=(), unsent=())
    picture.unlink()
    assert (await store.of_browser(HERS)).finished == ()


async def test_two_tabs_at_once(folder: Path) -> None:
    """What two tabs of a browser order in the same second comes back whole, whichever process took it."""
    tabs = JobStore(folder), JobStore(folder)
    jobs = [[new() for _ in range(12)] for _ in tabs]

    async def order(store: JobStore, tab: int) -> None:
        await store.plan(HERS, f"plan {tab}", {job.id: ask("tee") for job in jobs[tab]})
        await asyncio.gather(*(sent(store, job, job.id) for job in jobs[tab][:6]))

    await asyncio.gather(*(order(store, tab) for tab, store in enumerate(tabs)))
    remembered = await JobStore(folder).of_browser(HERS)
    assert {record.job.id for record in remembered.open} == {job.id for tab in jobs for job in tab[:6]}
    assert {item.id for item in remembered.unsent} == {job.id for tab in jobs for job in tab[6:]}


async def test_unsent_is_given_out_once(store: JobStore) -> None:
    """Two tabs that order the rest order it once; no other browser can, and nothing being sent is taken."""
    await store.plan(HERS, "plan", {"a": ask("tee"), "b": ask("coat"), "c": ask("skirt")})
    assert await store.take(HIS, ["a"]) == []
    with store.following("c"):
        assert {item.id for item in (await store.of_browser(HERS)).unsent} == {"a", "b"}
        taken = await asyncio.gather(*(store.take(HERS, ["a", "b", "c"]) for _ in range(2)))
    assert sorted(len(items) for items in taken) == [0, 2]
    assert [item.id for item in (await store.of_browser(HERS)).unsent] == ["c"]
    assert await store.is_unsent("a")


async def test_refused_and_left(store: JobStore) -> None:
    """A job that was left before it was sent is still to be sent; one that fal refused is over."""
    left, refused = new(), new()
    await store.plan(HERS, "plan", {left.id: ask("tee"), refused.id: ask("coat")})
    await store.add(left)
    await store.drop(left)
    await sent(store, refused)
    await store.drop(refused)
    assert [item.id for item in (await store.of_browser(HERS)).unsent] == [left.id]
    assert await store.is_unsent(left.id)
    assert not await store.is_unsent(refused.id)


async def test_nothing_of_who_cannot_come_back(store: JobStore, folder: Path) -> None:
    """Without a browser, or where a request is private, what was asked for is not written down."""
    await store.plan("", "plan", {"a": ask(PROMPT)})
    await store.plan(HERS, "plan", {"b": None})
    assert b"Mildred" not in on_disk(folder)
    assert (await store.of_browser(HERS)).unsent == ()
    assert await store.is_unsent("a")


async def test_a_browser_forgets(store: JobStore, folder: Path) -> None:
    """What is forgotten comes back to nobody, and its pictures are named to be deleted; its money can be given back."""
    job = new(label="tee")
    await store.plan(HERS, "plan", {job.id: ask("tee"), "unsent": ask("coat")})
    await sent(store, job, "r1")
    picture = folder / "x" / "try-on.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"picture")
    await store.keep("r1", picture)
    assert await store.forget_browser("") == []
    assert await store.forget_browser(HERS) == [picture]
    assert await store.of_browser(HERS) == Remembered(open=(), finished=(), unsent=())
    assert await store.find("r1") is None
    record = await store.get(job.id)
    assert record
    assert record.job.label == ""
    assert await store.is_unsent("unsent")


async def test_unsent_of_an_hour(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not sent is offered as long as its photos are kept, and deleted then."""
    await store.plan(HERS, "plan", {"a": ask("tee")})
    await store.expire(24)
    assert (await store.of_browser(HERS)).unsent
    monkeypatch.setattr(planned, "UNSENT_SECONDS", 0.0)
    assert (await store.of_browser(HERS)).unsent == ()
    await store.expire(24)
    assert not await store.is_unsent("a")


async def test_file_of_an_older_version(folder: Path) -> None:
    """A file that was written before there were plans is read, and written."""
    job = new()
    data = {name: value for name, value in job.to_dict().items() if name not in NEW}
    data["ordered_at"] = data.pop("submitted_at")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder.parent / job_store.JOBS_FILE)) as db, db:
        db.execute(
            """CREATE TABLE jobs (
            id TEXT PRIMARY KEY, at REAL NOT NULL, request_id TEXT UNIQUE, ordered INTEGER NOT NULL DEFAULT 0,
            forgotten INTEGER NOT NULL DEFAULT 0, result TEXT, job TEXT NOT NULL)"""
        )
        db.execute(
            "INSERT INTO jobs (id, at, ordered, job) VALUES (?, ?, 1, ?)", (job.id, time.time(), json.dumps(data))
        )
    store = JobStore(folder)
    record = await store.get(job.id)
    assert record
    assert (record.job, record.may_be_submitted) == (job, True)
    await store.plan(HERS, "plan", {"a": ask("tee")})
    assert (await store.of_browser(HERS)).unsent


async def test_one_row_that_cannot_be_read(store: JobStore) -> None:
    """A job of another version hides no other."""
    jobs = new(), new()
    await store.plan(HERS, "plan", {job.id: ask("tee") for job in jobs})
    for job in jobs:
        await sent(store, job, job.id)
    with store._file.transaction() as db:
        db.execute("UPDATE jobs SET job = '{}' WHERE id = ?", (jobs[0].id,))
    assert [record.job.id for record in (await store.of_browser(HERS)).open] == [jobs[1].id]


# A file that cannot be written


def test_no_order_that_cannot_be_written_down(fal: FakeFal, tmp_path: Path) -> None:
    """If the file cannot be written nothing is submitted, and the error says so."""
    data = tmp_path / "data"
    (data / job_store.JOBS_FILE).mkdir(parents=True)
    with serving(Settings(fal_key=TEST_KEY, data_dir=data, fal_api_url=fal.api_url)) as url:
        client = Client(url)
        given = {"person": client.upload(photo_bytes(300, 400)), "garments": [client.upload(photo_bytes(260, 260))]}
        answer = client.call("try_on", **given)
    assert "ordered nothing" in answer
    assert "Nothing was charged" in answer
    assert str(data) not in answer
    assert fal.count("submit") == 0
