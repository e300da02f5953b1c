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
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any

import fal_client
import fal_client.client as fal
import httpx

from vton_ui import fal_errors
from vton_ui.errors import Cost, FalError, KeyRefused, ResultLost, SubmitUnclear, Unreachable
from vton_ui.job import Fetched, Job, Progress, Running, Waiting
from vton_ui.pricing import UnitPrice
from vton_ui.spec import Answer

KEPT_SECONDS = 3600
"""How long fal keeps what is uploaded, and the results."""
POLL_SECONDS = (0.5, 2.0)
"""Between two looks at a job: at first, and on a long wait."""
LONG_WAIT = 30.0
"""Seconds after which a wait counts as long."""
PATIENCE = 120.0
"""Seconds that fal may be unreachable or talk nonsense while a job is under way."""
UPLOAD_SECONDS = 60.0
PRICE_TIMEOUT = 2.0
PRICE_SECONDS = 24 * 3600.0
PRICE_RETRY_SECONDS = 3600.0
CONNECT_TRIES = 3
CLOCK_SKEW = 60.0
"""Seconds that this machine's clock may be ahead of fal's."""
DOUBTS = 3
"""How often in a row fal has to say that it does not know a key, a job or a file: once may be a hiccup."""
MAX_PICTURE_BYTES = 60_000_000
UPLOADS_REMEMBERED = 200

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_PICTURES = (b"\xff\xd8", b"\x89PNG", b"RIFF")
"""What a JPEG, PNG or WebP begins with, and an error page does not."""
_LIFECYCLE = json.dumps({"expiration_duration_seconds": KEPT_SECONDS})

_log = logging.getLogger(__name__)


class _Transport(fal.AsyncBackupDomainTransport):
    """fal's way around a dead domain, with limits of our own and the environment's proxies."""

    def __init__(self, limits: httpx.Limits) -> None:
        self._client = httpx.AsyncClient(limits=limits, follow_redirects=False)


class _Client(fal_client.AsyncClient):
    """fal's client on two connection pools of its own, one with the key and one, for files, without.

    fal's makes a new pool, and with it a new TLS context, for every upload.
    """

    def __init__(self, key: str) -> None:
        super().__init__(key=key)
        # An order sent on a connection that fal has just closed looks like a lost answer, hence the short keep.
        limits = httpx.Limits(max_connections=200, keepalive_expiry=4.0)
        self.api = httpx.AsyncClient(
            transport=_Transport(limits),
            headers={"Authorization": f"Key {key}", "User-Agent": fal.USER_AGENT},
            timeout=_TIMEOUT,
        )
        self.files = httpx.AsyncClient(
            headers={"User-Agent": fal.USER_AGENT}, timeout=_TIMEOUT, limits=limits, follow_redirects=True
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

    def __init__(self, key: str, *, api_url: str) -> None:
        """
        Args:
            key: The fal key that pays.
            api_url: fal's platform API, for prices.

        Raises:
            KeyRefused: It cannot be a key, nor travel in a header.
        """
        if not re.fullmatch(r"[!-~]{8,300}", key):
            raise KeyRefused("This does not look like a fal key.", "Copy it again from fal.ai/dashboard/keys.")
        self._client = _Client(key)
        self._api_url = api_url
        self._uploads: OrderedDict[str, tuple[float, asyncio.Future[str]]] = OrderedDict()
        self._prices: dict[str, tuple[float, UnitPrice | None]] = {}
        self._pricing = asyncio.Lock()

    async def upload(self, jpeg: bytes, *, role: str) -> str:
        """See Backend. Files are kept at fal for an hour, and known to be there for half of it."""
        name = sha256(jpeg).hexdigest()
        at, known = self._uploads.get(name, (0.0, None))
        if known is None or time.monotonic() - at > KEPT_SECONDS / 2 or _failed(known):
            known = asyncio.ensure_future(self._upload(jpeg, f"{role}.jpg"))
            self._uploads[name] = (time.monotonic(), known)
            while len(self._uploads) > UPLOADS_REMEMBERED:
                self._uploads.popitem(last=False)
        # Shielded: two visitors may wait for the same upload, and one of them may leave.
        return await asyncio.shield(known)

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
        request_id = _json(response).get("request_id")
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
                await asyncio.sleep(POLL_SECONDS[0])
        raise AssertionError("unreachable")

    async def look(self, job: Job) -> str | None:
        """See Backend. Among the account's requests since the click, the newest with the job's seed and prompt."""
        since = datetime.fromtimestamp(job.started_at - CLOCK_SKEW, timezone.utc)
        # The end is left to fal's own clock, which may be ahead of this machine's.
        query = {"endpoint_id": job.endpoint, "start": since.isoformat(), "expand": "payloads", "limit": "100"}
        try:
            response = await self._client.api.get(f"{self._api_url}/v1/models/requests/by-endpoint", params=query)
        except httpx.HTTPError as exc:
            _log.info("look: %s", type(exc).__name__)
            return None
        items = _json(response).get("items")
        found = [item for item in items if _orders(item, job)] if isinstance(items, list) else []
        return max(found, key=lambda item: str(item.get("sent_at")))["request_id"] if found else None

    async def follow(self, job: Job) -> AsyncGenerator[Progress, None]:
        """See Backend. Survives two minutes of silence or nonsense."""
        handle = await self._client.get_handle(job.endpoint, job.request_id)
        good, ran, doubts = time.monotonic(), False, _Doubts()
        while True:
            status = await self._status(handle.status_url, job, doubts)
            now = time.monotonic()
            seconds = max(0.0, time.time() - job.started_at)
            word = status.get("status")
            if word == "COMPLETED":
                if not ran and _ran(status):
                    yield Running(step=None, steps=None, seconds=seconds)
                return
            if word is not None:
                good, event = now, _progress(word, status, seconds)
                ran = ran or isinstance(event, Running)
                yield event
            elif now - good > PATIENCE:
                raise ResultLost(
                    "fal has not told how the job is going for two minutes.",
                    "Find the request again by its id; that costs nothing.",
                    cost=Cost.MAYBE,
                    request_id=job.request_id,
                )
            first, slow = POLL_SECONDS
            await asyncio.sleep(first if seconds < LONG_WAIT else slow)

    async def _status(self, url: str, job: Job, doubts: _Doubts) -> Mapping[str, Any]:
        """The job's status, empty where this look told nothing."""
        try:
            response = await self._client.api.get(url, params={"logs": 1})
        except httpx.HTTPError as exc:
            _log.info("status of %s: %s", job.request_id, type(exc).__name__)
            return {}
        # A 403 says that the account is locked, not that the job is lost.
        if doubts.confirmed(response):
            raise _translated(response, job)
        return _json(response) if response.is_success else {}

    async def fetch(self, job: Job, read: Callable[[Mapping[str, Any]], Answer]) -> Fetched:
        """See Backend."""
        handle = await self._client.get_handle(job.endpoint, job.request_id)
        output = _json(await self._get(self._client.api, handle.response_url, job))
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
        start, pause, doubts = time.monotonic(), POLL_SECONDS[0], _Doubts()
        while True:
            try:
                async with client.stream("GET", url) as response:
                    if response.is_success and _announced(response) > MAX_PICTURE_BYTES:
                        raise _too_large(job)
                    await response.aread()
                if response.is_success and _complete(response, client is self._client.api):
                    return response
                if doubts.confirmed(response) or _last_word(response):
                    raise _gone(job) if client is self._client.files else _translated(response, job)
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as exc:
                raise _gone(job) from exc
            except httpx.HTTPError as exc:
                _log.info("result of %s: %s", job.request_id, type(exc).__name__)
            if time.monotonic() - start > PATIENCE:
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
            await asyncio.sleep(POLL_SECONDS[0])
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
            for item in _json(response).get("prices", ()):
                if item["endpoint_id"] == endpoint and item["currency"] == "USD":
                    usd = Decimal(str(item["unit_price"]))
                    return UnitPrice(usd=usd, unit=str(item["unit"])) if usd > 0 else None
        except (httpx.HTTPError, KeyError, TypeError, InvalidOperation):
            pass
        return None


class _Doubts:
    """What fal says of a key, a job or a file that it does not know; heard often enough, it is believed."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def confirmed(self, response: httpx.Response) -> bool:
        self._in_a_row = self._in_a_row + 1 if response.status_code in (401, 404) else 0
        return self._in_a_row >= DOUBTS


def progress(messages: Sequence[str]) -> tuple[int | None, int | None]:
    """The newest "step of steps" in a model's log ("Step 2/4", or a tqdm bar), or two Nones."""
    for message in reversed(messages):
        found = re.findall(r"(?<![\d/])(\d{1,3})\s*/\s*(\d{1,3})(?![\d/])", message)
        if found and int(found[-1][0]) <= int(found[-1][1]):
            return int(found[-1][0]), int(found[-1][1])
    return None, None


def _progress(word: Any, status: Mapping[str, Any], seconds: float) -> Progress:
    """The event of a status; an unknown word counts as running, since only COMPLETED ends a job."""
    if word == "IN_QUEUE":
        position = status.get("queue_position")
        return Waiting(position=position if isinstance(position, int) else None, seconds=seconds)
    logs = status.get("logs")
    lines = [line for line in logs if isinstance(line, Mapping)] if isinstance(logs, list) else []
    said = [line.get("message") for line in lines]
    messages = [text.strip() for text in said if isinstance(text, str) and text.strip()]
    step, steps = progress(messages)
    return Running(step=step, steps=steps, seconds=seconds, log=messages[-1] if messages and step is None else None)


def _ran(status: Mapping[str, Any]) -> bool:
    """Whether a job that is over was at work, be it between two looks: then it may have cost something."""
    metrics = status.get("metrics")
    return isinstance(metrics, Mapping) and bool(metrics.get("inference_time"))


def _orders(item: Any, job: Job) -> bool:
    """Whether one of fal's requests is the job; of a private one fal shows nothing."""
    asked = item.get("json_input") if isinstance(item, Mapping) else None
    if not isinstance(asked, Mapping) or not isinstance(item.get("request_id"), str):
        return False
    return asked.get("seed") == job.seed and asked.get("prompt") == job.prompt


def _json(response: httpx.Response) -> Mapping[str, Any]:
    """The JSON object of an answer; empty if it is none."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _translated(response: httpx.Response, job: Job | None = None) -> FalError:
    return fal_errors.translate(
        response.status_code,
        _json(response) or None,
        header_type=response.headers.get("x-fal-error-type"),
        request_id=job.request_id if job else None,
    )


def _not_stored(response: httpx.Response | None = None) -> FalError:
    """The error for an upload; nothing was ordered, whatever fal's storage said."""
    if response is not None and response.status_code in (401, 403, 429):
        return _translated(response)
    return Unreachable("The photos could not be sent to fal.", "Check the connection and try again.")


def _refused(response: httpx.Response) -> FalError:
    """The error for an order that fal did not take, and so cannot charge."""
    error = _translated(response)
    error.cost = Cost.NOTHING
    return error


def _last_word(response: httpx.Response) -> bool:
    """Whether an error answers for the job itself, rather than for the way to it."""
    if response.status_code in (401, 403, 404, 408, 429):
        return False
    # A 400 without a type of fal's says that the job is not over yet: its status was ahead of its result.
    if response.status_code < 500 and response.status_code != 400:
        return not response.is_success
    return fal_errors.is_final(_json(response) or None, response.headers.get("x-fal-error-type"))


def _complete(response: httpx.Response, wants_json: bool) -> bool:
    return bool(_json(response)) if wants_json else response.content.startswith(_PICTURES)


def _announced(response: httpx.Response) -> int:
    """The size of an answer that is still to be read; 0 if it is not told."""
    size = response.headers.get("content-length", "")
    return int(size) if size.isdecimal() else 0


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
