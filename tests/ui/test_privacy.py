"""No key, no path of the server and no traceback in all that the app answers, logs, prints and writes.

The running app is put through everything once, well and badly; then all of it is searched.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio
import httpx
import pytest
from gradio_client import Client, handle_file
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from starlette.middleware import Middleware

from tests.client import on_rail
from tests.conftest import photo_bytes, serving
from tests.fake_fal.server import LOCKED_403, FakeFal
from tests.fast_timings import use_fast_timings
from vton_ui.backends.fal import answers
from vton_ui.settings import Settings
from vton_ui.tryon import submit
from vton_ui.ui import blocks

pytestmark = pytest.mark.slow

SERVER_KEY = "5e17e4aa-0b5c-4f1e-9d3a-77c0ffee0001:9f8e7d6c5b4a39281706f5e4d3c2b1a0"
VISITOR_KEY = "a11ce0de-6b7a-4c2d-8e9f-5ca1ab1e0002:0123456789fedcba9876543210abcdef"
BAD_KEY = "bad0bad0-1111-4222-8333-444455556666:deadbeefdeadbeefcafebabecafebabe"
PROMPT = "a zebra-striped kimono for aunt Mildred"
PHOTO_NAME = "aunt-mildred-on-holiday.jpg"
META = {"_type": "gradio.FileData"}
PAGES = (
    "",
    "config",
    "gradio_api/info",
    "gradio_api/info?all_endpoints=true",
    "gradio_api/openapi.json",
    "gradio_api/mcp/schema",
    "gradio_api/mcp/",
    "gradio_api/app_id",
    "gradio_api/queue/status",
    "gradio_api/startup-events",
    "gradio_api/runs",
    "gradio_api/token",
    "gradio_api/user",
    "monitoring",
    "monitoring/summary",
    "monitoring/x",
    "manifest.json",
    "openapi.json",
    "docs",
    "robots.txt",
    "theme.css",
    "nothing",
    "?deep_link=x",
    "static/../../config",
    "gradio_api/file=/etc/hostname",
)


@dataclass
class Emitted:
    """All that left the app.

    Attributes:
        answers: Every answer, headers and body: the request's method and path → what was sent.
        records: Every record of every logger, with its traceback where there is one.
        printed: What was printed, the loggers' own output included.
        files: Every file under the data folder, and what is in it.
    """

    answers: list[tuple[str, bytes]] = field(default_factory=list)
    records: list[tuple[int, str]] = field(default_factory=list)
    printed: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    data: Path = Path()
    config: dict[str, Any] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    def tap(self, app: Any) -> Any:
        """The outermost middleware of all."""

        async def tapped(scope: Any, receive: Any, send: Any) -> None:
            whole = bytearray()

            async def noted(message: Any) -> None:
                whole.extend(repr(message.get("headers", "")).encode() + message.get("body", b""))
                await send(message)

            try:
                await app(scope, receive, noted)
            finally:
                self.answers.append((f"{scope.get('method')} {scope.get('path')}", bytes(whole)))

        return tapped

    def noting(self, factory: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
        """A record factory that keeps the records of all loggers."""

        def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
            made = factory(*args, **kwargs)
            self.records.append((made.levelno, f"{made.name} " + logging.Formatter().format(made)))
            return made

        return record


@dataclass(frozen=True)
class Visitor:
    """A visitor with a key of their own, who uses every way to call the app."""

    url: str
    key: str = VISITOR_KEY

    @property
    def headers(self) -> dict[str, str]:
        return {"x-fal-key": self.key}

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", headers={"x-fal-key": self.key.encode()}, timeout=30)

    def post(self, path: str, **body: Any) -> httpx.Response:
        return httpx.post(f"{self.url}gradio_api/{path}", headers={"x-fal-key": self.key.encode()}, timeout=30, **body)

    def upload(self, data: bytes, name: str = PHOTO_NAME) -> dict[str, Any]:
        return {"path": self.post("upload", files={"files": (name, data)}).json()[0], "meta": META}

    def call(self, name: str, body: Any) -> str:
        """The API, as a script would."""
        started = self.post(f"call/v2/{name}", json=body)
        return self.get(f"gradio_api/call/{name}/{started.json()['event_id']}").text if started.is_success else ""

    def event(self, name: str, config: Any, **values: Any) -> str:
        """An event of the page, with values by elem_id."""
        parts = {part["id"]: part["props"] for part in config["components"]}
        (wanted,) = (found for found in config["dependencies"] if found["api_name"] == name)
        data = [values.get(parts[id].get("elem_id") or "", parts[id].get("value")) for id in wanted["inputs"]]
        if not wanted["queue"]:
            return self.post(f"run/{name}", json={"data": data, "session_hash": "me"}).text
        self.post("queue/join", json={"data": data, "fn_index": wanted["id"], "session_hash": "me"})
        return self.get("gradio_api/queue/data?session_hash=me").text

    @contextlib.asynccontextmanager
    async def agent(self) -> Any:
        async with (
            streamablehttp_client(f"{self.url}gradio_api/mcp/", headers=self.headers) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            yield session


def all_goes_well(visitor: Visitor, config: Any) -> dict[str, str]:
    """The page, the API, and a script's client."""
    for page in PAGES:
        visitor.get(page)
    person, garment = visitor.upload(photo_bytes(500, 600)), visitor.upload(photo_bytes(400, 400))
    visitor.get(f"gradio_api/file={person['path']}")
    call = {"person": person, "garments": [garment, garment], "prompt": PROMPT, "description": PROMPT}
    shown = {"person": person, "garments": [on_rail(garment)], "option-prompt": PROMPT, "fal_key": visitor.key}
    said = {
        "api": visitor.call("try_on", call),
        "estimate": visitor.call("estimate", {**call, "garments": [garment], "model": "cat-vton"}),
        "compose": visitor.call("compose", {"garments": [garment] * 3}),
        "page": visitor.event("try_on_1", config, **shown),
        "refresh": visitor.event("refresh", config, **shown),
        "arrived": visitor.event("convert_person", config, person=visitor.upload(photo_bytes(300, 300, "TIFF"))),
    }
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder, PHOTO_NAME)
        photo.write_bytes(photo_bytes(450, 450))
        script = Client(visitor.url, verbose=False, headers=visitor.headers, download_files=folder)
        said["script"] = str(
            script.predict(person=handle_file(photo), garments=[handle_file(photo)], api_name="/try_on", prompt=PROMPT)
        )
    return said


async def agents_go(visitor: Visitor) -> dict[str, str]:
    """MCP, well and badly."""
    photo = "data:image/jpeg;base64," + base64.b64encode(photo_bytes(420, 420)).decode()
    given = {"person": photo, "garments": [photo], "prompt": PROMPT}
    said = {}
    async with visitor.agent() as session:
        await session.list_tools()
        said["agent"] = str(await session.call_tool("try_on", given))
        for wrong in (
            {"person": "/etc/hostname"},
            {"person": "http://10.0.0.1/"},
            {"garments": ["/etc/hostname"]},
            {"model": PROMPT},
            {"seed": PROMPT},
            {"person": {"path": "/etc/hostname", "meta": META}},
        ):
            await session.call_tool("try_on", {**given, **wrong})
        await session.call_tool("nothing", {})
    return said


def all_goes_badly(visitor: Visitor, config: Any, fal: FakeFal) -> dict[str, str]:
    """Faults of fal, wrong requests, and forged ones."""
    person, text = visitor.upload(photo_bytes(510, 510)), visitor.upload(b"no photo")
    good = {"person": person, "garments": [person], "prompt": PROMPT}
    said = {}
    faults: tuple[tuple[str, int, Any], ...] = (
        ("submit", 401, {"detail": "No user found for Key ID and Secret"}),
        ("submit", 403, LOCKED_403),
        ("submit", 422, {"detail": [{"loc": ["body", "prompt"], "msg": "no", "type": "content_policy_violation"}]}),
        ("submit", 500, "<html>Traceback (most recent call last): /srv/app.py</html>"),
        ("result", 500, {"detail": "Internal Server Error"}),
        ("download", 404, None),
    )
    for number, (operation, code, body) in enumerate(faults):
        fal.reset()  # and the app does not know the photo yet: what it has sent once it does not send again
        fal.fault(operation, "status", code=code, body=body, times=2 if operation == "submit" else None)
        new = visitor.upload(photo_bytes(520 + number, 520))
        slots = {"person": new, "garments": [on_rail(new)], "fal_key": BAD_KEY}
        said[f"api: {operation} {code}"] = visitor.call("try_on", {**good, "person": new})
        said[f"page: {operation} {code}"] = visitor.event("try_on_1", config, **slots)
    fal.reset()
    fal.fault("submit", "garbage")
    said["garbage"] = visitor.call("try_on", good)
    for key in (BAD_KEY, BAD_KEY[:40], "ключ"):
        said[f"key: {key}"] = Visitor(visitor.url, key).call("try_on", good)
    for forged in (
        {"path": "/etc/hostname"},
        {"path": "/etc/hostname", "meta": META},
        {"path": f"{person['path']}/../../../../etc/hostname", "meta": META},
        {"path": "http://169.254.169.254/", "meta": META},
        text,
        PROMPT,
        7,
    ):
        visitor.call("try_on", {**good, "person": forged})
        visitor.call("compose", {"garments": [forged]})
        visitor.event("convert_person", config, person=forged)
        visitor.event("refresh", config, person=forged, fal_key=visitor.key, **{"option-prompt": PROMPT})
        visitor.event("try_on_1", config, person=forged, fal_key=visitor.key)
    (click,) = (found["id"] for found in config["dependencies"] if found["api_name"] == "try_on_1")
    for route, body in (
        ("queue/join", {"data": [visitor.key, PROMPT], "fn_index": click, "session_hash": "me"}),
        ("queue/join", {"data": [], "fn_index": 10**6, "session_hash": "me"}),
        ("run/refresh", {"data": [visitor.key, PROMPT]}),
        ("run/try_on", {"data": [visitor.key]}),
        ("call/try_on", {"data": [visitor.key]}),
        ("call/nothing", {"data": [visitor.key]}),
        ("call/v2/try_on", {"nothing": visitor.key}),
        ("call/v2/try_on", {**good, "prompt": {"path": visitor.key}, "seed": [PROMPT]}),
        ("component_server", {"data": visitor.key}),
        ("cancel", {"session_hash": visitor.key, "fn_index": 1, "event_id": visitor.key}),
    ):
        visitor.post(route, json=body)
    for session in ("me", "nobody"):
        with contextlib.suppress(httpx.HTTPError):  # Gradio breaks off
            visitor.get(f"gradio_api/queue/data?session_hash={session}")
    visitor.post("queue/join", content=b'{"data": ' + visitor.key.encode())
    visitor.post("queue/join", content=b"[" * 100_000)
    visitor.post("upload", content=b"no multipart")
    visitor.post("upload", files={"files": ("../../" + PHOTO_NAME, b"")})
    return said


@pytest.fixture(scope="module")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    """All of it, of one run on a server with a key."""
    data = tmp_path_factory.mktemp("data")
    out = Emitted(data=data)
    fal = FakeFal(queue_seconds=0.02, run_seconds=0.05).start()
    fal.keys |= {SERVER_KEY, VISITOR_KEY}
    printed = io.StringIO()

    launch_options = blocks.launch_options

    def tapped_options(studio: Any) -> dict[str, Any]:
        options = launch_options(studio)
        options["app_kwargs"]["middleware"].insert(0, Middleware(out.tap))
        return options

    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        fal.patch(patch)
        use_fast_timings(patch, 0.03, 0.1)
        patch.setattr(answers, "SILENCE_SECONDS", 0.5)
        patch.setattr(submit, "RECOVERY_PAUSES", (0.05, 0.1))
        patch.setenv("GRADIO_TEMP_DIR", str(data / "uploads"))
        patch.setattr(blocks, "launch_options", tapped_options)
        factory, level = logging.getLogRecordFactory(), logging.root.level
        logging.setLogRecordFactory(out.noting(factory))
        logging.root.setLevel(logging.DEBUG)
        stack.callback(logging.setLogRecordFactory, factory)
        stack.callback(logging.root.setLevel, level)
        patch.setattr(sys, "stdout", printed)
        patch.setattr(sys, "stderr", printed)
        with serving(Settings(fal_key=SERVER_KEY, data_dir=data, fal_api_url=fal.api_url)) as url:
            visitor = Visitor(url)
            out.config = visitor.get("config").json()
            out.said |= all_goes_well(visitor, out.config)
            person, garment = (visitor.upload(photo_bytes(size, size)) for size in (640, 330))
            out.said["server's key"] = Visitor(url, "").call("try_on", {"person": person, "garments": [garment]})
            out.said |= asyncio.run(agents_go(visitor))
            keys = {job.key for job in fal.jobs.values()}
            out.said |= all_goes_badly(visitor, out.config, fal)
            time.sleep(0.1)
            out.files = {str(path): path.read_bytes() for path in data.rglob("*") if path.is_file()}
    fal.stop()
    out.printed = printed.getvalue()
    assert keys == {SERVER_KEY, VISITOR_KEY}, "both keys were in use"
    return out


def fragments(key: str, length: int = 12) -> Iterator[bytes]:
    """All pieces of a key."""
    return (key[start : start + length].encode() for start in range(len(key) - length + 1))


def test_it_was_a_full_run(emitted: Emitted) -> None:
    """What should succeed did, and what should fail gave its error; otherwise the run proves nothing."""
    for way in ("api", "estimate", "compose", "server's key"):
        assert "event: complete" in emitted.said[way], (way, emitted.said[way])
    assert '"success":true' in emitted.said["page"]
    assert "Done in" in emitted.said["page"]
    assert "isError=False" in emitted.said["agent"]
    assert "request_id" in emitted.said["script"]
    failed = {way: said for way, said in emitted.said.items() if ": " in way}
    assert {way: said[-1500:] for way, said in failed.items() if "charged" not in said} == {}
    assert len(emitted.answers) > 150
    assert len(emitted.records) > 100
    assert len(emitted.files) > 10


@pytest.mark.parametrize("key", [SERVER_KEY, VISITOR_KEY, BAD_KEY], ids=["server's", "visitor's", "bad"])
def test_no_key(key: str, emitted: Emitted) -> None:
    """No piece of a key is in any answer, log line at whatever level, print or file."""
    records = "\n".join(text for _, text in emitted.records).encode()
    for piece in fragments(key):
        assert where_in(emitted, piece) == []
        assert piece not in records
        assert piece not in emitted.printed.encode()
        assert not [name for name, data in emitted.files.items() if piece in data]


def where_in(emitted: Emitted, piece: bytes, but: Set[bytes] = frozenset()) -> list[str]:
    """The requests whose answers hold something, and what is around it; `but`: other texts that do not count."""
    found = []
    for request, answer in emitted.answers:
        for other in but:
            answer = answer.replace(other, b"")
        at = answer.find(piece)
        if at >= 0:
            found.append(f"{request}: {answer[max(0, at - 150) : at + 80]!r}")
    return found


def paths(emitted: Emitted) -> dict[str, str]:
    """Paths of this server: what they are, and how they begin."""
    return {
        "project": str(Path(__file__).parents[2]),
        "home": f"{Path.home()}/",
        "temporary files": f"{tempfile.gettempdir()}/",
        "data": str(emitted.data),
        "Python": sys.prefix,
        "libraries": str(Path(gradio.__file__).parent),
        "sources": "site-packages",
    }


@pytest.mark.parametrize("what", ["project", "home", "temporary files", "data", "Python", "libraries", "sources"])
def test_no_path(what: str, emitted: Emitted) -> None:
    """No answer has a path of this server but those of uploads, by which Gradio names files."""
    uploads = spellings(str(emitted.data / "uploads"))
    for spelled in spellings(paths(emitted)[what]):
        assert where_in(emitted, spelled, but=uploads) == []


def spellings(path: str) -> set[bytes]:
    """A path in text, in addresses and in JSON."""
    quoted = httpx.URL(path=path).raw_path.decode() if path.startswith("/") else path
    return {spelled.encode() for spelled in (path, quoted, json.dumps(path)[1:-1])}


def test_no_traceback(emitted: Emitted) -> None:
    """No traceback is answered, logged or printed."""
    assert where_in(emitted, b"Traceback") == []
    assert [text for _, text in emitted.records if "Traceback" in text] == []
    assert "Traceback" not in emitted.printed


@pytest.mark.parametrize("secret", ["Mildred", "mildred", "zebra", "data:image", "me.jpg"])
def test_log_knows_no_visitor(secret: str, emitted: Emitted) -> None:
    """The log, as it is kept, has no prompt and no photo in it, nor the name of one."""
    # The test's own clients log in the same process, by way of httpx; app.py has it silent.
    lines = [text for level, text in emitted.records if level >= logging.INFO and not text.startswith("httpx ")]
    assert not [line[:300] for line in lines if secret in line]
    assert secret not in emitted.printed
    assert any("failed" in line for line in lines)


def test_switches(emitted: Emitted) -> None:
    """What Gradio would keep, show or open by itself is off."""
    config = emitted.config
    assert config["run_history"] is False
    assert config["analytics_enabled"] is False
    assert config["show_error"] is False
    public = [event["api_name"] for event in config["dependencies"] if event["api_visibility"] == "public"]
    assert public == ["try_on", "estimate", "compose", "looks", "result"]
    answers = dict(emitted.answers)
    for path in ("/monitoring", "/monitoring/summary", "/monitoring/x", "/gradio_api/runs"):
        assert b"not enabled" in answers[f"GET {path}"] or b"Not found" in answers[f"GET {path}"]
    assert b"does not accept direct HTTP POST" in answers["POST /gradio_api/run/try_on"]
