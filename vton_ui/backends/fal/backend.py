"""The Backend protocol on fal, for one key: upload, submit once, follow, fetch, cancel, price."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from functools import partial
from hashlib import sha256
from typing import Any

import httpx

from vton_ui.backends.fal import answers, follow
from vton_ui.backends.fal.answers import body, translated
from vton_ui.backends.fal.client import STORAGE_ERRORS, Client, Connections
from vton_ui.backends.fal.download import get_output, get_picture
from vton_ui.backends.fal.lost import CLOCK_SKEW, candidates
from vton_ui.errors import Cost, FalError, KeyRefused, ResultLost, SubmitUnclear, Unreachable
from vton_ui.models.spec import Answer
from vton_ui.money.pricing import UnitPrice
from vton_ui.tryon.backend import Fetched, Over
from vton_ui.tryon.events import Progress
from vton_ui.tryon.job import Job

KEPT_SECONDS = 3600
"""How long fal keeps what is uploaded, and the results."""
UPLOAD_TIMEOUT = 60.0
PRICE_TIMEOUT = 2.0
PRICE_SECONDS = 24 * 3600.0
PRICE_RETRY_SECONDS = 3600.0
CONNECT_TRIES = 3
NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
UPLOADS_REMEMBERED = 200

_LIFECYCLE = json.dumps({"expiration_duration_seconds": KEPT_SECONDS})

_log = logging.getLogger(__name__)


class FalBackend:
    """See Backend."""

    sandbox = False

    def __init__(self, key: str, *, api_url: str, connections: Connections | None = None) -> None:
        """
        Args:
            key: The fal key that pays.
            api_url: fal's platform API, for prices.
            connections: Those it shares with other keys; its own if None.

        Raises:
            KeyRefused: It cannot be a key, and could not be sent in a header.
        """
        if not re.fullmatch(r"[!-~]{8,300}", key):
            raise KeyRefused("This does not look like a fal key.", "Copy it again from fal.ai/dashboard/keys.")
        self._connections = connections or Connections()
        self._client = Client(key, self._connections)
        self._api_url = api_url
        self._uploads: OrderedDict[tuple[str, str], tuple[float, asyncio.Future[str]]] = OrderedDict()
        self._prices: dict[str, tuple[float, UnitPrice | None]] = {}
        self._pricing = asyncio.Lock()

    async def upload(self, jpeg: bytes, *, role: str, visitor: str = "") -> str:
        """See Backend. fal keeps a file for an hour; we rely on it for half of that."""
        name = visitor, sha256(jpeg).hexdigest()
        at, known = self._uploads.get(name, (0.0, None))
        if known is None or time.monotonic() - at > KEPT_SECONDS / 2 or _failed(known):
            known = asyncio.ensure_future(self._upload(jpeg, f"{role}.jpg"))
            self._uploads[name] = (time.monotonic(), known)
            known.add_done_callback(lambda done: self._forget_failed(name, done))
            while len(self._uploads) > UPLOADS_REMEMBERED:
                self._uploads.popitem(last=False)
        # Shielded, because two try-ons of a visitor may wait for the same upload, and one of them may be cancelled.
        return await asyncio.shield(known)

    def _forget_failed(self, name: tuple[str, str], upload: asyncio.Future[str]) -> None:
        """Drop a failed upload: its error would hold the picture in memory for as long as the key is remembered."""
        if _failed(upload) and self._uploads.get(name, (0.0, None))[1] is upload:
            del self._uploads[name]

    async def _upload(self, jpeg: bytes, file_name: str) -> str:
        try:
            return await asyncio.wait_for(self._client.store(jpeg, file_name, seconds=KEPT_SECONDS), UPLOAD_TIMEOUT)
        except STORAGE_ERRORS as exc:
            raise _not_stored(exc.response) from exc
        except (httpx.HTTPError, httpx.InvalidURL, asyncio.TimeoutError, ValueError, KeyError, TypeError) as exc:
            raise _not_stored() from exc

    async def submit(self, endpoint: str, arguments: Mapping[str, Any], *, private: bool = False) -> str:
        """See Backend. One POST, retried only if no connection was made."""
        try:
            response = await self._post_once(endpoint, arguments, private)
        except NOT_CONNECTED as exc:
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
        url = self._client.submit_url(endpoint)
        post = partial(self._client.api.post, url, json=dict(arguments), headers=headers)
        for _ in range(CONNECT_TRIES - 1):
            with suppress(*NOT_CONNECTED):
                return await post()
            await asyncio.sleep(answers.RETRY_SECONDS)
        return await post()

    async def find_lost_job(self, job: Job) -> list[str] | None:
        """See Backend. Searches the account's requests since the job was submitted."""
        since = datetime.fromtimestamp(job.submitted_at - CLOCK_SKEW, timezone.utc)
        # No end time: fal does not say whether that is compared with the end of a request, which may still be far off.
        query = {"endpoint_id": job.endpoint, "start": since.isoformat(), "expand": "payloads", "limit": "100"}
        try:
            response = await self._client.api.get(f"{self._api_url}/v1/models/requests/by-endpoint", params=query)
        except httpx.HTTPError as exc:
            _log.info("find_lost_job: %s", type(exc).__name__)
            return None
        return candidates(body(response), job) if response.is_success else None

    async def status(self, job: Job) -> Progress | Over:
        return await follow.status_of(self._client.api, (await self._client.urls_of(job)).status, job)

    async def follow(self, job: Job) -> AsyncGenerator[Progress, None]:
        """See Backend. Goes on through two minutes without a usable answer."""
        url, streams = (await self._client.urls_of(job)).status, self._connections.streams
        async with aclosing(follow.follow(self._client.api, url, job, streams)) as events:
            async for event in events:
                yield event

    async def fetch(self, job: Job, read: Callable[[Mapping[str, Any]], Answer]) -> Fetched:
        url = (await self._client.urls_of(job)).result
        output = body(await get_output(self._client.api, url, job))
        try:
            answer = read(output)
        except (KeyError, IndexError, TypeError) as exc:
            raise ResultLost(
                "fal's answer holds no picture.", "Try again with another seed.", request_id=job.request_id
            ) from exc
        if answer.flagged:
            return Fetched(picture=b"", answer=answer)  # it is not shown to anybody
        return Fetched(picture=await get_picture(self._client.files, answer.url, job), answer=answer)

    async def cancel(self, job: Job) -> bool:
        """See Backend. Whatever fal answers, the job's status decides."""
        url = (await self._client.urls_of(job)).cancel
        for _ in range(CONNECT_TRIES):
            try:
                response = await self._client.api.put(url)
                # A 400 says that the job is over already; its status says so too.
                if response.is_success or response.status_code == 400:
                    return True
            except httpx.HTTPError as exc:
                _log.info("cancel of %s: %s", job.request_id, type(exc).__name__)
            await asyncio.sleep(answers.RETRY_SECONDS)
        return False

    async def price(self, endpoint: str) -> UnitPrice | None:
        """See Backend. Asked once a day; a failure is silent, and not retried for an hour."""
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
    """The error for an upload. Nothing was submitted, whatever fal's storage said."""
    if response is not None and response.status_code in (401, 403, 429):
        return translated(response)
    return Unreachable("The photos could not be sent to fal.", "Check the connection and try again.")


def _refused(response: httpx.Response) -> FalError:
    """The error for a job that fal did not accept, and so cannot charge."""
    error = translated(response)
    error.cost = Cost.NOTHING
    return error


def _unclear() -> SubmitUnclear:
    return SubmitUnclear(
        "fal may have accepted this: the order went out and no answer came back. It was not sent again.",
        "Look at fal.ai/dashboard/requests before you try again.",
    )


def _failed(upload: asyncio.Future[str]) -> bool:
    return upload.done() and (upload.cancelled() or upload.exception() is not None)
