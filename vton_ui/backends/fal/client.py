"""The only importer of fal_client, and the one place for what that package does not document.

Written against fal-client 1.0.3. Each reach says why, what it buys, and when it can go;
`tests/backends/test_client_contract.py` asserts the shape that each relies on.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import fal_client
import fal_client.client as fal
import httpx

from vton_ui.tryon.job import Job

STREAMS = 100
"""Event streams open at once, for each holds a connection; the jobs beyond are polled."""
TIMEOUT = httpx.Timeout(30.0, connect=10.0)

STORAGE_ERRORS = (fal_client.FalClientHTTPError, httpx.HTTPStatusError)
"""What `Client.store` raises when fal's storage answers with an error; each has its `response`."""


@dataclass(frozen=True, kw_only=True)
class JobUrls:
    """The addresses of one job at fal."""

    status: str
    result: str
    cancel: str


class Connections:
    """The connections to fal, which the backends of all keys share: one pool for its API, and one for files.

    No connection carries a key, each request does: a key that fal has never accepted holds nothing of its own. For one
    event loop.
    """

    def __init__(self) -> None:
        verify = httpx.create_ssl_context()
        # A request sent on a connection that fal has just closed looks like a lost answer, hence the short keep. Each
        # idle connection is checked before each request, hence the few that are kept.
        api = httpx.Limits(max_connections=200, max_keepalive_connections=10, keepalive_expiry=4.0)
        files = httpx.Limits(max_connections=32, max_keepalive_connections=10, keepalive_expiry=4.0)
        self.api, self.files = _with_backup(_Pool(api, verify)), _with_backup(_Pool(files, verify))
        self.streams = asyncio.Semaphore(STREAMS)


def _with_backup(pool: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
    """A transport that tries fal's second domain where the first cannot be reached.

    Why: the class is not exported. Buys: submitting still works while fal.run has no DNS, as in fal's own client.
    Delete when: fal_client exports it, or takes an httpx client of ours.
    """
    return fal.AsyncBackupDomainTransport(transport=pool)


class _Pool(httpx.AsyncBaseTransport):
    """A connection pool with limits of our own that goes through the environment's proxies.

    httpx reads HTTPS_PROXY only for a client that it makes the transport of, hence a client inside a transport.
    """

    def __init__(self, limits: httpx.Limits, verify: ssl.SSLContext) -> None:
        self._http = httpx.AsyncClient(limits=limits, verify=verify, follow_redirects=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._http.send(request, stream=True)

    async def aclose(self) -> None:
        await self._http.aclose()


class Client(fal_client.AsyncClient):
    """fal's client for one key on shared connections: `api` sends the key, `files` does not.

    Why: `_client` and `_cdn_client` are private, and there is no way to pass either in. Buys: fal's own client opens a
    pool and a TLS context (40 ms of processor time, measured) for every upload, and a pool for every key.
    Delete when: AsyncClient takes an httpx client.
    """

    def __init__(self, key: str, connections: Connections) -> None:
        super().__init__(key=key)
        # USER_AGENT is not exported; it tells fal which client calls, as its own does.
        named = {"User-Agent": fal.USER_AGENT}
        self.api = httpx.AsyncClient(
            transport=connections.api, headers={**named, "Authorization": f"Key {key}"}, timeout=TIMEOUT
        )
        self.files = httpx.AsyncClient(
            transport=connections.files, headers=named, timeout=TIMEOUT, follow_redirects=True
        )

    @property
    async def _client(self) -> httpx.AsyncClient:
        return self.api

    @asynccontextmanager
    async def _cdn_client(self) -> AsyncIterator[httpx.AsyncClient]:
        yield self.files

    async def store(self, jpeg: bytes, name: str, *, seconds: int) -> str:
        """Upload a picture that fal keeps for so long; its URL. STORAGE_ERRORS, or what httpx and JSON raise."""
        kept = fal_client.StorageSettings(expires_in=seconds)
        return str(httpx.URL(await self.upload(jpeg, "image/jpeg", name, lifecycle=kept)))

    def submit_url(self, endpoint: str) -> str:
        """Where a job of this endpoint is submitted.

        Why: `AsyncClient.submit` sends a request up to ten times, and each may become a paid job; we send it once.
        QUEUE_URL_FORMAT is not exported, and follows FAL_QUEUE_RUN_HOST. Delete when: submit can be told not to retry.
        """
        return str(fal.QUEUE_URL_FORMAT) + endpoint

    async def urls_of(self, job: Job) -> JobUrls:
        """The addresses of a submitted job.

        Why: the handle's methods fail on answers without logs or queue position, and do not distinguish a passing
        fault from fal's final answer. Its `status_url`, `response_url` and `cancel_url` are not documented, nor how
        they are made.
        Delete when: the handle's methods return the raw answer.
        """
        handle = await self.get_handle(job.endpoint, job.request_id)
        return JobUrls(status=handle.status_url, result=handle.response_url, cancel=handle.cancel_url)
