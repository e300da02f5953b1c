"""The page as its browser speaks it over HTTP, without a browser: for what two visitors do to each other."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from tests.conftest import photo_bytes

META = {"_type": "gradio.FileData"}
UNCHANGED: tuple[Any, ...] = ({"__type__": "update"}, {"__type__": "update", "props": {"__type__": "update"}}, [])


class Tab:
    """One browser with one tab.

    Args:
        url: The server.
        cookies: Whether the browser keeps them.
        headers: What it sends with all it asks for.
    """

    def __init__(self, url: str, *, cookies: bool = True, headers: Mapping[str, str] | None = None) -> None:
        self.http = httpx.Client(base_url=url, headers=headers, timeout=60)
        self.session = uuid.uuid4().hex
        self.page = self.http.get("")
        self.config = self.http.get("config").json()
        if not cookies:
            self.http.cookies.clear()
            self.http.event_hooks["response"].append(lambda _: self.http.cookies.clear())
        self._parts = {part["id"]: part for part in self.config["components"]}

    def upload(self, data: bytes | None = None, name: str = "photo.jpg") -> dict[str, Any]:
        """A photo, as slots and calls name it."""
        answer = self.http.post("gradio_api/upload", files={"files": (name, data or photo_bytes(400, 400))})
        return {"path": answer.raise_for_status().json()[0], "meta": META}

    def file(self, photo: Mapping[str, Any]) -> int:
        """The status of the answer to who asks for a photo."""
        return self.http.get(f"gradio_api/file={photo['path']}").status_code

    def call(self, name: str, **arguments: Any) -> str:
        """A call of the API; what its last event says."""
        started = self.http.post(f"gradio_api/call/v2/{name}", json=arguments)
        if not started.is_success:
            return started.text
        return self.http.get(f"gradio_api/call/{name}/{started.json()['event_id']}").text

    def event(self, name: str, **values: Any) -> dict[str, Any]:
        """An event of the page, to its end; what it changed, by elem_id or else by kind of component."""
        changed: dict[str, Any] = {}
        for step in self.steps(name, **values):
            changed |= step
        return changed

    def steps(self, name: str, **values: Any) -> Iterator[dict[str, Any]]:
        """The same, step by step."""
        (wanted,) = (found for found in self.config["dependencies"] if found["api_name"] == name)
        data = [values.get(self._name(id), self._parts[id]["props"].get("value")) for id in wanted["inputs"]]
        body = {"data": data, "session_hash": self.session, "fn_index": wanted["id"]}
        if not wanted["queue"]:
            answer = self.http.post(f"gradio_api/run/{name}", json=body).json()
            yield self._named(wanted, answer["data"]) if "data" in answer else {"error": answer["error"]}
            return
        self.http.post("gradio_api/queue/join", json=body).raise_for_status()
        with self.http.stream("GET", f"gradio_api/queue/data?session_hash={self.session}") as stream:
            for line in stream.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if message.get("msg") in ("process_generating", "process_completed"):
                    output = message["output"]
                    yield self._named(wanted, output["data"]) if "data" in output else {"error": output.get("error")}
                if message.get("msg") == "process_completed":
                    return

    def _name(self, id: int) -> str:
        part = self._parts[id]
        return part["props"].get("elem_id") or str(part["type"])

    def _named(self, event: Mapping[str, Any], data: list[Any]) -> dict[str, Any]:
        changed = ((self._name(id), _plain(value)) for id, value in zip(event["outputs"], data, strict=True))
        return {name: value for name, value in changed if value not in UNCHANGED}


def _plain(value: Any) -> Any:
    """A value that came as an edit of the one before."""
    is_edit = isinstance(value, list) and len(value) == 1 and isinstance(value[0], list) and value[0][0] == "replace"
    return value[0][2] if is_edit else value
