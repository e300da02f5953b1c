"""One try-on from the click to the picture, with both models, against the fake fal."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.backends.test_fal_errors import MODEL_TYPES, PLATFORM_TYPES
from tests.conftest import in_detail, photo_bytes
from tests.fake_fal.schemas import ENDPOINTS, model_error, platform_error
from tests.fake_fal.server import LOCKED_403, TEST_KEY, FakeFal
from tests.fast_timings import use_fast_timings
from vton_ui.backends.fal.backend import FalBackend
from vton_ui.errors import (
    Cost,
    Filtered,
    GarmentsError,
    JobFailed,
    KeyRefused,
    OptionError,
    PhotoError,
    SubmitUnclear,
    Unreachable,
    VtonError,
)
from vton_ui.models import CAT_VTON, FLUX_VTO, MODELS
from vton_ui.models.spec import ModelSpec
from vton_ui.tryon import run, submit
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.events import (
    Accepted,
    Cancelled,
    Cancelling,
    Done,
    Event,
    Preparing,
    Running,
    Submitting,
    Uploading,
    Waiting,
)
from vton_ui.tryon.job import Job
from vton_ui.tryon.request import Request, estimate, new_request
from vton_ui.tryon.results import Result
from vton_ui.tryon.run import resume, try_on
from vton_ui.tryon.streams import in_background, running

CORNERS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40)]

by_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@pytest.fixture(autouse=True)
def quick(fal: FakeFal, monkeypatch: pytest.MonkeyPatch) -> None:
    """No delay is longer than a test can wait."""
    use_fast_timings(monkeypatch)
    monkeypatch.setattr(submit, "RECOVERY_PAUSES", (0.01, 0.02))
    fal.queue_seconds, fal.run_seconds = 0.06, 0.08


@pytest.fixture
def backend(fal: FakeFal) -> FalBackend:
    return FalBackend(TEST_KEY, api_url=fal.api_url)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


Asking = Callable[..., Request]


@pytest.fixture
def ask(tmp_path: Path) -> Asking:
    """A request with photos of these sizes."""

    def asking(
        model: ModelSpec,
        person: tuple[int, int] = (300, 400),
        garments: tuple[tuple[int, int], ...] = ((260, 300),),
        **options: Any,
    ) -> Request:
        paths = [tmp_path / f"photo{index}.jpg" for index in range(1 + len(garments))]
        for path, size in zip(paths, (person, *garments), strict=True):
            path.write_bytes(photo_bytes(*size))
        return new_request(model, paths[0], paths[1:], options)

    return asking


async def all_of(events: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in events]


async def result_of(events: AsyncIterator[Event]) -> Result:
    last = (await all_of(events))[-1]
    assert isinstance(last, Done)
    return last.result


def nothing_in(store: Path) -> bool:
    return not store.exists()


def order_of(events: list[Event]) -> list[type]:
    """The kinds of events, each once where it is repeated."""
    kinds = [type(event) for event in events]
    return [kind for index, kind in enumerate(kinds) if index == 0 or kind is not kinds[index - 1]]


async def run_until(events: AsyncIterator[Event], kind: type[Event], then: Callable[[], object]) -> list[Event]:
    """All events, with something done at the first of a kind."""
    seen: list[Event] = []
    async for event in events:
        if isinstance(event, kind) and not any(isinstance(before, kind) for before in seen):
            then()
        seen.append(event)
    assert any(isinstance(event, kind) for event in seen)
    return seen


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


# A whole try-on


@by_model
async def test_whole_way(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path, model: ModelSpec) -> None:
    """Two photos in, the picture out: every event in order, one job at fal, all facts with the result."""
    fal.queue_seconds, fal.run_seconds = 0.2, 0.3
    request = ask(model, seed=7)
    started = time.time()
    events = await all_of(try_on(request, RunContext(backend=backend, store=store)))
    assert order_of(events) == [Preparing, Uploading, Submitting, Accepted, Waiting, Running, Done]
    [job] = fal.jobs.values()
    assert (fal.count("submit"), fal.count("upload"), fal.billed) == (1, 2, 1)
    assert job.arguments.keys() == ENDPOINTS[model.endpoint].fields.keys()
    ordering, accepted, done = events[2], events[3], events[-1]
    assert isinstance(ordering, Submitting)
    assert isinstance(accepted, Accepted)
    assert isinstance(done, Done)
    assert ordering.job.request_id == ""
    assert accepted.job == replace(ordering.job, request_id=job.id)
    facts = dict(done.result.facts)
    assert 0.4 < float(facts.pop("seconds") or 0) <= time.time() - started + 0.1
    total = estimate(request).total
    assert facts == {
        "model": model.name,
        "endpoint": model.endpoint,
        "request_id": job.id,
        "seed": 7,
        "cost_usd": None if total is None else str(total),
        "prompt": job.arguments.get("prompt"),
        "sandbox": False,
    }
    with Image.open(done.result.path) as image:
        assert image.size == done.result.size
        assert json.loads(image.getexif()[0x010E])["request_id"] == job.id


@pytest.mark.slow
@by_model
async def test_result_shows_the_garment(
    fal: FakeFal, backend: FalBackend, ask: Asking, store: Path, model: ModelSpec
) -> None:
    """The result is the person with the garment: the right photo in the right field."""
    result = await result_of(try_on(ask(model, (320, 400), ((400, 320),)), RunContext(backend=backend, store=store)))
    [job] = fal.jobs.values()
    fields = ENDPOINTS[model.endpoint]
    person, garment = (fal.uploads[job.arguments[field]].data or b"" for field in (fields.person, fields.garment))
    if model is FLUX_VTO:
        assert Image.open(io.BytesIO(person)).size == (320, 400)
        assert Image.open(io.BytesIO(garment)).size == (400, 320)
    else:
        assert Image.open(io.BytesIO(garment)).getpixel((5, 5)) == pytest.approx((255, 255, 255), abs=2)
        assert Image.open(io.BytesIO(person)).getpixel((5, 5)) != pytest.approx((255, 255, 255), abs=40)
    assert result.path.is_relative_to(store)


@pytest.mark.parametrize(
    "size",
    [(1200, 500), (300, 1500), (300, 400), (1080, 1440), (1000, 257)],
    ids=["landscape", "very tall", "3:4", "3:4, sent unscaled", "strip"],
)
@pytest.mark.parametrize("image_size", ["portrait_4_3", *in_detail("landscape_16_9", "square")])
async def test_cat_vton_covers_the_photo(
    backend: FalBackend, ask: Asking, store: Path, size: tuple[int, int], image_size: str
) -> None:
    """CatVTON's result lies exactly over the photo: its shape, and its four corners, whatever the output's shape."""
    result = await result_of(
        try_on(ask(CAT_VTON, size, image_size=image_size), RunContext(backend=backend, store=store))
    )
    width, height = result.size
    assert abs(width - height * size[0] / size[1]) <= 1 or abs(height - width * size[1] / size[0]) <= 1
    with Image.open(result.path) as image:
        right, bottom = image.width - 3, image.height - 3
        found = [image.getpixel(place) for place in ((2, 2), (right, 2), (2, bottom), (right, bottom))]
    assert [level for colour in found for level in colour] == pytest.approx(  # type: ignore[union-attr]
        [level for colour in CORNERS for level in colour], abs=20
    )


async def test_flux_covers_the_photo(backend: FalBackend, ask: Asking, store: Path) -> None:
    """FLUX's result has the size of what was sent."""
    assert (await result_of(try_on(ask(FLUX_VTO, (1200, 500)), RunContext(backend=backend, store=store)))).size == (
        1200,
        500,
    )


async def test_outfit(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """Several garments go as one sheet, within FLUX's limit, and the prompt counts them."""
    request = ask(FLUX_VTO, garments=((900, 900), (300, 800), (800, 300)), description="tee; jeans; shoes")
    await result_of(try_on(request, RunContext(backend=backend, store=store)))
    [job] = fal.jobs.values()
    sheet = Image.open(io.BytesIO(fal.uploads[job.arguments["garment_image_url"]].data or b""))
    assert 400_000 < sheet.width * sheet.height <= 500_000
    assert "the 3 garments of image 2: the tee, the jeans, the shoes." in job.arguments["prompt"]


async def test_sync_mode(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """A picture that comes inside the answer is a result like any other."""
    request = ask(FLUX_VTO, sync_mode=True, output_format="png")
    result = await result_of(try_on(request, RunContext(backend=backend, store=store)))
    assert (result.size, result.path.suffix, fal.count("download")) == ((300, 400), ".png", 0)


@pytest.mark.slow
async def test_both_uploads_at_once(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """Neither picture waits for the other."""
    fal.fault("upload", "slow", 2, seconds=1.5)
    await result_of(try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store)))
    first, second = (seen.at for seen in fal.seen if seen.operation == "upload")
    assert second - first < 1.2


async def test_again_uploads_nothing(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """The same photos with another seed are not sent again."""
    for seed in (1, 2):
        await result_of(try_on(ask(FLUX_VTO, seed=seed), RunContext(backend=backend, store=store)))
    assert (fal.count("upload"), fal.count("submit")) == (2, 2)
    assert [job.arguments["seed"] for job in fal.jobs.values()] == [1, 2]


@pytest.mark.slow
async def test_another_photo_under_the_same_name(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """A photo that was replaced is prepared and sent again, the person's or a garment's."""
    request = ask(FLUX_VTO, (300, 400))
    results = []
    for number, path in enumerate((None, request.person, *request.garments)):
        if path is not None:
            path.write_bytes(photo_bytes(310 + number, 400))
        results.append((await result_of(try_on(request, RunContext(backend=backend, store=store)))).size)
    assert results == [(300, 400), (311, 400), (311, 400)]
    assert fal.count("upload") == 4


async def test_short_life_at_fal(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """All that fal stores of a try-on, photos and picture, is gone after an hour."""
    await result_of(try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store)))
    assert [file.lifecycle for file in fal.files.values()] == [{"expiration_duration_seconds": 3600}] * 3


# Requests


def test_seed_is_chosen(ask: Asking) -> None:
    """Without a seed each request has one of its own; a given one stands, zero too."""
    seeds = {ask(FLUX_VTO).values["seed"] for _ in range(20)}
    assert len(seeds) == 20
    assert all(isinstance(seed, int) and 0 <= seed < 2**31 for seed in seeds)
    assert ask(FLUX_VTO, seed=0).values["seed"] == 0


@pytest.mark.parametrize(
    ("model", "person", "garments", "options", "error", "words"),
    [
        (FLUX_VTO, False, 1, {}, PhotoError, ["Person", "no photo"]),
        (FLUX_VTO, True, 0, {}, GarmentsError, ["Garments", "no garment"]),
        (FLUX_VTO, True, 7, {}, GarmentsError, ["Garments", "6", "7", "Take 1 away"]),
        (CAT_VTON, True, 3, {}, GarmentsError, ["CatVTON takes 1", "Take 2 away", "a model that takes more"]),
        (CAT_VTON, True, 1, {"num_inference_steps": 51}, OptionError, ["Steps", "1 to 50"]),
        (FLUX_VTO, True, 1, {"num_inference_steps": 5}, OptionError, ["Steps", "1 to 4"]),
    ],
    ids=["no person", "no garment", "7 garments", "3 garments", "51 steps", "5 steps"],
)
def test_bad_request(
    tmp_path: Path,
    model: ModelSpec,
    person: bool,
    garments: int,
    options: dict[str, Any],
    error: type[VtonError],
    words: list[str],
) -> None:
    """What cannot work is refused before anything is read or sent."""
    with pytest.raises(error) as caught:
        new_request(model, tmp_path if person else None, [tmp_path] * garments, options)
    assert [word for word in words if word not in str(caught.value)] == []
    assert caught.value.cost is Cost.NOTHING


@by_model
@pytest.mark.parametrize(("bad", "slot"), [(0, "Person"), (1, "Garment")])
async def test_bad_photo(
    fal: FakeFal, backend: FalBackend, ask: Asking, store: Path, model: ModelSpec, bad: int, slot: str
) -> None:
    """A photo that turns out damaged is named, and nothing was sent."""
    request = ask(model)
    path = (request.person, *request.garments)[bad]
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(PhotoError) as caught:
        await all_of(try_on(request, RunContext(backend=backend, store=store)))
    assert caught.value.slot == slot
    assert fal.seen == []


def test_estimate_before_the_click(ask: Asking) -> None:
    """The price is known from the photos alone: dearer at full size, unknown for CatVTON."""
    photo = (1600, 1200)
    assert estimate(ask(FLUX_VTO, photo)).total == Decimal("0.0475")
    assert estimate(ask(FLUX_VTO, photo, full_size=True)).total == Decimal("0.0575")
    assert estimate(ask(FLUX_VTO, photo, ((900, 900),) * 6)).total == Decimal("0.0475")
    assert estimate(ask(CAT_VTON, photo)).total is None


# The live price


async def test_live_price(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """An unpublished price is requested once, a published one never; the result has it."""
    fal.prices[CAT_VTON.endpoint] = (0.04, "image")
    await result_of(try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store)))
    assert fal.count("pricing") == 0
    results = [await result_of(try_on(ask(CAT_VTON), RunContext(backend=backend, store=store))) for _ in range(2)]
    assert [result.facts["cost_usd"] for result in results] == ["0.04"] * 2
    assert fal.count("pricing") == 1


async def test_no_live_price(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """A missing price does not prevent a try-on."""
    fal.fault("pricing", "status", code=500)
    assert (await result_of(try_on(ask(CAT_VTON), RunContext(backend=backend, store=store)))).facts["cost_usd"] is None


# What goes wrong


@pytest.mark.parametrize("kind", [MODEL_TYPES[0], *in_detail(*MODEL_TYPES[1:])])
async def test_model_error(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path, kind: str) -> None:
    """Each error of a model's own reaches the visitor as one of ours, with the request id."""
    fal.queue_seconds = fal.run_seconds = 0
    fal.next_error = model_error(kind, "The model says why.", field="human_image_url")
    with pytest.raises(Filtered if kind == "content_policy_violation" else JobFailed) as caught:
        await all_of(try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store)))
    assert caught.value.request_id in fal.jobs
    assert caught.value.slot == "Person"
    assert caught.value.cause
    assert caught.value.cure
    assert caught.value.cost is (Cost.MAYBE if fal.billed else Cost.NOTHING)
    assert (fal.count("submit"), fal.count("result")) == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize(("status", "kind"), PLATFORM_TYPES, ids=lambda value: str(value))
async def test_platform_error(
    fal: FakeFal, backend: FalBackend, ask: Asking, store: Path, status: int, kind: str
) -> None:
    """Each error of fal's platform reaches the visitor as one of ours, and is not asked for twice."""
    fal.queue_seconds = fal.run_seconds = 0
    fal.next_error = platform_error(status, kind, "Something happened")
    with pytest.raises(JobFailed) as caught:
        await all_of(try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store)))
    assert caught.value.request_id in fal.jobs
    assert caught.value.cause
    assert caught.value.cure
    assert (fal.count("submit"), fal.count("result")) == (1, 1)


async def test_black(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """CatVTON's black picture is an error (filtered), never shown."""
    fal.black = True
    with pytest.raises(Filtered, match="black") as caught:
        await all_of(try_on(ask(CAT_VTON), RunContext(backend=backend, store=store)))
    assert caught.value.request_id in fal.jobs
    assert nothing_in(store)


@pytest.mark.parametrize("sync_mode", [False, True])
async def test_flagged(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path, sync_mode: bool) -> None:
    """A picture that FLUX flagged is an error (filtered), never shown."""
    fal.unsafe = True
    with pytest.raises(Filtered, match="safety checker") as caught:
        await all_of(try_on(ask(FLUX_VTO, sync_mode=sync_mode), RunContext(backend=backend, store=store)))
    assert caught.value.request_id in fal.jobs
    assert nothing_in(store)


@by_model
async def test_nobody_there(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path, model: ModelSpec) -> None:
    """If fal cannot be reached, the error says that nothing was charged."""
    request = ask(model)
    fal.stop()
    with pytest.raises(Unreachable) as caught:
        await all_of(try_on(request, RunContext(backend=backend, store=store)))
    assert caught.value.cost is Cost.NOTHING


@by_model
async def test_lost_answer(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path, model: ModelSpec) -> None:
    """A job whose answer was lost and that is not found is not sent again, and not called free."""
    fal.fault("submit", "accept_then_drop")
    fal.fault("requests", "edit", times=None, edit=lambda body: {**body, "items": []})
    with pytest.raises(SubmitUnclear) as caught:
        await all_of(try_on(ask(model), RunContext(backend=backend, store=store)))
    assert caught.value.cost is Cost.MAYBE
    assert (fal.count("submit"), len(fal.jobs)) == (1, 1)
    assert fal.count("requests") == len(submit.RECOVERY_PAUSES)


async def test_no_money(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """An empty account is an error of its own, before anything is submitted."""
    fal.fault("submit", "status", code=403, body=LOCKED_403)
    with pytest.raises(KeyRefused, match="no money"):
        await all_of(try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store)))
    assert fal.jobs == {}


# Cancelling by the visitor


async def test_stop_while_preparing(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """Cancelled at once: nothing goes out."""
    stop = asyncio.Event()
    events = await run_until(
        try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store), stop=stop), Preparing, stop.set
    )
    assert events == [Preparing(), Cancelled(cost=Cost.NOTHING)]
    assert fal.seen == []


async def test_stop_while_uploading(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """Cancelled during the upload: nothing is submitted, and the cancel does not wait for the upload."""
    fal.fault("upload", "slow", 2, seconds=30)
    stop = asyncio.Event()
    started = time.monotonic()
    events = try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store), stop=stop)
    stopping = asyncio.get_running_loop().call_later
    seen = await run_until(events, Uploading, lambda: stopping(0.2, stop.set))
    assert seen == [Preparing(), Uploading(), Cancelled(cost=Cost.NOTHING)]
    assert time.monotonic() - started < 20
    assert fal.count("submit") == 0


async def test_stop_before_submitting(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """Cancelled at the last moment before it: nothing is submitted, and nothing is remembered."""
    stop, context = asyncio.Event(), RunContext(backend=backend, store=store)
    events = await run_until(try_on(ask(FLUX_VTO), context, stop), Submitting, stop.set)
    assert isinstance(events[-2], Submitting)
    assert events[-1] == Cancelled(cost=Cost.NOTHING)
    assert fal.count("submit") == 0
    assert await context.jobs.get(events[-2].job.id) is None


async def test_stop_while_submitting(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """Cancelled while submitting: the job is accepted, and cancelled at fal."""
    fal.queue_seconds = 5
    fal.fault("submit", "slow", seconds=0.2)
    stop = asyncio.Event()
    events = asyncio.ensure_future(all_of(try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store), stop=stop)))
    await until(lambda: fal.count("submit") == 1)
    stop.set()
    kinds = order_of(await events)
    assert kinds[:4] == [Preparing, Uploading, Submitting, Accepted]
    assert Cancelling in kinds
    assert kinds[-1] is Cancelled
    [job] = fal.jobs.values()
    assert job.cancelled
    assert fal.billed == 0


@by_model
async def test_stop_while_waiting(
    fal: FakeFal, backend: FalBackend, ask: Asking, store: Path, model: ModelSpec
) -> None:
    """Cancelled in the queue: it is cancelled at fal, and free."""
    fal.queue_seconds = 5
    stop = asyncio.Event()
    events = await run_until(try_on(ask(model), RunContext(backend=backend, store=store), stop=stop), Waiting, stop.set)
    [job] = fal.jobs.values()
    assert events[-1] == Cancelled(cost=Cost.NOTHING, request_id=job.id)
    assert Cancelling() in events
    assert job.cancelled
    assert (fal.billed, fal.count("cancel")) == (0, 1)


@by_model
async def test_stop_while_running(
    fal: FakeFal, backend: FalBackend, ask: Asking, store: Path, model: ModelSpec
) -> None:
    """Cancelled too late: the job completes, was paid for, and is shown."""
    fal.run_seconds = 0.4
    stop = asyncio.Event()
    events = await run_until(try_on(ask(model), RunContext(backend=backend, store=store), stop=stop), Running, stop.set)
    kinds = order_of(events)
    assert kinds[:6] == [Preparing, Uploading, Submitting, Accepted, Waiting, Running]
    assert Cancelling in kinds
    assert isinstance(events[-1], Done)
    assert (fal.billed, fal.count("cancel")) == (1, 1)


@pytest.mark.slow
async def test_running_job_is_not_given_up(
    fal: FakeFal, backend: FalBackend, ask: Asking, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A running job is waited for longer than a queued one."""
    monkeypatch.setattr(run, "CANCEL_PATIENCE", 0.05)
    fal.run_seconds = 0.5
    stop = asyncio.Event()
    events = await run_until(
        try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store), stop=stop), Running, stop.set
    )
    assert isinstance(events[-1], Done)


@pytest.mark.slow
async def test_stop_of_a_running_job_that_obeys(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """Cancelled while running, and fal stops it: it may have cost something."""
    fal.run_seconds, fal.cancel_running = 5, True
    stop = asyncio.Event()
    events = await run_until(
        try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store), stop=stop), Running, stop.set
    )
    [job] = fal.jobs.values()
    assert events[-1] == Cancelled(cost=Cost.MAYBE, request_id=job.id)


async def test_cancel_that_fal_does_not_hear(
    fal: FakeFal, backend: FalBackend, ask: Asking, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If fal never accepts the cancel, the wait ends, and the job is not called free."""
    monkeypatch.setattr(run, "CANCEL_PATIENCE", 0.2)
    fal.queue_seconds = 5
    fal.fault("cancel", "status", times=None, code=503)
    stop = asyncio.Event()
    events = await run_until(
        try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store), stop=stop), Waiting, stop.set
    )
    [job] = fal.jobs.values()
    assert events[-1] == Cancelled(cost=Cost.MAYBE, request_id=job.id)


async def test_stop_and_leave(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """A visitor who cancels and closes the page has cancelled."""
    fal.queue_seconds = 5
    stop = asyncio.Event()
    events = try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store), stop=stop)
    async for event in events:
        if isinstance(event, Waiting):
            stop.set()
        if isinstance(event, Cancelling):
            break
    await events.aclose()
    assert fal.count("cancel") == 1


@pytest.mark.slow
async def test_error_after_stop(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """A job that fails after it was cancelled is simply cancelled."""
    fal.queue_seconds, fal.next_error = 0.3, platform_error(503, "runner_disconnected", "gone")
    fal.fault("cancel", "status", times=3, code=503)
    stop = asyncio.Event()
    events = await run_until(
        try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store), stop=stop), Waiting, stop.set
    )
    assert isinstance(events[-1], Cancelled)


# The consumer is cancelled, or drops the generator


async def cancelled(consumer: asyncio.Task[Any]) -> None:
    """Cancel a task that consumes events, as Gradio does; it ends at once."""
    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Waiting, Running])
async def test_cancelled_consumer_leaves_the_job_running(
    fal: FakeFal, backend: FalBackend, ask: Asking, store: Path, kind: type[Event]
) -> None:
    """Cancelling whoever consumes the events cancels nothing at fal: the job is remembered, and can be resumed."""
    fal.queue_seconds, fal.run_seconds = (0.5, 0.1) if kind is Waiting else (0.0, 0.5)
    context, reached = RunContext(backend=backend, store=store), asyncio.Event()
    consumer = asyncio.create_task(run_until(try_on(ask(FLUX_VTO), context), kind, reached.set))
    await reached.wait()
    await cancelled(consumer)
    [request_id] = fal.jobs
    assert not context.jobs.is_followed(request_id)
    record = await context.jobs.find(request_id)
    assert record
    assert (await result_of(resume(record.job, FLUX_VTO, context))).facts["request_id"] == request_id
    assert (fal.count("submit"), fal.count("cancel"), fal.billed) == (1, 0, 1)


@pytest.mark.slow
async def test_cancelled_consumer_while_submitting(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """A request on its way to fal is not interrupted: the answer is written down, and nothing is cancelled."""
    fal.queue_seconds = 0.2
    fal.fault("submit", "slow", seconds=0.2)
    context = RunContext(backend=backend, store=store)
    consumer = asyncio.create_task(all_of(try_on(ask(FLUX_VTO), context)))
    await until(lambda: fal.count("submit") == 1)
    await cancelled(consumer)
    await asyncio.wait(running)
    [request_id] = fal.jobs
    record = await context.jobs.find(request_id)
    assert record
    assert (await result_of(resume(record.job, FLUX_VTO, context))).facts["request_id"] == request_id
    assert fal.count("cancel") == 0


async def test_cancelled_consumer_while_uploading(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """Cancelled before anything is submitted: there is no job."""
    fal.fault("upload", "slow", 2, seconds=0.2)
    consumer = asyncio.create_task(all_of(try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store))))
    await until(lambda: fal.count("upload") == 2)
    await cancelled(consumer)
    await asyncio.sleep(0.3)
    assert fal.count("submit") == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Submitting, Waiting, Running])
async def test_cancelled_in_background(
    fal: FakeFal, backend: FalBackend, ask: Asking, store: Path, kind: type[Event]
) -> None:
    """In the background a cancelled consumer is let go at once, and the job is cancelled at fal all the same."""
    fal.queue_seconds, fal.run_seconds = (5.0, 1.0) if kind is not Running else (0.0, 1.0)
    fal.fault("submit", "slow", seconds=0.2)
    stop, reached = asyncio.Event(), asyncio.Event()
    events = in_background(try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store), stop), stop.set)
    consumer = asyncio.create_task(run_until(events, kind, reached.set))
    await reached.wait()
    await asyncio.sleep(0.05)
    await cancelled(consumer)
    assert running, "the consumer has waited for the end of the job"
    while running:
        await asyncio.wait(set(running))
    [job] = fal.jobs.values()
    assert job.cancel_requested
    assert (job.cancelled, fal.count("submit")) == (kind is not Running, 1)


@by_model
async def test_dropped_and_resumed(
    fal: FakeFal, backend: FalBackend, ask: Asking, store: Path, model: ModelSpec
) -> None:
    """Dropping the events leaves the job running; it is finished later from what a browser can keep."""
    fal.queue_seconds = 0.3
    events = try_on(ask(model, (1200, 500)), RunContext(backend=backend, store=store))
    async for event in events:
        if isinstance(event, Accepted):
            kept = json.dumps(event.job.to_dict())
        if isinstance(event, Waiting):
            break
    await events.aclose()
    await asyncio.sleep(0.1)
    assert fal.count("cancel") == 0
    job = Job.from_dict(json.loads(kept))
    again = FalBackend(TEST_KEY, api_url=fal.api_url)
    result = await result_of(resume(job, model, RunContext(backend=again, store=store)))
    assert result.size[0] / result.size[1] == pytest.approx(1200 / 500, rel=0.01)
    assert (fal.count("submit"), fal.billed) == (1, 1)
    assert result.facts["request_id"] == job.request_id


async def test_stop_after_resume(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """A job that was taken up again can be cancelled."""
    fal.queue_seconds = 5
    events = try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store))
    job = next(event.job for event in [await anext(events) for _ in range(4)] if isinstance(event, Accepted))
    await events.aclose()
    stop = asyncio.Event()
    seen = await run_until(
        resume(job, FLUX_VTO, RunContext(backend=backend, store=store), stop=stop), Waiting, stop.set
    )
    assert seen[-1] == Cancelled(cost=Cost.NOTHING, request_id=job.request_id)
    assert fal.jobs[job.request_id].cancelled


async def test_unknown_job(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """A job that fal no longer knows is an error at once, with a possible cost."""
    events = try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store))
    job = next(event.job for event in [await anext(events) for _ in range(4)] if isinstance(event, Accepted))
    await events.aclose()
    with pytest.raises(JobFailed) as caught:
        await all_of(resume(replace(job, request_id="unknown"), FLUX_VTO, RunContext(backend=backend, store=store)))
    assert (caught.value.request_id, caught.value.cost) == ("unknown", Cost.MAYBE)


async def test_expired_picture(fal: FakeFal, backend: FalBackend, ask: Asking, store: Path) -> None:
    """A picture that is gone from fal by the time it is fetched was charged for."""
    events = try_on(ask(FLUX_VTO), RunContext(backend=backend, store=store))
    job = next(event.job for event in [await anext(events) for _ in range(4)] if isinstance(event, Accepted))
    await events.aclose()
    await until(lambda: fal.billed == 1)
    await asyncio.sleep(0.2)
    fal.age_files(4000)
    with pytest.raises(VtonError) as caught:
        await all_of(resume(job, FLUX_VTO, RunContext(backend=backend, store=store)))
    assert caught.value.request_id == job.request_id
    assert caught.value.cost is Cost.CHARGED


@pytest.mark.slow
async def test_event_loop_stays_free(backend: FalBackend, ask: Asking, store: Path) -> None:
    """While large photos are prepared, the event loop stays free."""
    request = ask(FLUX_VTO, (5000, 4000), ((4000, 4000),) * 3)
    longest = 0.0

    async def pulse() -> None:
        nonlocal longest
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - before)

    heart = asyncio.ensure_future(pulse())
    started = time.monotonic()
    await result_of(try_on(request, RunContext(backend=backend, store=store)))
    heart.cancel()
    assert longest < (time.monotonic() - started) / 2
