"""What `backends/fal/client.py` relies on in fal-client's undocumented parts: a version that moves it fails here."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import fal_client
import fal_client.client as fal
import httpx
import pytest

from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.fal_helpers import job_of
from vton_ui.backends.fal.client import Client, Connections


def answering(status: int, seen: list[httpx.Request]) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if status == 0:
            raise httpx.ConnectError("no", request=request)
        return httpx.Response(status, json={})

    return answer


async def test_backup_domain_takes_a_transport() -> None:
    """The transport is a constructor argument, and what cannot connect is tried on the second domain."""
    seen: list[httpx.Request] = []
    transport = fal.AsyncBackupDomainTransport(transport=httpx.MockTransport(answering(0, seen)))
    async with httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get("https://queue.fal.run/x")
    first, second = (request.url.host for request in seen)
    assert first == "queue.fal.run" != second


async def test_proxies_of_the_environment(fal: FakeFal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests to fal go through HTTP_PROXY, as those of its own client do."""
    monkeypatch.setenv("HTTP_PROXY", fal.url)
    client = Client(TEST_KEY, Connections())
    assert (await client.api.get("http://fal.invalid/nothing")).status_code < 500


def test_the_overridden_attributes_are_used() -> None:
    """Uploads take their connections from `_client` and `_cdn_client`, and the rest of the client from `_client`."""
    upload = inspect.getsource(fal_client.AsyncClient.upload)
    handle = inspect.getsource(fal_client.AsyncClient.get_handle)
    assert "self._cdn_client()" in upload
    assert "await self._client" in upload
    assert "await self._client" in handle


async def test_the_client_is_ours() -> None:
    """The overrides give what fal-client expects: an awaitable client, and a context manager."""
    client = Client(TEST_KEY, Connections())
    assert await client._client is client.api
    async with client._cdn_client() as files:
        assert files is client.files
    assert client.api.headers["Authorization"] == f"Key {TEST_KEY}"
    assert "Authorization" not in client.files.headers
    assert client.files.headers["User-Agent"] == fal.USER_AGENT
    assert fal.USER_AGENT.startswith("fal-client/")


async def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a job is submitted and followed: under the app, without the path behind it."""
    monkeypatch.setattr(fal, "QUEUE_URL_FORMAT", "https://queue.test/")
    client = Client(TEST_KEY, Connections())
    job = job_of("id")
    owner, app, *_ = job.endpoint.split("/")
    base = f"https://queue.test/{owner}/{app}/requests/id"
    urls = await client.urls_of(job)
    assert (urls.status, urls.result, urls.cancel) == (f"{base}/status", base, f"{base}/cancel")
    assert client.submit_url(job.endpoint) == f"https://queue.test/{job.endpoint}"


def test_uploads_take_a_lifetime() -> None:
    """`upload` takes the bytes, their kind, a name and how long they are kept; errors carry their answer."""
    assert list(inspect.signature(fal_client.AsyncClient.upload).parameters)[:4] == [
        "self",
        "data",
        "content_type",
        "file_name",
    ]
    assert "lifecycle" in inspect.signature(fal_client.AsyncClient.upload).parameters
    assert fal_client.StorageSettings(expires_in=3600)
    assert "response" in inspect.signature(fal_client.FalClientHTTPError.__init__).parameters


def test_submit_still_retries() -> None:
    """Delete our own submit when this fails: fal-client no longer sends a request several times."""
    assert "_async_maybe_retry_request" in inspect.getsource(fal_client.AsyncClient.submit)
