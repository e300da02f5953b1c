"""A client of the app that speaks Gradio's protocol over plain HTTP, and can send what Gradio's own clients do not."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Generator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx
from itsdangerous import URLSafeSerializer

from tests.conftest import photo_bytes

META = {"_type": "gradio.FileData"}
_numbers = itertools.count()
UNCHANGED: tuple[Any, ...] = ({"__type__": "update"}, {"__type__": "update", "props": {"__type__": "update"}})


@dataclass(frozen=True, kw_only=True)
class QueuedEvent:
    """An event in the queue."""

    session: str
    index: int
    id: str


class Client:
    """One visitor: a script, or a browser with one tab.

    Args:
        url: The address of the app.
        cookies: Whether it keeps cookies, as browsers do.
        headers: Sent with every request.
    """

    def __init__(self, url: str, *, cookies: bool = True, headers: Mapping[str, str] | None = None) -> None:
        self.url, self.headers = url, dict(headers or {})
        self.http = httpx.Client(base_url=url, headers=self.headers, timeout=60)
        self.session = uuid.uuid4().hex
        self._open_streams: set[str] = set()  # by session
        if cookies:
            self.http.get("")
        else:
            self.http.event_hooks["response"].append(lambda _: self.http.cookies.clear())

    @cached_property
    def config(self) -> Any:
        """The page's components and events."""
        return self.http.get("config").json()

    @cached_property
    def endpoints(self) -> Any:
        """The endpoints of the API, by "/name"."""
        return self.http.get("gradio_api/info").json()["named_endpoints"]

    @cached_property
    def components(self) -> dict[int, Any]:
        """The page's components, by id."""
        return {part["id"]: part for part in self.config["components"]}

    def upload(self, photo: bytes | None = None, name: str = "photo.jpg") -> dict[str, Any]:
        """Upload a photo; returns its name in slots and calls."""
        answer = self.http.post("gradio_api/upload", files={"files": (name, photo or photo_bytes(400, 400))})
        return {"path": answer.raise_for_status().json()[0], "meta": META}

    def file_status(self, photo: Mapping[str, Any]) -> int:
        """The HTTP status when a photo is fetched."""
        return self.http.get(f"gradio_api/file={photo['path']}").status_code

    # Endpoints of the API

    def call_text(self, name: str, **arguments: Any) -> str:
        """Call an endpoint; returns the text of its stream, or of its refusal."""
        started = self.http.post(f"gradio_api/call/v2/{name}", json=arguments)
        if not started.is_success:
            return started.text
        return self.http.get(f"gradio_api/call/{name}/{started.json()['event_id']}").text

    def call(self, name: str, **arguments: Any) -> Any:
        """Call an endpoint; returns its outputs, or its error as a text."""
        last = self.call_text(name, **arguments).strip().rpartition("event: ")[2]
        kind, data = last.split("\ndata: ", 1)
        return json.loads(data) if kind == "complete" else data.strip()

    # The queue

    def join(self, name: str, **values: Any) -> QueuedEvent:
        """Join the queue with an endpoint's arguments, or with the page's values by elem_id or by type."""
        wanted, session = self._dependency(name), uuid.uuid4().hex
        if f"/{name}" in self.endpoints:
            parameters = self.endpoints[f"/{name}"]["parameters"]
            data = [values.get(item["parameter_name"], item.get("parameter_default")) for item in parameters]
        else:
            data = self._inputs(wanted, values)
        body = {"data": data, "fn_index": wanted["id"], "session_hash": session}
        answer = self.http.post("gradio_api/queue/join", json=body).raise_for_status().json()
        return QueuedEvent(session=session, index=wanted["id"], id=answer["event_id"])

    def messages(self, event: QueuedEvent) -> Generator[dict[str, Any], None, None]:
        """The queue's messages about an event, to its end."""
        assert event.session not in self._open_streams, (
            "of two streams of one session each would get some of the messages"
        )
        self._open_streams.add(event.session)
        try:
            with self.http.stream("GET", "gradio_api/queue/data", params={"session_hash": event.session}) as stream:
                for line in stream.iter_lines():
                    if line.startswith("data:"):
                        message = json.loads(line.removeprefix("data:"))
                        if message.get("event_id") not in (event.id, None):
                            continue
                        yield message
                        if message.get("msg") in ("process_completed", "close_stream"):
                            return
        finally:
            self._open_streams.remove(event.session)

    def cancel(self, event: QueuedEvent) -> None:
        """What Gradio's clients send when a call is cancelled."""
        body = {"session_hash": event.session, "fn_index": event.index, "event_id": event.id}
        self.http.post("gradio_api/cancel", json=body)

    # Events of the page, without a memory of what is on it

    def event(self, name: str, **values: Any) -> dict[str, Any]:
        """Run an event of the page to its end; returns the changes by elem_id, or else by type of component."""
        changed: dict[str, Any] = {}
        for step in self.steps(name, **values):
            changed |= step
        return changed

    def steps(self, name: str, **values: Any) -> Generator[dict[str, Any], None, None]:
        """The same, step by step."""
        wanted = self._dependency(name)
        body = {"data": self._inputs(wanted, values), "session_hash": self.session, "fn_index": wanted["id"]}
        if not wanted["queue"]:
            answer = self.http.post(f"gradio_api/run/{name}", json=body).json()
            yield self._changes(wanted, answer["data"]) if "data" in answer else {"error": answer["error"]}
            return
        joined = self.http.post("gradio_api/queue/join", json=body).raise_for_status().json()
        event = QueuedEvent(session=self.session, index=wanted["id"], id=joined["event_id"])
        for output in self.outputs(event):
            yield self._changes(wanted, output["data"]) if "data" in output else {"error": output.get("error")}

    def outputs(self, event: QueuedEvent) -> Generator[dict[str, Any], None, None]:
        """The output of each step, with whole values."""
        data: list[Any] | None = None
        for message in self.messages(event):
            if message.get("msg") not in ("process_generating", "process_completed"):
                continue
            output = message.get("output") or {}
            if data is not None and message["msg"] == "process_generating" and "data" in output:
                output["data"] = [edited(deepcopy(old), edits) for old, edits in zip(data, output["data"], strict=True)]
            data = deepcopy(output.get("data"))
            yield {**output, "success": message.get("success", True)}

    def _dependency(self, name: str) -> Any:
        (wanted,) = (found for found in self.config["dependencies"] if found["api_name"] == name)
        return wanted

    def _inputs(self, event: Any, values: Mapping[str, Any]) -> list[Any]:
        return [self._value(self.components[id], values) for id in event["inputs"]]

    def _value(self, component: Any, values: Mapping[str, Any]) -> Any:
        names = (component["props"].get("elem_id"), _kind(component))
        return next((values[name] for name in names if name in values), component["props"].get("value"))

    def _changes(self, event: Mapping[str, Any], data: list[Any]) -> dict[str, Any]:
        changed = ((self._name(id), value) for id, value in zip(event["outputs"], data, strict=True))
        return {name: value for name, value in changed if value not in UNCHANGED}

    def _name(self, id: int) -> str:
        component = self.components[id]
        return component["props"].get("elem_id") or _kind(component)


def _kind(component: Mapping[str, Any]) -> str:
    """A component's type; of the two that browsers keep, the one with the page's values is called "form"."""
    is_form = component["props"].get("storage_key") == "vton-ui-form"
    return "form" if is_form else str(component["type"])


def on_rail(photo: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """An uploaded photo as a garment on the page's rail."""
    return {"id": f"g{next(_numbers)}", "path": photo["path"], **fields}


def memory_of(value: Any) -> dict[str, Any] | None:
    """The jobs and results in what a browser keeps; None if the value is something else."""
    _, data = URLSafeSerializer(b"").loads_unsafe(value) if isinstance(value, str) else (False, None)
    return data if isinstance(data, dict) and set(data) == {"jobs", "results"} else None


def edited(value: Any, edits: list[Any]) -> Any:
    """A value after the edits of a step, as the page makes them: Gradio sends what changed inside a value."""
    for action, path, new in edits:
        if not path:
            value = value + new if action == "append" else new
            continue
        parent = value
        for key in path[:-1]:
            parent = parent[key]
        if action == "delete":
            del parent[path[-1]]
        elif action == "append":
            parent[path[-1]] += new
        elif isinstance(parent, list) and action == "add":
            parent.insert(path[-1], new)
        else:
            parent[path[-1]] = new
    return value
