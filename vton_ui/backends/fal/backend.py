"""fal, through its own client: upload, submit once, follow, fetch, cancel.

fal-client gives the keys, hosts, uploads and addresses of jobs. Three things it does in a way that could cost
a visitor money or a result, so they are done here on its connections: `AsyncClient.submit` sends an order up to
ten times; `status` fails on an answer without logs or queue position; `get` and `cancel` do not tell a passing
fault from fal's last word.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import re
import ssl
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any

import fal_client
import fal_client.client as fal
import httpx

from vton_ui.backends.fal import follow
from vton_ui.backends.fal.answers import FailureStreak, announced_bytes, body, is_last_word, translated
from vton_ui.backends.fal.lost import CLOCK_SKEW, candidates
from vton_ui.errors import Cost, FalError, KeyRefused, ResultLost, SubmitUnclear, Unreachable
from vton_ui.models.spec import Answer
from vton_ui.money.pricing import UnitPrice
from vton_ui.tryon.backend import Fetched, Over
from vton_ui.tryon.events import Progress
from vton_ui.tryon.job import Job

KEPT_SECONDS = 3600
"""How long fal keeps what is uploaded, and the results."""
RETRY_SECONDS = 0.5
UPLOAD_SECONDS = 60.0
PRICE_TIMEOUT = 2.0
PRICE_SECONDS = 24 * 3600.0
PRICE_RETRY_SECONDS = 3600.0
CONNECT_TRIES = 3
MAX_PICTURE_BYTES = 60_000_000
UPLOADS_REMEMBERED = 200

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_PICTURES = (b"\xff\xd8", b"\x89PNG", b"RIFF")
"""What a JPEG, PNG or WebP begins with, and an error page does not."""
_LIFECYCLE = json.dumps({"expiration_duration_seconds": KEPT_SECONDS})

_log = logging.getLogger(__name__)


class _Transport(fal.AsyncBackupDomainTransport):
    """fal's way around a dead domain, with limits of our own and the environment's proxies."""

    def __init__(self, limits: httpx.Limits, verify: ssl.SSLContext) -> None:
        self._client = httpx.AsyncClient(limits=limits, verify=verify, follow_redirects=False)


class Connections:
    """The connections to fal, which the backends of all keys share: one pool for its API, and one for files.

    No connection carries a key, each request does: a key that fal has never accepted holds nothing of its own. For one
    event loop.
    """

    def __init__(self) -> None:
        verify = httpx.create_ssl_context()
        # An order sent on a connection that fal has just closed looks like a lost answer, hence the short keep. Each
        # idle connection is looked at before each request, hence the few that are kept.
        api = httpx.Limits(max_connections=200, max_keepalive_connections=10, keepalive_expiry=4.0)
        files = httpx.Limits(max_connections=32, max_keepalive_connections=10, keepalive_expiry=4.0)
        self.api, self.files = _Transport(api, verify), _Transport(files, verify)
        self.streams = asyncio.Semaphore(follow.STREAMS)


class _Client(fal_client.AsyncClient):
    """fal's client on shared connections: two light HTTP clients, one with the key and one, for files, without.

    fal's makes a new pool, and with it a new TLS context, for every upload.
    """

    def __init__(self, key: str, connections: Connections) -> None:
        super().__init__(key=key)
        named = {"User-Agent": fal.USER_AGENT}
        self.api = httpx.AsyncClient(
            transport=connections.api, headers={**named, "Authorization": f"Key {key}"}, timeout=_TIMEOUT
        )
        self.files = httpx.AsyncClient(
            transport=connections.files, headers=named, timeout=_TIMEOUT, follow_redirects=True
        )

    @property
    async def _client(self) -> httpx.AsyncClient:
        return self.api

    @asynccontextmanager
    async def _cdn_client(self) -> AsyncIterator[httpx.AsyncClient]:
        yield self.files


class FalBackend:
    """The Backend protocol on fal, for one key."""

    sandbox = False

    def __init__(self, key: str, *, api_url: str, connections: Connections | None = None) -> None:
        """
        Args:
            key: The fal key that pays.
            api_url: fal's platform API, for prices.
            connections: Those it shares with other keys; its own if None.

        Raises:
            KeyRefused: It cannot be a key, nor travel in a header.
        """
        if not re.fullmatch(r"[!-~]{8,300}", key):
            raise KeyRefused("This does not look like a fal key.", "Copy it again from fal.ai/dashboard/keys.")
        connections = connections or Connections()
        self._client = _Client(key, connections)
        self._line = follow.Line(api=self._client.api, streams=connections.streams)
        self._api_url = api_url
        self._uploads: OrderedDict[tuple[str, str], tuple[float, asyncio.Future[str]]] = OrderedDict()
        self._prices: dict[str, tuple[float, UnitPrice | None]] = {}
        self._pricing = asyncio.Lock()

    async def upload(self, jpeg: bytes, *, role: str, visitor: str = "") -> str:
        """See Backend. Files are kept at fal for an hour, and known to be there for half of it."""
        name = visitor, sha256(jpeg).hexdigest()
        at, known = self._uploads.get(name, (0.0, None))
        if known is None or time.monotonic() - at > KEPT_SECONDS / 2 or _failed(known):
            known = asyncio.ensure_future(self._upload(jpeg, f"{role}.jpg"))
            self._uploads[name] = (time.monotonic(), known)
            known.add_done_callback(lambda done: self._forget_failed(name, done))
            while len(self._uploads) > UPLOADS_REMEMBERED:
                self._uploads.popitem(last=False)
        # Shielded: two try-ons of a visitor may wait for the same upload, and one of them may be cancelled.
        return await asyncio.shield(known)

    def _forget_failed(self, name: tuple[str, str], upload: asyncio.Future[str]) -> None:
        """Its error would hold the picture for as long as the key is remembered."""
        if _failed(upload) and self._uploads.get(name, (0.0, None))[1] is upload:
            del self._uploads[name]

    async def _upload(self, jpeg: bytes, file_name: str) -> str:
        kept = fal_client.StorageSettings(expires_in=KEPT_SECONDS)
        try:
            upload = self._client.upload(jpeg, "image/jpeg", file_name, lifecycle=kept)
            return str(httpx.URL(await asyncio.wait_for(upload, UPLOAD_SECONDS)))
        except (fal_client.FalClientHTTPError, httpx.HTTPStatusError) as exc:
            raise _not_stored(exc.response) from exc
        except (httpx.HTTPError, httpx.InvalidURL, asyncio.TimeoutError, ValueError, KeyError, TypeError) as exc:
            raise _not_stored() from exc

    async def submit(self, endpoint: str, arguments: Mapping[str, Any], *, private: bool = False) -> str:
        """See Backend. One POST; it is repeated only if no connection was made."""
        try:
            response = await self._post_once(endpoint, arguments, private)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as exc:
            raise Unreachable("fal cannot be reached.", "Check the connection and try again.") from exc
        except httpx.HTTPError as exc:
            raise _unclear() from exc
        if 400 <= response.status_code < 500 and response.status_code not in (408, 409, 499):
            raise _refused(response)
        request_id = body(response).get("request_id")
        if not response.is_success or not isinstance(request_id, str):
            raise _unclear()
        return request_id

    async def _post_once(self, endpoint: str, arguments: Mapping[str, Any], private: bool) -> httpx.Response:
        headers = {"X-Fal-Object-Lifecycle-Preference": _LIFECYCLE}
        if private:
            headers["X-Fal-Store-IO"] = "0"
        for attempt in range(CONNECT_TRIES):
            try:
                return await self._client.api.post(
                    fal.QUEUE_URL_FORMAT + endpoint,
                    json=dict(arguments),
                    headers=headers,
                )
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
                if attempt == CONNECT_TRIES - 1:
                    raise
                await asyncio.sleep(RETRY_SECONDS)
        raise AssertionError("unreachable")

    async def find_lost_job(self, job: Job) -> list[str] | None:
        """See Backend. Among the account's requests since the order."""
        since = datetime.fromtimestamp(job.ordered_at - CLOCK_SKEW, timezone.utc)
        # No end: fal does not say whether it means the end of a request, which may still be far.
        query = {"endpoint_id": job.endpoint, "start": since.isoformat(), "expand": "payloads", "limit": "100"}
        try:
            response = await self._client.api.get(f"{self._api_url}/v1/models/requests/by-endpoint", params=query)
        except httpx.HTTPError as exc:
            _log.info("look: %s", type(exc).__name__)
            return None
        return candidates(body(response), job) if response.is_success else None

    async def status(self, job: Job) -> Progress | Over:
        """See Backend."""
        handle = await self._client.get_handle(job.endpoint, job.request_id)
        return await follow.ask_once(self._line, handle.status_url, job)

    async def follow(self, job: Job) -> AsyncGenerator[Progress, None]:
        """See Backend. Survives two minutes of silence or nonsense."""
        handle = await self._client.get_handle(job.endpoint, job.request_id)
        async with aclosing(follow.follow(self._line, handle.status_url, job)) as events:
            async for event in events:
                yield event

    async def fetch(self, job: Job, read: Callable[[Mapping[str, Any]], Answer]) -> Fetched:
        """See Backend."""
        handle = await self._client.get_handle(job.endpoint, job.request_id)
        output = body(await self._get(self._client.api, handle.response_url, job))
        try:
            answer = read(output)
        except (KeyError, IndexError, TypeError) as exc:
            raise ResultLost(
                "fal's answer holds no picture.", "Try again with another seed.", request_id=job.request_id
            ) from exc
        if answer.flagged:
            return Fetched(picture=b"", answer=answer)  # nobody is going to see it
        if answer.url.startswith("data:"):
            return Fetched(picture=_data_uri(answer.url, job), answer=answer)
        return Fetched(picture=(await self._get(self._client.files, answer.url, job)).content, answer=answer)

    async def _get(self, client: httpx.AsyncClient, url: str, job: Job) -> httpx.Response:
        """A whole good answer, tried again through passing faults; fal's last word is raised."""
        start, pause, streak = time.monotonic(), RETRY_SECONDS, FailureStreak()
        while True:
            try:
                async with client.stream("GET", url) as response:
                    if response.is_success and announced_bytes(response) > MAX_PICTURE_BYTES:
                        raise _too_large(job)
                    await response.aread()
                if response.is_success and _complete(response, client is self._client.api):
                    return response
                if streak.confirmed(response) or is_last_word(response):
                    raise _gone(job) if client is self._client.files else translated(response, job)
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as exc:
                raise _gone(job) from exc
            except httpx.HTTPError as exc:
                _log.info("result of %s: %s", job.request_id, type(exc).__name__)
            if time.monotonic() - start > follow.PATIENCE:
                raise ResultLost(
                    "The picture is made, but fal does not hand it over.",
                    "Find the request again by its id; that costs nothing.",
                    request_id=job.request_id,
                )
            await asyncio.sleep(pause)
            pause = min(2 * pause, 10.0)

    async def cancel(self, job: Job) -> bool:
        """See Backend. Whatever fal answers, the job's status has the last word."""
        handle = await self._client.get_handle(job.endpoint, job.request_id)
        for _ in range(CONNECT_TRIES):
            try:
                response = await self._client.api.put(handle.cancel_url)
                # A 400 says that the job is over already, which its status will say too.
                if response.is_success or response.status_code == 400:
                    return True
            except httpx.HTTPError as exc:
                _log.info("cancel of %s: %s", job.request_id, type(exc).__name__)
            await asyncio.sleep(RETRY_SECONDS)
        return False

    async def price(self, endpoint: str) -> UnitPrice | None:
        """See Backend. Asked once a day; a failure is silent, and remembered for an hour."""
        async with self._pricing:
            until, price = self._prices.get(endpoint, (0.0, None))
            if time.monotonic() < until:
                return price
            price = await self._price(endpoint)
            lasts = PRICE_RETRY_SECONDS if price is None else PRICE_SECONDS
            self._prices[endpoint] = (time.monotonic() + lasts, price)
            return price

    async def _price(self, endpoint: str) -> UnitPrice | None:
        try:
            response = await self._client.api.get(
                f"{self._api_url}/v1/models/pricing", params={"endpoint_id": endpoint}, timeout=PRICE_TIMEOUT
            )
            for item in body(response).get("prices", ()):
                if item["endpoint_id"] == endpoint and item["currency"] == "USD":
                    usd = Decimal(str(item["unit_price"]))
                    return UnitPrice(usd=usd, unit=str(item["unit"])) if usd > 0 else None
        except (httpx.HTTPError, KeyError, TypeError, InvalidOperation):
            pass
        return None


def _not_stored(response: httpx.Response | None = None) -> FalError:
    """The error for an upload; nothing was ordered, whatever fal's storage said."""
    if response is not None and response.status_code in (401, 403, 429):
        return translated(response)
    return Unreachable("The photos could not be sent to fal.", "Check the connection and try again.")


def _refused(response: httpx.Response) -> FalError:
    """The error for an order that fal did not take, and so cannot charge."""
    error = translated(response)
    error.cost = Cost.NOTHING
    return error


def _complete(response: httpx.Response, wants_json: bool) -> bool:
    return bool(body(response)) if wants_json else response.content.startswith(_PICTURES)


def _too_large(job: Job) -> ResultLost:
    return ResultLost(
        f"fal's picture has more than {MAX_PICTURE_BYTES // 1_000_000} MB, and is not fetched.",
        "Find it at fal.ai/dashboard/requests by its id.",
        request_id=job.request_id,
    )


def _gone(job: Job) -> ResultLost:
    return ResultLost("The picture was made, and fal no longer has it.", "Start a new try.", request_id=job.request_id)


def _unclear() -> SubmitUnclear:
    return SubmitUnclear(
        "fal may have accepted this: the order went out and no answer came back. It was not sent again.",
        "Look at fal.ai/dashboard/requests before you try again.",
    )


def _failed(upload: asyncio.Future[str]) -> bool:
    return upload.done() and (upload.cancelled() or upload.exception() is not None)


def _data_uri(uri: str, job: Job) -> bytes:
    try:
        return base64.b64decode(uri.partition(",")[2], validate=True)
    except binascii.Error as exc:
        raise ResultLost(
            "The picture arrived damaged.",
            "Find the request again by its id; that costs nothing.",
            request_id=job.request_id,
        ) from exc
