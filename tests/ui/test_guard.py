"""The middleware around the web app: closed routes, limits, headers, file names, and errors without details."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import ASGIApp, Message

from tests.conftest import photo_bytes, serving, until
from tests.page_client import PageClient
from vton_ui.pictures import photos
from vton_ui.quota import UploadQuota
from vton_ui.session_uploads import SessionUploads
from vton_ui.settings import Settings
from vton_ui.ui import blocks
from vton_ui.ui.web import intake
from vton_ui.ui.web.guard import Guard
from vton_ui.ui.web.kept import kept_address

META = {"_type": "gradio.FileData"}
KEY = "visitor-key-id:visitor-key-secret"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of the server."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def url(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server without a key."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        with serving(Settings(data_dir=data)) as url:
            yield url


@pytest.fixture
def names_asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of other computers that are looked up meanwhile."""
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def noted(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "127.0.0.1":
            asked.append(host)
            raise socket.gaierror
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", noted)
    return asked


def upload(url: str, name: str = "me.jpg", data: bytes = b"") -> str:
    """What the server calls an upload."""
    answer = httpx.post(f"{url}gradio_api/upload", files={"files": (name, data or photo_bytes(300, 300))})
    return str(answer.raise_for_status().json()[0])


def ask(url: str, target: str, method: str = "GET") -> tuple[int, str]:
    """Status and text of the answer to exactly this target."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request(method, target)
    answer = connection.getresponse()
    try:
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


# Routes

NO_FILE = "There is no such file."
CLOSED = "This is closed here."
DOORS = {
    "/gradio_api/file=http://me.example/me.jpg": NO_FILE,
    "/gradio_api/file=https://me.example/me.jpg": NO_FILE,
    "/gradio_api/file=HTTPS://me.example/me.jpg": NO_FILE,
    "/gradio_api/file=http%3A%2F%2Fme.example%2Fme.jpg": NO_FILE,
    "/gradio_api/file=%68tTp:%2f/me.example/me.jpg": NO_FILE,
    "/gradio_api/%66ile=http://me.example/me.jpg": NO_FILE,
    "/gradio_api/file/http://me.example/me.jpg": NO_FILE,
    "/file=http://me.example/me.jpg": NO_FILE,
    "/file/https://me.example/me.jpg": NO_FILE,
    "/gradio_api/file=ftp://me.example/me.jpg": NO_FILE,
    "/gradio_api/file=//me.example/files/me.jpg": NO_FILE,
    "/gradio_api/file=": NO_FILE,
    "/gradio_api/file=/etc/hostname": NO_FILE,
    "/gradio_api/file=/filesystem": NO_FILE,
    "/gradio_api/file=files/me.jpg": NO_FILE,
    "/gradio_api/file=/FILES/me.jpg": NO_FILE,
    "/gradio_api/proxy=https://me.hf.space/me.jpg": CLOSED,
    "/gradio_api/%70roxy%3Dhttps://me.hf.space/me.jpg": CLOSED,
    "/gradio_api/deep_link?session_hash=x": CLOSED,
    "/gradio_api/dev/reload": CLOSED,
    "/gradio_api/component_server": CLOSED,
    "/gradio_api/process_recording": CLOSED,
}


@pytest.mark.parametrize(("target", "words"), DOORS.items(), ids=DOORS)
def test_closed_routes(target: str, words: str, url: str, names_asked: list[str]) -> None:
    """The server makes no requests for visitors, and serves no file but uploads."""
    methods = ("POST",) if "component" in target or "process" in target else ("GET", "HEAD")
    for method in methods:
        status, text = ask(url, target, method)
        assert status == 403
        assert method == "HEAD" or json.loads(text) == {"detail": words}
    assert names_asked == []


@pytest.fixture(scope="module")
def folder(url: str) -> Path:
    """The folder of uploads."""
    return Path(os.environ["GRADIO_TEMP_DIR"])


@pytest.mark.parametrize("way", ["/..", "/%2e%2e", "/%2E.", "/x/../.."])
def test_out_of_the_folder(way: str, url: str, folder: Path) -> None:
    """No path and no address leads out of the folder of uploads."""
    assert ask(url, f"/gradio_api/file={folder}{way * 12}/etc/hostname")[0] == 403
    assert ask(url, f"/gradio_api/file=http://me.example{way * 12}{folder}/me.jpg")[0] == 403


def test_an_upload_is_served(url: str, folder: Path) -> None:
    """An upload can be fetched by the path that its visitor was given, whatever is in its name."""
    photo = photo_bytes(320, 320)
    name = upload(url, "a b%é.jpg", photo)
    assert Path(name).is_relative_to(folder)
    assert httpx.get(url.rstrip("/") + httpx.URL(path=f"/gradio_api/file={name}").raw_path.decode()).content == photo


@pytest.mark.parametrize("kind", ["results", "examples", "data"])
def test_other_files_are_not_served(kind: str, url: str, data: Path) -> None:
    """What the page may show of the store and the examples is shown as a copy; the rest of the data never is."""
    files = {"results": data / "results", "examples": blocks._WEB.parents[2] / "assets" / "people", "data": data}
    file = files[kind] / ("secret" if kind == "data" else "me.jpg")
    if kind == "results":
        file.write_bytes(b"")
    elif kind == "examples":
        file = next(files[kind].glob("*.jpg"))
    assert file.is_file()
    status, text = ask(url, f"/gradio_api/file={file}")
    assert (status, json.loads(text)) == (403, {"detail": NO_FILE})


FOLDER = "a" * 22


@pytest.fixture(scope="module")
def picture(url: str, data: Path) -> Path:
    """A kept picture, with what it was made from beside it."""
    folder = data / "results" / FOLDER
    folder.mkdir()
    (folder / "source.json").write_text("{}")
    (folder / "look.jpg").write_bytes(photo_bytes(320, 320))
    return folder / "look.jpg"


def test_a_kept_picture(url: str, picture: Path) -> None:
    """Its address tells nothing of where it is kept, and it is safe to open by itself."""
    address = kept_address(picture)
    assert address == f"gradio_api/file=results/{FOLDER}/look.jpg"
    answer = httpx.get(f"{url}{address}")
    assert answer.content == picture.read_bytes()
    assert "sandbox" in answer.headers["content-security-policy"]
    assert ask(url, f"/{address}".replace("look", "no-look"))[0] in (403, 404)


@pytest.mark.parametrize(
    "name",
    [
        f"results/{FOLDER}/source.json",
        f"results/{FOLDER}/../{FOLDER}/look.jpg",
        f"results/{FOLDER}/%2e%2e/{FOLDER}/look.jpg",
        f"results//{FOLDER}/look.jpg",
        f"./results/{FOLDER}/look.jpg",
        f"results/{FOLDER}/look.jpg%00.png",
        f"results/{FOLDER}",
        "results/../jobs.sqlite3",
        "{picture}",
    ],
)
def test_beside_a_kept_picture(name: str, url: str, picture: Path) -> None:
    """Nothing else of the store has an address, and none by another way."""
    assert ask(url, f"/gradio_api/file={name.format(picture=picture)}")[0] == 403


@pytest.mark.parametrize("address", ["http://me.example/me.jpg", "HTTPS://me.example/me.jpg"])
def test_the_page_opens_no_address(address: str, url: str, names_asked: list[str]) -> None:
    """What stands in a slot of the page is an upload, never a download."""
    body = {"data": [{"path": address, "meta": META}]}
    answer = httpx.post(f"{url}gradio_api/run/convert_person", json=body)
    assert "addresses are not opened here" in answer.text
    assert names_asked == []


# Limits


def chunks(size: int) -> Iterator[bytes]:
    """So many bytes, without a Content-Length."""
    for _ in range(size // 100_000 + 1):
        yield b" " * 100_000


@pytest.mark.parametrize("told", [True, False], ids=["length told", "in chunks"])
@pytest.mark.parametrize("route", ["queue/join", "call/try_on", "call/v2/try_on", "run/refresh", "cancel", "nothing"])
def test_large_objects(route: str, told: bool, url: str) -> None:
    """A body that is no upload may have two megabytes."""
    size = intake.MAX_BODY + 1
    body = bytes(size) if told else chunks(size)
    answer = httpx.post(f"{url}gradio_api/{route}", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert "more than 2 MB. Send photos to /gradio_api/upload" in answer.json()["detail"]


@pytest.mark.slow
@pytest.mark.parametrize("route", ["upload", "upload?upload_id=x", "mcp/"])
def test_large_numbers(route: str, url: str) -> None:
    """A body whose Content-Length is too large is refused before it arrives."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    connection.putrequest("POST", f"/gradio_api/{route}")
    connection.putheader("Content-Length", str(10**9))
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_upload_without_an_end(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload without a Content-Length is cut off at the limit."""
    monkeypatch.setattr(intake, "MAX_UPLOAD_BODY", 500_000)
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'

    def body() -> Iterator[bytes]:
        yield head
        yield from chunks(3_000_000)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert httpx.post(f"{url}gradio_api/upload", content=body(), headers=headers).status_code == 413


def test_one_large_file(url: str) -> None:
    """A photo may have thirty megabytes and no more."""
    files = {"files": ("me.jpg", bytes(photos.MAX_BYTES + 1))}
    answer = httpx.post(f"{url}gradio_api/upload", files=files)
    assert answer.status_code == 413
    assert upload(url, data=bytes(photos.MAX_BYTES))


# Headers


@pytest.mark.parametrize("path", ["", "config", "theme.css", "static/img/logo.svg", "gradio_api/info", "nothing"])
def test_every_answer(path: str, url: str) -> None:
    """No type is guessed, other sites get no referrer, and the page may be in a frame."""
    headers = httpx.get(f"{url}{path}").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "x-frame-options" not in headers
    assert "frame-ancestors" not in headers.get("content-security-policy", "")


@pytest.mark.parametrize(
    ("name", "kind", "disposition"),
    [
        ("me.jpg", "image/jpeg", "inline"),
        ("me.png", "image/png", "inline"),
        ("me.svg", "application/octet-stream", "attachment"),
        ("me.html", "application/octet-stream", "attachment"),
        ("me.xml", "application/octet-stream", "attachment"),
        ("me", "application/octet-stream", "attachment"),
    ],
)
def test_no_upload_is_a_page(name: str, kind: str, disposition: str, url: str) -> None:
    """An uploaded file is shown or downloaded, and runs no script, whatever is in it."""
    answer = httpx.get(f"{url}gradio_api/file={upload(url, name, b'<script>alert(1)</script>')}")
    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["content-disposition"].startswith(disposition)
    assert answer.headers["content-security-policy"].endswith("sandbox")
    assert answer.headers["cache-control"] == "private"


def test_a_range(url: str) -> None:
    """A range request gets the whole file, and no header of the request in the answer."""
    address = f"{url}gradio_api/file={upload(url)}"
    answer = httpx.get(address, headers={"range": "bytes=0-10", "x-fal-key": KEY, "cookie": "a=secret"})
    assert answer.content == photo_bytes(300, 300)
    assert not {"x-fal-key", "cookie", "user-agent"} & set(answer.headers)


# What goes wrong


def guarded(app: ASGIApp) -> Guard:
    return Guard(app, store=Path("results"), uploaded=UploadQuota(200), session_uploads=SessionUploads())


async def answered(app: ASGIApp, **scope: Any) -> list[Message]:
    """All that an app answers to an empty request, through the guard."""
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        messages.append(message)

    await guarded(app)({"type": "http", "method": "GET", "path": "/", "headers": [], **scope}, receive, send)
    return messages


async def test_a_fault(caplog: pytest.LogCaptureFixture) -> None:
    """The answer says that it failed, the log says where, and neither has the input in it."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError(f"{KEY} in {__file__}")

    start, body = await answered(app)
    assert (start["status"], json.loads(body["body"])) == (500, {"detail": "Something failed in this app. Try again."})
    (record,) = caplog.records
    assert record.getMessage().startswith("failed: RuntimeError at test_guard.py:")
    assert record.exc_info is None


async def test_a_fault_halfway(caplog: pytest.LogCaptureFixture) -> None:
    """After a started answer no second one is sent."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError(KEY)

    assert [message["type"] for message in await answered(app)] == ["http.response.start"]
    assert len(caplog.records) == 1


async def test_streams_flow() -> None:
    """Every event is sent at once."""
    left: list[Message] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"content-length", b"8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for part in (b"one", b"two"):
            await send({"type": "http.response.body", "body": part, "more_body": True})
            left.append(part)  # type: ignore[arg-type]
            assert messages[-1]["body"] == part

    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    await guarded(app)({"type": "http", "method": "GET", "path": "/", "headers": []}, asyncio.Event().wait, send)  # type: ignore[arg-type]
    assert len(left) == 2


async def test_other_protocols() -> None:
    """Other protocols than HTTP pass."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    assert await answered(app, type="lifespan") == []
    assert seen == ["lifespan"]


NONSENSE: dict[str, tuple[str, Any]] = {
    "no endpoint": ("call/nothing", {"data": []}),
    "no endpoint, v2": ("call/v2/nothing", {}),
    "no function": ("queue/join", {"data": [], "fn_index": 10**6, "session_hash": "x"}),
    "no route": ("run/nothing", {"data": []}),
    "too few inputs": ("run/refresh", {"data": [KEY]}),
    "a text for a photo": ("run/convert_person", {"data": [KEY]}),
    "an object for a text": ("run/convert_person", {"data": [{"path": {"path": KEY}, "meta": META}]}),
    "no object": ("queue/join", KEY),
    "another's file": ("run/convert_person", {"data": [{"path": f"/etc/{KEY}", "meta": META}]}),
}


@pytest.mark.parametrize(("route", "body"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense(
    route: str, body: Any, url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A malformed request gets an error without server details, and a log line without the visitor's input."""
    caplog.set_level(logging.INFO)
    answer = httpx.post(f"{url}gradio_api/{route}", json=body)
    assert answer.status_code in (400, 404, 422, 500)
    for text in (caplog.text, *capfd.readouterr()):
        assert "Traceback" not in text
        assert KEY not in text
    assert not [word for word in ("Traceback", ".py", "visitor-key-secret") if word in answer.text]
    assert httpx.get(f"{url}config").status_code == 200


HALF = '"\\ud83d"'
BROKEN = {
    "no number": "NaN",
    "infinity": "Infinity",
    "minus infinity": "-Infinity",
    "too large": "1e999",
    "too long": "9" * 5000,
    "half a character": HALF,
    "too deep": "[" * 3000 + "]" * 3000,
}
DOORS_FOR_OBJECTS = {
    "call": ("call/estimate", '{"data": [%s]}'),
    "call v2": ("call/v2/estimate", '{"person": %s, "garments": []}'),
    "join": ("queue/join", '{"data": [{"a": [%s]}], "fn_index": 0, "session_hash": "x"}'),
    "run": ("run/use_larger_model", '{"data": [%s]}'),
    "mcp": (
        "mcp/",
        '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params":'
        ' {"name": "estimate", "arguments": {"person": %s, "garments": []}}}',
    ),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize(("route", "body"), DOORS_FOR_OBJECTS.values(), ids=DOORS_FOR_OBJECTS)
def test_what_json_has_no_words_for(
    route: str, body: str, broken: str, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is refused with a reason before Gradio sees it, and is not logged as a fault."""
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    answer = httpx.post(f"{url}gradio_api/{route}", content=body % broken, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["detail"].endswith(".")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("body", [{"person": 1}, {"person": None}, {}, {"nothing": 1, "person": None, "garments": []}])
def test_wrong_arguments(body: Any, url: str, caplog: pytest.LogCaptureFixture) -> None:
    """A missing or unknown argument is refused with its name."""
    answer = httpx.post(f"{url}gradio_api/call/v2/estimate", json=body)
    words = "There is a parameter that this endpoint does not have" if "nothing" in body else "is missing. Nothing was"
    assert (answer.status_code, words in answer.json()["detail"]) == (422, True)
    assert caplog.text == ""


@pytest.mark.parametrize(
    "path", ["/nothing.jpg", "/", "/a/b/c", "/%00", f"/{'x' * 5000}"], ids=["none", "folder", "deep", "null", "long"]
)
def test_a_refused_file(path: str, url: str, folder: Path) -> None:
    """Neither the guard nor Gradio says where a refused file would be."""
    status, text = ask(url, f"/gradio_api/file={folder}{path}")
    assert status in (403, 404)
    assert json.loads(text) == {"detail": NO_FILE}
    assert ask(url, f"/gradio_api/file={folder}{path}", "HEAD") == (status, "")


# Names of uploads

NAMES = [
    "a\nb.jpg",
    "a\r\nb.jpg",
    "a%0Ab.jpg",
    "a\tb.jpg",
    "a\0b.jpg",
    "a\x1bb.jpg",
    "a\u202egpj.exe",
    "100%.jpg",
    "a%2Fb.jpg",
]
NAMES += [
    "x" * 300 + ".jpg",
    "é" * 300 + ".jpg",
    ".",
    "..",
    "....",
    "../../me.jpg",
    "%2e%2e",
    "/",
    " ",
    "%",
    "a?b#c.jpg",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_an_odd_file_name(name: str, url: str) -> None:
    """An upload gets a name under which it can be fetched, whatever its own name."""
    photo = photo_bytes(310, 310)
    path = upload(url, name, photo)
    assert httpx.get(f"{url}gradio_api/file={path}").content == photo
    assert path.isprintable()
    assert len(os.path.basename(path).encode()) <= 255


# Deleting uploads


@pytest.mark.slow
def test_uploads_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads, files written for visitors and results are deleted in time; the examples stay."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", "to be put back")
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    monkeypatch.setattr(blocks, "UPLOAD_KEEP_SECONDS", 4.0)
    monkeypatch.setattr(blocks, "UPLOAD_CHECK_SECONDS", 0.1)
    expired, kept = tmp_path / "results" / "1", tmp_path / "results" / "2"
    for result in (expired, kept):
        result.mkdir(parents=True)
    os.utime(expired, (time.time() - 7.1 * 3600,) * 2)
    forgotten = tmp_path / "uploads" / "of a run before" / "me.jpg"
    forgotten.parent.mkdir(parents=True)
    forgotten.write_bytes(b"")
    with serving(Settings(data_dir=tmp_path, keep_hours=7)) as url:
        assert os.environ["GRADIO_TEMP_DIR"] == str(tmp_path / "uploads")
        page = PageClient(url)
        (garment,) = page.event("example_garment", clothes=0)["garments"]["props"]["added"]
        example = garment["path"]
        mine = {"path": upload(url)}
        event = httpx.post(f"{url}gradio_api/call/v2/compose", json={"garments": [mine, mine]}).json()["event_id"]
        assert "complete" in httpx.get(f"{url}gradio_api/call/compose/{event}").text
        assert len(files(tmp_path)) > 1
        end = time.monotonic() + 20
        while len(files(tmp_path)) > 1:
            assert time.monotonic() < end, files(tmp_path)
            time.sleep(0.1)
        assert not expired.exists()
        assert kept.exists()
        os.utime(kept, (1, 1))
        until(lambda: not kept.exists())
        assert httpx.get(f"{url}gradio_api/file={example}").status_code == 200
        assert httpx.get(f"{url}gradio_api/file={mine['path']}").status_code == 403


def files(folder: Path) -> list[Path]:
    return [path for path in (folder / "uploads").rglob("*") if path.is_file()]


@pytest.mark.parametrize("path", ["gradio_api/queue/join", "gradio_api/call/v2/try_on", "gradio_api/mcp/"])
def test_too_many_values(path: str, url: str) -> None:
    """A body of nothing but brackets would take a thousand times its size in memory."""
    answer = httpx.post(
        url + path, content=b'{"a":[' + b"[]," * 200_000 + b"[]]}", headers={"content-type": "application/json"}
    )
    assert answer.status_code == 400
    assert "too many values" in answer.text
