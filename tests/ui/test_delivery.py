"""What is compressed, and what browsers keep: the middleware around an app of a few answers."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from vton_ui.ui.compat.files import content_name, upload_folder
from vton_ui.ui.web.delivery import Delivery

LONG = b'{"components": []}' * 100
FOR_GOOD = "max-age=31536000, immutable"


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> httpx.AsyncClient:
    """A client of an app with one example picture."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "ada.jpg").write_bytes(b"ada")

    async def described(request: Request) -> Response:
        return Response(LONG, media_type="application/json", headers={"set-cookie": "name=1"})

    async def other(request: Request) -> Response:
        return PlainTextResponse("x" * 2000, 404 if "gone" in request.url.path else 200)

    async def events(request: Request) -> Response:
        async def numbers() -> AsyncIterator[bytes]:
            for number in range(3):
                yield f"data: {number}\n\n".encode()
                await asyncio.sleep(0)

        return StreamingResponse(numbers(), media_type="text/event-stream")

    app = Starlette(
        routes=[Route("/config", described), Route("/gradio_api/queue/data", events), Route("/{path:path}", other)],
        middleware=[Middleware(Delivery, examples=tmp_path)],
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app")


@pytest.mark.parametrize(("accepted", "sent"), [("gzip, br", "br"), ("gzip", "gzip"), ("identity", None)])
async def test_descriptions_are_compressed(accepted: str, sent: str | None, client: httpx.AsyncClient) -> None:
    """With the best encoding that the browser takes."""
    async with client.stream("GET", "/config", headers={"accept-encoding": accepted}) as answer:
        body = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == sent
    assert int(answer.headers["content-length"]) == len(body)
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[sent]
    assert unpack(body) == LONG
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "Accept-Encoding" in answer.headers["vary"]


async def test_what_a_browser_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    """It is asked for at every visit, and its cookie is set again; in another encoding it is another answer."""
    first = await client.get("/config", headers={"accept-encoding": "br"})
    tag = first.headers["etag"]
    again = await client.get("/config", headers={"accept-encoding": "br", "if-none-match": f"W/{tag}"})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["set-cookie"] == "name=1"
    assert "content-length" not in again.headers
    assert (await client.get("/config", headers={"accept-encoding": "gzip", "if-none-match": tag})).status_code == 200


async def test_what_is_kept_for_good(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """Files with a hash in their name and examples; never a visitor's file, the page's theme or an error."""
    example = upload_folder() / content_name(tmp_path / "people" / "ada.jpg") / "ada.jpg"
    upload = upload_folder() / ("0" * 64) / "ada.jpg"
    for path, kept in {
        "/assets/index-DphvyggB.js": f"public, {FOR_GOOD}",
        "/assets/gone-DphvyggB.js": None,
        "/assets/index.js": None,
        "/theme.css": None,
        f"/gradio_api/file={example}": f"private, {FOR_GOOD}",
        f"/gradio_api/file={upload}": None,
        f"/gradio_api/file={example}/../../../results/me.jpg": None,
    }.items():
        answer = await client.get(path)
        assert answer.headers.get("cache-control") == kept, path
        assert "content-encoding" not in answer.headers


async def test_events_are_not_held_back(client: httpx.AsyncClient) -> None:
    """A stream is passed on piece by piece, uncompressed."""
    async with client.stream("GET", "/gradio_api/queue/data", headers={"accept-encoding": "br"}) as answer:
        body = b"".join([part async for part in answer.aiter_raw()])
    assert "content-encoding" not in answer.headers
    assert body.count(b"data: ") == 3
