"""Who may call the server: other sites' pages, other names, its own page, and scripts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import photo_bytes, serving
from tests.fake_fal.server import TEST_KEY, FakeFal
from vton_ui.settings import Settings, load

SHOP = "https://shop.example.com"
HERE = socket.gethostname().lower()
MCP_CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "upload": ("gradio_api/upload", {"files": {"files": ("me.jpg", photo_bytes(300, 300))}}),
    "join": ("gradio_api/queue/join", {"json": {"data": [], "fn_index": 0, "session_hash": "x"}}),
    "call": ("gradio_api/call/estimate", {"json": {"data": []}}),
    "call v2": ("gradio_api/call/v2/compose", {"json": {"garments": []}}),
    "text": ("gradio_api/call/v2/compose", {"content": '{"garments": []}', "headers": {"content-type": "text/plain"}}),
    "run": ("gradio_api/run/use_larger_model", {"json": {"data": [[]]}}),
    "cancel": ("gradio_api/cancel", {"json": {"session_hash": "x", "fn_index": 1, "event_id": "x"}}),
    "mcp": ("gradio_api/mcp/", {"json": MCP_CALL, "headers": {"accept": "application/json, text/event-stream"}}),
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose owner has named a shop and two names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        hosts = ("studio.example.com", "*.example.org")
        settings = Settings(data_dir=tmp_path_factory.mktemp("data"), origins=(SHOP,), hosts=hosts, free_rate=10**6)
        with serving(settings) as url:
            yield url


def sent(url: str, way: str, **headers: str) -> httpx.Response:
    """A request of a kind, with these headers."""
    path, given = WAYS[way]
    return httpx.post(url + path, timeout=30, **{**given, "headers": {**given.get("headers", {}), **headers}})


def port_of(url: str) -> int:
    return urlsplit(url).port or 80


def grants(answer: httpx.Response) -> dict[str, str]:
    """What an answer allows to pages of other sites."""
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


# Other sites' pages

FOREIGN = [
    "https://evil.example",
    "http://127.0.0.1:1",
    "http://localhost",
    "null",
    "",
    "file://",
    "http://127.0.0.1.evil.example",
    "https://shop.example.com.evil.example",
    "http://shop.example.com",
    "https://shop.example.com:8443",
    "https://shop.example.com/path",
    "https://me@shop.example.com",
    "http://[",
    "chrome-extension://abcdef",
]


@pytest.mark.parametrize("way", WAYS)
def test_another_site_changes_nothing(way: str, url: str) -> None:
    """Every request from its page is refused, and the refusal names the setting."""
    answer = sent(url, way, origin="https://evil.example")
    assert answer.status_code == 403
    assert "VTON_ORIGINS" in answer.json()["detail"]
    assert not grants(answer)


@pytest.mark.parametrize("origin", FOREIGN)
def test_what_is_no_origin_of_ours(origin: str, url: str) -> None:
    """Neither a name that looks alike nor a page without a site is taken for an allowed one."""
    assert sent(url, "call v2", origin=origin).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "POST"])
def test_no_method_but_reading(method: str, url: str) -> None:
    """Its preflights get no permission."""
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = httpx.request(method, f"{url}gradio_api/call/v2/compose", headers=headers)
    assert answer.status_code == 403
    assert not grants(answer)


@pytest.mark.parametrize("path", ["", "config", "gradio_api/info", "gradio_api/file=/files/x", "gradio_api/nothing"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_another_site_reads_nothing(method: str, path: str, url: str) -> None:
    """GET requests are answered without permission for the page to read them."""
    assert not grants(httpx.request(method, url + path, headers={"origin": "https://evil.example"}))
    assert not grants(httpx.request(method, url + path, headers={"origin": "null"}))


def test_several_origins(url: str) -> None:
    """A request with two origins is refused."""
    headers = [("origin", SHOP), ("origin", "https://evil.example")]
    assert httpx.post(f"{url}gradio_api/call/v2/compose", json={"garments": []}, headers=headers).status_code == 403


def test_by_another_name_of_this_machine(fal: FakeFal, tmp_path: Path) -> None:
    """Another site's page is refused under every name of this server; the server's own page is not."""
    with serving(Settings(fal_key=TEST_KEY, data_dir=tmp_path, fal_api_url=fal.api_url)) as paid:
        for name in ("localhost", "localhost.", "studio.localhost", HERE, f"{HERE}.local"):
            host = f"{name}:{port_of(paid)}"
            assert sent(paid, "upload", host=host, origin="https://evil.example").status_code == 403
            assert sent(paid, "call", host=host, origin="https://evil.example").status_code == 403
            assert sent(paid, "upload", host=host, origin=f"http://{host}").status_code == 200
    assert fal.count("submit") == 0


# A site that the owner has named


def test_a_named_site(url: str) -> None:
    """Its pages may send and read, and the permission is for this site only."""
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "x-fal-key, content-type"}
    preflight = httpx.options(f"{url}gradio_api/call/v2/compose", headers={"origin": SHOP, **asked})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-headers"] == "x-fal-key, content-type"
    for answer in (preflight, sent(url, "upload", origin=SHOP), httpx.get(f"{url}config", headers={"origin": SHOP})):
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert "Origin" in answer.headers["vary"]


# The page itself, and scripts


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST.", "[::1]", "192.168.1.7", HERE])
def test_the_own_page(name: str, url: str) -> None:
    """The server's own page works under each of its addresses, and needs no permission."""
    netloc = f"{name}:{port_of(url)}"
    for way in ("upload", "call v2", "cancel"):
        answer = sent(url, way, host=netloc, origin=f"http://{netloc.lower()}")
        assert answer.status_code == 200
        assert not grants(answer)


@pytest.mark.parametrize("host", ["studio.example.com", "studio.example.com:443"])
def test_behind_tls(host: str, url: str) -> None:
    """Behind a proxy that terminates TLS, the own page is still recognised."""
    headers = {"x-forwarded-proto": "https", "host": host, "origin": "https://studio.example.com"}
    assert sent(url, "upload", **headers).status_code == 200
    assert sent(url, "upload", **{**headers, "origin": "https://evil.example"}).status_code == 403


def test_scripts(url: str) -> None:
    """Requests without an origin are no page's, and pass."""
    for way in WAYS:
        assert sent(url, way).status_code not in (400, 403)


# Names


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "example.org.evil.example", "example.org"])
@pytest.mark.parametrize("origin", [None, "http://{host}"])
def test_another_name(host: str, origin: str | None, url: str) -> None:
    """A name that only resolves to this server is refused, even for its own page: DNS rebinding."""
    host = f"{host}:{port_of(url)}"
    headers = {"host": host, **({"origin": origin.format(host=host)} if origin else {})}
    for answer in (httpx.get(url, headers=headers), sent(url, "upload", **headers), sent(url, "mcp", **headers)):
        assert answer.status_code == 400
        assert "VTON_HOSTS" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["", "a b", "a/b", "[::1", "localhost:x", "me@localhost", "localhost:1:2", ".", "é"])
def test_an_odd_name(host: str, url: str) -> None:
    """A malformed Host header is refused."""
    with socket.create_connection(("127.0.0.1", port_of(url)), timeout=10) as connection:
        connection.sendall(b"GET /config HTTP/1.1\r\nHost: " + host.encode() + b"\r\nConnection: close\r\n\r\n")
        assert connection.recv(100).split(b" ")[1] == b"400"


def test_no_name(url: str) -> None:
    """A request without a Host header is refused."""
    with socket.create_connection(("127.0.0.1", port_of(url)), timeout=10) as connection:
        connection.sendall(b"GET /config HTTP/1.0\r\n\r\n")
        assert connection.recv(100).split(b" ")[1] == b"400"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.1.2.3:80", "[2001:db8::7]:7860", "STUDIO.example.com", "a.example.org", "b.a.example.org"]
)
def test_own_names(host: str, url: str) -> None:
    """Numeric addresses are accepted, and so are the names in VTON_HOSTS."""
    assert httpx.get(f"{url}config", headers={"host": host}).status_code == 200


# Settings


def read(**environment: str) -> Settings:
    return load(environment, Path("no such file"))


def test_names_of_a_space() -> None:
    """A Space's names and Gradio's share link are known without a setting."""
    assert read(SPACE_HOST="me-it.hf.space, Try.example.com").hosts == ("me-it.hf.space", "try.example.com")
    assert read(GRADIO_SHARE="True").hosts == ("*.gradio.live",)
    assert read(GRADIO_SHARE="false").hosts == ()


def test_lists() -> None:
    """Names and sites are separated by commas."""
    assert read(VTON_HOSTS="a.example, *.B.example").hosts == ("a.example", "*.b.example")
    assert read(VTON_ORIGINS="https://a.example,http://[::1]:81").origins == ("https://a.example", "http://[::1]:81")


@pytest.mark.parametrize("value", ["https://a.example", "*", "a.*.example", "a b", "a.example:80"])
def test_no_host(value: str) -> None:
    """A malformed name stops the start."""
    with pytest.raises(SystemExit, match="VTON_HOSTS"):
        read(VTON_HOSTS=value)


@pytest.mark.parametrize("value", ["a.example", "*", "https://a.example/", "ftp://a.example", "null"])
def test_no_origin(value: str) -> None:
    """A malformed origin stops the start."""
    with pytest.raises(SystemExit, match="VTON_ORIGINS"):
        read(VTON_ORIGINS=value)
