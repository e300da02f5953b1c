"""The page without a browser: its events over HTTP, named by the component and the event that its script would send."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx

MEMORY = "memory"
"""What the browser keeps. It has no elem_id of its own."""


class PageEvents:
    """One browser tab: it sends what stands on the page and takes over what is answered.

    Args:
        url: The address of the app.
        values: What stands on the page at first, by elem_id.
    """

    def __init__(self, url: str, **values: Any) -> None:
        self.http = httpx.Client(base_url=url, timeout=30)
        self.http.get("/")
        self.session = secrets.token_hex(8)
        config = self.http.get("config").json()
        self.parts: dict[int, dict[str, Any]] = {part["id"]: dict(part["props"]) for part in config["components"]}
        self._names: dict[str, list[int]] = {}
        for part in config["components"]:
            name = MEMORY if part["type"] == "browserstate" else part["props"].get("elem_id")
            self._names.setdefault(name, []).append(part["id"])
        self._events = [event for event in config["dependencies"] if event["backend_fn"]]
        self[MEMORY] = self.part(MEMORY)["default_value"]
        for name, value in values.items():
            self[name] = value

    def reloaded(self, **values: Any) -> PageEvents:
        """The same browser after a reload: the page is empty, and the browser has kept what it keeps."""
        page = PageEvents(str(self.http.base_url), **{MEMORY: self[MEMORY], **values})
        page.http.cookies = self.http.cookies
        return page

    def __getitem__(self, name: str) -> Any:
        """What a component holds."""
        return self.part(name).get("value")

    def __setitem__(self, name: str, value: Any) -> None:
        for each in self._names[name]:
            self.parts[each]["value"] = value

    def part(self, name: str) -> dict[str, Any]:
        """All that is known of a component."""
        return self.parts[self._names[name][0]]

    def upload(self, photo: bytes, name: str = "photo.jpg") -> dict[str, Any]:
        """A photo as its slot holds it."""
        answer = self.http.post("gradio_api/upload", files={"files": (name, photo)}).raise_for_status()
        return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}

    def give(self, person: bytes, *garments: bytes) -> None:
        """Put photos into the two slots."""
        self["person"] = self.upload(person)
        self["garments"] = [{"image": self.upload(garment)} for garment in garments]

    def happens(self, name: str, event: str) -> None:
        """Let something happen on the page, and all that follows from it."""
        for _ in self.following(name, event):
            pass

    def click(self, name: str) -> None:
        """Press a button, to the end of what it starts."""
        self.happens(name, "click")

    def until(self, words: str, steps: Iterator[None]) -> None:
        """Take step after step until the status says these words."""
        assert any(words in self["status"] for _ in steps), self["failure"]

    def following(self, name: str, event: str = "click") -> Iterator[None]:
        """What happens then, step by step: after each the page is as a visitor would see it."""
        wanted = [[each, event] for each in self._names[name]]
        found = [one for one in self._events if any(target in wanted for target in one["targets"])]
        assert found, f"nothing happens at {event} of {name}"
        for one in found:
            yield from self._queued(one) if one["queue"] is not False else self._at_once(one)

    def _data(self, event: dict[str, Any]) -> dict[str, Any]:
        data = [self.parts[each].get("value") for each in event["inputs"]]
        return {"data": data, "fn_index": event["id"], "session_hash": self.session}

    def _at_once(self, event: dict[str, Any]) -> Iterator[None]:
        answer = self.http.post("gradio_api/run/predict", json=self._data(event))
        self._take(event, answer.raise_for_status().json()["data"])
        yield

    def _queued(self, event: dict[str, Any]) -> Iterator[None]:
        joined = self.http.post("gradio_api/queue/join", json=self._data(event)).raise_for_status().json()
        first = True
        with self.http.stream("GET", "gradio_api/queue/data", params={"session_hash": self.session}) as answer:
            for line in answer.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line else {}
                if message.get("event_id") != joined["event_id"]:
                    continue
                assert message.get("success", True), message
                values = (message.get("output") or {}).get("data")
                if message["msg"] == "process_generating":
                    self._take(event, values if first else [_replaced(value) for value in values])
                    first = False
                    yield
                elif message["msg"] == "process_completed":
                    if first:
                        self._take(event, values)
                        yield
                    return

    def _take(self, event: dict[str, Any], values: list[Any]) -> None:
        for each, value in zip(event["outputs"], values, strict=True):
            if isinstance(value, dict) and value.get("__type__") == "update":
                self.parts[each].update(value)
            else:
                self.parts[each]["value"] = value


def _replaced(difference: list[Any]) -> Any:
    """A later step brings a list of differences: here always the whole value, or none."""
    if not difference:
        return {"__type__": "update"}
    ((action, path, value),) = difference
    assert (action, path) == ("replace", [])
    return value
