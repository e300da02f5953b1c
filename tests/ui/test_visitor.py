"""Visitors by address, behind proxies and over MCP, and the browser that jobs belong to."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

from tests.client import Client, memory_of, on_rail
from tests.conftest import begin_anew, empty_ledger, in_detail, photo_bytes, serving, until
from tests.fake_fal.server import TEST_KEY, FakeFal
from vton_ui.settings import Settings
from vton_ui.ui.web.visitor import COOKIE, HEADER

pytestmark = pytest.mark.slow

ONE, OTHER, FORGED = "198.51.100.7", "198.51.100.8", "203.0.113.9"
PHOTO = "data:image/jpeg;base64," + base64.b64encode(photo_bytes(400, 400)).decode()

Lines = list[tuple[str, str]]


@pytest.fixture
def fal(lasting_fal: FakeFal) -> Iterator[FakeFal]:
    yield from begin_anew(lasting_fal)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def one_try_each(lasting_fal: FakeFal, data: Path) -> Iterator[str]:
    """A server behind one proxy, on which every visitor has one try an hour."""
    settings = Settings(fal_key=TEST_KEY, data_dir=data, fal_api_url=lasting_fal.api_url, visitor_rate=1, proxies=1)
    with serving(settings) as url:
        yield url


@pytest.fixture
def url(one_try_each: str, fal: FakeFal, data: Path) -> str:
    """The same, where nobody has tried yet."""
    empty_ledger(data)
    return one_try_each


def from_(*lines: str) -> Lines:
    return [("x-forwarded-for", line) for line in lines]


def tried(url: str, lines: Lines) -> bool:
    """Whether a try over HTTP was allowed; each line is a header of its own."""
    with httpx.Client(base_url=url, headers=lines, timeout=60) as http:
        photo = {"path": http.post("gradio_api/upload", files={"files": ("a.jpg", photo_bytes(400, 400))}).json()[0]}
        photo["meta"] = {"_type": "gradio.FileData"}
        started = http.post("gradio_api/call/v2/try_on", json={"person": photo, "garments": [photo]})
        said = http.get(f"gradio_api/call/try_on/{started.json()['event_id']}").text
    assert "event: complete" in said or "1 try an hour" in said
    return "event: complete" in said


def tried_over_mcp(url: str, headers: dict[str, str]) -> bool:
    """Whether a try over MCP was allowed."""

    async def call() -> Any:
        async with (
            streamablehttp_client(f"{url}gradio_api/mcp/", headers=headers) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await session.call_tool("try_on", {"person": PHOTO, "garments": [PHOTO]})

    result = asyncio.run(call())
    assert not result.isError or "1 try an hour" in str(result)
    return not result.isError


@pytest.mark.parametrize(
    "lines",
    [
        from_(ONE),
        from_(f"{FORGED}, {ONE}"),
        from_(FORGED, ONE),
        from_(f"{FORGED}, {OTHER}", f"{FORGED},{ONE}"),
        from_(f"{ONE}:5001"),
        from_(f"::ffff:{ONE}"),
        from_(f"[::ffff:{ONE}]:443"),
        [*from_(ONE), (HEADER, f"address {FORGED}")],
    ],
    ids=[
        "alone",
        "forged before",
        "forged line",
        "two lines",
        "port",
        "mapped",
        "mapped, port",
        "ours",
    ],
)
def test_the_same_visitor(lines: Lines, url: str) -> None:
    """What a visitor writes into X-Forwarded-For before the proxy's part does not count."""
    assert tried(url, from_(ONE))
    assert not tried(url, lines)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ONE, OTHER),
        (f"::ffff:{ONE}", f"::ffff:{OTHER}"),
        ("2001:db8:1:2::7", "2001:db8:1:3::7"),
        ("[2001:db8:1:2::7]:443", "[2001:db8:1:3::7]:443"),
    ],
)
def test_two_visitors(one: str, other: str, url: str) -> None:
    """Two addresses are two visitors, in whatever form they are written."""
    assert tried(url, from_(one))
    assert tried(url, from_(other))
    assert not tried(url, from_(one))


@pytest.mark.parametrize("again", ["2001:db8:1:2:aaaa::9", "[2001:db8:1:2::8]:5001", "2001:DB8:1:2::7"])
def test_a_household_is_one_visitor(again: str, url: str) -> None:
    """Of an IPv6 address only the half counts that a visitor cannot choose."""
    assert tried(url, from_("2001:db8:1:2::7"))
    assert not tried(url, from_(again))


def test_agents(url: str) -> None:
    """Over MCP every caller has their own caps, the same as over HTTP."""
    assert tried_over_mcp(url, {"x-forwarded-for": ONE})
    assert tried_over_mcp(url, {"x-forwarded-for": OTHER})
    for forged in (
        {"x-forwarded-for": ONE},
        {"x-forwarded-for": f"{FORGED}, {ONE}"},
        {"x-forwarded-for": ONE, HEADER: f"address {FORGED}"},
    ):
        assert not tried_over_mcp(url, forged)
    assert not tried(url, from_(ONE))


def test_no_proxy(fal: FakeFal, tmp_path: Path) -> None:
    """Without a proxy nothing that is written in a request counts, over HTTP and MCP."""
    settings = Settings(fal_key=TEST_KEY, data_dir=tmp_path, fal_api_url=fal.api_url, visitor_rate=1)
    with serving(settings) as url:
        assert tried(url, from_(ONE))
        assert not tried(url, from_(OTHER))
        assert not tried_over_mcp(url, {"x-forwarded-for": FORGED})


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has 127.0.0.2")
def test_agents_at_two_addresses(fal: FakeFal, tmp_path: Path) -> None:
    """Without a proxy the caller over MCP is who made the connection, and not this server that calls itself."""
    arguments = {"person": PHOTO, "garments": [PHOTO]}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "try_on", "arguments": arguments}}
    settings = Settings(fal_key=TEST_KEY, data_dir=tmp_path, fal_api_url=fal.api_url, visitor_rate=1)
    with serving(settings) as url:

        def tried_from(address: str) -> bool:
            with httpx.Client(transport=httpx.HTTPTransport(local_address=address), timeout=60) as http:
                accepted = {"accept": "application/json, text/event-stream"}
                return "1 try an hour" not in http.post(f"{url}gradio_api/mcp/", json=call, headers=accepted).text

        addresses = ("127.0.0.2", "127.0.0.3", "127.0.0.1", "127.0.0.2")
        assert [tried_from(address) for address in addresses] == [True, True, True, False]
    assert fal.count("submit") == 3


# Browsers


def test_the_cookie(url: str) -> None:
    """The page gives the browser a name that scripts cannot read, keeps it, and gives no two the same."""
    first, second = httpx.get(url), httpx.get(url)
    for page in (first, second):
        said = page.headers["set-cookie"]
        assert "HttpOnly" in said
        assert "SameSite=Lax" in said
        assert "Secure" not in said
        assert page.headers["cache-control"].startswith("private")
    assert first.cookies[COOKIE] != second.cookies[COOKIE]
    assert httpx.get(url, cookies=first.cookies).cookies[COOKIE] == first.cookies[COOKIE]
    assert httpx.get(url, cookies={COOKIE: "chosen"}).cookies[COOKIE] != "chosen"
    assert "set-cookie" not in httpx.get(f"{url}config").headers


def test_the_cookie_in_a_frame(url: str) -> None:
    """Behind TLS it is of the kind that works where the page stands in another site's frame."""
    said = httpx.get(url, headers={"x-forwarded-proto": "https"}).headers["set-cookie"]
    assert "SameSite=None; Secure; Partitioned" in said


@pytest.fixture(scope="module")
def open_url(lasting_fal: FakeFal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose owner pays, without caps."""
    open_data = tmp_path_factory.mktemp("open")
    with serving(Settings(fal_key=TEST_KEY, data_dir=open_data, fal_api_url=lasting_fal.api_url, proxies=1)) as url:
        yield url


def ordered(client: Client) -> Any:
    """What a browser keeps of an accepted job that waits in the queue."""
    photo = client.upload()
    with closing(client.steps("try_on_1", person=photo, garments=[on_rail(photo)])) as steps:
        kept: Any = None
        for step in steps:
            kept = step["browserstate"] if memory_of(step.get("browserstate")) else kept
            if "Waiting" in str(step.get("status")):
                return kept
    raise AssertionError("fal never let it wait")


@pytest.mark.parametrize("cookies", [True, *in_detail(False)], ids=["cookies", "blocked"])
def test_a_job_of_another_browser(cookies: bool, open_url: str, fal: FakeFal) -> None:
    """Another browser that sends a browser's kept job gets nothing and stops nothing."""
    fal.concurrent = 0
    owner = Client(open_url, cookies=cookies, headers={"x-forwarded-for": ONE})
    thief = Client(open_url, cookies=cookies, headers={"x-forwarded-for": OTHER if not cookies else ONE})
    state = ordered(owner)
    until(lambda: fal.count("submit") == 1)
    assert thief.event("come_back", browserstate=state).get("status") is None
    assert thief.event("cancel")["cancel"]["value"] == "Cancelling"
    assert fal.count("cancel") == 0
    fal.concurrent = None
    done = owner.event("come_back", browserstate=state)
    assert "Done" in str(done["status"])
    kept = done["browserstate"]
    assert (memory_of(kept) or {})["results"]
    assert json.loads(thief.event("come_back", browserstate=kept)["looks"])["tiles"] == []
    thief.event("forget", browserstate=kept)
    assert len(json.loads(owner.event("come_back", browserstate=kept)["looks"])["tiles"]) == 1
