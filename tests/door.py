"""A visitor at the app's HTTP door, who speaks Gradio's protocol bare and so may do what no client does."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

META = {"_type": "gradio.FileData"}


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event that was joined to the queue."""

    session: str
    index: int
    id: str


@dataclass(kw_only=True)
class Door:
    """One visitor; `headers` go with every request."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=f"{self.url}gradio_api/", headers=self.headers, timeout=60)
        self.config: Any = httpx.get(f"{self.url}config", headers=self.headers, timeout=60).json()
        self.parts = {part["id"]: part for part in self.config["components"]}
        self.endpoints = self.http.get("info").json()["named_endpoints"]

    def upload(self, photo: bytes, name: str = "photo.jpg") -> dict[str, Any]:
        path = self.http.post("upload", files={"files": (name, photo)}).json()[0]
        return {"path": path, "meta": META}

    def event(self, name: str) -> Any:
        (wanted,) = (found for found in self.config["dependencies"] if found["api_name"] == name)
        return wanted

    def join(self, name: str, **values: Any) -> Event:
        """Join the queue with an endpoint's arguments, or with what stands on the page: by elem_id, or by type."""
        wanted, session = self.event(name), uuid.uuid4().hex
        if f"/{name}" in self.endpoints:
            parameters = self.endpoints[f"/{name}"]["parameters"]
            data = [values.get(item["parameter_name"], item.get("parameter_default")) for item in parameters]
        else:
            data = [self._value(self.parts[id], values) for id in wanted["inputs"]]
        body = {"data": data, "fn_index": wanted["id"], "session_hash": session}
        answer = self.http.post("queue/join", json=body).raise_for_status().json()
        return Event(session=session, index=wanted["id"], id=answer["event_id"])

    def _value(self, part: Any, values: dict[str, Any]) -> Any:
        names = (part["props"].get("elem_id"), part["type"])
        return next((values[name] for name in names if name in values), part["props"].get("value"))

    def messages(self, event: Event) -> Iterator[dict[str, Any]]:
        """What the queue tells of an event, to its end."""
        with self.http.stream("GET", "queue/data", params={"session_hash": event.session}) as stream:
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    message = json.loads(line.removeprefix("data:"))
                    if message.get("event_id") in (event.id, None):
                        yield message
                    if message.get("msg") in ("process_completed", "close_stream"):
                        return

    def cancel(self, event: Event) -> None:
        """What Gradio's clients send when a call is cancelled."""
        body = {"session_hash": event.session, "fn_index": event.index, "event_id": event.id}
        self.http.post("cancel", json=body)

    def call(self, name: str, **arguments: Any) -> Any:
        """An endpoint of the API: its outputs, or its error as a text. The steps before its last event are left out."""
        event_id = self.http.post(f"call/v2/{name}", json=arguments).raise_for_status().json()["event_id"]
        told = self.http.get(f"call/{name}/{event_id}").text
        kind, data = told.strip().split("\n\n")[-1].removeprefix("event: ").split("\ndata: ", 1)
        return json.loads(data) if kind == "complete" else data.strip()
