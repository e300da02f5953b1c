"""The two upload slots, which files of the server a visitor may name, and files named by an address."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, unquote

import pytest
import safehttpx
from gradio.data_classes import ImageData
from PIL import Image

from tests.conftest import photo_bytes, until
from vton_ui.errors import PhotoError
from vton_ui.pictures import photos, work
from vton_ui.ui.components.slots import PersonPhoto
from vton_ui.ui.web import downloads
from vton_ui.ui.web.downloads import fetched
from vton_ui.ui.web.uploads import delete_old, example_copy, own, written


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of uploads."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    (tmp_path / "uploads").mkdir()
    return tmp_path / "uploads"


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """The folder of examples."""
    (tmp_path / "examples").mkdir()
    return tmp_path / "examples"


def put(path: Path, format: str = "JPEG") -> Path:
    """A photo at a path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(photo_bytes(300, 400, format))
    return path


# Which files


def test_uploads_and_examples_are_open(folder: Path, examples: Path) -> None:
    """An upload and an example may be named, as text or as a path."""
    upload, example = put(folder / "hash" / "me.jpg"), put(examples / "people" / "1.jpg")
    assert own(str(upload), slot="Person", examples=examples) == upload
    assert own(example, slot="Person", examples=examples) == example


def test_folders_may_be_links(folder: Path, examples: Path, tmp_path: Path) -> None:
    """The folder of examples may be a link."""
    example = put(examples / "1.jpg")
    (tmp_path / "link").symlink_to(examples)
    assert own(tmp_path / "link" / "1.jpg", slot="Person", examples=tmp_path / "link") == example


def named_by(way: str, folder: Path, private: Path) -> Any:
    """A way to name a private file that is really there."""
    if way == "link":
        (folder / "me.jpg").symlink_to(private)
        return str(folder / "me.jpg")
    if way == "linked folder":
        (folder / "mine").symlink_to(private.parent)
        return str(folder / "mine" / private.name)
    return {
        "plain": str(private),
        "dots": f"{folder}/../{private.parent.name}/{private.name}",
        "relative": os.path.relpath(private),
        "neighbour": str(put(Path(f"{folder}-of-others/me.jpg"))),
    }[way]


@pytest.mark.parametrize("way", ["plain", "dots", "relative", "link", "linked folder", "neighbour"])
def test_other_files_are_closed(way: str, folder: Path, examples: Path, tmp_path: Path) -> None:
    """No other file of the server can be named, by whatever way."""
    private = put(tmp_path / "private" / "me.jpg")
    with pytest.raises(PhotoError, match=r"Garment 2: The photo is no upload of yours\. Upload it first\."):
        own(named_by(way, folder, private), slot="Garment 2", examples=examples)


@pytest.mark.parametrize("name", [None, 7, "", [], {}, "a\0b", "a" * 5000, "me.jpg", b"\xff"], ids=repr)
def test_nonsense_is_closed(name: Any, folder: Path, examples: Path) -> None:
    """A value that is no path is an error with a cure."""
    put(folder / "me.jpg")
    with pytest.raises(PhotoError, match="no upload of yours"):
        own(name, slot="Person", examples=examples)


def test_nobody_learns_which_files_there_are(folder: Path, examples: Path, tmp_path: Path) -> None:
    """A private file and a missing one give the same error."""
    answers = set()
    for path in (put(tmp_path / "private.jpg"), tmp_path / "missing.jpg", tmp_path):
        with pytest.raises(PhotoError) as caught:
            own(path, slot="Person", examples=examples)
        answers.add(str(caught.value))
    assert len(answers) == 1


@pytest.mark.parametrize("name", ["gone.jpg", ".", "x" * 200 + "/gone.jpg"])
def test_a_deleted_upload(name: str, folder: Path, examples: Path) -> None:
    """For a deleted upload the cure is to upload it again."""
    with pytest.raises(PhotoError, match=r"Person: The photo is no longer there\. Upload it again\."):
        own(folder / name, slot="Person", examples=examples)


# Files by address


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that the app tries to connect to; all connections fail."""
    addresses: list[str] = []

    async def noted(loop: Any, sock: Any, address: Any) -> None:
        addresses.append(address[0])
        raise ConnectionRefusedError

    async def no_name_server(host: str) -> list[str]:
        addresses.append(f"a name server, about {host}")
        return []

    monkeypatch.setattr(asyncio.selector_events.BaseSelectorEventLoop, "sock_connect", noted)
    monkeypatch.setattr(safehttpx, "async_resolve_hostname_google", no_name_server)
    return addresses


async def test_calls_are_noted(called: list[str], folder: Path) -> None:
    """A public address is called; this proves that `called` would see the calls of the tests below."""
    with pytest.raises(PhotoError, match="cannot be fetched"):
        await fetched("http://8.8.8.8/me.jpg")
    assert set(called) == {"8.8.8.8"}


async def test_data_uri(folder: Path) -> None:
    """A data URI becomes an upload with the very same bytes."""
    photo = photo_bytes(300, 300)
    path = await fetched("data:image/jpeg;base64," + base64.b64encode(photo).decode())
    assert path.read_bytes() == photo
    assert path.is_relative_to(folder)


async def test_address_of_an_upload(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address of an upload to this server is not asked for over the network."""
    upload = put(folder / "a b" / "mé.jpg")
    monkeypatch.setattr(downloads, "DOWNLOAD_SECONDS", 0.0)
    assert await fetched(f"http://127.0.0.1:7860/gradio_api/file={folder}/a%20b/m%C3%A9.jpg") == upload


async def test_address_of_a_private_file(folder: Path, tmp_path: Path, called: list[str]) -> None:
    """The address of any other file of this server is an error."""
    private = put(tmp_path / "private.jpg")
    with pytest.raises(PhotoError, match="Garment 1: The photo cannot be fetched"):
        await fetched(f"http://127.0.0.1:7860/gradio_api/file={private}", slot="Garment 1")
    assert called == []


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/me.jpg",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/me.jpg",
        "http://10.0.0.1/",
        "file:///etc/hostname",
        "/etc/hostname",
        "http://",
        "",
        "me",
    ],
)
async def test_no_address(address: str, folder: Path, called: list[str]) -> None:
    """Private networks, files and malformed addresses are refused, and no connection is tried."""
    with pytest.raises(PhotoError, match=r"cannot be fetched from this address\. Upload the file"):
        await fetched(address)
    assert called == []


class Shop(BaseHTTPRequestHandler):
    """A web server that answers by the requested path, and records the paths."""

    asked: ClassVar[list[str]] = []
    sent = 0

    def do_GET(self) -> None:
        Shop.asked.append(self.path)
        name, _, target = self.path.removeprefix("/").partition("?")
        status = {"missing": 404, "moved": 302, "circle": 302}.get(name, 200)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", unquote(target) or self.path)
        if name == "packed.jpg":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        with suppress(OSError):
            for part in self.parts(name):
                Shop.sent += self.wfile.write(part)

    def parts(self, name: str) -> Iterator[bytes]:
        if name == "endless":
            while True:
                yield bytes(100_000)
        if name == "slow":
            for _ in range(100):
                yield b"."
                time.sleep(0.05)
        yield gzip.compress(bytes(50_000_000)) if name == "packed.jpg" else PHOTO

    def log_message(self, *args: Any) -> None:
        """Print nothing."""


PHOTO = photo_bytes(300, 300)


@pytest.fixture
def shop(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a web server that counts as public."""
    Shop.asked, Shop.sent = [], 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    monkeypatch.setattr(downloads, "HUGGING_FACE_HOSTS", ["127.0.0.1"])
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


async def test_public_address(shop: str, folder: Path) -> None:
    """A photo at a public address becomes an upload, also after a few redirections."""
    for address in (f"{shop}/me.jpg", f"{shop}/moved?/me.jpg", f"{shop}/moved?/moved?/me.jpg"):
        path = await fetched(address)
        assert path.read_bytes() == PHOTO
        assert path.is_relative_to(folder)


@pytest.mark.parametrize("path", ["missing", "endless", "slow", "circle"])
async def test_no_photo_there(path: str, shop: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download that is no photo, endless or too slow ends at its limit."""
    monkeypatch.setattr(photos, "MAX_BYTES", 1_000_000)
    monkeypatch.setattr(downloads, "DOWNLOAD_SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(PhotoError, match="cannot be fetched"):
        await fetched(f"{shop}/{path}")
    assert time.monotonic() - began < 5
    assert Shop.sent < 20_000_000
    assert os.listdir(folder) == []


async def test_nothing_is_unpacked(shop: str) -> None:
    """A compressed answer is not decompressed: it may be a thousand times larger."""
    assert (await fetched(f"{shop}/packed.jpg")).stat().st_size < 100_000


@pytest.mark.parametrize(
    "target", ["http://localhost:{port}/me.jpg", "http://127.1:{port}/me.jpg", "file:///etc/hostname"]
)
async def test_redirected(target: str, shop: str, folder: Path) -> None:
    """A redirection to a private address is refused, even if a server listens there."""
    port = shop.rpartition(":")[2]
    with pytest.raises(PhotoError, match="cannot be fetched"):
        await fetched(f"{shop}/moved?{quote(target.format(port=port))}")
    assert [path.partition("?")[0] for path in Shop.asked] == ["/moved"]


@pytest.mark.parametrize(
    "found",
    [["10.1.2.3"], ["8.8.8.8", "192.168.0.1"], ["100.64.0.1"], ["::ffff:127.0.0.1"], ["fd00::1"]],
)
async def test_private_name(found: list[str], folder: Path, called: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is refused if any of its addresses is private; no other name server is asked, and no connection tried."""
    asked: list[Any] = []

    def resolve(host: str, *args: Any, **kwargs: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(PhotoError, match="cannot be fetched"):
        await fetched("http://me.example/me.jpg")
    assert asked == ["me.example"]
    assert called == []


# Deleting them


def test_sweep(folder: Path) -> None:
    """Old files are deleted with their folders, except those in use."""
    old, used, loose = put(folder / "a" / "me.jpg"), put(folder / "b" / "me.jpg"), put(folder / "tmp1")
    delete_old(folder, older_than=60, kept=())
    assert all(path.exists() for path in (old, used, loose))
    for _ in range(2):  # a folder is as old as the last change in it
        delete_old(folder, older_than=-1, kept={"b"})
    assert [path.name for path in folder.iterdir()] == ["b"]
    assert used.exists()


def test_an_example_lasts_from_its_last_pick(folder: Path) -> None:
    """Gradio deletes what is an hour old: that hour is not the one of whoever picked the example first."""
    example = put(folder.parent / "people" / "ada.jpg")
    first = example_copy(example).stat().st_ctime_ns
    until(lambda: example_copy(example).stat().st_ctime_ns > first)
    assert len(list(folder.rglob("ada.jpg"))) == 1


# What the browser can show


@pytest.mark.parametrize("format", ["HEIF", "TIFF"])
def test_a_format_no_browser_shows(format: str, folder: Path) -> None:
    """Such a photo becomes a JPEG of its own beside it, with the same picture."""
    photo = put(folder / "hash" / "me.heic", format)
    picture = work.browser_jpeg(photo, "Person")
    assert picture
    shown = written(picture, photo.stem)
    assert shown.name == "me.jpg"
    assert shown.is_relative_to(folder)
    with Image.open(shown) as image, Image.open(io.BytesIO(photo_bytes(300, 400, "PNG"))) as original:
        assert (image.format, image.size) == ("JPEG", (300, 400))
        assert image.getpixel((20, 20)) == pytest.approx(original.getpixel((20, 20)), abs=16)
    assert photo.exists()


def test_it_is_made_smaller(folder: Path) -> None:
    """The JPEG has no more pixels than anything here needs."""
    photo = folder / "me.tif"
    photo.write_bytes(photo_bytes(2400, 1600, "TIFF"))
    with Image.open(io.BytesIO(work.browser_jpeg(photo, "Person") or b"")) as image:
        assert 0.99 * work.BROWSER_PIXELS < image.width * image.height <= work.BROWSER_PIXELS
        assert image.width / image.height == pytest.approx(1.5, abs=0.01)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP"])
def test_a_format_browsers_show(format: str, folder: Path) -> None:
    """Such a photo stays the visitor's own file."""
    photo = put(folder / "me", format)
    assert work.browser_jpeg(photo, "Person") is None


def test_not_a_photo(folder: Path) -> None:
    """What is no photo is named by its slot, and nothing is written."""
    (folder / "me.tif").write_text("text")
    with pytest.raises(PhotoError, match="Garment 3: This file is not a photo"):
        work.browser_jpeg(folder / "me.tif", "Garment 3")
    assert [path.name for path in folder.iterdir()] == ["me.tif"]


# The slots


def test_person() -> None:
    """The slot returns the visitor's own file unread."""
    slot = PersonPhoto(type="filepath")
    assert slot.preprocess(ImageData(path="/uploads/no-photo.txt")) == "/uploads/no-photo.txt"


@pytest.mark.parametrize("payload", [None, ImageData(path=None), ImageData(url="http://127.0.0.1/me.jpg")])
def test_person_missing(payload: ImageData | None) -> None:
    """An empty slot is None, and an address alone is no file."""
    assert PersonPhoto(type="filepath").preprocess(payload) is None


def test_the_browser_knows_it() -> None:
    """The browser gets Gradio's own component."""
    assert PersonPhoto(type="filepath").get_block_name() == "image"
