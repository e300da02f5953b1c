"""Another site's page in the same browser can neither use the server nor read from it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.conftest import photo_bytes
from tests.fake_fal.server import FakeFal

TRIES = """async (url) => {
    const said = {};
    const photo = await (await fetch("/photo")).blob();
    const note = async (way, request) => {
        try { const answer = await request(); said[way] = answer.type + " " + (await answer.text()).slice(0, 100); }
        catch { said[way] = "refused"; }
    };
    const form = new FormData();
    form.append("files", photo, "me.jpg");
    const arguments = JSON.stringify({data: [{url: location.origin + "/photo"}, []]});
    for (const credentials of ["include", "omit"]) {
        await note("read " + credentials, () => fetch(url + "config", {credentials}));
        await note("upload " + credentials, () => fetch(url + "gradio_api/upload",
            {method: "POST", body: form, credentials}));
        await note("order " + credentials, () => fetch(url + "gradio_api/call/try_on",
            {method: "POST", body: arguments, credentials, headers: {"content-type": "application/json"}}));
        await note("order as text " + credentials, () => fetch(url + "gradio_api/call/try_on",
            {method: "POST", body: arguments, credentials, headers: {"content-type": "text/plain"}}));
    }
    await fetch(url + "gradio_api/upload", {method: "POST", body: form, mode: "no-cors"}).catch(() => null);
    return said;
}"""


class Site(BaseHTTPRequestHandler):
    """Another site: an empty page, and a photo."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg" if self.path == "/photo" else "text/html")
        self.end_headers()
        self.wfile.write(photo_bytes(400, 400) if self.path == "/photo" else b"<!doctype html><title>Shop</title>")

    def log_message(self, *args: object) -> None:
        """Print nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """The address of another site on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_another_site(paid: Page, site: str, paid_url: str, fal: FakeFal) -> None:
    """Its page submits nothing and reads nothing, under every name of this server."""
    paid.goto(site)
    for name in ("127.0.0.1", "localhost", "localhost.", "studio.localhost", socket.gethostname()):
        said = paid.evaluate(TRIES, f"http://{name}:{urlsplit(paid_url).port}/")
        assert said == dict.fromkeys(said, "refused"), name
        assert len(said) == 8
    assert fal.seen == []
