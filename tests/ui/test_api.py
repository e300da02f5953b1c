"""The endpoints for scripts and agents, against the whole app and the fake fal: gradio_client, raw HTTP and MCP."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import safehttpx
from gradio.utils import get_upload_folder
from gradio_client import Client, handle_file
from gradio_client.client import Job as Call
from gradio_client.exceptions import AppError
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from mcp.shared.exceptions import McpError
from mcp.types import CallToolResult, ImageContent, TextContent
from PIL import Image

from tests.conftest import begin_anew, in_detail, photo_bytes, serving, until
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.fake_fal.server import Job as FalJob
from tests.fast_timings import use_fast_timings
from tests.models import fashn
from tests.models.fashn import FASHN
from vton_ui.backends.sandbox import backend
from vton_ui.models import CAT_VTON, FLUX_VTO, MODELS
from vton_ui.models.options import complete
from vton_ui.models.spec import Answer, Choice, Flag, Inputs, ModelSpec, Number, Option, Text, Value
from vton_ui.settings import Settings

EACH_MODEL = pytest.mark.parametrize("model", list(MODELS.values()), ids=list(MODELS))
META = {"_type": "gradio.FileData"}
OTHER_KEY = "other-key-id:other-key-secret"
BAD_KEY = "bad-key-id:bad-key-secret"
FACTS = {
    "model",
    "endpoint",
    "request_id",
    "seed",
    "width",
    "height",
    "seconds",
    "cost_usd",
    "prompt",
    "sandbox",
}


@dataclass(frozen=True, kw_only=True)
class Photos:
    """Photo files of 1000 × 1000 and of 300 × 400 pixels, and a text."""

    large: Path
    small: Path
    text: Path


@pytest.fixture(scope="module")
def patch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    """No delays, no name server, and uploads in a folder of their own."""

    async def no_name_server(host: str) -> list[str]:
        return []

    with pytest.MonkeyPatch.context() as patch:
        use_fast_timings(patch, 0.03, 0.2)
        patch.setattr(backend, "QUEUE_SECONDS", 0.05)
        patch.setattr(backend, "STEP_SECONDS", 0.01)
        patch.setattr(backend, "EVENT_SECONDS", 0.01)
        patch.setattr(safehttpx, "async_resolve_hostname_google", no_name_server)
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        yield patch


@pytest.fixture(scope="module")
def played(patch: pytest.MonkeyPatch) -> Iterator[FakeFal]:
    """fal, for all tests of this module."""
    fake = FakeFal(queue_seconds=0.02, run_seconds=0.05).start()
    fake.keys.add(OTHER_KEY)
    fake.patch(patch)
    yield fake
    fake.stop()
    fake.reset()


@pytest.fixture
def fal(played: FakeFal) -> Iterator[FakeFal]:
    yield from begin_anew(played)


@pytest.fixture(scope="module")
def paid(played: FakeFal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with a key."""
    folder = tmp_path_factory.mktemp("paid")
    with serving(Settings(fal_key=TEST_KEY, data_dir=folder, fal_api_url=played.api_url)) as url:
        yield url


@pytest.fixture(scope="module")
def free(played: FakeFal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server without a key."""
    with serving(Settings(data_dir=tmp_path_factory.mktemp("free"), fal_api_url=played.api_url)) as url:
        yield url


@pytest.fixture
def connect(tmp_path: Path) -> Callable[..., Client]:
    """A script's client for a server."""

    def connect(url: str, **headers: str) -> Client:
        return Client(url, verbose=False, headers=headers, download_files=tmp_path)

    return connect


@pytest.fixture(scope="module")
def script(paid: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """A script's client for the server with a key."""
    return Client(paid, verbose=False, download_files=tmp_path_factory.mktemp("downloads"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Photos:
    folder = tmp_path_factory.mktemp("photos")
    found = Photos(large=folder / "large.jpg", small=folder / "small.jpg", text=folder / "text.jpg")
    found.large.write_bytes(photo_bytes(1000, 1000))
    found.small.write_bytes(photo_bytes(300, 400))
    found.text.write_text("text")
    return found


@pytest.fixture(scope="module")
def uploaded(paid: str, photos: Photos) -> str:
    """The path that an upload of the large photo was given."""
    return upload(paid, photos.large)


def asked(photos: Photos, **more: Any) -> dict[str, Any]:
    """The arguments of a call: a person, a garment, and more."""
    return {"person": handle_file(photos.large), "garments": [handle_file(photos.small)], **more}


def only(fal: FakeFal) -> FalJob:
    """The one job that was submitted, in one attempt."""
    assert fal.count("submit") == 1
    (job,) = fal.jobs.values()
    return job


def sent(job: FalJob) -> dict[str, Any]:
    """What fal received, without the addresses of the two pictures."""
    person, garment = (url.rpartition("/")[2] for url in urls(job))
    assert (person, garment) == ("person.jpg", "garment.jpg")
    return {name: value for name, value in job.arguments.items() if not name.endswith("_image_url")}


def urls(job: FalJob) -> tuple[str, str]:
    return job.arguments["human_image_url"], job.arguments["garment_image_url"]


# A try-on


SENT_BY_DEFAULT: dict[str, dict[str, Any]] = {
    "flux-vto": {
        "prompt": "The person of image 1, maintaining exactly their face and pose, wearing the garments of image 2.",
        "num_inference_steps": 4,
        "seed": 7,
        "sync_mode": False,
        "output_format": "jpeg",
    },
    "cat-vton": {
        "cloth_type": "upper",
        "image_size": "portrait_4_3",
        "num_inference_steps": 30,
        "guidance_scale": 2.5,
        "seed": 7,
    },
}


@pytest.mark.parametrize("name", SENT_BY_DEFAULT)
def test_defaults(name: str, script: Client, fal: FakeFal, photos: Photos) -> None:
    """A call with only model and seed submits one job, with fal's own defaults."""
    script.predict(**asked(photos, model=name, seed=7), api_name="/try_on")
    job = only(fal)
    assert (job.endpoint, job.key) == (MODELS[name].endpoint, TEST_KEY)
    assert sent(job) == SENT_BY_DEFAULT[name]


def unusual(option: Option) -> Value:
    """A value that is not the option's default."""
    if isinstance(option, Choice):
        return next(value for value, _ in reversed(option.choices) if value != option.default)
    if isinstance(option, Number):
        return option.minimum if option.name == "guidance_scale" else int(option.minimum) + (option.name == "seed")
    return "blue jeans" if isinstance(option, Text) else not option.default


@EACH_MODEL
def test_every_option(model: ModelSpec, script: Client, fal: FakeFal, photos: Photos) -> None:
    """Every option of the model arrives at fal as it was given."""
    given = {option.name: unusual(option) for option in model.options}
    picture, facts = script.predict(**asked(photos, model=model.name, **given), api_name="/try_on")
    job = only(fal)
    person, garment = urls(job)
    inputs = Inputs(person=person, garment=garment, garment_count=1, values=complete(model, given))
    assert job.arguments == model.arguments(inputs)
    assert facts["seed"] == given["seed"]
    assert Path(picture).stat().st_size > 0


@EACH_MODEL
def test_result(model: ModelSpec, script: Client, fal: FakeFal, photos: Photos) -> None:
    """A try-on returns the picture and the facts of its making."""
    picture, facts = script.predict(**asked(photos, model=model.name), api_name="/try_on")
    job = only(fal)
    with Image.open(picture) as image:
        assert image.size == (facts["width"], facts["height"])
        assert image.width / image.height == pytest.approx(1.0, abs=0.01)
    assert set(facts) == FACTS
    assert 0 < facts["seconds"] < 30
    expected = {
        "model": model.name,
        "endpoint": model.endpoint,
        "request_id": job.id,
        "seed": job.arguments["seed"],
        "prompt": job.arguments.get("prompt"),
        "sandbox": False,
    }
    assert {name: facts[name] for name in expected} == expected


@pytest.mark.parametrize(("name", "cost"), [("flux-vto", 0.0475), ("cat-vton", None)])
def test_cost(name: str, cost: float | None, script: Client, fal: FakeFal, photos: Photos) -> None:
    """The cost is a number of dollars, or null where fal publishes none; never 0."""
    _, facts = script.predict(**asked(photos, model=name), api_name="/try_on")
    assert facts["cost_usd"] == cost


def test_live_price(
    paid: str, connect: Callable[..., Client], fal: FakeFal, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fal's live price for each picture becomes the cost."""
    monkeypatch.setitem(fal.prices, CAT_VTON.endpoint, (0.04, "images"))
    key = "rich-key-id:rich-key-secret"
    fal.keys.add(key)
    script = connect(paid, **{"x-fal-key": key})
    _, facts = script.predict(**asked(photos, model="cat-vton"), api_name="/try_on")
    assert facts["cost_usd"] == 0.04


def test_a_seed_is_chosen(script: Client, fal: FakeFal, photos: Photos) -> None:
    """Without a seed each call gets one of its own, which the facts have."""
    seeds = {script.predict(**asked(photos), api_name="/try_on")[1]["seed"] for _ in range(2)}
    assert len(seeds) == 2
    assert {job.arguments["seed"] for job in fal.jobs.values()} == seeds


@EACH_MODEL
def test_sandbox(model: ModelSpec, free: str, connect: Callable[..., Client], fal: FakeFal, photos: Photos) -> None:
    """Without a key the picture is a draft, costs 0, and nothing goes to fal."""
    given = asked(photos, model=model.name, seed=11)
    picture, facts = connect(free).predict(**given, api_name="/try_on")
    assert set(facts) == FACTS
    assert (facts["sandbox"], facts["cost_usd"], facts["seed"]) == (True, 0, 11)
    with Image.open(picture) as image:
        assert image.size == (facts["width"], facts["height"])
    assert fal.seen == []


def test_sandbox_is_stamped(free: str, connect: Callable[..., Client], photos: Photos, tmp_path: Path) -> None:
    """A draft has white words on a dark plate in its lower left corner, large enough to be seen in a thumbnail."""
    photo = tmp_path / "plain.jpg"
    Image.new("RGB", (600, 800), (150, 190, 150)).save(photo)
    picture, _ = connect(free).predict(**asked(photos, person=handle_file(photo)), api_name="/try_on")
    with Image.open(picture) as draft:
        corner = draft.convert("L").crop((0, draft.height * 9 // 10, draft.width // 2, draft.height))
    shades = corner.histogram()
    dark, light = sum(shades[:90]), sum(shades[230:])
    assert dark > 0.15 * corner.width * corner.height
    assert light > 0.02 * corner.width * corner.height


def test_several_garments(script: Client, fal: FakeFal, photos: Photos) -> None:
    """Several garments are sent as one sheet, and counted in the prompt."""
    files = [handle_file(photos.small), handle_file(photos.large)]
    script.predict(**asked(photos, garments=files), api_name="/try_on")
    job = only(fal)
    assert "the 2 garments of image 2" in job.arguments["prompt"]
    sheet = fal.fetch(urls(job)[1])
    assert sheet is not None
    with Image.open(io.BytesIO(sheet)) as image:
        assert image.getpixel((0, 0)) == pytest.approx((255, 255, 255), abs=3)


# An estimate


def test_estimate(script: Client, fal: FakeFal, photos: Photos) -> None:
    """Two photos of a megapixel cost $0.0475, and asking for it sends nothing to fal."""
    given = {"person": handle_file(photos.large), "garments": [handle_file(photos.large)]}
    assert script.predict(**given, api_name="/estimate") == {
        "total_usd": 0.0475,
        "lines": [
            {"what": "Photo, first megapixel", "usd": 0.0375},
            {"what": "Garments, 1 MP", "usd": 0.005},
            {"what": "Result, 1 MP", "usd": 0.005},
        ],
        "note": "",
    }
    assert fal.seen == []


def test_estimate_unknown(script: Client, fal: FakeFal, photos: Photos) -> None:
    """Where fal publishes no price the total is null, and a note says why; only the price is asked for."""
    estimate = script.predict(**asked(photos, model="cat-vton"), api_name="/estimate")
    assert estimate["total_usd"] is None
    assert [line["usd"] for line in estimate["lines"]] == [None]
    assert "price" in estimate["note"]
    assert {seen.operation for seen in fal.seen} <= {"pricing"}


def test_estimate_in_the_sandbox(free: str, connect: Callable[..., Client], fal: FakeFal, photos: Photos) -> None:
    """Without a key the estimate is what it would cost, and says that drafts are free."""
    estimate = connect(free).predict(**asked(photos), api_name="/estimate")
    assert estimate["total_usd"] == 0.0475
    assert "free local drafts" in estimate["note"]
    assert fal.seen == []


def test_estimate_with_a_key_of_ones_own(
    free: str, connect: Callable[..., Client], fal: FakeFal, photos: Photos
) -> None:
    """With a key in the header the estimate is what that key will pay: its own live price, and no word of drafts."""
    script = connect(free, **{"x-fal-key": OTHER_KEY})
    estimate = script.predict(**asked(photos), api_name="/estimate")
    assert (estimate["total_usd"], estimate["note"]) == (0.0475, "")
    script.predict(**asked(photos, model="cat-vton"), api_name="/estimate")
    assert {seen.headers["Authorization"] for seen in fal.seen} <= {f"Key {OTHER_KEY}"}


# A sheet


@pytest.mark.parametrize("count", [2, *in_detail(3, 4, 5), 6])
def test_sheet(count: int, script: Client, fal: FakeFal, photos: Photos) -> None:
    """Up to six garments become one JPEG of at most half a megapixel."""
    picture = script.predict(garments=[handle_file(photos.large)] * count, api_name="/compose")
    with Image.open(picture) as image:
        assert image.format == "JPEG"
        assert 0.8 * 500_000 < image.width * image.height <= 500_000
    assert fal.seen == []


def test_sheet_of_one(script: Client, photos: Photos) -> None:
    """A single garment stays as it is."""
    picture = script.predict(garments=[handle_file(photos.small)], api_name="/compose")
    with Image.open(picture) as image, Image.open(photos.small) as original:
        assert (image.format, image.size) == ("JPEG", original.size)
        assert image.getpixel((5, 5)) == pytest.approx(original.getpixel((5, 5)), abs=8)


@pytest.mark.parametrize(
    ("count", "words"), [(7, "There are 7 garments. Use at most 6; take 1 away."), (0, "There is no garment yet.")]
)
def test_no_sheet(count: int, words: str, script: Client, photos: Photos) -> None:
    """Too many garments, and none at all, are an error in words."""
    with pytest.raises(AppError) as caught:
        script.predict(garments=[handle_file(photos.small)] * count, api_name="/compose")
    assert words in str(caught.value)


# Descriptions of the endpoints

WHOLE = ({"type": "integer"}, None)
PARAMETERS: dict[str, tuple[Any, Any]] = {
    "model": ({"enum": ["flux-vto", "cat-vton"]}, "flux-vto"),
    "cloth_type": ({"enum": ["upper", "lower", "overall", "inner", "outer"]}, "upper"),
    "image_size": (
        {
            "enum": [
                "portrait_4_3",
                "portrait_16_9",
                "square_hd",
                "square",
                "landscape_4_3",
                "landscape_16_9",
                "custom",
            ]
        },
        "portrait_4_3",
    ),
    "width": WHOLE,
    "height": WHOLE,
    "description": ({"type": "string"}, ""),
    "prompt": ({"type": "string"}, ""),
    "num_inference_steps": WHOLE,
    "guidance_scale": ({"type": "number"}, None),
    "seed": WHOLE,
    "output_format": ({"enum": ["jpeg", "png"]}, "jpeg"),
    "private": ({"type": "boolean"}, False),
    "sync_mode": ({"type": "boolean"}, False),
    "full_size": ({"type": "boolean"}, False),
}
ENDPOINTS = ["/try_on", "/estimate", "/compose", "/looks", "/result"]


def plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter's schema without its words, and whether or not it may be null."""
    for kind in schema.get("oneOf", ()):
        if kind != {"type": "null"}:
            return dict(kind)
    return {name: value for name, value in schema.items() if name in ("enum", "type")}


@pytest.mark.parametrize("endpoint", ["/try_on", "/estimate"])
def test_parameters(endpoint: str, script: Client) -> None:
    """Every option is a parameter with a name, a type and a default."""
    api = script.view_api(return_format="dict", print_info=False)
    parameters = {item["parameter_name"]: item for item in api["named_endpoints"][endpoint]["parameters"]}
    files = [parameters.pop("person"), parameters.pop("garments")]
    assert [item["parameter_has_default"] for item in files] == [False, False]
    assert {name: (plain(item["type"]), item["parameter_default"]) for name, item in parameters.items()} == PARAMETERS
    assert all(item["parameter_has_default"] for item in parameters.values())


def test_only_these_are_public(paid: str, script: Client) -> None:
    """No event of the page is listed, wherever endpoints are."""
    api = script.view_api(return_format="dict", print_info=False)
    assert list(api["named_endpoints"]) == ENDPOINTS
    assert not api["unnamed_endpoints"]
    info = httpx.get(f"{paid}gradio_api/info").json()
    assert list(info["named_endpoints"]) == ENDPOINTS
    assert not info["unnamed_endpoints"]
    public = [
        dependency["api_name"]
        for dependency in script.config["dependencies"]
        if dependency["api_visibility"] == "public"
    ]
    assert public == [name.removeprefix("/") for name in ENDPOINTS]
    tools = httpx.get(f"{paid}gradio_api/mcp/schema").json()
    assert [tool["name"] for tool in tools] == public


def test_the_key_is_no_parameter(paid: str) -> None:
    """A key is sent in a header, which the descriptions name, and never as an argument."""
    tools = {tool["name"]: tool for tool in httpx.get(f"{paid}gradio_api/mcp/schema").json()}
    assert not [name for name, tool in tools.items() if "x_fal_key" in tool["inputSchema"]["properties"]]
    assert "header x-fal-key" in tools["try_on"]["description"]


@pytest.mark.parametrize("name", ["try_on", "estimate", "compose", "looks", "result"])
def test_nothing_passes_the_queue_by(name: str, paid: str, fal: FakeFal) -> None:
    """The routes for direct calls are closed."""
    for route in ("run", "api"):
        assert httpx.post(f"{paid}gradio_api/{route}/{name}", json={"data": []}).status_code == 404
    assert fal.seen == []


# Errors


def seven(photos: Photos) -> list[Any]:
    return [handle_file(photos.small)] * 7


ERRORS: dict[str, tuple[Callable[[Photos], dict[str, Any]], str]] = {
    "unknown model": (lambda _: {"model": "dall-e"}, "'dall-e' is no model here. Use one of flux-vto, cat-vton."),
    "model a list": (lambda _: {"model": ["flux-vto"]}, "is no model here. Use one of flux-vto, cat-vton."),
    "model null": (lambda _: {"model": None}, "'None' is no model here. Use one of"),
    "bad enum": (
        lambda _: {"model": "cat-vton", "cloth_type": "hat"},
        "'hat' cannot be used for cloth_type. Choose one of upper, lower, overall, inner, outer.",
    ),
    "too many steps": (
        lambda _: {"num_inference_steps": 5},
        "'5' cannot be used for num_inference_steps. Give a whole number from 1 to 4.",
    ),
    "half a step": (lambda _: {"num_inference_steps": 1.5}, "Give a whole number from 1 to 4."),
    "negative seed": (lambda _: {"seed": -1}, "Give a whole number from 0 to 2147483647."),
    "small width": (lambda _: {"model": "cat-vton", "width": 10}, "Give a whole number from 256 to 2048."),
    "text for a number": (lambda _: {"seed": "7"}, "'7' cannot be used for seed. Give a whole number"),
    "list for a number": (
        lambda _: {"model": "cat-vton", "guidance_scale": [2]},
        "'[2]' cannot be used for guidance_scale. Give a number from 0 to 20.",
    ),
    "true for a number": (lambda _: {"seed": True}, "'True' cannot be used for seed. Give a whole number"),
    "object for text": (lambda _: {"prompt": {"a": 1}}, "cannot be used for prompt. Give text."),
    "text for a flag": (lambda _: {"sync_mode": "yes"}, "'yes' cannot be used for sync_mode. Give true or false."),
    "long text": (lambda _: {"prompt": "x" * 2001}, "The text has 2001 characters. Shorten it to 2000."),
    "garments no list": (lambda _: {"garments": 7}, "garments is no list. Give a list of files."),
    "garments an object": (lambda _: {"garments": {"a": 1}}, "Garment: The photo is no upload of yours."),
    "garments with null": (
        lambda photos: {"garments": [handle_file(photos.small), None]},
        "Garment 2: The photo is no upload of yours. Upload it first.",
    ),
    "garments with numbers": (lambda _: {"garments": [7]}, "Garment: The photo is no upload of yours."),
    "garments with text": (lambda _: {"garments": ["me.jpg"]}, "Garment: The photo cannot be fetched from this"),
    "no garment": (lambda _: {"garments": []}, "There is no garment yet. Add a photo of"),
    "no garments": (lambda _: {"garments": None}, "There is no garment yet. Add a photo of"),
    "no person": (lambda _: {"person": None}, "Person: There is no photo of a person yet. Add one."),
    "person a list": (lambda _: {"person": [1]}, "Person: The photo is no upload of yours. Upload it first."),
    "person a text file": (
        lambda photos: {"person": handle_file(photos.text)},
        "Person: This file is not a photo we can read. Use a JPEG,",
    ),
    "garment a text file": (
        lambda photos: {"garments": [handle_file(photos.small), handle_file(photos.text)]},
        "Garment 2: This file is not a photo we can read. Use a JPEG,",
    ),
    "seven garments": (lambda photos: {"garments": seven(photos)}, "There are 7 garments. Use at most 6; take 1 away."),
    "two for one": (
        lambda photos: {"model": "cat-vton", "garments": seven(photos)[:2]},
        "CatVTON takes 1 at most, and there are 2 garments. Take 1 away, or choose a model that takes more.",
    ),
    "private network": (
        lambda _: {"person": {"path": "http://169.254.169.254/me.jpg", "meta": META}},
        "The photo cannot be fetched from this address. Upload the file, or give a public one.",
    ),
}


@pytest.mark.parametrize("endpoint", ["/try_on", *in_detail("/estimate")])
@pytest.mark.parametrize(("wrong", "words"), ERRORS.values(), ids=ERRORS)
def test_errors(
    wrong: Callable[[Photos], dict[str, Any]],
    words: str,
    endpoint: str,
    script: Client,
    fal: FakeFal,
    photos: Photos,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A wrong call gets cause and cure in words, sends nothing to fal, and the app serves on."""
    with pytest.raises(AppError) as caught:
        script.predict(**asked(photos, **wrong(photos)), api_name=endpoint)
    assert words in str(caught.value)
    assert str(caught.value).endswith("Nothing was charged.")
    assert fal.count("submit") == fal.count("upload") == 0
    assert not [record for record in caplog.records if record.exc_info]
    assert script.predict(**asked(photos), api_name="/estimate")["total_usd"] == 0.0475


WRONG_KINDS: dict[type, tuple[Any, ...]] = {
    Flag: ("true", "yes", "", 1, 0, 1.0, [True], {"value": True}),
    Number: ("7", "", True, [7], {"value": 7}),
    Choice: (7, True, "", ["upper"], {"value": "upper"}),
    Text: (7, True, ["red"], {"value": "red"}),
}
WRONG_OPTIONS = [
    (option.name, value)
    for option in {option.name: option for model in MODELS.values() for option in model.options}.values()
    for value in WRONG_KINDS[type(option)]
]
WRONG_VALUES = [
    *WRONG_OPTIONS,
    *(("private", value) for value in WRONG_KINDS[Flag]),
    *(("model", value) for value in (7, True, None, "", ["flux-vto"], {"value": "flux-vto"})),
    *(("person", value) for value in (7, 0, True, None, "", "me", [], ["me"], {}, {"path": 7}, {"path": None})),
    *(("garments", value) for value in (7, True, None, "", "tee", [], [7], [None], [[]], [{}], [{"path": 7}])),
]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["flux-vto", *in_detail("cat-vton")])
@pytest.mark.parametrize(("name", "value"), WRONG_VALUES, ids=str)
def test_a_wrong_kind_is_refused(
    name: str, value: Any, model: str, paid: str, fal: FakeFal, uploaded: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A value of a wrong kind is refused in words, of the chosen model and of another; nothing is sent to fal."""
    photo = {"path": uploaded}
    answer = post(paid, "try_on", {"person": photo, "garments": [photo], "model": model, name: value})
    assert answer.startswith("event: error")
    assert name.removesuffix("s") in answer.lower()
    assert "Nothing was charged." in answer
    assert fal.seen == []
    assert not [record for record in caplog.records if record.name.startswith("vton_ui")]


@pytest.mark.parametrize(
    "name", ["private", *dict.fromkeys(o.name for model in MODELS.values() for o in model.options)]
)
def test_null_is_the_default(name: str, paid: str, uploaded: str) -> None:
    """null is as good as nothing."""
    assert post(paid, "estimate", {"person": uploaded, "garments": uploaded, name: None}).startswith("event: complete")


@pytest.mark.slow
def test_private(paid: str, fal: FakeFal, uploaded: str) -> None:
    """A private call carries the header that forbids storing it; no other does."""
    photo = {"path": uploaded}
    for private in (True, False):
        post(paid, "try_on", {"person": photo, "garments": [photo], "private": private})
    assert [seen.headers.get("x-fal-store-io") for seen in fal.seen if seen.operation == "submit"] == ["0", None]


SLOTS = ["person", "garments", "model", "private", "request_id", *sorted({name for name, _ in WRONG_OPTIONS})]
NO_PHOTO = "data:image/png;base64," + "QUJD" * 3000


@pytest.mark.parametrize(
    "wrap", [str, lambda uri: [uri], lambda uri: {"path": uri, "meta": META}, lambda uri: {uri: 1}]
)
@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("uri", [NO_PHOTO, *in_detail("data:,QUJD")], ids=["long", "short"])
def test_no_data_uri_is_repeated(
    uri: str, slot: str, wrap: Callable[[str], Any], paid: str, fal: FakeFal, uploaded: str
) -> None:
    """The refusal of a photo in the wrong place, or of a malformed one, does not repeat it."""
    given = {"person": uploaded, "garments": uploaded, slot: wrap(uri)}
    answer = post(paid, "try_on", given)
    if "event: complete" in answer:
        assert (slot, uri, wrap) in {(text, "data:,QUJD", str) for text in ("prompt", "description")}
        return
    assert "QUJD" not in answer
    assert len(answer) < 500
    assert fal.seen == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"garments": ...}, "garments is missing. Nothing was charged."),
        ({NO_PHOTO: 1}, "There is a parameter that this endpoint does not have; /gradio_api/info lists them."),
    ],
    ids=["missing", "unknown"],
)
def test_wrong_names(wrong: dict[str, Any], words: str, paid: str, uploaded: str) -> None:
    """The refusal of a missing or unknown parameter says which of the two it is."""
    given = {"person": uploaded, "garments": uploaded, **wrong}
    body = {name: value for name, value in given.items() if value is not ...}
    answer = httpx.post(f"{paid}gradio_api/call/v2/estimate", json=body)
    assert (answer.status_code, answer.json()["detail"][: len(words)]) == (422, words)
    assert "QUJD" not in answer.text


def test_an_error_of_our_own(
    script: Client, fal: FakeFal, photos: Photos, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected fault gives an error without details, and is logged."""
    monkeypatch.setattr("vton_ui.tryon.run.keep", None)
    with pytest.raises(AppError, match=r"Something failed in this app.*may have charged"):
        script.predict(**asked(photos), api_name="/try_on")
    assert [record for record in caplog.records if record.name == "vton_ui.ui.errors" and "TypeError" in record.message]


# Raw HTTP, as an attacker would use it


def post(url: str, name: str, body: Mapping[str, Any], **headers: str) -> str:
    """The whole answer to a call, as it travels."""
    started = httpx.post(f"{url}gradio_api/call/v2/{name}", json=dict(body), headers=headers)
    if started.status_code == 422:
        return started.text
    started.raise_for_status()
    event = started.json()["event_id"]
    return httpx.get(f"{url}gradio_api/call/{name}/{event}", headers=headers, timeout=30).text


def upload(url: str, photo: Path) -> str:
    """Where the server put an upload."""
    answer = httpx.post(f"{url}gradio_api/upload", files={"files": (photo.name, photo.read_bytes())})
    return str(answer.json()[0])


def test_raw_call(paid: str, fal: FakeFal, photos: Photos) -> None:
    """An upload can be used without a client library."""
    mine = {"path": upload(paid, photos.large)}
    answer = post(paid, "estimate", {"person": mine, "garments": [mine]})
    assert answer.startswith("event: complete")
    assert '"total_usd": 0.0475' in answer


FORGED: dict[str, Callable[[str, str], Any]] = {
    "path": lambda private, mine: {"path": private},
    "with meta": lambda private, mine: {"path": private, "meta": META},
    "dots": lambda private, mine: {"path": f"{Path(mine).parent}{'/..' * 30}{private}"},
    "dots with meta": lambda private, mine: {"path": f"{Path(mine).parent}{'/..' * 30}{private}", "meta": META},
    "below a file": lambda private, mine: {"path": f"{mine}/../../../../../../../../../../..{private}"},
    "stream": lambda private, mine: {"path": private, "is_stream": True, "meta": META},
    "file address": lambda private, mine: {"path": f"file://{private}", "meta": META},
    "own address": lambda private, mine: {
        "path": f"http://127.0.0.1/gradio_api/file={private}",
        "meta": META,
    },
    "bare text": lambda private, mine: private,
    "bare own address": lambda private, mine: f"http://127.0.0.1/gradio_api/file={private}",
    "nested": lambda private, mine: {"path": {"path": private, "meta": META}},
    "in a list": lambda private, mine: [private],
    "uploaded elsewhere": lambda private, mine: {"path": None, "url": f"file://{private}", "meta": META},
}


def is_refused(answer: str, private: Path, fal: FakeFal) -> bool:
    """Whether the answer is an error without the file's content or path, and nothing was sent."""
    told = str(private) in answer or private.name in answer
    return answer.startswith("event: error") and not told and not fal.seen


@pytest.mark.parametrize("slot", ["person", "garments"])
@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_forged_file(
    forge: Callable[[str, str], Any], slot: str, paid: str, fal: FakeFal, photos: Photos, tmp_path: Path
) -> None:
    """A good photo on the server that is no upload cannot be used, however it is named."""
    private = tmp_path / "private.jpg"
    private.write_bytes(photo_bytes(400, 400))
    mine = upload(paid, photos.large)
    file = forge(str(private), mine)
    body = {"person": {"path": mine}, "garments": [{"path": mine}]}
    body[slot] = file if slot == "person" else [file]
    for name in ("try_on", "estimate"):
        assert is_refused(post(paid, name, body), private, fal)
    if slot == "garments":
        assert is_refused(post(paid, "compose", {"garments": [file]}), private, fal)


@pytest.mark.parametrize("name", [".env", "app.py", ".git/config", "data/results"])
@pytest.mark.parametrize("meta", [{}, {"meta": META}], ids=["plain", "meta"])
def test_own_files_of_the_app(name: str, meta: dict[str, Any], paid: str, fal: FakeFal, photos: Photos) -> None:
    """Neither settings nor sources of the app can be named or fetched."""
    path = Path(__file__).parents[2] / name
    mine = {"path": upload(paid, photos.large)}
    answer = post(paid, "try_on", {"person": {"path": str(path), **meta}, "garments": [mine]})
    assert is_refused(answer, path, fal)
    assert httpx.get(f"{paid}gradio_api/file={path}").status_code in (403, 404)


def test_link_among_the_uploads(paid: str, fal: FakeFal, photos: Photos, tmp_path: Path) -> None:
    """A link that lies among the uploads does not lead out of them."""
    private = tmp_path / "private.jpg"
    private.write_bytes(photo_bytes(400, 400))
    mine = upload(paid, photos.large)
    folder = mine.rpartition("/")[0]
    link = Path(folder, "link.jpg")
    link.symlink_to(private)
    try:
        for file in ({"path": f"{folder}/link.jpg"}, {"path": f"{folder}/link.jpg", "meta": META}):
            answer = post(paid, "estimate", {"person": file, "garments": [{"path": mine}]})
            assert is_refused(answer, private, fal)
    finally:
        link.unlink()


# Keys


def test_own_key(paid: str, free: str, connect: Callable[..., Client], fal: FakeFal, photos: Photos) -> None:
    """A key in the header pays for that call, on a server with a key and on one without, and for no other."""
    _, facts = connect(free, **{"x-fal-key": OTHER_KEY}).predict(**asked(photos), api_name="/try_on")
    assert (facts["sandbox"], facts["cost_usd"]) == (False, 0.0475)
    connect(paid, **{"X-Fal-Key": OTHER_KEY}).predict(**asked(photos), api_name="/try_on")
    connect(paid).predict(**asked(photos), api_name="/try_on")
    assert [job.key for job in fal.jobs.values()] == [OTHER_KEY, OTHER_KEY, TEST_KEY]
    _, facts = connect(free).predict(**asked(photos), api_name="/try_on")
    assert facts["sandbox"] is True
    assert len(fal.jobs) == 3


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (BAD_KEY, "fal does not accept the key. Check the key, or make a new one at fal.ai."),
        ("short", "This does not look like a fal key. Copy it again from fal.ai/dashboard/keys."),
    ],
    ids=["unknown", "no key"],
)
def test_bad_key(key: str, words: str, paid: str, fal: FakeFal, photos: Photos) -> None:
    """A bad key is an error; the server's own is not used instead."""
    mine = {"path": upload(paid, photos.large)}
    answer = post(paid, "try_on", {"person": mine, "garments": [mine]}, **{"x-fal-key": key})
    assert words in answer
    assert key not in answer
    assert fal.count("submit") == 0


def test_empty_key(paid: str, fal: FakeFal, photos: Photos) -> None:
    """An empty header is no key."""
    mine = {"path": upload(paid, photos.large)}
    assert "event: complete" in post(paid, "try_on", {"person": mine, "garments": [mine]}, **{"x-fal-key": ""})
    assert only(fal).key == TEST_KEY


@pytest.mark.slow
@pytest.mark.parametrize("key", [OTHER_KEY, BAD_KEY], ids=["good", "bad"])
def test_keys_stay_secret(key: str, paid: str, fal: FakeFal, photos: Photos, caplog: pytest.LogCaptureFixture) -> None:
    """Neither key is in an answer, in the page's configuration or in the log, however much is logged."""
    caplog.set_level(logging.DEBUG)
    mine = {"path": upload(paid, photos.large)}
    body = {"person": mine, "garments": [mine], "model": "cat-vton"}
    answers = [post(paid, name, body, **{"x-fal-key": key}) for name in ("try_on", "estimate")]
    answers += [httpx.get(f"{paid}{path}", headers={"x-fal-key": key}).text for path in ("config", "gradio_api/info")]
    assert len(caplog.text) > 1000
    for secret in (key, key.partition(":")[2], TEST_KEY, TEST_KEY.partition(":")[2]):
        assert all(secret not in answer for answer in answers)
        assert secret not in caplog.text


# Cancelling, and many at once


def test_cancel(script: Client, fal: FakeFal, photos: Photos) -> None:
    """A script that cancels its call cancels the job at fal."""
    fal.queue_seconds = 60
    call = script.submit(**asked(photos), api_name="/try_on")
    until(lambda: fal.count("stream") > 0)
    call.cancel()
    until(lambda: only(fal).cancelled)
    assert fal.billed == 0


@pytest.mark.slow
def test_twenty_at_once(script: Client, fal: FakeFal, photos: Photos) -> None:
    """Twenty calls are all at fal at the same time; none waits here for another."""
    fal.queue_seconds = 60
    calls: list[Call] = [script.submit(**asked(photos, seed=seed), api_name="/try_on") for seed in range(20)]
    try:
        until(lambda: len(fal.jobs) == 20)
        assert {job.state for job in fal.jobs.values()} == {"IN_QUEUE"}
        assert {job.arguments["seed"] for job in fal.jobs.values()} == set(range(20))
    finally:
        for call in calls:
            call.cancel()
    until(lambda: all(job.cancelled for job in fal.jobs.values()))
    assert fal.count("submit") == 20


def test_a_call_is_cancelled_alone(script: Client, fal: FakeFal, photos: Photos) -> None:
    """Of two calls that one script has under way, the one that is cancelled ends at fal, and the other delivers."""
    fal.concurrent = 0  # all jobs stay in the queue
    kept = script.submit(**asked(photos, seed=1), api_name="/try_on")
    dropped = script.submit(**asked(photos, seed=2), api_name="/try_on")
    until(lambda: len(fal.jobs) == 2)
    dropped.cancel()
    until(lambda: any(job.cancelled for job in fal.jobs.values()))
    fal.concurrent = None
    _, facts = kept.result(timeout=20)
    assert facts["seed"] == 1
    assert {job.arguments["seed"]: job.cancelled for job in fal.jobs.values()} == {1: False, 2: True}


def test_a_call_is_cancelled_alone_over_raw_http(paid: str, fal: FakeFal, uploaded: str) -> None:
    """The same for two calls of one session, of which one is named to be cancelled."""
    fal.concurrent = 0  # all jobs stay in the queue
    config = httpx.get(f"{paid}config").json()
    (fn,) = [each["id"] for each in config["dependencies"] if each["api_name"] == "try_on"]
    parameters = httpx.get(f"{paid}gradio_api/info").json()["named_endpoints"]["/try_on"]["parameters"]
    with httpx.Client(base_url=f"{paid}gradio_api", timeout=30) as client:
        events = []
        for seed in (1, 2):
            given = {"person": uploaded, "garments": uploaded, "seed": seed}
            data = [given.get(item["parameter_name"], item["parameter_default"]) for item in parameters]
            body = {"data": data, "fn_index": fn, "session_hash": "one-session"}
            events.append(client.post("/queue/join", json=body).json()["event_id"])
        until(lambda: len(fal.jobs) == 2)
        body = {"session_hash": "one-session", "fn_index": fn, "event_id": events[1]}
        assert client.post("/cancel", json=body).json() == {"success": True}
        until(lambda: any(job.cancelled for job in fal.jobs.values()))  # the job is cancelled in the background
        assert {job.arguments["seed"]: job.cancelled for job in fal.jobs.values()} == {1: False, 2: True}
        fal.concurrent = None
        with client.stream("GET", "/queue/data", params={"session_hash": "one-session"}) as stream:
            messages = [json.loads(line[5:]) for line in stream.iter_lines() if line.startswith("data:")]
    over = {message["event_id"]: message["output"] for message in messages if message["msg"] == "process_completed"}
    assert over[events[0]]["data"][1]["seed"] == 1
    assert over[events[1]] == {}


@pytest.mark.parametrize("body", [{}, [], "x", {"session_hash": "a", "fn_index": 0, "event_id": None}], ids=str)
def test_nothing_is_cancelled(body: Any, paid: str) -> None:
    """A request that names no call cancels none, and is refused."""
    assert httpx.post(f"{paid}gradio_api/cancel", json=body).status_code == 422


# Progress


def test_a_script_is_told_the_words_of_the_page(script: Client, fal: FakeFal, photos: Photos) -> None:
    """A script's status has the page's words, and the request id before there is a picture; the result is as ever."""
    fal.concurrent = 0  # all jobs stay in the queue
    call = script.submit(**asked(photos), api_name="/try_on")
    until(lambda: "next in line" in str(call.status().progress_data))
    (progress,) = call.status().progress_data
    assert progress.desc.startswith("Waiting, next in line · ")
    assert progress.desc.endswith(f"request id {only(fal).id}")
    fal.concurrent = None
    picture, facts = call.result(timeout=20)
    assert facts["request_id"] == only(fal).id
    assert call.outputs() == [(picture, facts)]


def test_a_reader_of_the_stream_is_told_the_request_id(paid: str, fal: FakeFal, uploaded: str) -> None:
    """The stream of a raw call has every step, with the request id before there is a picture."""
    fal.concurrent = 0  # all jobs stay in the queue
    started = httpx.post(f"{paid}gradio_api/call/v2/try_on", json={"person": uploaded, "garments": uploaded})
    steps: list[tuple[str, Any]] = []
    with httpx.stream("GET", f"{paid}gradio_api/call/try_on/{started.json()['event_id']}", timeout=30) as stream:
        event = ""
        for line in stream.iter_lines():
            event = line.removeprefix("event: ") if line.startswith("event:") else event
            if line.startswith("data:") and event != "heartbeat":
                steps.append((event, json.loads(line[5:])))
                if steps[-1][1][1].get("request_id"):
                    fal.concurrent = None
    assert {event for event, _ in steps[:-1]} == {"generating"}
    assert [data[1] for _, data in steps[:3]] == [
        {"status": words, "request_id": None}
        for words in ("Preparing the photos", "Sending the photos", "Sending the order")
    ]
    assert steps[3][1] == [None, {"status": "Accepted, waiting", "request_id": only(fal).id}]
    assert steps[-1][0] == "complete"
    assert steps[-1][1][1]["request_id"] == only(fal).id


# Callers who leave


def sheets() -> int:
    """How many sheets were made."""
    return len(list(Path(get_upload_folder()).glob("*/sheet.jpg")))


def asked_of(url: str, door: str, uploaded: str) -> tuple[str, str, dict[str, Any]]:
    """A stream that, once it is open, has /compose at work: its method, address and body."""
    given = {"garments": [uploaded] * 6}
    if door == "http":
        event = httpx.post(f"{url}gradio_api/call/v2/compose", json=given).json()["event_id"]
        return "GET", f"{url}gradio_api/call/compose/{event}", {}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "compose", "arguments": given}}
    headers = {"accept": "application/json, text/event-stream"}
    return "POST", f"{url}gradio_api/mcp/", {"json": call, "headers": headers}


@pytest.mark.slow
@pytest.mark.parametrize("door", ["http", "mcp"])
def test_who_leaves_frees_their_place(door: str, free: str, tmp_path: Path) -> None:
    """Queued sheets whose callers have left are not made."""
    large = tmp_path / "large.jpg"
    large.write_bytes(photo_bytes(4000, 3000))
    heavy, light = upload(free, large), upload(free, tiny(tmp_path))
    before, left = sheets(), 8
    with ExitStack() as streams, httpx.Client(timeout=30) as client:
        for _ in range(left):
            method, address, rest = asked_of(free, door, heavy)
            streams.enter_context(client.stream(method, address, **rest))
    assert post(free, "compose", {"garments": light}).startswith("event: complete")
    assert sheets() - before < left


def tiny(folder: Path) -> Path:
    path = folder / "tiny.jpg"
    path.write_bytes(photo_bytes(300, 300))
    return path


def test_estimate_does_not_wait(script: Client, fal: FakeFal, photos: Photos) -> None:
    """Estimates are answered while try-ons are under way."""
    fal.queue_seconds = 60
    call = script.submit(**asked(photos), api_name="/try_on")
    until(lambda: len(fal.jobs) == 1)
    assert script.predict(**asked(photos), api_name="/estimate")["total_usd"] == 0.0475
    assert not call.done()
    call.cancel()
    until(lambda: only(fal).cancelled)


# A third model

WEAVE = replace(
    FLUX_VTO,
    name="weave",
    title="Weave",
    endpoint="acme/weave/edit",
    max_garments=3,
    options=(
        Choice(name="fabric", label="Fabric", choices=(("wool", "Wool"), ("silk", "Silk")), default="wool"),
        Choice(name="output_format", label="Format", choices=(("png", "PNG"), ("webp", "WebP")), default="webp"),
        Number(name="strength", label="Strength", minimum=0, maximum=1, step=0.05, default=0.5),
        Number(name="num_inference_steps", label="Steps", minimum=1, maximum=9, default=8),
        Flag(name="sync_mode", label="Private", default=True),
    ),
    person_pixels=lambda values: 250_000,
    garment_pixels=lambda values: 200_000,
    arguments=lambda inputs: {"model_image": inputs.person, "outfit_image": inputs.garment, **inputs.values},
    read=lambda output: Answer(url=output["image"]["url"]),
    price=None,
)
"""A model with fields, options and an output of its own; what it shares with others it shares differently."""
STACK = replace(
    WEAVE,
    name="stack",
    endpoint="acme/stack",
    arguments=lambda inputs: {"image_urls": [inputs.person, inputs.garment], **inputs.values},
)
"""A model that takes its pictures as a list."""


@pytest.fixture(scope="module")
def wide(played: FakeFal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server without a key, with three more models."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("wide"), fal_api_url=played.api_url)
    with serving(settings, {**MODELS, "weave": WEAVE, "stack": STACK, "fashn": FASHN}) as url:
        yield url


def test_fashn(wide: str, connect: Callable[..., Client], fal: FakeFal, photos: Photos) -> None:
    """FASHN, added to the registry, is estimated and run through the API in its own words and at its own price."""
    assert len(Path(fashn.__file__).read_text().splitlines()) < 40
    script = connect(wide, **{"x-fal-key": TEST_KEY})
    given = asked(photos, model="fashn", category="tops", mode="quality", seed=5)
    estimate = script.predict(**given, api_name="/estimate")
    assert (estimate["total_usd"], estimate["lines"]) == (0.075, [{"what": "One picture", "usd": 0.075}])
    with pytest.raises(AppError, match="Choose one of auto, tops, bottoms, one-pieces"):
        script.predict(**{**given, "category": "hats"}, api_name="/try_on")
    picture, facts = script.predict(**given, api_name="/try_on")
    arguments = dict(only(fal).arguments)
    files = [arguments.pop(name).rpartition("/")[2] for name in ("model_image", "garment_image")]
    assert files == ["person.jpg", "garment.jpg"]
    assert arguments == {"category": "tops", "mode": "quality", "seed": 5}
    told = facts["model"], facts["endpoint"], facts["cost_usd"], facts["seed"]
    assert told == ("fashn", "fal-ai/fashn/tryon/v1.6", 0.075, 5)
    with Image.open(picture) as image:
        assert image.size == (facts["width"], facts["height"]) == (1000, 1000)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["weave", "stack"])
def test_third_model_in_the_sandbox(
    name: str, wide: str, connect: Callable[..., Client], fal: FakeFal, photos: Photos
) -> None:
    """The sandbox makes a draft for it, whatever it calls its pictures and however it takes them."""
    picture, facts = connect(wide).predict(**asked(photos, model=name), api_name="/try_on")
    assert (facts["model"], facts["sandbox"]) == (name, True)
    with Image.open(picture) as image:
        assert image.size == (500, 500)


def test_third_model_in_the_schema(wide: str, connect: Callable[..., Client]) -> None:
    """What models share takes what any of them takes, with each model's own default where they differ."""
    api = connect(wide).view_api(return_format="dict", print_info=False)
    items = {item["parameter_name"]: item for item in api["named_endpoints"]["/try_on"]["parameters"]}
    items = {name: (plain(item["type"]), item["parameter_default"]) for name, item in items.items()}
    assert items["model"] == ({"enum": ["flux-vto", "cat-vton", "weave", "stack", "fashn"]}, "flux-vto")
    assert items["fabric"] == ({"enum": ["wool", "silk"]}, "wool")
    assert items["output_format"] == ({"enum": ["jpeg", "png", "webp"]}, None)
    assert items["sync_mode"] == ({"type": "boolean"}, None)
    assert items["strength"] == ({"type": "number"}, None)
    assert items["num_inference_steps"] == WHOLE
    assert items["cloth_type"] == PARAMETERS["cloth_type"]


def test_third_model_has_limits_too(wide: str, connect: Callable[..., Client], photos: Photos) -> None:
    """A value that another model takes is refused in words where this one does not."""
    for wrong, words in (
        ({"output_format": "jpeg"}, "Choose one of png, webp."),
        ({"num_inference_steps": 30}, "Give a whole number from 1 to 9."),
    ):
        with pytest.raises(AppError) as caught:
            connect(wide).predict(**asked(photos, model="weave", **wrong), api_name="/estimate")
        assert words in str(caught.value)


# MCP


@pytest.mark.slow
async def test_a_call_of_an_agent_ends_alone(paid: str, fal: FakeFal, photos: Photos) -> None:
    """Of two calls of one agent, the one that it leaves goes on at fal, and the other delivers."""
    fal.concurrent = 0  # all jobs stay in the queue
    given = {"person": data_uri(photos.large), "garments": data_uri(photos.small)}
    async with agent(paid) as session:
        kept = asyncio.create_task(session.call_tool("try_on", {**given, "seed": 1}))
        with pytest.raises(McpError, match="Timed out"):
            await session.call_tool("try_on", {**given, "seed": 2}, read_timeout_seconds=timedelta(seconds=2))
        await asyncio.to_thread(until, lambda: len(fal.jobs) == 2)
        fal.concurrent = None
        assert facts_of(await kept)["seed"] == 1
    assert {job.arguments["seed"]: job.cancelled for job in fal.jobs.values()} == {1: False, 2: False}


@pytest.mark.parametrize("door", ["http", "mcp"])
def test_an_order_is_followed_when_its_caller_has_left(door: str, paid: str, fal: FakeFal, uploaded: str) -> None:
    """A caller who hangs up does not stop the job, which is paid: it is followed to its picture."""
    fal.concurrent = 0  # all jobs stay in the queue
    given = {"person": uploaded, "garments": uploaded}
    if door == "http":
        event = httpx.post(f"{paid}gradio_api/call/v2/try_on", json=given).json()["event_id"]
        request: dict[str, Any] = {"method": "GET", "url": f"{paid}gradio_api/call/try_on/{event}"}
    else:
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "try_on", "arguments": given}}
        headers = {"accept": "application/json, text/event-stream"}
        request = {"method": "POST", "url": f"{paid}gradio_api/mcp/", "json": call, "headers": headers}
    with httpx.stream(**request, timeout=30):
        until(lambda: fal.count("stream") > 0)
    fal.concurrent = None
    until(lambda: fal.count("result") > 0)
    assert only(fal).cancelled is False


@asynccontextmanager
async def agent(url: str, **headers: str) -> AsyncIterator[ClientSession]:
    """An agent's connection to a server."""
    async with (
        streamablehttp_client(f"{url}gradio_api/mcp/", headers=headers) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


def data_uri(photo: Path) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(photo.read_bytes()).decode()


def text(result: CallToolResult) -> str:
    """The text that an agent gets."""
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))


def facts_of(result: CallToolResult) -> dict[str, Any]:
    """The JSON that an agent gets, which is the same as text and as an object."""
    assert not result.isError, text(result)
    facts: dict[str, Any] = json.loads(text(result))
    assert facts == result.structuredContent
    return facts


def picture_of(result: CallToolResult) -> bytes:
    """The one picture that an agent is given, of the kind that it is said to be."""
    (picture,) = [part for part in result.content if isinstance(part, ImageContent)]
    data = base64.b64decode(picture.data)
    with Image.open(io.BytesIO(data)) as image:
        assert image.get_format_mimetype() == picture.mimeType
    return data


def only_words(heard: Sequence[tuple[float, str | None]]) -> list[str]:
    return [str(words) for _, words in heard]


def download(url: str) -> bytes:
    return httpx.get(url).raise_for_status().content


@EACH_MODEL
async def test_agent_tries_on(model: ModelSpec, paid: str, fal: FakeFal, photos: Photos) -> None:
    """An agent gets the picture, its address, and the facts."""
    person, garment = data_uri(photos.large), data_uri(photos.small)
    async with agent(paid) as session:
        arguments = {"person": person, "garments": [garment], "model": model.name, "seed": 3}
        result = await session.call_tool("try_on", arguments)
    told = facts_of(result)
    job = only(fal)
    assert set(told) == {*FACTS, "picture"}
    assert (told["request_id"], told["seed"], told["sandbox"]) == (job.id, 3, False)
    for data in (picture_of(result), download(told["picture"])):
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (told["width"], told["height"])
    assert picture_of(result) == download(told["picture"])


async def test_agent_hears_the_words_of_the_page(paid: str, fal: FakeFal, photos: Photos) -> None:
    """An agent gets every step in the page's words, and the request id before there is a picture."""
    fal.concurrent = 0  # all jobs stay in the queue
    heard: list[tuple[float, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, message))
        if only_words(heard)[-1].startswith("Waiting"):
            fal.concurrent = None

    given = {"person": data_uri(photos.large), "garments": [data_uri(photos.small)]}
    async with agent(paid) as session:
        result = await session.call_tool("try_on", given, progress_callback=hear)
    assert facts_of(result)["request_id"] == only(fal).id
    words = only_words(heard)
    assert words[:3] == ["Preparing the photos", "Sending the photos", "Sending the order"]
    accepted = words.index(f"Accepted, waiting · request id {only(fal).id}")
    assert all(said.endswith(only(fal).id) for said in words[accepted:])
    assert {said.split(" ")[0] for said in words[accepted + 1 :]} <= {
        "Waiting",
        "Waiting,",
        "Running",
        "Running:",
        "Running,",
    }
    assert [number for number, _ in heard] == list(range(1, len(heard) + 1))


async def test_agent_names_uploads(paid: str, fal: FakeFal, photos: Photos) -> None:
    """An agent may give the addresses of what it has uploaded here."""
    address = f"{paid}gradio_api/file={upload(paid, photos.large)}"
    async with agent(paid) as session:
        result = await session.call_tool("estimate", {"person": address, "garments": [address, address]})
    assert facts_of(result)["total_usd"] == 0.0475
    assert fal.seen == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "person",
    [
        str,
        lambda path: {"path": path},
        lambda path: {"path": path, "meta": META},
        lambda path: f"/gradio_api/file={path}",
    ],
    ids=["path", "object", "meta", "address"],
)
@pytest.mark.parametrize("several", [True, False], ids=["list", "alone"])
async def test_a_photo_is_named_as_its_upload_was(
    several: bool, person: Callable[[str], Any], paid: str, fal: FakeFal, uploaded: str
) -> None:
    """The path of an upload is accepted over HTTP and MCP, alone and in a list, and so is a single garment."""
    garments = [person(uploaded)] if several else person(uploaded)
    given = {"person": person(uploaded), "garments": garments}
    async with agent(paid) as session:
        assert facts_of(await session.call_tool("estimate", given))["total_usd"] == 0.0475
    assert '"total_usd": 0.0475' in post(paid, "estimate", given)
    assert post(paid, "compose", {"garments": garments}).startswith("event: complete")


async def test_data_uris_over_http(paid: str, photos: Photos) -> None:
    """A data URI is taken over HTTP as over MCP."""
    given = {"person": data_uri(photos.large), "garments": data_uri(photos.large)}
    assert '"total_usd": 0.0475' in post(paid, "estimate", given)


@pytest.mark.parametrize(
    "slot",
    ["person", "model", "seed", *in_detail(*sorted({*SLOTS} - {"person", "model", "seed", "prompt", "description"}))],
)
async def test_no_data_uri_is_repeated_to_an_agent(slot: str, paid: str, fal: FakeFal, uploaded: str) -> None:
    """The same over MCP, where Gradio's own refusals would tell it."""
    async with agent(paid) as session:
        for uri in ("data:,QUJD", NO_PHOTO):
            for wrong in ({slot: uri}, {slot: [uri]}, {slot: {"path": uri, "meta": META}}, {uri: 1}):
                result = await session.call_tool("try_on", {"person": uploaded, "garments": uploaded, **wrong})
                assert result.isError
                assert "QUJD" not in text(result)
                assert len(text(result)) < 500
    assert fal.seen == []


async def test_agent_composes(free: str, photos: Photos) -> None:
    """An agent gets the sheet as a picture."""
    async with agent(free) as session:
        result = await session.call_tool("compose", {"garments": [data_uri(photos.small)] * 2})
    assert picture_of(result) == download(facts_of(result)["picture"])
    with Image.open(io.BytesIO(picture_of(result))) as image:
        assert image.width > image.height


async def test_agent_reads_the_tools(paid: str) -> None:
    """An agent sees five tools, with every option, its type and its words."""
    async with agent(paid) as session:
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
    assert list(tools) == ["try_on", "estimate", "compose", "looks", "result"]
    for name in ("try_on", "estimate"):
        schema = tools[name].inputSchema
        assert schema["required"] == ["person", "garments"]
        options = {option: schema["properties"][option] for option in PARAMETERS}
        assert set(schema["properties"]) == {"person", "garments", *PARAMETERS}
        assert {option: plain(kind) for option, kind in options.items()} == {
            option: kind for option, (kind, _) in PARAMETERS.items()
        }
        assert all(kind["description"] for kind in options.values())
        assert "From 1 to 4, 4 by default" in options["num_inference_steps"]["description"]
        assert "From 1 to 50, 30 by default" in options["num_inference_steps"]["description"]
        for photo in (schema["properties"]["person"], schema["properties"]["garments"]["items"]):
            assert photo["type"] == "string"
            assert "required" not in photo
    assert "costs money" in str(tools["try_on"].description)
    assert "request id as soon as" in str(tools["try_on"].description)
    assert "upload_file_to_gradio" not in str(tools)
    assert "POST /gradio_api/upload" in tools["compose"].inputSchema["properties"]["garments"]["description"]
    assert "cost_usd" in str(tools["try_on"].description)
    assert tools["compose"].inputSchema["required"] == ["garments"]
    assert set(tools["result"].inputSchema["properties"]) == {"request_id"}


WRONG_FOR_AGENTS: dict[str, tuple[dict[str, Any], str]] = {
    "steps": ({"num_inference_steps": 9}, "Give a whole number from 1 to 4. Nothing was charged."),
    "model": ({"model": "dall-e"}, "'dall-e' is no model here. Use one of flux-vto, cat-vton."),
    "seven": ({"garments": ["http://127.0.0.1/"] * 7}, "There are 7 garments. Use at most 6; take 1 away."),
    "private person": ({"person": "http://169.254.169.254/"}, "The photo cannot be fetched from this address. Upload"),
    "private garment": ({"garments": ["http://10.0.0.1/"]}, "Garment: The photo cannot be fetched from this address."),
    "path": ({"person": __file__}, "Person: The photo cannot be fetched from this address."),
    "path in a list": ({"garments": [__file__]}, "Garment: The photo cannot be fetched from this address."),
    "forged": ({"person": {"path": __file__, "meta": META}}, "Person: The photo is no upload of yours."),
    "forged in a list": ({"garments": [{"path": __file__, "meta": META}]}, "Garment: The photo is no upload of yours."),
    "forged in an option": ({"prompt": {"path": __file__, "meta": META}}, "cannot be used for prompt. Give text."),
    "no person": ({"person": None}, "Person: There is no photo of a person yet."),
    "no garments": ({"garments": None}, "Garments: There is no garment yet."),
    "unknown": ({"colour": "red"}, "The parameters are person, garments, model, "),
    "somebody else": ({"request": {}}, "The parameters are person, garments, model, "),
}


@pytest.mark.parametrize(("wrong", "words"), WRONG_FOR_AGENTS.values(), ids=WRONG_FOR_AGENTS)
async def test_agent_errs(wrong: dict[str, Any], words: str, paid: str, fal: FakeFal, photos: Photos) -> None:
    """A wrong call of an agent gets words, and sends nothing to fal."""
    given = {"person": data_uri(photos.small), "garments": [data_uri(photos.small)], **wrong}
    async with agent(paid) as session:
        result = await session.call_tool("try_on", given)
    assert result.isError
    assert words in text(result)
    assert fal.seen == []


@pytest.mark.slow
async def test_agent_brings_a_key(free: str, fal: FakeFal, photos: Photos, caplog: pytest.LogCaptureFixture) -> None:
    """An agent's own key pays for its call only, and is in no answer."""
    caplog.set_level(logging.DEBUG)
    given = {"person": data_uri(photos.large), "garments": [data_uri(photos.small)]}
    async with agent(free, **{"x-fal-key": OTHER_KEY}) as session:
        with_key = await session.call_tool("try_on", given)
    async with agent(free) as session:
        without = await session.call_tool("try_on", given)
    assert facts_of(with_key)["sandbox"] is False
    assert facts_of(without)["sandbox"] is True
    assert only(fal).key == OTHER_KEY
    assert OTHER_KEY not in text(with_key) + text(without) + caplog.text
