"""The fake fal, used through the real fal-client."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import Any

import fal_client
import httpx
import pytest
from fal_client.client import FalClientHTTPError
from httpx_sse import aconnect_sse
from PIL import Image

from tests.conftest import photo_bytes
from tests.fake_fal.schemas import CAT_VTON, FASHN, FLUX_VTO, mean_colour, model_error, platform_error
from tests.fake_fal.server import LOCKED_403, NGINX_502, TEST_KEY, FakeFal

pytestmark = pytest.mark.slow  # the fake itself; all that uses it shows at a glance whether it works

AUTHORIZATION = {"Authorization": f"Key {TEST_KEY}"}


@pytest.fixture
def client(fal: FakeFal) -> fal_client.AsyncClient:
    return fal_client.AsyncClient(key=TEST_KEY)


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """fal-client's waits between attempts, cut short."""
    monkeypatch.setattr(fal_client.client, "_get_retry_delay", lambda *_, **__: 0.01)


async def cat_arguments(client: fal_client.AsyncClient, **more: Any) -> dict[str, Any]:
    person, garment = await upload(client, 300, 400), await upload(client, 200, 200)
    return {"human_image_url": person, "garment_image_url": garment, "cloth_type": "upper", **more}


async def flux_arguments(client: fal_client.AsyncClient, **more: Any) -> dict[str, Any]:
    person, garment = await upload(client, 300, 400), await upload(client, 200, 200)
    return {"human_image_url": person, "garment_image_url": garment, "prompt": "The person.", **more}


async def fashn_arguments(client: fal_client.AsyncClient, **more: Any) -> dict[str, Any]:
    person, garment = await upload(client, 300, 400), await upload(client, 200, 200)
    return {"model_image": person, "garment_image": garment, **more}


ARGUMENTS = {CAT_VTON: cat_arguments, FLUX_VTO: flux_arguments, FASHN: fashn_arguments}


async def upload(client: fal_client.AsyncClient, width: int, height: int, format: str = "JPEG") -> str:
    return await client.upload(photo_bytes(width, height, format), f"image/{format.lower()}")


async def download(url: str) -> Image.Image:
    async with httpx.AsyncClient() as http:
        answer = await http.get(url)
    answer.raise_for_status()
    return Image.open(io.BytesIO(answer.content))


async def failure(handle: fal_client.AsyncRequestHandle) -> tuple[int, dict[str, Any]]:
    with pytest.raises(FalClientHTTPError) as caught:
        await handle.get(interval=0.02)
    return caught.value.status_code, caught.value.response.json()


# Both models


@pytest.mark.parametrize(
    ("image_size", "expected"),
    [(None, (768, 1024)), ("square", (512, 512)), ({"width": 520, "height": 700}, (520, 700))],
    ids=["default", "preset", "custom"],
)
async def test_cat_vton(
    fal: FakeFal, client: fal_client.AsyncClient, image_size: Any, expected: tuple[int, int]
) -> None:
    """CatVTON answers one PNG of exactly the size asked for, and no seed."""
    more = {} if image_size is None else {"image_size": image_size}
    result = await client.subscribe(CAT_VTON, await cat_arguments(client, **more), interval=0.02)
    image = await download(result["image"]["url"])
    assert (image.format, image.size) == ("PNG", expected)
    assert (result["image"]["width"], result["image"]["height"]) == expected
    assert list(result) == ["image"]
    assert fal.billed == 1


async def test_flux(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """FLUX answers a picture of the person's size, with the seed and the prompt."""
    result = await client.subscribe(FLUX_VTO, await flux_arguments(client, seed=7), interval=0.02)
    image = await download(result["images"][0]["url"])
    assert (image.format, image.size) == ("JPEG", (300, 400))
    assert (result["seed"], result["prompt"], result["has_nsfw_concepts"]) == (7, "The person.", [False])
    assert fal.billed == 1


async def test_sync_mode(client: fal_client.AsyncClient) -> None:
    """In sync mode the picture is in the answer."""
    arguments = await flux_arguments(client, sync_mode=True, output_format="png")
    result = await client.subscribe(FLUX_VTO, arguments, interval=0.02)
    head, _, payload = result["images"][0]["url"].partition(",")
    assert head == "data:image/png;base64"
    assert Image.open(io.BytesIO(base64.b64decode(payload))).format == "PNG"


async def test_samples(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """FASHN answers with as many pictures as it was asked for, and with nothing else."""
    result = await client.subscribe(FASHN, await fashn_arguments(client, num_samples=2), interval=0.02)
    assert result.keys() == {"images"}
    sizes = [(image["content_type"], image["width"], image["height"]) for image in result["images"]]
    assert sizes == [("image/png", 300, 400)] * 2


async def test_tint(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """Only the middle third changes, towards the garment's colour."""
    arguments = await flux_arguments(client, output_format="png")
    result = await client.subscribe(FLUX_VTO, arguments, interval=0.02)
    person = await download(arguments["human_image_url"])
    image = await download(result["images"][0]["url"])
    assert image.getpixel((10, 10)) == person.getpixel((10, 10))
    garment = mean_colour(fal.uploads[arguments["garment_image_url"]].data or b"")
    before, after = person.getpixel((150, 200)), image.getpixel((150, 200))
    assert isinstance(before, tuple)
    assert isinstance(after, tuple)
    assert all(abs(a - (b + c) / 2) <= 1 for a, b, c in zip(after, before, garment, strict=True))


async def test_black_and_unsafe(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """What a safety checker does: a black picture, a flag."""
    fal.black = fal.unsafe = True
    result = await client.subscribe(FLUX_VTO, await flux_arguments(client), interval=0.02)
    assert result["has_nsfw_concepts"] == [True]
    assert (await download(result["images"][0]["url"])).convert("L").getextrema() == (0, 0)


# Strictness


@pytest.mark.parametrize(
    ("endpoint", "change", "loc", "type"),
    [
        (CAT_VTON, {"cloth_type": ...}, ["cloth_type"], "missing"),
        (FASHN, {"model_image": ...}, ["model_image"], "missing"),
        (FASHN, {"human_image_url": "x"}, ["human_image_url"], "extra_forbidden"),
        (FASHN, {"category": "upper"}, ["category"], "one_of"),
        (FASHN, {"mode": "fast"}, ["mode"], "one_of"),
        (FASHN, {"num_samples": 5}, ["num_samples"], "less_than_equal"),
        (CAT_VTON, {"prompt": "x"}, ["prompt"], "extra_forbidden"),
        (CAT_VTON, {"seed": None}, ["seed"], "int_type"),
        (CAT_VTON, {"cloth_type": "hat"}, ["cloth_type"], "one_of"),
        (CAT_VTON, {"num_inference_steps": 51}, ["num_inference_steps"], "less_than_equal"),
        (CAT_VTON, {"num_inference_steps": True}, ["num_inference_steps"], "int_type"),
        (CAT_VTON, {"guidance_scale": -0.5}, ["guidance_scale"], "greater_than_equal"),
        (CAT_VTON, {"guidance_scale": "2.5"}, ["guidance_scale"], "float_type"),
        (CAT_VTON, {"image_size": "huge"}, ["image_size"], "one_of"),
        (CAT_VTON, {"image_size": {"width": 0}}, ["image_size", "width"], "greater_than_equal"),
        (CAT_VTON, {"image_size": {"width": 512, "depth": 1}}, ["image_size", "depth"], "extra_forbidden"),
        (
            CAT_VTON,
            {"human_image_url": "https://a.example/b.jpg"},
            ["human_image_url"],
            "file_download_error",
        ),
        (FLUX_VTO, {"prompt": ...}, ["prompt"], "missing"),
        (FLUX_VTO, {"num_inference_steps": 0}, ["num_inference_steps"], "greater_than_equal"),
        (FLUX_VTO, {"sync_mode": 1}, ["sync_mode"], "bool_type"),
        (FLUX_VTO, {"output_format": "webp"}, ["output_format"], "one_of"),
        (FLUX_VTO, {"guidance_scale": 2.5}, ["guidance_scale"], "extra_forbidden"),
    ],
    ids=str,
)
async def test_strict_fields(
    fal: FakeFal,
    client: fal_client.AsyncClient,
    endpoint: str,
    change: dict[str, Any],
    loc: list[str],
    type: str,
) -> None:
    """A wrong field is accepted at submit, refused at the result, and free."""
    fal.queue_seconds = 0
    arguments = await ARGUMENTS[endpoint](client)
    arguments = {name: value for name, value in {**arguments, **change}.items() if value is not ...}
    status, body = await failure(await client.submit(endpoint, arguments))
    assert status == 422
    assert [(entry["loc"], entry["type"]) for entry in body["detail"]] == [(["body", *loc], type)]
    assert body["detail"][0]["url"] == f"https://docs.fal.ai/errors/#{type}"
    assert fal.billed == 0


def as_data_uri(data: bytes, mime: str = "image/jpeg") -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(
    ("name", "make", "type"),
    [
        ("human_image_url", lambda: as_data_uri(photo_bytes(2048, 1025)), "image_too_large"),
        ("garment_image_url", lambda: as_data_uri(photo_bytes(1024, 1025)), "image_too_large"),
        ("garment_image_url", lambda: as_data_uri(photo_bytes(63, 300)), "image_too_small"),
        ("human_image_url", lambda: as_data_uri(photo_bytes(300, 300)[:900]), "image_load_error"),
        ("human_image_url", lambda: as_data_uri(photo_bytes(300, 300, "PNG")), "image_load_error"),
        ("human_image_url", lambda: "data:image/jpeg;base64,*", "file_download_error"),
    ],
    ids=["person", "garment", "tiny", "cut off", "wrong mime", "no base64"],
)
async def test_strict_pictures(
    fal: FakeFal, client: fal_client.AsyncClient, name: str, make: Callable[[], str], type: str
) -> None:
    """A picture fal would not take is refused, and free."""
    fal.queue_seconds = 0
    arguments = await flux_arguments(client, **{name: make()})
    status, body = await failure(await client.submit(FLUX_VTO, arguments))
    assert (status, body["detail"][0]["type"], body["detail"][0]["loc"]) == (422, type, ["body", name])
    assert ("max_width" in body["detail"][0].get("ctx", {})) == (type == "image_too_large")
    assert fal.billed == 0


async def test_heavy_file(client: fal_client.AsyncClient) -> None:
    """30 MB is the limit of a file."""
    url = await client.upload(bytes(31 * 1024 * 1024), "image/jpeg")
    _, body = await failure(await client.submit(FLUX_VTO, await flux_arguments(client, human_image_url=url)))
    assert (body["detail"][0]["type"], body["detail"][0]["ctx"]) == ("file_too_large", {"max_size": 31457280})


async def test_unsupported_format(client: fal_client.AsyncClient) -> None:
    """An unsupported format is a different error than a broken file."""
    arguments = await flux_arguments(client, human_image_url=await upload(client, 300, 300, "BMP"))
    _, body = await failure(await client.submit(FLUX_VTO, arguments))
    assert body["detail"][0]["type"] == "unsupported_image_format"


async def test_expired_upload(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """An upload lives as long as its lifecycle header says."""
    lifecycle = fal_client.StorageSettings(expires_in="1h")
    url = await client.upload(photo_bytes(300, 300), "image/jpeg", "me.jpg", lifecycle=lifecycle)
    assert fal.uploads[url].lifecycle == {"expiration_duration_seconds": 3600}
    assert fal.uploads[url].content_type == "image/jpeg"
    await download(url)
    fal.age_files(3601)
    arguments = await flux_arguments(client, human_image_url=url)
    _, body = await failure(await client.submit(FLUX_VTO, arguments))
    assert body["detail"][0]["type"] == "file_download_error"
    with pytest.raises(httpx.HTTPStatusError):
        await download(url)


async def test_expiring_result(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """A result lives as long as the submit's lifecycle header says."""
    headers = {"X-Fal-Object-Lifecycle-Preference": json.dumps({"expiration_duration_seconds": 60})}
    result = await client.subscribe(FLUX_VTO, await flux_arguments(client), interval=0.02, headers=headers)
    await download(result["images"][0]["url"])
    fal.age_files(61)
    with pytest.raises(httpx.HTTPStatusError):
        await download(result["images"][0]["url"])


# Following a job


async def test_statuses(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """The position counts down to 0, the logs have the steps, and the end has the time it took."""
    fal.queue_seconds, fal.run_seconds, fal.queue_length = 1.2, 0.3, 2
    handle = await client.submit(FLUX_VTO, await flux_arguments(client))
    fal.run_seconds = 3600.0  # for later jobs
    assert "/fal-ai/flux-pro/requests/" in handle.status_url
    events = [event async for event in handle.iter_events(with_logs=True, interval=0.02)]
    positions = [event.position for event in events if isinstance(event, fal_client.Queued)]
    assert positions[0] == 2
    assert positions == sorted(positions, reverse=True)  # a slow machine may miss one
    assert all(isinstance(event.logs, list) for event in events if isinstance(event, fal_client.InProgress))
    last = events[-1]
    assert isinstance(last, fal_client.Completed)
    assert last.logs
    assert [log["message"] for log in last.logs] == ["Step 1/4", "Step 2/4", "Step 3/4", "Step 4/4"]
    assert last.metrics["inference_time"] == pytest.approx(fal.jobs[handle.request_id].seconds)


async def test_tqdm_logs(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """CatVTON prints a progress bar, and only the calls that ask get it."""
    handle = await client.submit(CAT_VTON, await cat_arguments(client))
    await handle.get(interval=0.02)
    with_logs, without = await handle.status(with_logs=True), await handle.status()
    assert isinstance(with_logs, fal_client.Completed)
    assert isinstance(without, fal_client.Completed)
    assert with_logs.logs
    assert "30/30 [" in with_logs.logs[-1]["message"]
    assert without.logs is None


async def test_http_codes(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """202 while pending, 200 when done; no result before; nothing under another app."""
    fal.run_seconds = 0.4
    handle = await client.submit(FLUX_VTO, await flux_arguments(client))
    async with httpx.AsyncClient(headers=AUTHORIZATION) as http:
        assert (await http.get(handle.status_url)).status_code == 202
        assert (await http.get(handle.response_url)).status_code == 400
        assert (await http.get(handle.response_url.replace("flux-pro", "flux"))).status_code == 404
        await handle.get(interval=0.02)
        assert (await http.get(handle.status_url)).status_code == 200


async def stream(url: str) -> AsyncIterator[dict[str, Any]]:
    async with (
        httpx.AsyncClient(headers=AUTHORIZATION) as http,
        aconnect_sse(http, "GET", url + "/stream?logs=1") as source,
    ):
        async for event in source.aiter_sse():
            yield event.json()


async def collect(url: str, events: list[dict[str, Any]]) -> None:
    async for event in stream(url):
        events.append(event)


async def test_stream(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """One request brings each change once and ends after COMPLETED."""
    fal.queue_seconds, fal.queue_length = 0.9, 2
    handle = await client.submit(FLUX_VTO, await flux_arguments(client))
    events = [event async for event in stream(handle.status_url)]
    states = [event["status"] for event in events]
    positions = [event["queue_position"] for event in events if event["status"] == "IN_QUEUE"]
    assert positions == sorted(positions, reverse=True)
    assert (len(positions) >= 2, positions[-1]) == (True, 0)
    assert list(dict.fromkeys(states)) == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
    assert all(before != after for before, after in pairwise(events))
    assert events[-1]["logs"]
    assert (fal.count("stream"), fal.count("status")) == (1, 0)


@pytest.mark.parametrize(
    ("action", "error", "whole_events"),
    [
        ("accept_then_drop", httpx.RemoteProtocolError, 1),
        ("half_body", httpx.RemoteProtocolError, 0),
        ("garbage", ValueError, 0),
    ],
)
async def test_broken_stream(
    fal: FakeFal, client: fal_client.AsyncClient, action: Any, error: type[Exception], whole_events: int
) -> None:
    """A stream that breaks says so, and the next one goes on."""
    handle = await client.submit(FLUX_VTO, await flux_arguments(client))
    fal.fault("stream", action)
    events: list[dict[str, Any]] = []
    with pytest.raises(error):
        await collect(handle.status_url, events)
    assert len(events) == whole_events
    await collect(handle.status_url, events)
    assert events[-1]["status"] == "COMPLETED"


async def test_stream_comments(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """A quiet stream is kept open with comments."""
    fal.comment_seconds, fal.run_seconds, fal.steps = 0.05, 0.3, 1
    handle = await client.submit(FLUX_VTO, await flux_arguments(client))
    async with httpx.AsyncClient(headers=AUTHORIZATION) as http:
        text = (await http.get(handle.status_url + "/stream")).text
    assert ": keep-alive\n\n" in text
    assert text.count("data: ") >= 3


async def test_concurrent(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """Beyond the account's limit jobs wait in the queue."""
    fal.concurrent, fal.run_seconds, fal.queue_seconds = 1, 0.1, 0
    arguments = await flux_arguments(client)
    handles = [await client.submit(FLUX_VTO, arguments) for _ in range(3)]
    await asyncio.gather(*(handle.get(interval=0.02) for handle in handles))
    spans = [(job.started_at or 0.0, job.finished_at or 0.0) for job in fal.jobs.values()]
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))


# Cancelling


async def test_cancel_queued(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """A job cancelled in the queue never runs and costs nothing."""
    fal.queue_seconds = 30
    handle = await client.submit(FLUX_VTO, await flux_arguments(client))
    await handle.cancel()
    status = await handle.status()
    assert isinstance(status, fal_client.Completed)
    assert status.error_type == "client_cancelled"
    assert (await failure(handle))[0] == 499
    job = fal.jobs[handle.request_id]
    assert (job.cancelled, job.started_at, fal.billed) == (True, None, 0)


@pytest.mark.parametrize("stops", [False, True])
async def test_cancel_running(fal: FakeFal, client: fal_client.AsyncClient, stops: bool) -> None:
    """Cancelling a running job is granted, but it may complete all the same; it costs either way."""
    fal.queue_seconds, fal.run_seconds, fal.cancel_running = 0, 0.4, stops
    handle = await client.submit(FLUX_VTO, await flux_arguments(client))
    async for status in handle.iter_events(interval=0.01):
        if isinstance(status, fal_client.InProgress):
            break
    await handle.cancel()
    if stops:
        assert (await failure(handle))[0] == 499
    else:
        assert (await handle.get(interval=0.02))["images"]
    job = fal.jobs[handle.request_id]
    assert (job.cancel_requested, job.cancelled, job.billed) == (True, stops, True)


async def test_cancel_too_late(client: fal_client.AsyncClient) -> None:
    """A finished job cannot be cancelled, an unknown one not found."""
    handle = await client.submit(FLUX_VTO, await flux_arguments(client))
    await handle.get(interval=0.02)
    for request_id, expected in [(handle.request_id, "ALREADY_COMPLETED"), ("none", "NOT_FOUND")]:
        with pytest.raises(FalClientHTTPError) as caught:
            await client.cancel(FLUX_VTO, request_id)
        assert caught.value.response.json() == {"status": expected}


# Money


async def test_one_submit_becomes_four_jobs(fal: FakeFal, client: fal_client.AsyncClient, quick_retries: None) -> None:
    """fal-client repeats a submit whose answer got lost: one click, four jobs. Never call its submit."""
    fal.fault("submit", "accept_then_drop", 3)
    handle = await client.submit(FLUX_VTO, await flux_arguments(client))
    await handle.get(interval=0.02)
    assert (fal.count("submit"), len(fal.jobs), fal.billed) == (4, 4, 4)


async def test_gateway_page_after_work(fal: FakeFal, client: fal_client.AsyncClient, quick_retries: None) -> None:
    """A gateway's error page may hide a job that was accepted."""
    fal.fault("submit", "status", code=502, body=NGINX_502, accepted=True)
    await client.submit(FLUX_VTO, await flux_arguments(client))
    assert len(fal.jobs) == 2


async def test_lost_job_is_found(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """The platform API lists a job whose answer got lost, with its payload unless that was not to be kept."""
    arguments = await flux_arguments(client, seed=4711)
    handle = await client.submit(FLUX_VTO, arguments)
    await client.submit(FLUX_VTO, arguments, headers={"X-Fal-Store-IO": "0"})
    query = {"endpoint_id": FLUX_VTO, "start": "2020-01-01T00:00:00Z", "expand": "payloads"}
    async with httpx.AsyncClient(headers=AUTHORIZATION) as http:
        url = fal.api_url + "/v1/models/requests/by-endpoint"
        items = (await http.get(url, params=query)).json()["items"]
        none = (await http.get(url, params={**query, "end": "2020-01-02T00:00:00Z"})).json()["items"]
    assert [item["json_input"] for item in items] == [arguments, None]
    assert items[0]["request_id"] == handle.request_id
    assert none == []


@pytest.mark.parametrize(
    ("error", "billed"),
    [
        (model_error("content_policy_violation", "The content was flagged."), 1),
        (model_error("generation_timeout", "Too slow."), 0),
        (platform_error(503, "runner_disconnected", "The runner is gone."), 0),
    ],
    ids=["policy", "timeout", "runner"],
)
async def test_model_fails(
    fal: FakeFal, client: fal_client.AsyncClient, error: tuple[int, dict[str, Any]], billed: int
) -> None:
    """A job that fails is COMPLETED with an error; its result is the error. 5xx is free."""
    fal.next_error, fal.queue_seconds = error, 0
    handle = await client.submit(FLUX_VTO, await flux_arguments(client))
    assert await failure(handle) == error
    status = await handle.status()
    assert isinstance(status, fal_client.Completed)
    assert status.error
    assert status.error_type
    assert fal.billed == billed
    await client.subscribe(FLUX_VTO, await flux_arguments(client), interval=0.02)


async def test_start_timeout(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """A job that does not start in time fails, and is free."""
    fal.queue_seconds = 30
    handle = await client.submit(FLUX_VTO, await flux_arguments(client), start_timeout=1.1)
    status, body = await failure(handle)
    assert (status, body["error_type"], fal.billed) == (504, "request_timeout", 0)


async def test_pricing(fal: FakeFal) -> None:
    """Prices come for the endpoints asked about that have one."""
    fal.prices = {FLUX_VTO: (0.0375, "megapixels")}
    async with httpx.AsyncClient(headers=AUTHORIZATION) as http:
        query = {"endpoint_id": [FLUX_VTO, CAT_VTON]}
        answer = (await http.get(fal.api_url + "/v1/models/pricing", params=query)).json()
    assert answer["prices"] == [
        {"endpoint_id": FLUX_VTO, "unit_price": 0.0375, "unit": "megapixels", "currency": "USD"}
    ]


# Keys


async def test_wrong_key(fal: FakeFal) -> None:
    """A key fal does not know gets 401 everywhere, and nothing else happens."""
    stranger = fal_client.AsyncClient(key="someone:else")
    for call in (stranger.submit(FLUX_VTO, {}), stranger.status(FLUX_VTO, "x"), stranger.upload(b"x", "a/b")):
        with pytest.raises(FalClientHTTPError) as caught:
            await call
        assert caught.value.status_code == 401
    assert (fal.jobs, fal.uploads) == ({}, {})


async def test_other_key(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """A job belongs to the key that submitted it."""
    fal.keys.add("someone:else")
    handle = await client.submit(FLUX_VTO, await flux_arguments(client))
    with pytest.raises(FalClientHTTPError) as caught:
        await fal_client.AsyncClient(key="someone:else").status(FLUX_VTO, handle.request_id)
    assert caught.value.status_code == 404


# Faults


async def test_upload_falls_back(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """When the CDN fails, fal-client stores the file the other way."""
    fal.fault("upload", "status", code=500)
    lifecycle = fal_client.StorageSettings(expires_in=60)
    url = await client.upload(b"abc", "image/jpeg", "a b.jpg", lifecycle=lifecycle)
    assert (fal.count("upload"), fal.count("initiate"), fal.count("put")) == (1, 1, 1)
    assert fal.uploads[url].data == b"abc"
    assert fal.uploads[url].lifecycle == {"expiration_duration_seconds": 60}
    assert fal.bytes_received("put") == 3


@pytest.mark.parametrize("action", ["garbage", "half_body", "drop_before", "accept_then_drop", "accept_then_hang"])
async def test_broken_answers(fal: FakeFal, action: Any) -> None:
    """Each way to break an answer reaches the caller as what it is; the work is done in all but one."""
    fal.fault("submit", action, seconds=5)
    kinds = {
        "garbage": ValueError,
        "half_body": httpx.RemoteProtocolError,
        "drop_before": httpx.ReadError,
        "accept_then_drop": httpx.RemoteProtocolError,
        "accept_then_hang": httpx.ReadTimeout,
    }
    patience = 0.3 if action == "accept_then_hang" else 20
    async with httpx.AsyncClient(headers=AUTHORIZATION, timeout=20) as http:
        with pytest.raises(kinds[action]):
            (await http.post(f"{fal.url}/queue/{FLUX_VTO}", json={}, timeout=patience)).json()
        assert (await http.post(f"{fal.url}/queue/{FLUX_VTO}", json={})).status_code == 200
    assert len(fal.jobs) == (1 if action == "drop_before" else 2)


async def test_slow_and_edited_and_lasting(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """Faults queue up; a lasting one comes after the others."""
    handle = await client.submit(FLUX_VTO, await flux_arguments(client))
    fal.fault("status", "slow", seconds=0.2)
    fal.fault("status", "edit", edit=lambda body: {**body, "status": "LOST"})
    fal.fault("status", "status", None, code=403, body=LOCKED_403)
    began = time.monotonic()
    await handle.status()
    assert time.monotonic() - began >= 0.2
    with pytest.raises(ValueError, match="LOST"):
        await handle.status()
    for _ in range(2):
        with pytest.raises(FalClientHTTPError, match="locked"):
            await handle.status()
    fal.clear_faults()
    await handle.status()


async def test_stop_and_start(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """Stopped, it refuses connections; started again, it knows its jobs and files, on the same port."""
    handle = await client.submit(FLUX_VTO, await flux_arguments(client))
    fal.stop()
    async with httpx.AsyncClient(headers=AUTHORIZATION) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(handle.status_url)
    fal.start()
    assert (await handle.get(interval=0.02))["images"]


async def test_close(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """The answer still comes whole; later connections are refused until the server is started again."""
    fal.fault("submit", "close")
    handle = await client.submit(FLUX_VTO, await flux_arguments(client))
    assert list(fal.jobs) == [handle.request_id]
    async with httpx.AsyncClient(headers=AUTHORIZATION) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(handle.status_url)
    fal.start()
    assert (await handle.get(interval=0.02))["images"]


async def test_seen(fal: FakeFal, client: fal_client.AsyncClient) -> None:
    """Every request is kept, with headers to be asked in any case; reset forgets."""
    await client.submit(FLUX_VTO, {"a": 1}, headers={"X-Fal-Store-IO": "0"})
    seen = fal.seen[-1]
    assert (seen.operation, seen.method, seen.headers["x-fal-store-io"]) == ("submit", "POST", "0")
    assert fal.bytes_received("submit") == seen.size == len('{"a":1}')
    fal.reset()
    assert (fal.seen, fal.jobs) == ([], {})


async def test_hundred_clients(fal: FakeFal) -> None:
    """A hundred callers at once are all served."""

    async def one() -> None:
        async with httpx.AsyncClient(headers=AUTHORIZATION, timeout=20) as http:
            body = {"prompt": "x", "human_image_url": person, "garment_image_url": person}
            job = (await http.post(f"{fal.url}/queue/{FLUX_VTO}", json=body)).json()
            stream = await http.get(job["status_url"] + "/stream")
            assert '"COMPLETED"' in stream.text
            assert (await http.get(job["response_url"])).status_code == 200

    person = as_data_uri(photo_bytes(128, 128))
    await asyncio.gather(*(one() for _ in range(100)))
    assert fal.billed == 100


# By hand


@pytest.mark.parametrize("flags", [[], ["--no-key"]], ids=["key", "no key"])
def test_runs_a_script(tmp_path: Any, flags: list[str]) -> None:
    """`python -m tests.fake_fal script` runs the script with fal-client pointed at the fake."""
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys, fal_client\n"
        "print(__name__, sys.argv[1:], repr(os.environ['FAL_KEY']))\n"
        "client = fal_client.SyncClient(key='test-key-id:test-key-secret')\n"
        "print(client.upload(b'x', 'image/jpeg').startswith('http://127.0.0.1:'))\n"
    )
    command = [sys.executable, "-m", "tests.fake_fal", *flags, str(script), "--share"]
    output = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    key = "" if flags else TEST_KEY
    assert output.splitlines()[1:] == [f"__main__ ['--share'] {key!r}", "True"]
