"""/looks over HTTP and MCP: several looks of one call, refused whole or answered look by look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client as GradioClient
from gradio_client import handle_file
from mcp.types import ImageContent

from tests.bill import bill_of
from tests.client import Client
from tests.conftest import begin_anew, photo_bytes, serving, until
from tests.fake_fal.schemas import model_error
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.fast_timings import use_fast_timings
from tests.ui.test_api import agent, facts_of
from vton_ui.backends.sandbox import backend
from vton_ui.money.ledger import LEDGER_FILE, Caps, Ledger, Summary
from vton_ui.settings import Settings

PRICE = 0.0475
OTHER_KEY = "other-key-id:other-key-secret"


@pytest.fixture(scope="module")
def played() -> Iterator[FakeFal]:
    """fal, for all tests of this module."""
    with pytest.MonkeyPatch.context() as patch:
        use_fast_timings(patch, 0.03, 0.1)
        patch.setattr(backend, "QUEUE_SECONDS", 0.05)
        patch.setattr(backend, "STEP_SECONDS", 0.01)
        patch.setattr(backend, "EVENT_SECONDS", 0.01)
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
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("paid")


@pytest.fixture(scope="module")
def script(played: FakeFal, data: Path) -> Iterator[Client]:
    """A script on a server with a key, which runs two looks of a call at once."""
    caps = {"visitor_rate": 1000}
    with serving(
        Settings(fal_key=TEST_KEY, data_dir=data, fal_api_url=played.api_url, parallel=2, **caps)  # type: ignore[arg-type]
    ) as url:
        yield Client(url)


@pytest.fixture(scope="module")
def photos(script: Client) -> dict[str, Any]:
    """A person and three garments, uploaded."""
    garments = [script.upload(photo_bytes(300 + index, 300), f"garment{index}.jpg") for index in range(3)]
    return {"person": script.upload(photo_bytes(400, 500), "person.jpg"), "garments": garments}


def today(data: Path) -> Summary:
    return Ledger(data / LEDGER_FILE, Caps(), salt=b"not needed to read").today()


def streamed(answer: str) -> list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """The pictures and looks of each step of a stream; its end repeats the last one."""
    parts = [part.split("\ndata: ") for part in answer.strip().split("\n\n")]
    steps = [json.loads(body) for kind, body in parts if kind == "event: generating"]
    (end,) = [json.loads(body) for kind, body in parts if kind == "event: complete"]
    assert end == steps[-1]
    return steps


# What it answers


def test_a_look_for_each_garment(script: Client, photos: dict[str, Any], fal: FakeFal) -> None:
    """It answers whenever a look ends, with all that have ended; the last answer has all, in their order."""
    steps = streamed(script.call_text("looks", **photos, wear="each", seed=7))
    assert [len(looks) for _, looks in steps] == [1, 2, 3]
    for pictures, looks in steps:
        assert [look["picture"] for look in looks] == list(range(len(pictures)))
        assert [look["garments"] for look in looks] == sorted(look["garments"] for look in looks)
    pictures, looks = steps[-1]
    assert [look["garments"] for look in looks] == [[0], [1], [2]]
    assert {look["request_id"] for look in looks} == set(fal.jobs)
    for look, picture in zip(looks, pictures, strict=True):
        facts = {name: look[name] for name in ("status", "model", "cloth_types", "seed", "cost_usd", "error")}
        assert facts == {
            "status": "done",
            "model": "flux-vto",
            "cloth_types": None,
            "seed": 7,
            "cost_usd": PRICE,
            "error": None,
        }
        step = {"cloth_type": None, "request_id": look["request_id"], "status": "done", "picture": look["picture"]}
        assert look["steps"] == [step]
        assert 0 < look["seconds"] < 30
        assert httpx.get(picture["url"]).raise_for_status().headers["content-type"] == "image/jpeg"


def test_both_models_and_an_outfit(script: Client, photos: dict[str, Any], fal: FakeFal) -> None:
    """They multiply; a model that takes one garment puts them on in their order, each with its kind."""
    kinds = ["lower", "upper", "outer"]
    wish = {"models": ["flux-vto", "cat-vton"], "cloth_types": kinds, "variations": 2, "image_size": "square"}
    pictures, looks = streamed(script.call_text("looks", **photos, **wish))[-1]
    assert [look["model"] for look in looks] == ["flux-vto", "flux-vto", "cat-vton", "cat-vton"]
    assert [look["cloth_types"] for look in looks] == [None, None, kinds, kinds]
    assert {tuple(look["garments"]) for look in looks} == {(0, 1, 2)}
    assert looks[0]["seed"] == looks[2]["seed"] != looks[1]["seed"] == looks[3]["seed"]
    assert [len(look["steps"]) for look in looks] == [1, 1, 3, 3]
    assert len(pictures) == len(fal.jobs) == 8
    outfit = looks[2]
    assert [step["cloth_type"] for step in outfit["steps"]] == kinds
    assert outfit["steps"][-1]["picture"] == outfit["picture"]
    assert outfit["steps"][-1]["request_id"] == outfit["request_id"]
    for step in outfit["steps"]:
        assert fal.jobs[step["request_id"]].arguments["cloth_type"] == step["cloth_type"]


def test_plan_only(script: Client, photos: dict[str, Any], fal: FakeFal, data: Path) -> None:
    """It tells what would be ordered and for how much, and orders nothing; then it costs that."""
    wish = {**photos, "wear": "each", "variations": 2, "seed": 3, "full_size": True}
    before = today(data).spent
    (pictures, planned) = script.call("looks", **wish, plan_only=True)
    assert (pictures, fal.count("upload"), fal.count("submit"), today(data).spent) == ([], 0, 0, before)
    assert {look["status"] for look in planned} == {"planned"}
    assert [look["seed"] for look in planned] == [3, 4] * 3
    assert all(look["request_id"] is look["seconds"] is look["picture"] is look["error"] is None for look in planned)
    looks = script.call("looks", **wish)[1]
    for name in ("model", "garments", "seed", "cost_usd"):
        assert [look[name] for look in looks] == [look[name] for look in planned]
    assert sum(Decimal(str(look["cost_usd"])) for look in looks) == bill_of(fal) == today(data).spent - before


def test_one_that_fails(script: Client, photos: dict[str, Any], fal: FakeFal, data: Path) -> None:
    """A look that fails says why and what it cost, and the others are delivered."""
    before = today(data).spent
    fal.next_error = model_error("internal_server_error", "Boom")
    pictures, looks = script.call("looks", **photos, wear="each")
    (failed,) = [look for look in looks if look["status"] == "failed"]
    assert "Nothing was charged" in failed["error"]
    assert (failed["picture"], failed["cost_usd"], len(pictures)) == (None, 0, 2)
    assert failed["request_id"] in failed["error"]
    assert [step["status"] for step in failed["steps"]] == ["failed"]
    assert today(data).spent - before == bill_of(fal)


def test_a_step_that_fails(script: Client, photos: dict[str, Any], fal: FakeFal) -> None:
    """The pictures of the steps before it are there, and the steps after it were not ordered."""
    bad = {"detail": [{"loc": ["body"], "msg": "Boom", "type": "internal_server_error"}]}
    fal.fault("result", "slow", seconds=0.01)
    fal.fault("result", "status", code=500, body=bad)
    pictures, (look,) = script.call("looks", **photos, models=["cat-vton"], image_size="square")
    assert (look["status"], look["picture"], len(pictures)) == ("failed", None, 1)
    assert [(step["status"], step["picture"]) for step in look["steps"]] == [
        ("done", 0),
        ("failed", None),
        ("planned", None),
    ]
    assert len(fal.jobs) == 2
    fal.clear_faults()


def test_gradios_own_client(script: Client, tmp_path: Path, fal: FakeFal) -> None:
    """It iterates over the answers, and brings the pictures."""
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(photo_bytes(300, 400))
    client = GradioClient(script.url, verbose=False, download_files=str(tmp_path))
    files = {"person": handle_file(str(photo)), "garments": [handle_file(str(photo))]}
    call = client.submit(**files, variations=2, api_name="/looks")
    answers = list(call)
    assert [len(looks) for _, looks in answers] == [1, 2]
    assert all(Path(path).stat().st_size for path in answers[-1][0])


# What it refuses


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"models": []}, "no model to try on with"),
        ({"models": "flux-vto"}, "no model to try on with"),
        ({"models": None}, "no model to try on with"),
        ({"models": ["flux-vto", "dalle"]}, "'dalle' is no model here"),
        ({"models": ["flux-vto", "flux-vto"]}, "flux-vto is there twice"),
        ({"models": [["flux-vto"]]}, "is no model here"),
        ({"wear": "both"}, "Choose one of together, each"),
        ({"wear": ["each"]}, "Choose one of together, each"),
        ({"variations": 0}, "from 1 to 8"),
        ({"variations": 99}, "from 1 to 8"),
        ({"variations": "2"}, "from 1 to 8"),
        ({"variations": True}, "from 1 to 8"),
        ({"variations": 1.5}, "from 1 to 8"),
        ({"wear": "each", "variations": 5}, "15 looks, and one click makes 12 at most"),
        ({"cloth_types": ["upper"]}, "3 garments and 1 cloth_types"),
        ({"cloth_types": []}, "3 garments and 0 cloth_types"),
        ({"cloth_types": "upper"}, "no list of cloth_types"),
        ({"cloth_types": {"0": "upper"}}, "no list of cloth_types"),
        ({"cloth_types": ["upper", "hat", "lower"]}, "Choose one of upper, lower"),
        ({"cloth_types": ["upper", ["lower"], None], "models": ["cat-vton"]}, "Choose one of upper, lower"),
        ({"cloth_type": "hat"}, "Choose one of upper, lower"),
        ({"seed": -1}, "from 0 to 2147483647"),
        ({"seed": 2**31 - 1, "variations": 2}, "from 0 to 2147483647"),
        ({"num_inference_steps": 30, "models": ["flux-vto", "cat-vton"]}, "from 1 to 4"),
        ({"plan_only": "yes"}, "Give true or false"),
        ({"private": 1}, "Give true or false"),
        ({"garments": []}, "no garment yet"),
        ({"garments": {"a": 1}}, "no upload of yours"),
        ({"garments": 7}, "garments is no list"),
        ({"person": None}, "photo of a person"),
        ({"person": "/etc/passwd"}, ""),
        ({"garments": ["/etc/passwd"]}, ""),
    ],
    ids=str,
)
def test_refused(
    wrong: dict[str, Any], words: str, script: Client, photos: dict[str, Any], fal: FakeFal, data: Path
) -> None:
    """What cannot be is refused in words, before anything is sent or reserved."""
    before = today(data)
    answer = script.call("looks", **{**photos, **wrong})
    assert isinstance(answer, str)
    assert words in answer
    assert "Nothing was charged" in answer
    assert (fal.count("upload"), fal.count("submit"), today(data)) == (0, 0, before)


def test_a_photo_that_cannot_be_used(script: Client, photos: dict[str, Any], fal: FakeFal) -> None:
    """Of a call with a photo that cannot be used nothing is ordered."""
    bad = script.upload(b"no photo at all", "bad.jpg")
    answer = script.call("looks", **{**photos, "garments": [*photos["garments"][:2], bad]}, wear="each")
    assert "Nothing was charged" in answer
    assert fal.count("submit") == 0


def test_twelve_garments_each_on_its_own(script: Client, photos: dict[str, Any]) -> None:
    """A sheet has six at most, and looks may have twelve."""
    twelve = {**photos, "garments": photos["garments"] * 4, "plan_only": True}
    assert len(script.call("looks", **twelve, wear="each")[1]) == 12
    assert "Use at most 6" in script.call("looks", **twelve)


def test_caps(fal: FakeFal, tmp_path: Path) -> None:
    """A call that the owner's caps cannot hold is refused whole, and says how many looks would fit."""
    caps = Settings(
        fal_key=TEST_KEY, data_dir=tmp_path, fal_api_url=fal.api_url, visitor_budget_usd=Decimal("0.1"), free_rate=3
    )
    with serving(caps) as url:
        script = Client(url)
        person, garment = (script.upload(photo_bytes(300, size)) for size in (400, 300))
        given = {"person": person, "garments": [garment]}
        assert "no room for 3 looks like these on any day. 2 of them would fit now" in script.call(
            "looks", **given, variations=3
        )
        assert fal.jobs == {}
        assert len(script.call("looks", **given, variations=2)[0]) == 2
        assert "no room for this try until" in script.call("looks", **given)
        assert len(fal.jobs) == 2
        own = Client(url, headers={"x-fal-key": OTHER_KEY})
        assert len(own.call("looks", **given, variations=3)[0]) == 3
        assert {job.key for job in fal.jobs.values()} == {TEST_KEY, OTHER_KEY}
        assert "free tries a minute" in own.call("looks", **given, variations=3)
        assert len(fal.jobs) == 5


# Without a key


@pytest.fixture(scope="module")
def free(played: FakeFal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A script on a server without a key."""
    with serving(Settings(data_dir=tmp_path_factory.mktemp("free"))) as url:
        yield Client(url)


def test_drafts(free: Client, fal: FakeFal) -> None:
    """Without a key all of it is free drafts, an outfit step by step too."""
    photos = [free.upload(photo_bytes(300 + index, 400), f"{index}.jpg") for index in range(3)]
    given = {"person": photos[0], "garments": photos[1:], "models": ["flux-vto", "cat-vton"], "image_size": "square"}
    assert [look["cost_usd"] for look in free.call("looks", **given, plan_only=True)[1]] == [0, 0]
    pictures, looks = free.call("looks", **given)
    assert [(look["status"], look["cost_usd"], len(look["steps"])) for look in looks] == [
        ("done", 0, 1),
        ("done", 0, 2),
    ]
    assert len(pictures) == 3
    assert fal.seen == []


# Callers who leave, or cancel


def calling(door: str, script: Client, given: dict[str, Any]) -> dict[str, Any]:
    """The request whose answer is the stream of a call."""
    if door == "http":
        event = script.http.post("gradio_api/call/v2/looks", json=given).json()["event_id"]
        return {"method": "GET", "url": f"{script.url}gradio_api/call/looks/{event}"}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "looks", "arguments": given}}
    headers = {"accept": "application/json, text/event-stream"}
    return {"method": "POST", "url": f"{script.url}gradio_api/mcp/", "json": call, "headers": headers}


@pytest.mark.parametrize("door", ["http", "mcp"])
def test_who_leaves_orders_nothing_more(
    door: str, script: Client, photos: dict[str, Any], fal: FakeFal, data: Path
) -> None:
    """Of three looks two are ordered when the caller hangs up: they are followed to their end, and that is all."""
    before, fal.concurrent = today(data), 0  # nobody's turn comes
    with httpx.stream(**calling(door, script, {**photos, "wear": "each"}), timeout=30):
        until(lambda: len(fal.jobs) == 2)
        until(lambda: fal.count("stream") == 2)
    until(lambda: today(data).released == before.released + 1)
    fal.concurrent = None
    until(lambda: today(data).settled == before.settled + 2)
    assert len(fal.jobs) == fal.count("result") == 2
    assert not any(job.cancel_requested for job in fal.jobs.values())
    assert today(data).spent - before.spent == bill_of(fal)


def test_a_cancelled_call(script: Client, photos: dict[str, Any], fal: FakeFal, data: Path) -> None:
    """A call that is cancelled is cancelled at fal, look by look, and costs nothing."""
    before, fal.concurrent = today(data), 0
    event = script.join("looks", **photos, wear="each")
    until(lambda: len(fal.jobs) == 2)
    script.cancel(event)
    until(lambda: all(job.cancelled for job in fal.jobs.values()))
    until(lambda: today(data).released == before.released + 3)
    assert (len(fal.jobs), today(data).spent) == (2, before.spent)


def test_drafts_stop_with_their_caller(free: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drafts that nobody waits for are not made."""
    submitted: list[str] = []
    cancelled: list[str] = []
    submit, cancel = backend.Sandbox.submit, backend.Sandbox.cancel

    async def submitting(self: backend.Sandbox, *args: Any, **kwargs: Any) -> str:
        submitted.append(await submit(self, *args, **kwargs))
        return submitted[-1]

    async def cancelling(self: backend.Sandbox, job: Any) -> bool:
        cancelled.append(job.request_id)
        return await cancel(self, job)

    monkeypatch.setattr(backend.Sandbox, "submit", submitting)
    monkeypatch.setattr(backend.Sandbox, "cancel", cancelling)
    monkeypatch.setattr(backend, "QUEUE_SECONDS", 60.0)
    photo = free.upload(photo_bytes(300, 400))
    given = {"person": photo, "garments": [photo], "variations": 6}
    with httpx.stream(**calling("http", free, given), timeout=30):
        until(lambda: len(submitted) == 4)
    until(lambda: sorted(cancelled) == sorted(submitted))
    assert len(submitted) == 4


# Agents


async def test_an_agent(script: Client, photos: dict[str, Any], fal: FakeFal) -> None:
    """An agent gets the pictures as images, their addresses and the looks as JSON, and hears how each look is going."""
    given = {"person": photos["person"]["path"], "garments": [file["path"] for file in photos["garments"]]}
    heard: list[str] = []

    async def hear(number: float, total: float | None, words: str | None) -> None:
        heard.append(str(words))

    async with agent(script.url) as session:
        result = await session.call_tool("looks", {**given, "wear": "each"}, progress_callback=hear)
        facts = facts_of(result)
        refused = await session.call_tool("looks", {**given, "variations": 0})
        planned = facts_of(await session.call_tool("looks", {**given, "plan_only": True}))
    assert len([part for part in result.content if isinstance(part, ImageContent)]) == 3
    assert [look["status"] for look in facts["looks"]] == ["done"] * 3
    assert [look["picture"] for look in facts["looks"]] == [0, 1, 2]
    async with httpx.AsyncClient() as browser:
        assert all([(await browser.get(address)).is_success for address in facts["pictures"]])
    for number, request_id in enumerate((look["request_id"] for look in facts["looks"]), 1):
        assert any(
            words.startswith(f"Look {number} of 3: ") and words.endswith(f"request id {request_id}") for words in heard
        )
    assert refused.isError
    assert (planned["pictures"], [look["status"] for look in planned["looks"]]) == ([], ["planned"])
    assert len(fal.jobs) == 3


def test_parameters(script: Client) -> None:
    """What makes looks has names, types and defaults; the rest is as in /try_on."""
    of = {
        name: {item["parameter_name"]: item for item in script.endpoints[name]["parameters"]}
        for name in ("/looks", "/try_on")
    }
    own = [name for name in of["/looks"] if name not in of["/try_on"]]
    assert own == ["models", "wear", "variations", "cloth_types", "plan_only"]
    assert [of["/looks"][name]["parameter_default"] for name in own] == [["flux-vto"], "together", 1, None, False]
    assert of["/looks"]["models"]["type"]["items"] == {"enum": ["flux-vto", "cat-vton"]}
    assert of["/looks"]["wear"]["type"] == {"enum": ["together", "each"]}
    assert set(of["/try_on"]) - set(of["/looks"]) == {"model"}
    assert len(script.endpoints["/looks"]["returns"]) == 2
