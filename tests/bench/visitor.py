"""Visitors of an app over plain HTTP: upload, click, wait for the picture.

On threads and http.client, which take the least processor time from the apps that are measured.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.bench.server import Server

FILE = {"_type": "gradio.FileData"}
Arguments = Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]]


def ours(person: str, garment: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """This app's arguments for two uploaded photos."""
    return {
        "person": {"path": person, "meta": FILE},
        "garments": [{"path": garment, "meta": FILE}],
        "model": "cat-vton",
        **given,
    }


def baselines(person: str, garment: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The baseline's, which has no seed."""
    flux = given.get("model") == "flux-vto"
    return {
        "person": {"path": person, "meta": FILE},
        "garment": {"path": garment, "meta": FILE},
        "model": "fal-ai/flux-pro/v1/vto" if flux else "fal-ai/cat-vton",
    }


class Refused(Exception):
    """The app answered with an error."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One try-on: seconds from the click to the answer, and the answer."""

    seconds: float
    answer: list[Any]


class AppClient:
    """A client of one app."""

    def __init__(self, server: Server, arguments: Arguments) -> None:
        self.server = server
        self._arguments = arguments
        self._endpoints = server.json("/gradio_api/info")["named_endpoints"]

    def upload(self, *photos: bytes) -> list[str]:
        """Upload photos; returns their paths on the server."""
        rim = uuid.uuid4().hex
        head = 'Content-Disposition: form-data; name="files"; filename="photo.jpg"\r\nContent-Type: image/jpeg'
        parts = [f"--{rim}\r\n{head}\r\n\r\n".encode() + photo + b"\r\n" for photo in photos]
        body = b"".join(parts) + f"--{rim}--\r\n".encode()
        paths = self._post("/gradio_api/upload", body, f"multipart/form-data; boundary={rim}")
        return [str(path) for path in paths]

    def try_on(self, person: str, garment: str, session: str | None = None, **given: Any) -> Visit:
        """One try-on of uploaded photos. Refused if the app says no."""
        return self._called("try_on", self._arguments(person, garment, given), session)

    def looks(self, person: str, garment: str, count: int) -> Visit:
        """So many looks of uploaded photos from one click. Refused if one of them fails, or the app says no."""
        named = {**self._arguments(person, garment, {}), "models": ["cat-vton"], "variations": count}
        visit = self._called("looks", named)
        if [look["status"] for look in visit.answer[1]] != ["done"] * count:
            raise Refused(str(visit.answer[1]))
        return visit

    def _called(self, endpoint: str, named: Mapping[str, Any], session: str | None = None) -> Visit:
        begin = time.perf_counter()
        parameters = self._endpoints[f"/{endpoint}"]["parameters"]
        data = [named.get(each["parameter_name"], each.get("parameter_default")) for each in parameters]
        call = json.dumps({"data": data, "session_hash": session}).encode()
        event = self._post(f"/gradio_api/call/{endpoint}", call, "application/json")["event_id"]
        answer = self._listen(f"/gradio_api/call/{endpoint}/{event}")
        return Visit(seconds=time.perf_counter() - begin, answer=answer)

    def _post(self, path: str, body: bytes, kind: str) -> Any:
        connection = self._connection()
        try:
            connection.request("POST", path, body, {"Content-Type": kind})
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise Refused(f"{path}: {response.status} {answer[:200]!r}")
        return json.loads(answer)

    def _listen(self, path: str) -> list[Any]:
        """What comes with the last event of a try-on."""
        connection = self._connection()
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            event = ""
            for line in response:
                word, _, rest = line.decode().strip().partition(": ")
                if word == "event":
                    event = rest
                elif word == "data" and event == "complete":
                    return list(json.loads(rest))
                elif word == "data" and event == "error":
                    raise Refused(rest)
            raise Refused("the answer breaks off")
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=300)


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Visitors who clicked together: seconds from the click to the last answer, and to each."""

    wall: float
    each: list[float]


def at_once(client: AppClient, photos: Sequence[tuple[bytes, bytes]]) -> Crowd:
    """One visitor for each pair of photos; all photos are uploaded before the clicks."""
    begin = 0.0

    def clicks() -> None:
        nonlocal begin
        begin = time.perf_counter()

    gate = threading.Barrier(len(photos), action=clicks)

    def visit(pair: tuple[bytes, bytes]) -> float:
        try:
            person, garment = client.upload(*pair)
        except BaseException:
            gate.abort()
            raise
        gate.wait()
        client.try_on(person, garment)
        return time.perf_counter() - begin

    with ThreadPoolExecutor(max_workers=len(photos)) as threads:
        each = list(threads.map(visit, photos))
    return Crowd(wall=max(each), each=sorted(each))
