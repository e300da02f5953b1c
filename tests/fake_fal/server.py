"""A stand-in for fal: a real HTTP server that speaks its protocol, so that the real fal-client talks to it.

In tests, through the fixture `fal` (see conftest). By hand, to try the paid path of the app for free:

    python -m tests.fake_fal [--port N] [--queue SECONDS] [--run SECONDS] [--no-key] app.py [arguments …]

starts the server, points fal-client at it, sets FAL_KEY to the test key (unless --no-key) and runs the
script. Nothing reaches fal and nothing is paid.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import runpy
import socket
import struct
import sys
import threading
import time
import traceback
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, urlsplit

import fal_client.client

from tests.fake_fal.schemas import (
    CAT_VTON,
    ENDPOINTS,
    FLUX_VTO,
    Endpoint,
    Failure,
    picture,
    platform_error,
    problems,
    progress_line,
    result_body,
)

if TYPE_CHECKING:
    import pytest

TEST_KEY = "test-key-id:test-key-secret"
PROXY_VARIABLES = tuple(
    name for proxy in ("http", "https", "all", "no") for name in (f"{proxy}_proxy", f"{proxy}_proxy".upper())
)
NGINX_502 = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
LOCKED_403 = {"detail": "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."}
UTC = timezone(timedelta())  # datetime.UTC needs Python 3.11
GARBAGE = b"\x00\xff<not json>"
MAX_LOG_LINES = 10

_REQUEST = r"/queue/(?P<app>[^/]+/[^/]+)/requests/(?P<id>[^/]+)"
ROUTES = [
    ("token", "POST", r"/rest/storage/auth/token"),
    ("initiate", "POST", r"/rest/storage/upload/initiate"),
    ("put", "PUT", r"/put(?P<file>/files/.+)"),
    ("upload", "POST", r"/cdn/files/upload"),
    ("download", "GET", r"(?P<file>/files/.+)"),
    ("pricing", "GET", r"/api/v1/models/pricing"),
    ("requests", "GET", r"/api/v1/models/requests/by-endpoint"),
    ("stream", "GET", _REQUEST + "/status/stream"),
    ("status", "GET", _REQUEST + "/status"),
    ("cancel", "PUT", _REQUEST + "/cancel"),
    ("result", "GET", _REQUEST),
    ("submit", "POST", r"/queue/(?P<endpoint>.+)"),
]
OPERATIONS = [name for name, _, _ in ROUTES]
KEYLESS = {"put", "upload", "download", "unknown"}

State = Literal["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
Action = Literal[
    "status",
    "drop_before",
    "accept_then_drop",
    "accept_then_hang",
    "garbage",
    "half_body",
    "slow",
    "edit",
    "close",
    "mute",
    "linger",
]
Edit = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request as it came in; `headers` may be asked in any case, `path` has the query; `port` is the caller's,
    the same for all that comes over one connection."""

    operation: str
    method: str
    path: str
    headers: Message
    size: int
    at: float
    port: int = 0


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, taken apart."""

    seen: Seen
    body: bytes
    parts: dict[str, str]
    query: dict[str, list[str]]

    def ask(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[0]

    def header(self, name: str) -> str:
        return str(self.seen.headers.get(name, ""))

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Events = Iterator["dict[str, Any] | None"]


@dataclass(kw_only=True)
class StoredFile:
    """A file on the CDN: what a visitor uploaded, or a result."""

    url: str
    data: bytes | None
    content_type: str
    lifecycle: dict[str, Any] | None
    headers: Message
    stored_at: float
    expires_at: float | None


@dataclass(kw_only=True, eq=False)
class Job:
    """What `submit` accepted; `billed` and `state` are kept up to date."""

    id: str
    endpoint: str
    arguments: dict[str, Any]
    headers: Message
    key: str
    accepted_at: float
    queue_seconds: float
    run_seconds: float
    changed: threading.Condition = field(repr=False)
    failure: Failure | None = None
    state: State = "IN_QUEUE"
    position: int = 0
    started_at: float | None = None
    finished_at: float | None = None
    billed: bool = False
    cancel_requested: bool = False
    cancelled: bool = False
    logs: list[dict[str, str]] = field(default_factory=list)
    status_code: int = 0
    body: dict[str, Any] = field(default_factory=dict)
    halt: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def app(self) -> str:
        """Owner and app: all that is left of the endpoint in the paths after submit."""
        return "/".join(self.endpoint.split("/")[:2])

    @property
    def seconds(self) -> float:
        """How long the model worked."""
        if self.started_at is None:
            return 0.0
        return (self.finished_at or time.time()) - self.started_at

    @property
    def start_by(self) -> float:
        """When the caller no longer wants it started."""
        return self.accepted_at + float(self.headers.get("X-Fal-Request-Timeout", "inf"))


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with one request; see `FakeFal.fault`."""

    action: Action
    code: int
    body: Any
    headers: dict[str, str]
    seconds: float
    edit: Edit | None
    accepted: bool


class FakeFal:
    """fal, in a thread of this process.

    Knobs may be turned at any time; timings hold for jobs submitted afterwards.

    Args:
        port: 0 for any free one; it stays the same over `stop` and `start`.
        queue_seconds: time in the queue, in which the position counts down from `queue_length` to 0.
        run_seconds: time the model works.
        steps: how many steps the logs speak of; None for as many as the request asks for.
        concurrent: how many jobs run at once; None for no limit.
        cancel_running: whether cancelling stops a job that runs (it is billed all the same).
        streams: whether there are event streams.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        queue_seconds: float = 0.05,
        run_seconds: float = 0.1,
        steps: int | None = None,
        queue_length: int = 2,
        concurrent: int | None = None,
        cancel_running: bool = False,
        streams: bool = True,
    ) -> None:
        self.port = port
        self.queue_seconds = queue_seconds
        self.run_seconds = run_seconds
        self.steps = steps
        self.queue_length = queue_length
        self.concurrent = concurrent
        self.cancel_running = cancel_running
        self.streams = streams
        self.keys = {TEST_KEY}
        self.endpoints: dict[str, Endpoint] = dict(ENDPOINTS)
        self.prices: dict[str, tuple[float, str]] = {
            CAT_VTON: (0.00125, "compute seconds"),
            FLUX_VTO: (0.0375, "megapixels"),
        }
        self.token_seconds = 3600.0
        self.comment_seconds = 15.0
        self._lock = threading.RLock()
        self._slots = threading.Condition(self._lock)
        self._server: _Server | None = None
        self.jobs: dict[str, Job] = {}
        self.reset()

    # Life

    def start(self) -> FakeFal:
        """Serve, on the same port as before if there was one."""
        if self._server is None:
            self._server = _Server(("127.0.0.1", self.port), _Handler)
            self._server.fake = self
            self.port = self._server.server_address[1]
            threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self, spare: socket.socket | None = None) -> None:
        """Refuse connections and cut the open ones, except the one to `spare`; jobs go on and files stay."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            server.cut(spare)

    def reset(self) -> None:
        """Forget all that happened, all faults and all set outcomes; keys, prices and timings stay."""
        with self._lock:
            for job in self.jobs.values():
                job.halt.set()
            self.jobs = {}
            self.seen: list[Seen] = []
            self.crashes: list[str] = []
            self.files: dict[str, StoredFile] = {}
            self.uploads: dict[str, StoredFile] = {}
            self.black = False
            self.unsafe = False
            self.next_error: Failure | None = None
            self._tokens: dict[str, tuple[str, float]] = {}
            self._skipped = 0.0
            self._faults: dict[str, deque[Fault]] = {name: deque() for name in OPERATIONS}
            self._lasting: dict[str, Fault] = {}
            self._slots.notify_all()

    # Addresses

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        """The platform API, for FAL_API_URL."""
        return self.url + "/api"

    def addresses(self) -> dict[str, str]:
        """The names in `fal_client.client` to replace, and what with."""
        return {
            "QUEUE_URL_FORMAT": self.url + "/queue/",
            "RUN_URL_FORMAT": self.url + "/run/",
            "REST_URL": self.url + "/rest",
            "CDN_URL": self.url + "/cdn",
        }

    def patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Point fal-client and FAL_API_URL here, past any proxy, until the test is over."""
        for name, address in self.addresses().items():
            monkeypatch.setattr(fal_client.client, name, address)
        monkeypatch.setenv("FAL_API_URL", self.api_url)
        for name in PROXY_VARIABLES:
            monkeypatch.delenv(name, raising=False)

    # What happened

    @property
    def billed(self) -> int:
        """How many jobs have to be paid."""
        return sum(job.billed for job in list(self.jobs.values()))

    def count(self, operation: str) -> int:
        with self._lock:
            return sum(seen.operation == operation for seen in self.seen)

    def bytes_received(self, operation: str) -> int:
        with self._lock:
            return sum(seen.size for seen in self.seen if seen.operation == operation)

    # What is to go wrong

    def fault(
        self,
        operation: str,
        action: Action,
        times: int | None = 1,
        *,
        code: int = 503,
        body: Any = None,
        headers: dict[str, str] | None = None,
        seconds: float = 0.0,
        edit: Edit | None = None,
        accepted: bool = False,
    ) -> None:
        """Spoil the next requests of an operation; faults of one operation queue up.

        Args:
            action: what happens.
                `status`: answer `code` with `body` (JSON, or text as an HTML page) and `headers`; nothing is
                done, unless `accepted`.
                `drop_before`: reset the connection, nothing done.
                `accept_then_drop`: do the work, close without an answer.
                `accept_then_hang`: do the work, close without an answer after `seconds`.
                `garbage`: do the work, answer 200 with something that is not JSON.
                `half_body`: do the work, announce the whole answer, send half of it and close.
                `slow`: wait `seconds`, then all is well.
                `edit`: send what the function `edit` makes of the JSON answer.
                `close`: do the work, and answer; but by then all connections are refused, until `start`.
                `mute`: an event stream brings nothing but comments, and does not end for `seconds`.
                `linger`: an event stream does not end for `seconds` after its last event.
            times: how often; None until `clear_faults`, after all the others.
        """
        if operation not in self._faults:
            raise ValueError(f"no operation {operation!r}: one of {', '.join(OPERATIONS)}")
        if body is None:
            body = {"detail": f"fault {code}"}
        fault = Fault(
            action=action,
            code=code,
            body=body,
            headers=headers or {},
            seconds=seconds,
            edit=edit,
            accepted=accepted,
        )
        with self._lock:
            if times is None:
                self._lasting[operation] = fault
            else:
                self._faults[operation].extend([fault] * times)

    def clear_faults(self) -> None:
        with self._lock:
            self._lasting.clear()
            for faults in self._faults.values():
                faults.clear()

    def age_files(self, seconds: float) -> None:
        """Let files and results expire as if so much time had passed."""
        self._skipped += seconds

    # Requests

    def receive(self, call: Call) -> Fault | None:
        """Note a request; say what shall go wrong with it."""
        operation = call.seen.operation
        with self._lock:
            self.seen.append(call.seen)
            faults = self._faults.get(operation)
            return faults.popleft() if faults else self._lasting.get(operation)

    def answer(self, call: Call) -> Answer | Events:
        operation = call.seen.operation
        if operation not in KEYLESS and self._key(call) not in self.keys:
            return _error(401, {"detail": "Authentication is required to access this application."})
        answers: dict[str, Callable[[Call], Answer | Events]] = {
            "token": self._token,
            "initiate": self._initiate,
            "put": self._put,
            "upload": self._upload,
            "download": self._download,
            "pricing": self._pricing,
            "requests": self._requests,
            "submit": self._submit,
        }
        if operation in answers:
            return answers[operation](call)
        if operation == "unknown" or (operation == "stream" and not self.streams):
            return _error(404, {"detail": f"no such path: {call.seen.path}"})
        return self._follow(call)

    def _key(self, call: Call) -> str:
        scheme, _, key = call.header("Authorization").partition(" ")
        return key if scheme == "Key" else ""

    # Files

    def _token(self, call: Call) -> Answer:
        token, expires_at = uuid.uuid4().hex, time.time() + self.token_seconds
        with self._lock:
            self._tokens[token] = (self._key(call), expires_at)
        body = {"token": token, "token_type": "Bearer", "base_url": self.url + "/cdn"}
        return _json({**body, "expires_at": datetime.fromtimestamp(expires_at, UTC).isoformat()})

    def _upload(self, call: Call) -> Answer:
        scheme, _, token = call.header("Authorization").partition(" ")
        key, expires_at = self._tokens.get(token, ("", 0.0))
        if scheme != "Bearer" or key not in self.keys or time.time() >= expires_at:
            return _error(401, {"detail": "Invalid or expired token"})
        file = self._store(call.header("X-Fal-File-Name"), call.header("Content-Type"), call.seen.headers)
        file.data = call.body
        self.uploads[file.url] = file
        return _json({"access_url": file.url})

    def _initiate(self, call: Call) -> Answer:
        wanted = call.json() or {}
        file = self._store(wanted.get("file_name", ""), wanted.get("content_type", ""), call.seen.headers)
        path = file.url.removeprefix(self.url)
        return _json({"upload_url": f"{self.url}/put{path}", "file_url": file.url})

    def _put(self, call: Call) -> Answer:
        file = self.files.get(self.url + call.parts["file"])
        if file is None or file.content_type != call.header("Content-Type"):
            return _error(403, {"detail": "The signature does not match"})
        file.data = call.body
        self.uploads[file.url] = file
        return Answer(status=200)

    def _download(self, call: Call) -> Answer:
        url = self.url + call.parts["file"]
        data = self.fetch(url)
        if data is None:
            return _error(404, {"detail": "File not found"})
        return Answer(status=200, body=data, headers={"Content-Type": self.files[url].content_type})

    def fetch(self, url: str) -> bytes | None:
        """The bytes of a stored file, None if it is unknown or has expired."""
        file = self.files.get(url)
        if file is None or (file.expires_at and time.time() + self._skipped >= file.expires_at):
            return None
        return file.data

    def _store(self, name: str, content_type: str, headers: Message) -> StoredFile:
        """Reserve an address for a file; its lifetime is in the headers of the uploading request."""
        lifecycle = headers.get("X-Fal-Object-Lifecycle") or headers.get("X-Fal-Object-Lifecycle-Preference")
        wanted = json.loads(lifecycle) if lifecycle else None
        seconds = (wanted or {}).get("expiration_duration_seconds")
        now = time.time() + self._skipped
        suffix = re.sub(r"[^\w.-]", "_", name) or "file." + content_type.rpartition("/")[2]
        file = StoredFile(
            url=f"{self.url}/files/{uuid.uuid4().hex}/{suffix}",
            data=None,
            content_type=content_type,
            lifecycle=wanted,
            headers=headers,
            stored_at=now,
            expires_at=now + seconds if seconds else None,
        )
        self.files[file.url] = file
        return file

    # The platform API

    def _pricing(self, call: Call) -> Answer:
        asked = [name for name in call.query.get("endpoint_id", []) if name in self.prices]
        prices = [
            {"endpoint_id": name, "unit_price": price, "unit": unit, "currency": "USD"}
            for name, (price, unit) in ((name, self.prices[name]) for name in asked)
        ]
        return _json({"prices": prices, "next_cursor": None, "has_more": False})

    def _requests(self, call: Call) -> Answer:
        start, end = _timestamp(call.ask("start"), 0.0), _timestamp(call.ask("end"), float("inf"))
        with_payload = "payloads" in call.query.get("expand", [])
        items = [
            self._item(job, with_payload)
            for job in list(self.jobs.values())
            if job.endpoint == call.ask("endpoint_id") and job.key == self._key(call)
            if start <= job.accepted_at <= end
        ]
        return _json({"items": items, "next_cursor": None, "has_more": False})

    def _item(self, job: Job, with_payload: bool) -> dict[str, Any]:
        item = {"request_id": job.id, "endpoint_id": job.endpoint, "sent_at": _iso(job.accepted_at)}
        if not with_payload:
            return item
        hidden = job.headers.get("X-Fal-Store-IO") == "0"
        return {**item, "json_input": None if hidden else job.arguments}

    # Jobs: the caller's side

    def _submit(self, call: Call) -> Answer:
        endpoint, arguments = call.parts["endpoint"], call.json()
        if endpoint not in self.endpoints:
            return _error(404, {"detail": f'Application "{endpoint}" not found'})
        if not isinstance(arguments, dict):
            return _error(*platform_error(400, "bad_request", "The body is not a JSON object"))
        job = self._accept(endpoint, arguments, call)
        return self._answer_for(job, 200, {**self._status(job, False), "queue_position": job.position})

    def _accept(self, endpoint: str, arguments: dict[str, Any], call: Call) -> Job:
        with self._lock:
            job = Job(
                id=str(uuid.uuid4()),
                endpoint=endpoint,
                arguments=arguments,
                headers=call.seen.headers,
                key=self._key(call),
                accepted_at=time.time(),
                queue_seconds=self.queue_seconds,
                run_seconds=self.run_seconds,
                changed=threading.Condition(self._lock),
                failure=self.next_error,
                position=self.queue_length,
            )
            self.next_error = None
            self.jobs[job.id] = job
        threading.Thread(target=self._run, args=(job,), daemon=True).start()
        return job

    def _follow(self, call: Call) -> Answer | Events:
        operation = call.seen.operation
        job = self.jobs.get(call.parts["id"])
        if job is None or job.app != call.parts["app"] or job.key != self._key(call):
            gone = {"status": "NOT_FOUND"} if operation == "cancel" else {"detail": "Request not found"}
            return _error(404, gone)
        with_logs = call.ask("logs").lower() in ("1", "true")
        if operation == "stream":
            return self._changes(job, with_logs)
        with self._lock:
            if operation == "cancel":
                return self._cancel(job)
            if operation == "status":
                return self._answer_for(job, 200 if job.state == "COMPLETED" else 202, self._status(job, with_logs))
            if job.state != "COMPLETED":
                return self._answer_for(job, 400, {"detail": "Request is still in progress"})
            return self._answer_for(job, job.status_code, job.body)

    def _answer_for(self, job: Job, status: int, body: dict[str, Any]) -> Answer:
        """An answer of fal's own: fal-client knows it by the request id in its headers."""
        headers = {"X-Fal-Request-Id": job.id}
        if status >= 400 and "error_type" in body:
            headers["X-Fal-Error-Type"] = body["error_type"]
            if body["error_type"] == "request_timeout":
                headers["X-Fal-Request-Timeout-Type"] = "user"
        return _json(body, status, headers)

    def _status(self, job: Job, with_logs: bool) -> dict[str, Any]:
        base = f"{self.url}/queue/{job.app}/requests/{job.id}"
        status: dict[str, Any] = {
            "status": job.state,
            "request_id": job.id,
            "response_url": base,
            "status_url": base + "/status",
            "cancel_url": base + "/cancel",
            "logs": list(job.logs) if with_logs and job.state != "IN_QUEUE" else None,
        }
        if job.state == "IN_QUEUE":
            status["queue_position"] = max(job.position, self._ahead(job))
        if job.state == "COMPLETED":
            status["metrics"] = {"inference_time": job.seconds} if job.started_at else {}
            if job.status_code != 200:
                status.update(_failure_in_status(job.body))
        return status

    def _changes(self, job: Job, with_logs: bool) -> Events:
        """Each status as it changes, up to COMPLETED; None when it is time for a comment."""
        last: dict[str, Any] | None = None
        while last is None or last["status"] != "COMPLETED":
            with self._lock:
                status = self._status(job, with_logs)
                same = status == last
                quiet = same and not job.changed.wait(self.comment_seconds)
            if not same:
                yield status
                last = status
            elif quiet:
                yield None

    def _cancel(self, job: Job) -> Answer:
        if job.state == "COMPLETED":
            return self._answer_for(job, 400, {"status": "ALREADY_COMPLETED"})
        job.cancel_requested = True
        if job.state == "IN_QUEUE" or self.cancel_running:
            job.cancelled = True
            self._finish(job, *platform_error(499, "client_cancelled", "Request was cancelled by the client"))
        return self._answer_for(job, 202, {"status": "CANCELLATION_REQUESTED"})

    # Jobs: the queue and the model

    def _run(self, job: Job) -> None:
        try:
            if self._wait_in_queue(job) and self._wait_for_slot(job):
                self._work(job)
        except Exception:
            self.crashes.append(traceback.format_exc())
            raise
        finally:
            self._finish(job, *platform_error(500, "internal_error", "The runner broke down"))

    def _wait_in_queue(self, job: Job) -> bool:
        """Count the position down; whether the job's turn came."""
        pace = job.queue_seconds / (job.position + 1)
        for position in range(job.position, -1, -1):
            with self._lock:
                job.position = position
                job.changed.notify_all()
            if job.halt.wait(min(pace, job.start_by - time.time())) or self._late(job):
                return False
        return True

    def _wait_for_slot(self, job: Job) -> bool:
        """Start the job as soon as few enough others run; whether it was started."""
        with self._lock:
            while job.state == "IN_QUEUE" and not job.halt.is_set() and not self._late(job):
                if not self._blocked(job):
                    job.state, job.started_at = "IN_PROGRESS", time.time()
                    self._notify_queue()
                    return True
                self._slots.wait(0.2)
        return False

    def _late(self, job: Job) -> bool:
        late = time.time() >= job.start_by
        if late:
            self._finish(job, *platform_error(504, "request_timeout", "The request did not start in time"))
        return late

    def _blocked(self, job: Job) -> bool:
        running = sum(other.state == "IN_PROGRESS" for other in self.jobs.values())
        return self.concurrent is not None and (running >= self.concurrent or self._ahead(job) > 0)

    def _ahead(self, job: Job) -> int:
        """How many jobs are before this one in the queue."""
        if self.concurrent is None:
            return 0
        line = [other for other in self.jobs.values() if other.state == "IN_QUEUE"]
        return line.index(job) if job in line else 0

    def _notify_queue(self) -> None:
        """Wake the waiting jobs; their positions depend on each other only if jobs run at once up to a limit."""
        self._slots.notify_all()
        for job in self.jobs.values():
            if self.concurrent is not None and job.state == "IN_QUEUE":
                job.changed.notify_all()

    def _work(self, job: Job) -> None:
        endpoint = self.endpoints[job.endpoint]
        found = problems(endpoint, job.arguments, self.fetch)
        if found:
            self._finish(job, 422, {"detail": found})
            return
        job.billed = job.failure is None or job.failure[0] < 500
        if self._take_steps(job, endpoint):
            self._finish(job, *(job.failure or (200, self._result(job, endpoint))))

    def _take_steps(self, job: Job, endpoint: Endpoint) -> bool:
        """Log step after step; whether the job got to the end."""
        total = self.steps or job.arguments.get("num_inference_steps", endpoint.default_steps)
        lines = min(total, MAX_LOG_LINES)
        pace = job.run_seconds / lines
        for line in range(1, lines + 1):
            if job.halt.wait(pace):
                return False
            message = progress_line(endpoint, total * line // lines, total, job.seconds)
            with self._lock:
                job.logs.append({"message": message, "level": "INFO", "source": "USER", "timestamp": _iso(time.time())})
                job.changed.notify_all()
        return True

    def _result(self, job: Job, endpoint: Endpoint) -> dict[str, Any]:
        result = picture(endpoint, job.arguments, self.fetch, self.black)
        name = f"{uuid.uuid4().hex[:12]}.{result.content_type.rpartition('/')[2]}"
        url = ""
        if not job.arguments.get("sync_mode"):
            file = self._store(name, result.content_type, job.headers)
            file.data, url = result.data, file.url
        return result_body(endpoint, job.arguments, result, url, job.seconds, self.unsafe)

    def _finish(self, job: Job, status: int, body: dict[str, Any]) -> None:
        """Complete the job, unless it already is."""
        with self._lock:
            if job.state != "COMPLETED":
                job.status_code, job.body = status, body
                job.finished_at, job.state = time.time(), "COMPLETED"
                job.halt.set()
                job.changed.notify_all()
                self._notify_queue()


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    headers = {"Content-Type": "application/json", **(headers or {})}
    return Answer(status=status, body=json.dumps(body).encode(), headers=headers)


def _error(status: int, body: dict[str, Any]) -> Answer:
    headers = {"X-Fal-Error-Type": body["error_type"]} if "error_type" in body else {}
    return _json(body, status, headers)


def _failure_in_status(body: dict[str, Any]) -> dict[str, str]:
    detail = body.get("detail", "")
    if isinstance(detail, list):
        return {"error": detail[0]["msg"], "error_type": detail[0]["type"]}
    return {"error": detail, "error_type": body.get("error_type", "internal_error")}


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def _timestamp(text: str, default: float) -> float:
    # Python 3.10 does not read the Z; and a + that was not escaped arrives as a space
    if not text:
        return default
    at = datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "+"))
    return at.replace(tzinfo=at.tzinfo or UTC).timestamp()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    fake: FakeFal

    def __init__(self, *args: Any) -> None:
        self.connections: set[socket.socket] = set()
        self.closing = threading.Event()
        super().__init__(*args)

    def cut(self, spare: socket.socket | None) -> None:
        self.closing.set()
        for connection in self.connections - {spare}:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A caller may hang up
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            self.fake.crashes.append(traceback.format_exc())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def serve(self) -> None:
        call = self._read()
        fake = self.server.fake
        fault = fake.receive(call)
        if fault is None:
            self._send(fake.answer(call), None)
        elif fault.action == "drop_before":
            self._reset()
        elif fault.action == "status":
            if fault.accepted:
                fake.answer(call)
            self._send_answer(_fault_answer(fault))
        else:
            if fault.action == "slow":
                self.server.closing.wait(fault.seconds)
            self._send(fake.answer(call), fault)

    do_GET = do_POST = do_PUT = serve

    def _read(self) -> Call:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path)
        operation, parts = _route(self.command, path.path)
        seen = Seen(
            operation=operation,
            method=self.command,
            path=self.path,
            headers=self.headers,
            size=len(body),
            at=time.time(),
            port=self.client_address[1],
        )
        return Call(seen=seen, body=body, parts=parts, query=parse_qs(path.query))

    def _send(self, answer: Answer | Events, fault: Fault | None) -> None:
        action = fault.action if fault else None
        if not isinstance(answer, Answer):
            return self._send_events(answer, fault)
        if fault and action in ("accept_then_drop", "accept_then_hang"):
            return self._hang_up(fault)
        if action == "garbage":
            answer = Answer(status=200, body=GARBAGE, headers={"Content-Type": "application/json"})
        elif action == "close":
            self.server.fake.stop(spare=self.connection)
            self.close_connection = True
            answer = Answer(status=answer.status, body=answer.body, headers={**answer.headers, "Connection": "close"})
        elif fault and fault.edit and action == "edit":
            edited = fault.edit(json.loads(answer.body))
            answer = _json(edited, answer.status, answer.headers)
        self._send_answer(answer, half=action == "half_body")
        return None

    def _send_answer(self, answer: Answer, half: bool = False) -> None:
        headers = {**answer.headers, "Content-Length": str(len(answer.body))}
        body = answer.body[: len(answer.body) // 2] if half else answer.body
        self.wfile.write(_head(answer.status, headers) + body)
        if half:
            self.close_connection = True

    def _send_events(self, events: Events, fault: Fault | None) -> None:
        """Server-sent events; what cuts an answer short cuts the stream after, or in, its first event."""
        headers = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
        self.wfile.write(_head(200, headers))
        for event in events:
            if fault and fault.action == "edit" and fault.edit and event is not None:
                event = fault.edit(event)
            mute = event is None or (fault and fault.action == "mute")
            text = b": keep-alive\n\n" if mute else b"data: " + json.dumps(event).encode() + b"\n\n"
            if fault and fault.action == "garbage":
                text = b"data: " + GARBAGE + b"\n\n"
            if fault and fault.action == "half_body":
                text = text[: len(text) // 2]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
            if fault and fault.action in ("accept_then_drop", "accept_then_hang", "half_body"):
                return self._hang_up(fault)
        if fault and fault.action in ("mute", "linger"):
            self.server.closing.wait(fault.seconds)
        self.wfile.write(b"0\r\n\r\n")

    def _hang_up(self, fault: Fault) -> None:
        if fault.action == "accept_then_hang":
            self.server.closing.wait(fault.seconds)
        self.close_connection = True

    def _reset(self) -> None:
        """Close with a reset, and without what the server class would still send."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.server.connections.discard(self.connection)
        os.close(self.connection.detach())


def _route(method: str, path: str) -> tuple[str, dict[str, str]]:
    for operation, verb, pattern in ROUTES:
        match = re.fullmatch(pattern, path) if verb == method else None
        if match:
            return operation, match.groupdict()
    return "unknown", {}


def _head(status: int, headers: dict[str, str]) -> bytes:
    phrase = BaseHTTPRequestHandler.responses.get(status, ("",))[0]
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _fault_answer(fault: Fault) -> Answer:
    if isinstance(fault.body, str):
        headers = {"Content-Type": "text/html", **fault.headers}
        return Answer(status=fault.code, body=fault.body.encode(), headers=headers)
    return _json(fault.body, fault.code, fault.headers)


def main() -> None:
    """Run a script with this module in place of fal."""
    parser = argparse.ArgumentParser(prog="python -m tests.fake_fal", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="of the server (any free one)")
    parser.add_argument("--queue", type=float, default=2.0, metavar="SECONDS", help="time in the queue (2)")
    parser.add_argument("--run", type=float, default=6.0, metavar="SECONDS", help="time the model works (6)")
    parser.add_argument("--no-key", action="store_true", help="leave FAL_KEY empty")
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    fake = FakeFal(port=options.port, queue_seconds=options.queue, run_seconds=options.run).start()
    for name, address in fake.addresses().items():
        setattr(fal_client.client, name, address)
    for name in PROXY_VARIABLES:
        os.environ.pop(name, None)
    # Empty and not absent, so that a key from a .env file does not take its place
    os.environ.update(FAL_API_URL=fake.api_url, FAL_KEY="" if options.no_key else TEST_KEY)
    print(f"fal is played at {fake.url}; the only key it takes is {TEST_KEY}", flush=True)
    sys.argv = [options.script, *options.arguments]
    sys.path.insert(0, os.path.dirname(os.path.abspath(options.script)))
    runpy.run_path(options.script, run_name="__main__")
