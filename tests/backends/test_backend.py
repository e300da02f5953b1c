"""fal through its own client, against the fake fal: upload, submit once, follow, fetch, cancel, price."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.conftest import photo_bytes
from tests.fake_fal.schemas import model_error, platform_error
from tests.fake_fal.server import LOCKED_403, NGINX_502, TEST_KEY, FakeFal
from tests.fal_helpers import arguments, followed, job_of, ordered, outcome, size_of
from tests.fast_timings import use_fast_timings
from vton_ui.backends.fal import answers, client, download
from vton_ui.backends.fal import backend as backend_module
from vton_ui.backends.fal.backend import FalBackend
from vton_ui.errors import Cost, FalError, JobFailed, KeyRefused, ResultLost, SubmitUnclear, Unreachable
from vton_ui.models import CAT_VTON, FLUX_VTO, MODELS
from vton_ui.models.spec import ModelSpec
from vton_ui.money.pricing import UnitPrice
from vton_ui.tryon.job import Job

OTHER_KEY = "other-id:other-secret"
HOUR = {"expiration_duration_seconds": 3600}

by_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No delay is longer than a test can wait."""
    use_fast_timings(monkeypatch)


# Upload


async def test_upload(fal: FakeFal, backend: FalBackend) -> None:
    """An upload arrives byte for byte, as a JPEG that is kept for an hour."""
    jpeg = photo_bytes(300, 400)
    url = await backend.upload(jpeg, role="person")
    file = fal.uploads[url]
    assert (file.data, file.content_type, file.lifecycle) == (jpeg, "image/jpeg", HOUR)
    assert url.endswith("person.jpg")


async def test_same_bytes_are_not_sent_twice(fal: FakeFal, backend: FalBackend) -> None:
    """The same bytes are uploaded once, for callers at the same time and later; other bytes are uploaded."""
    jpeg = photo_bytes(300, 400)
    first, second = await asyncio.gather(*[backend.upload(jpeg, role="person") for _ in range(2)])
    third = await backend.upload(jpeg, role="garment")
    assert first == second == third
    assert fal.count("upload") == 1
    assert await backend.upload(photo_bytes(301, 400), role="person") != first
    assert fal.count("upload") == 2


async def test_no_two_visitors_share_an_upload(fal: FakeFal, backend: FalBackend) -> None:
    """The same photo has a different address for each visitor, so that no visitor gets another's job."""
    jpeg = photo_bytes(300, 400)
    first, second = [await backend.upload(jpeg, role="person", visitor=visitor) for visitor in ("a", "b")]
    assert first != second
    assert await backend.upload(jpeg, role="person", visitor="a") == first
    assert fal.count("upload") == 2


@pytest.mark.slow
async def test_old_upload_is_sent_again(fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that fal may have deleted before the model reads it is uploaded again."""
    monkeypatch.setattr(backend_module, "KEPT_SECONDS", 1)
    jpeg = photo_bytes(300, 400)
    first = await backend.upload(jpeg, role="person")
    assert await backend.upload(jpeg, role="person") == first
    await asyncio.sleep(0.51)
    assert await backend.upload(jpeg, role="person") != first


async def test_failed_upload_is_not_remembered(fal: FakeFal, backend: FalBackend) -> None:
    """After a failed upload the same bytes are uploaded again."""
    for operation in ("upload", "initiate"):
        fal.fault(operation, "status", code=400)
    jpeg = photo_bytes(300, 400)
    with pytest.raises(FalError):
        await backend.upload(jpeg, role="person")
    assert fal.uploads[await backend.upload(jpeg, role="person")].data == jpeg


async def test_leaving_visitor_does_not_take_the_upload_along(fal: FakeFal, backend: FalBackend) -> None:
    """Two callers wait for one upload; cancelling one does not stop the other."""
    fal.fault("upload", "slow", seconds=0.2)
    jpeg = photo_bytes(300, 400)
    leaves, stays = (asyncio.ensure_future(backend.upload(jpeg, role="person")) for _ in range(2))
    await asyncio.sleep(0.05)
    leaves.cancel()
    assert fal.uploads[await stays].data == jpeg
    assert fal.count("upload") == 1


async def test_upload_by_the_other_way(fal: FakeFal, backend: FalBackend) -> None:
    """If fal's first storage is down the second is used, with the same expiry."""
    fal.fault("upload", "status", times=None, code=500)
    file = fal.uploads[await backend.upload(photo_bytes(300, 400), role="person")]
    assert file.lifecycle == HOUR


async def test_upload_survives_passing_faults(fal: FakeFal, backend: FalBackend) -> None:
    """A dropped connection or a busy fal does not lose an upload."""
    fal.fault("upload", "drop_before", 2)
    fal.fault("upload", "status", code=429)
    assert await backend.upload(photo_bytes(300, 400), role="person") in fal.uploads


@pytest.mark.parametrize("operation", ["token", "upload"])
async def test_garbage_from_the_storage(fal: FakeFal, backend: FalBackend, operation: str) -> None:
    """Answers of the storage that make no sense become an error with a cause and a cure."""
    fal.fault(operation, "garbage")
    fal.fault("initiate", "garbage")
    with pytest.raises(Unreachable):
        await backend.upload(photo_bytes(300, 400), role="person")


async def test_slow_upload_is_given_up(fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload that never ends becomes an error with a cause and a cure."""
    monkeypatch.setattr(backend_module, "UPLOAD_TIMEOUT", 0.1)
    fal.fault("upload", "slow", seconds=1)
    with pytest.raises(Unreachable, match="could not be sent"):
        await backend.upload(photo_bytes(300, 400), role="person")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "error"),
    [(401, KeyRefused), (403, KeyRefused), (429, FalError), (404, Unreachable), (422, Unreachable), (500, Unreachable)],
)
async def test_storage_that_refuses(fal: FakeFal, backend: FalBackend, code: int, error: type[FalError]) -> None:
    """A refusal of the storage is an upload error, not a model error, and cost nothing."""
    for operation in ("upload", "initiate"):
        fal.fault(operation, "status", times=None, code=code)
    with pytest.raises(FalError) as caught:
        await backend.upload(photo_bytes(300, 400), role="person")
    assert type(caught.value) is error
    assert caught.value.cost is Cost.NOTHING
    assert "model" not in str(caught.value) or code == 403


@pytest.mark.parametrize("answer", [[], {"upload_url": None, "file_url": None}, None], ids=["list", "nulls", "null"])
async def test_odd_storage(fal: FakeFal, backend: FalBackend, answer: Any) -> None:
    """JSON of the wrong shape from the storage becomes an error with a cause and a cure."""
    fal.fault("upload", "edit", times=None, edit=lambda body: answer)
    fal.fault("initiate", "edit", times=None, edit=lambda body: answer)
    with pytest.raises(Unreachable):
        await backend.upload(photo_bytes(300, 400), role="person")


async def test_unknown_key(fal: FakeFal) -> None:
    """An unknown key becomes KeyRefused, at the first upload or at submitting."""
    backend = FalBackend("no-such-key:secret", api_url=fal.api_url)
    with pytest.raises(KeyRefused, match="does not accept"):
        await backend.upload(photo_bytes(300, 400), role="person")
    with pytest.raises(KeyRefused) as caught:
        await backend.submit(FLUX_VTO.endpoint, {})
    assert caught.value.cost is Cost.NOTHING
    assert fal.jobs == {}


# Submit


async def test_submit(fal: FakeFal, backend: FalBackend) -> None:
    """The job is submitted once, unchanged, with the key and a short lifetime for its files."""
    wanted = await arguments(backend, FLUX_VTO)
    request_id = await backend.submit(FLUX_VTO.endpoint, wanted)
    job = fal.jobs[request_id]
    assert (job.endpoint, job.arguments, job.key) == (FLUX_VTO.endpoint, wanted, TEST_KEY)
    assert json.loads(job.headers["X-Fal-Object-Lifecycle-Preference"]) == HOUR
    assert fal.count("submit") == 1


@pytest.mark.parametrize(
    ("fault", "error", "cost", "accepted"),
    [
        ({"action": "accept_then_drop"}, SubmitUnclear, Cost.MAYBE, 1),
        ({"action": "accept_then_hang", "seconds": 2}, SubmitUnclear, Cost.MAYBE, 1),
        ({"action": "garbage"}, SubmitUnclear, Cost.MAYBE, 1),
        ({"action": "half_body"}, SubmitUnclear, Cost.MAYBE, 1),
        ({"action": "edit", "edit": lambda body: {**body, "request_id": None}}, SubmitUnclear, Cost.MAYBE, 1),
        ({"action": "edit", "edit": lambda body: [body]}, SubmitUnclear, Cost.MAYBE, 1),
        ({"action": "drop_before"}, SubmitUnclear, Cost.MAYBE, 0),
        ({"action": "status", "code": 502, "body": NGINX_502}, SubmitUnclear, Cost.MAYBE, 0),
        ({"action": "status", "code": 502, "body": NGINX_502, "accepted": True}, SubmitUnclear, Cost.MAYBE, 1),
        ({"action": "status", "code": 503, "accepted": True}, SubmitUnclear, Cost.MAYBE, 1),
        ({"action": "status", "code": 408}, SubmitUnclear, Cost.MAYBE, 0),
        ({"action": "status", "code": 409}, SubmitUnclear, Cost.MAYBE, 0),
        ({"action": "status", "code": 499}, SubmitUnclear, Cost.MAYBE, 0),
        ({"action": "status", "code": 302, "headers": {"Location": "/"}}, SubmitUnclear, Cost.MAYBE, 0),
        ({"action": "status", "code": 429}, FalError, Cost.NOTHING, 0),
        ({"action": "status", "code": 401}, KeyRefused, Cost.NOTHING, 0),
        ({"action": "status", "code": 403, "body": LOCKED_403}, KeyRefused, Cost.NOTHING, 0),
        ({"action": "status", "code": 404}, JobFailed, Cost.NOTHING, 0),
        ({"action": "status", "code": 422}, JobFailed, Cost.NOTHING, 0),
    ],
    ids=[
        "dropped after acceptance",
        "hung after acceptance",
        "garbage",
        "half an answer",
        "no request id",
        "a list",
        "reset",
        "502 page",
        "502 page, accepted",
        "503, accepted",
        "408",
        "409",
        "499",
        "redirect",
        "429",
        "401",
        "403",
        "404",
        "422",
    ],
)
async def test_one_submit(
    fal: FakeFal,
    monkeypatch: pytest.MonkeyPatch,
    fault: dict[str, Any],
    error: type[FalError],
    cost: Cost,
    accepted: int,
) -> None:
    """Whatever fails, the job is submitted exactly once, and the error says what it may have cost."""
    monkeypatch.setattr(client, "TIMEOUT", httpx.Timeout(0.4))
    backend = FalBackend(TEST_KEY, api_url=fal.api_url)
    wanted = await arguments(backend, FLUX_VTO)
    fal.fault("submit", **fault)
    with pytest.raises(FalError) as caught:
        await backend.submit(FLUX_VTO.endpoint, wanted)
    assert type(caught.value) is error
    assert caught.value.cost is cost
    assert (fal.count("submit"), len(fal.jobs)) == (1, accepted)


async def test_no_connection(fal: FakeFal, backend: FalBackend) -> None:
    """If no connection is made, nothing was sent, and the error says so."""
    wanted = await arguments(backend, FLUX_VTO)
    fal.stop()
    with pytest.raises(Unreachable) as caught:
        await backend.submit(FLUX_VTO.endpoint, wanted)
    assert caught.value.cost is Cost.NOTHING
    assert fal.count("submit") == 0
    with pytest.raises(Unreachable):
        await backend.upload(photo_bytes(300, 401), role="person")


async def test_late_connection(fal: FakeFal, backend: FalBackend) -> None:
    """Submitting is retried if no connection was made, since no job was accepted."""
    wanted = await arguments(backend, FLUX_VTO)
    fal.stop()
    order = asyncio.ensure_future(backend.submit(FLUX_VTO.endpoint, wanted))
    await asyncio.sleep(0.01)
    fal.start()
    assert await order in fal.jobs
    assert fal.count("submit") == 1


async def test_private(fal: FakeFal, backend: FalBackend) -> None:
    """A private job carries the header that forbids storing it; no other job does."""
    wanted = await arguments(backend, FLUX_VTO)
    for private in (True, False):
        request_id = await backend.submit(FLUX_VTO.endpoint, wanted, private=private)
        assert fal.jobs[request_id].headers["X-Fal-Store-IO"] == ("0" if private else None)


# Find a lost job


def lost(wanted: dict[str, Any]) -> Job:
    """The submitted job, without fal's answer."""
    return replace(job_of(""), prompt=wanted["prompt"], photo_url=wanted["human_image_url"])


async def test_look(fal: FakeFal, backend: FalBackend) -> None:
    """A lost job is found among the account's requests by its photo, seed and prompt."""
    wanted = await arguments(backend, FLUX_VTO)
    await backend.submit(FLUX_VTO.endpoint, {**wanted, "seed": 41})
    await backend.submit(FLUX_VTO.endpoint, {**wanted, "prompt": "Another garment."})
    other = await backend.upload(photo_bytes(300, 400), role="person", visitor="another")
    await backend.submit(FLUX_VTO.endpoint, {**wanted, "human_image_url": other})
    await backend.submit(CAT_VTON.endpoint, await arguments(backend, CAT_VTON))
    assert await backend.find_lost_job(lost(wanted)) == []
    request_id = await backend.submit(FLUX_VTO.endpoint, wanted)
    await backend.submit(FLUX_VTO.endpoint, {**wanted, "seed": 43})
    assert await backend.find_lost_job(lost(wanted)) == [request_id]
    assert fal.count("requests") == 2


@pytest.mark.parametrize("place", ["field", "list", "object"])
async def test_look_for_a_photo_wherever_it_is(fal: FakeFal, backend: FalBackend, place: str) -> None:
    """The photo's address is found under any field name."""
    wanted = await arguments(backend, FLUX_VTO)
    request_id = await backend.submit(FLUX_VTO.endpoint, wanted)
    url = wanted["human_image_url"]
    fal.jobs[request_id].arguments = {
        **{name: value for name, value in wanted.items() if name != "human_image_url"},
        "images": {"field": url, "list": ["x", url], "object": {"person": [url]}}[place],
    }
    assert await backend.find_lost_job(lost(wanted)) == [request_id]
    assert await backend.find_lost_job(replace(lost(wanted), photo_url="")) == []


async def test_look_only_around_the_order(fal: FakeFal, backend: FalBackend) -> None:
    """Requests from before or long after the job are not its own; of two matches the nearest comes first."""
    wanted = await arguments(backend, FLUX_VTO)
    before, near, far, after = [await backend.submit(FLUX_VTO.endpoint, wanted) for _ in range(4)]
    job = lost(wanted)
    for request_id, seconds in ((before, -70), (near, 5), (far, 60), (after, 130)):
        fal.jobs[request_id].accepted_at = job.submitted_at + seconds
    assert await backend.find_lost_job(job) == [near, far]


async def test_look_with_a_clock_that_is_late(fal: FakeFal, backend: FalBackend) -> None:
    """A job is found even if fal's clock differs from this machine's."""
    wanted = await arguments(backend, FLUX_VTO)
    request_id = await backend.submit(FLUX_VTO.endpoint, wanted)
    fal.jobs[request_id].accepted_at += 30
    assert await backend.find_lost_job(lost(wanted)) == [request_id]


async def test_look_past_private_requests(fal: FakeFal, backend: FalBackend) -> None:
    """A private job, whose input fal does not list, is not found, and does not hide another."""
    wanted = await arguments(backend, FLUX_VTO)
    await backend.submit(FLUX_VTO.endpoint, wanted, private=True)
    assert await backend.find_lost_job(lost(wanted)) == []
    request_id = await backend.submit(FLUX_VTO.endpoint, wanted)
    assert await backend.find_lost_job(lost(wanted)) == [request_id]


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "status", "code": 503},
        {"action": "status", "code": 403, "body": LOCKED_403},
        {"action": "drop_before"},
        {"action": "garbage"},
        {"action": "edit", "edit": lambda body: [body]},
        {"action": "edit", "edit": lambda body: {"items": None}},
        {"action": "edit", "edit": lambda body: {"items": 7}},
        {"action": "edit", "edit": lambda body: {"items": [], "has_more": True}},
    ],
    ids=["503", "403", "reset", "garbage", "a list", "null", "a number", "more elsewhere"],
)
async def test_look_that_tells_nothing(fal: FakeFal, backend: FalBackend, fault: dict[str, Any]) -> None:
    """A missing or incomplete list does not count as proof that the job is not there."""
    wanted = await arguments(backend, FLUX_VTO)
    request_id = await backend.submit(FLUX_VTO.endpoint, wanted)
    fal.fault("requests", **fault)
    assert await backend.find_lost_job(lost(wanted)) is None
    assert await backend.find_lost_job(lost(wanted)) == [request_id]


@pytest.mark.parametrize(
    "edit",
    [
        lambda body: {"items": [None, 1, "text"]},
        lambda body: {"items": [{**item, "request_id": None} for item in body["items"]]},
        lambda body: {"items": [{**item, "json_input": "text"} for item in body["items"]]},
        lambda body: {"items": [{**item, "sent_at": "today"} for item in body["items"]]},
        lambda body: {"items": [{**item, "sent_at": None} for item in body["items"]]},
    ],
    ids=["odd items", "no request id", "odd payload", "odd time", "no time"],
)
async def test_odd_look(fal: FakeFal, backend: FalBackend, edit: Callable[[Any], Any]) -> None:
    """Malformed requests in the list are skipped."""
    wanted = await arguments(backend, FLUX_VTO)
    request_id = await backend.submit(FLUX_VTO.endpoint, wanted)
    fal.fault("requests", "edit", edit=edit)
    assert await backend.find_lost_job(lost(wanted)) == []
    assert await backend.find_lost_job(lost(wanted)) == [request_id]


# Fetch


@by_model
async def test_fetch(fal: FakeFal, backend: FalBackend, model: ModelSpec) -> None:
    """The fetched bytes are the picture that fal made."""
    fetched = await outcome(backend, model)
    assert fetched.picture in [file.data for file in fal.files.values()]
    assert fetched.answer.seed == (42 if model is FLUX_VTO else None)
    assert not fetched.answer.flagged


async def test_no_key_to_strangers(fal: FakeFal, backend: FalBackend) -> None:
    """The key is sent to fal's queue, and not to the host of the picture."""
    await outcome(backend)
    downloads = [seen for seen in fal.seen if seen.operation == "download"]
    assert len(downloads) == 1
    assert downloads[0].headers["Authorization"] is None


async def test_sync_mode(fal: FakeFal, backend: FalBackend) -> None:
    """A picture inside the answer is taken from there; nothing is downloaded and fal stores nothing."""
    fetched = await outcome(backend, sync_mode=True, output_format="png")
    assert Image.open(io.BytesIO(fetched.picture)).format == "PNG"
    assert fal.count("download") == 0


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["result", "download"])
@pytest.mark.parametrize(
    "fault",
    [
        {"action": "half_body"},
        {"action": "drop_before"},
        {"action": "accept_then_drop"},
        {"action": "status", "code": 502, "body": NGINX_502},
        {"action": "status", "code": 503},
        {"action": "status", "code": 403, "body": LOCKED_403},
        {"action": "status", "code": 429},
    ],
    ids=["half a body", "reset", "dropped", "502 page", "503", "403", "429"],
)
async def test_fetched_again(fal: FakeFal, backend: FalBackend, operation: str, fault: dict[str, Any]) -> None:
    """An incomplete result is fetched again, which costs nothing."""
    fal.fault(operation, **fault)
    assert size_of(await outcome(backend)) == (300, 400)
    assert (fal.count(operation), fal.count("submit")) == (2, 1)


async def test_garbage_result_is_fetched_again(fal: FakeFal, backend: FalBackend) -> None:
    """A result that is no JSON is requested again."""
    fal.fault("result", "garbage")
    assert size_of(await outcome(backend)) == (300, 400)
    assert fal.count("result") == 2


@pytest.mark.parametrize("operation", ["result", "download"])
async def test_result_lost(fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    """If the picture can never be fetched, the error has the request id and the cost."""
    monkeypatch.setattr(answers, "SILENCE_SECONDS", 0.15)
    fal.fault(operation, "status", times=None, code=503)
    with pytest.raises(ResultLost) as caught:
        await outcome(backend)
    assert (caught.value.cost, caught.value.request_id) == (Cost.CHARGED, next(iter(fal.jobs)))


@pytest.mark.parametrize(
    "edit",
    [lambda body: {"odd": 1}, lambda body: {**body, "images": []}, lambda body: {**body, "images": [{"url": ""}]}],
    ids=["other shape", "no picture", "no URL"],
)
async def test_no_picture(fal: FakeFal, backend: FalBackend, edit: Callable[[Any], Any]) -> None:
    """A result without a picture is an error at once."""
    fal.fault("result", "edit", edit=edit)
    with pytest.raises(ResultLost, match="no picture") as caught:
        await outcome(backend)
    assert caught.value.request_id == next(iter(fal.jobs))
    assert fal.count("result") == 1


async def test_broken_data_uri(fal: FakeFal, backend: FalBackend) -> None:
    """A damaged picture inside the answer is an error, and was charged."""
    fal.fault("result", "edit", edit=lambda body: {**body, "images": [{"url": "data:image/png;base64,%%%"}]})
    with pytest.raises(ResultLost, match="damaged") as caught:
        await outcome(backend, sync_mode=True)
    assert (caught.value.cost, caught.value.request_id) == (Cost.CHARGED, next(iter(fal.jobs)))


async def test_too_large(fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture over the size limit is neither read nor requested again."""
    monkeypatch.setattr(download, "MAX_PICTURE_BYTES", 1000)
    with pytest.raises(ResultLost, match="is not fetched") as caught:
        await outcome(backend)
    assert caught.value.request_id == next(iter(fal.jobs))
    assert fal.count("download") == 1


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/picture.png", "http://\x00/"], ids=["scheme", "syntax"])
async def test_odd_address(fal: FakeFal, backend: FalBackend, url: str) -> None:
    """A picture at an address that cannot be requested is an error at once."""
    fal.fault("result", "edit", edit=lambda body: {**body, "images": [{"url": url}]})
    with pytest.raises(ResultLost):
        await outcome(backend)


@pytest.mark.parametrize("images", [[], [{"url": ""}], None], ids=["none", "no URL", "as ever"])
async def test_flagged(fal: FakeFal, backend: FalBackend, images: list[Any] | None) -> None:
    """A flagged result is returned as flagged, with or without a picture, and is not fetched."""
    fal.unsafe = True
    if images is not None:
        fal.fault("result", "edit", edit=lambda body: {**body, "images": images})
    fetched = await outcome(backend)
    assert fetched.answer.flagged
    assert fetched.picture == b""
    assert fal.count("download") == 0


async def test_result_that_is_not_ready(fal: FakeFal, backend: FalBackend) -> None:
    """If fal calls a completed job unfinished, the result is requested until it is there."""
    fal.fault("result", "status", 2, code=400, body={"detail": "Request is still in progress"})
    assert size_of(await outcome(backend)) == (300, 400)


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (model_error("face_detection_error", "No face", field="human_image_url"), "no face"),
        (model_error("internal_server_error", "Boom"), "failed inside fal"),
        (platform_error(503, "runner_disconnected", "gone"), "lost touch"),
    ],
    ids=["422", "500", "503"],
)
async def test_fals_last_word(fal: FakeFal, backend: FalBackend, failure: Any, said: str) -> None:
    """fal's own error about a job is final, and requested once."""
    fal.next_error = failure
    with pytest.raises(JobFailed, match=said):
        await outcome(backend)
    assert fal.count("result") == 1


# Cancel


async def test_cancel_waiting(fal: FakeFal, backend: FalBackend) -> None:
    """A queued job is cancelled at fal, and free."""
    fal.queue_seconds = 5
    job = await ordered(backend)
    assert await backend.cancel(job)
    await followed(backend, job)
    with pytest.raises(JobFailed, match="cancelled"):
        await backend.fetch(job, FLUX_VTO.read)
    assert fal.jobs[job.request_id].cancelled
    assert fal.billed == 0


@pytest.mark.parametrize("request_id", ["done", "unknown"])
async def test_cancel_too_late(fal: FakeFal, backend: FalBackend, request_id: str) -> None:
    """Cancelling a finished or unknown job is no error."""
    job = await ordered(backend)
    await followed(backend, job)
    received = await backend.cancel(job if request_id == "done" else job_of("unknown"))
    assert received is (request_id == "done")
    assert fal.count("cancel") == (1 if received else 3)


async def test_cancel_is_repeated(fal: FakeFal, backend: FalBackend) -> None:
    """A lost cancel request is sent again."""
    fal.queue_seconds = 5
    job = await ordered(backend)
    fal.fault("cancel", "drop_before")
    fal.fault("cancel", "status", code=503)
    assert await backend.cancel(job)
    assert fal.count("cancel") == 3
    assert fal.jobs[job.request_id].cancelled


@pytest.mark.parametrize("code", [401, 403, 404, 408, 422, 429, 500, 503])
async def test_cancel_that_is_not_heard(fal: FakeFal, backend: FalBackend, code: int) -> None:
    """A cancel counts as received only if fal answers that it cancels, or that the job is over."""
    fal.queue_seconds = 5
    job = await ordered(backend)
    fal.fault("cancel", "status", times=None, code=code)
    assert not await backend.cancel(job)
    assert not fal.jobs[job.request_id].cancel_requested


# Price


async def test_price(fal: FakeFal, backend: FalBackend) -> None:
    """The live price is requested once, for any number of callers."""
    prices = await asyncio.gather(*[backend.price(CAT_VTON.endpoint) for _ in range(3)])
    prices.append(await backend.price(CAT_VTON.endpoint))
    assert prices == [UnitPrice(usd=Decimal("0.00125"), unit="compute seconds")] * 4
    assert fal.count("pricing") == 1


async def test_price_is_a_keys_own(fal: FakeFal, backend: FalBackend) -> None:
    """Each key requests its own price."""
    fal.keys.add(OTHER_KEY)
    await backend.price(CAT_VTON.endpoint)
    await FalBackend(OTHER_KEY, api_url=fal.api_url).price(CAT_VTON.endpoint)
    asked = [seen.headers["Authorization"] for seen in fal.seen if seen.operation == "pricing"]
    assert asked == [f"Key {TEST_KEY}", f"Key {OTHER_KEY}"]


async def test_price_is_asked_again_next_day(
    fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A price is kept for a day."""
    assert backend_module.PRICE_SECONDS == 24 * 3600
    monkeypatch.setattr(backend_module, "PRICE_SECONDS", 0.05)
    await backend.price(CAT_VTON.endpoint)
    await backend.price(CAT_VTON.endpoint)
    await asyncio.sleep(0.06)
    fal.prices[CAT_VTON.endpoint] = (0.5, "image")
    assert await backend.price(CAT_VTON.endpoint) == UnitPrice(usd=Decimal("0.5"), unit="image")
    assert fal.count("pricing") == 2


def priced(**facts: Any) -> Callable[[Any], Any]:
    return lambda body: {"prices": [{**item, **facts} for item in body["prices"]]}


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "status", "code": 500},
        {"action": "status", "code": 403, "body": LOCKED_403},
        {"action": "garbage"},
        {"action": "half_body"},
        {"action": "drop_before"},
        {"action": "edit", "edit": lambda body: {"prices": []}},
        {"action": "edit", "edit": lambda body: {"prices": None}},
        {"action": "edit", "edit": lambda body: {"prices": [None]}},
        {"action": "edit", "edit": priced(unit_price="free")},
        {"action": "edit", "edit": priced(unit_price=None)},
        {"action": "edit", "edit": priced(unit_price=0)},
        {"action": "edit", "edit": priced(currency="EUR")},
        {"action": "edit", "edit": priced(endpoint_id="fal-ai/other")},
    ],
    ids=[
        "500",
        "403",
        "garbage",
        "half",
        "reset",
        "none",
        "null",
        "list",
        "word",
        "null price",
        "zero",
        "EUR",
        "other",
    ],
)
async def test_no_price(fal: FakeFal, backend: FalBackend, fault: dict[str, Any]) -> None:
    """A missing or malformed price is unknown; it raises nothing, and is not requested again at once."""
    fal.fault("pricing", **fault)
    assert await backend.price(CAT_VTON.endpoint) is None
    assert await backend.price(CAT_VTON.endpoint) is None
    assert fal.count("pricing") == 1


# All of it


async def test_a_key_never_shows(fal: FakeFal, backend: FalBackend, caplog: pytest.LogCaptureFixture) -> None:
    """No error, log line or representation holds the key."""
    caplog.set_level("DEBUG")
    fal.fault("stream", "drop_before")
    fal.fault("status", "drop_before")
    fal.fault("result", "status", times=None, code=401)
    with pytest.raises(KeyRefused) as caught:
        await outcome(backend)
    secret = TEST_KEY.partition(":")[2]
    assert secret not in f"{caught.value!r} {caught.value} {backend!r} {caplog.text}"


async def test_many_at_once(fal: FakeFal, backend: FalBackend) -> None:
    """Many jobs on one key run side by side, and share their uploads."""
    many = await asyncio.gather(*[ordered(backend, seed=seed) for seed in range(8)])
    await asyncio.gather(*[followed(backend, job) for job in many])
    fetched = await asyncio.gather(*[backend.fetch(job, FLUX_VTO.read) for job in many])
    assert sorted(answer.answer.seed or 0 for answer in fetched) == list(range(8))
    assert (fal.count("submit"), fal.count("upload")) == (8, 2)
