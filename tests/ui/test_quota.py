"""The limits of each visitor: free work a minute, bytes an hour, and room on the disk."""

from __future__ import annotations

import asyncio
import base64
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

from tests.client import Client, on_rail
from tests.conftest import photo_bytes, serving
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.page_client import PageClient
from vton_ui import disk
from vton_ui.backends.sandbox import backend
from vton_ui.settings import Settings, load
from vton_ui.ui.web import downloads

pytestmark = pytest.mark.slow

NUMBERS = count(1)
REFUSED = "free tries a minute"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drafts are there at once."""
    for name in ("QUEUE_SECONDS", "STEP_SECONDS", "EVENT_SECONDS"):
        monkeypatch.setattr(backend, name, 0.01)


def at(address: str) -> dict[str, str]:
    return {"x-forwarded-for": address}


# Free work


@pytest.fixture(scope="module")
def three_a_minute(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on which a visitor may do free work three times a minute."""
    with serving(Settings(data_dir=tmp_path_factory.mktemp("free"), free_rate=3, proxies=1)) as url:
        yield url


@pytest.mark.parametrize(("number", "endpoint"), enumerate(["compose", "estimate", "try_on", "page"]))
def test_free_work(number: int, endpoint: str, quick: None, three_a_minute: str) -> None:
    """Each visitor has a limit a minute of their own; the error says how long to wait."""
    addresses = (f"198.51.100.{number}", f"203.0.113.{number}")
    client, other = (Client(three_a_minute, headers=at(address)) for address in addresses)

    def ask(client: Client) -> str:
        photo = client.upload()
        if endpoint == "page":
            return str(client.event("try_on_1", person=photo, garments=[on_rail(photo)]))
        return client.call_text(endpoint, garments=[photo], **({} if endpoint == "compose" else {"person": photo}))

    answers = [ask(client) for _ in range(4)]
    assert [REFUSED in answer for answer in answers] == [False, False, False, True]
    assert re.search(r"Wait \d+ seconds?\.", answers[-1])
    assert "Nothing was charged." in answers[-1]
    assert REFUSED not in ask(other)


def test_the_estimate_on_the_page(tmp_path: Path) -> None:
    """Moving a slider always shows the price: only the prefetch is limited."""
    with serving(Settings(data_dir=tmp_path, free_rate=1)) as url:
        client = Client(url)
        photo = client.upload()
        for _ in range(5):
            assert "Try on" in client.event("refresh", person=photo, garments=[on_rail(photo)])["try_on"]["value"]


def test_the_sheet_on_the_page(tmp_path: Path) -> None:
    """A sheet too many is refused in words."""
    with serving(Settings(data_dir=tmp_path, free_rate=1)) as url:
        client = Client(url)
        garments = [on_rail(client.upload()), on_rail(client.upload(photo_bytes(300, 400)))]
        for _ in range(2):  # the second time it is there already
            assert client.event("show_sheet", model="flux-vto", garments=garments)["sheet"]["visible"]
        assert REFUSED in client.event("show_sheet", model="flux-vto", garments=garments[::-1])["error"]


def test_a_click_that_is_too_much(tmp_path: Path) -> None:
    """It is refused as a whole, says so, and takes nothing of what is free."""
    with serving(Settings(data_dir=tmp_path, free_rate=2)) as url:
        page = PageClient(url)
        page.give(photo_bytes(500, 600), photo_bytes(400, 400))
        page["pictures"] = 4
        page.click("try_on")
        assert "this needs more" in page["failure"]
        page["pictures"] = 2
        page.click("try_on")
        assert "2 of 2 looks ready" in page["status"]


def test_what_the_owner_pays_for_is_not_free(fal: FakeFal, tmp_path: Path) -> None:
    """Paid tries have the owner's caps, and no other."""
    with serving(Settings(fal_key=TEST_KEY, data_dir=tmp_path, fal_api_url=fal.api_url, free_rate=1)) as url:
        client = Client(url)
        photo = client.upload()
        for _ in range(3):
            assert "event: complete" in client.call_text("try_on", person=photo, garments=[photo])


def test_settings() -> None:
    """Both are read; a word where a number belongs stops the start."""
    assert (Settings().free_rate, Settings().upload_mb) == (60, 200)
    read = load({"VTON_FREE_RATE": "7", "VTON_UPLOAD_MB": "9"}, Path("no such file"))
    assert (read.free_rate, read.upload_mb) == (7, 9)
    for name in ("VTON_FREE_RATE", "VTON_UPLOAD_MB"):
        for word in ("many", "0", "1.5"):
            with pytest.raises(SystemExit, match=name):
                load({name: word}, Path("no such file"))


# Uploads


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on which a visitor may upload two megabytes an hour."""
    data = tmp_path_factory.mktemp("uploads")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(data / "uploads"))
        with serving(Settings(data_dir=data, upload_mb=2, proxies=1)) as url:
            yield url


@pytest.fixture
def me() -> dict[str, str]:
    """A visitor who has not been there before."""
    return at(f"198.51.100.{next(NUMBERS)}")


@pytest.fixture
def other() -> dict[str, str]:
    """Another one."""
    return at(f"203.0.113.{next(NUMBERS)}")


def upload(url: str, size: int, visitor: dict[str, str]) -> httpx.Response:
    return httpx.post(f"{url}gradio_api/upload", files={"files": ("a.jpg", bytes(size))}, headers=visitor)


def test_uploads_of_a_visitor(url: str, me: dict[str, str], other: dict[str, str]) -> None:
    """Each visitor has a limit of bytes of their own; the error names it."""
    assert [upload(url, 800_000, me).status_code for _ in range(3)] == [200, 200, 429]
    refused = upload(url, 800_000, me)
    assert refused.text.startswith("Each visitor may upload 2 MB an hour, and this is more.")
    assert refused.headers["content-type"].startswith("text/plain")
    assert upload(url, 800_000, other).status_code == 200
    assert upload(url, 100_000, me).status_code == 200  # what was refused is not counted


def test_it_is_refused_early(url: str) -> None:
    """A body whose Content-Length is over the limit is refused before it arrives."""
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 80), timeout=30) as connection:
        head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nContent-Length: 3000000\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).split(b" ")[1] == b"429"


def test_an_upload_of_no_told_length(url: str) -> None:
    """A body without a Content-Length is cut off at the limit."""

    def body() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
        for _ in range(50):
            yield bytes(100_000)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert httpx.post(f"{url}gradio_api/upload", content=body(), headers=headers).status_code == 429


def test_photos_inside_calls(url: str, me: dict[str, str]) -> None:
    """Photos in calls count as uploads, over HTTP and MCP; the other requests do not."""
    photo = "data:image/jpeg;base64," + base64.b64encode(bytes(1_000_000)).decode()
    body = {"data": [[photo]]}

    def call() -> int:
        return httpx.post(f"{url}gradio_api/call/compose", json=body, headers=me).status_code

    assert [call(), call()] == [200, 429]
    for _ in range(30):
        small = httpx.post(f"{url}gradio_api/call/compose", json={"data": [["x" * 50_000]]}, headers=me)
        assert small.status_code == 200
    mcp = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "compose", "arguments": {"a": photo}}}
    assert httpx.post(f"{url}gradio_api/mcp/", json=mcp, headers=me).status_code == 429


def test_an_agent_is_counted_once(url: str, me: dict[str, str]) -> None:
    """What Gradio sends on to itself is the same photo."""

    async def composed(size: int) -> Any:
        noise = photo_bytes(300, 300) + bytes(size)
        photo = "data:image/jpeg;base64," + base64.b64encode(noise).decode()
        async with (
            streamablehttp_client(f"{url}gradio_api/mcp/", headers=me) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await session.call_tool("compose", {"garments": [photo]})

    assert not asyncio.run(composed(1_100_000)).isError


class Shop(BaseHTTPRequestHandler):
    """A web server with a photo of 1.2 MB."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(photo_bytes(300, 300) + bytes(1_200_000))

    def log_message(self, *args: Any) -> None:
        """Print nothing."""


def test_photos_behind_addresses(
    url: str, me: dict[str, str], other: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server fetches for a visitor counts as the visitor's upload."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    monkeypatch.setattr(downloads, "HUGGING_FACE_HOSTS", ["127.0.0.1"])
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    photo = f"http://127.0.0.1:{server.server_port}/a.jpg"
    client, neighbour = (Client(url, headers=visitor) for visitor in (me, other))
    assert "event: complete" in client.call_text("compose", garments=[photo])
    assert "may upload 2 MB an hour" in client.call_text("compose", garments=[photo])
    assert "event: complete" in neighbour.call_text("compose", garments=[photo])
    server.shutdown()
    server.server_close()


# The disk


def test_little_room(url: str, me: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk uploads are refused, and existing ones can still be used."""
    client = Client(url, headers=me)
    photo = client.upload()
    for name, most in (("FREE_BYTES", 10**18), ("FREE_SHARE", 1.0)):
        monkeypatch.setattr(disk, name, most)
    refused = upload(url, 1000, me)
    assert refused.status_code == 507
    assert refused.text.startswith("The disk of this server is full. Try again later")
    assert "event: complete" in client.call_text("compose", garments=[photo])


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """A disk of its own, mounted at a folder."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    """Leave no byte on the disk."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_full_disk(quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write to a full disk gives the error for a full disk."""
    monkeypatch.setattr(disk, "FREE_BYTES", 0)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "disk" / "uploads"))
    with small_disk(tmp_path / "disk", 6_000_000), serving(Settings(data_dir=tmp_path / "disk")) as url:
        client = Client(url)
        photo, scan = client.upload(), client.upload(photo_bytes(600, 600, "TIFF"), "scan.tif")
        slots: dict[str, Any] = {"person": photo, "garments": [on_rail(photo)]}
        fill(tmp_path / "disk" / "filler")
        chunks = [b'--x\r\nContent-Disposition: form-data; name="files"; filename="b"\r\n\r\n', bytes(9999)]
        multipart = {"content-type": "multipart/form-data; boundary=x"}
        said = {
            "upload": httpx.post(f"{url}gradio_api/upload", files={"files": ("b", bytes(100_000))}).text,
            "chunks": httpx.post(f"{url}gradio_api/upload", content=iter(chunks), headers=multipart).text,
            "compose": client.call_text("compose", garments=[photo, photo]),
            "data uri": client.call_text("compose", garments=["data:image/jpeg;base64," + "A" * 90_000]),
            "sheet": client.event("show_sheet", model="flux-vto", garments=[on_rail(photo), on_rail(photo)])["error"],
            "conversion": client.event("convert_person", person=scan)["error"],
            "page": client.event("try_on_1", **slots)["failure"],
            "try_on": client.call_text("try_on", person=photo, garments=[photo]),
        }
    words = ("The disk of this server is full.", "this server has no room to keep it")
    assert [way for way, text in said.items() if not any(word in text for word in words)] == []
