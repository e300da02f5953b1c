"""The page without a browser: what stands on it, and its events, named by component and event as on the page."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from typing import Any

from tests.client import Client, QueuedEvent, on_rail

KEPT = {"vton-ui": "memory", "vton-ui-form": "form"}
"""What the browser keeps, by storage key; these components have no elem_id."""
MEMORY = "memory"


class PageClient(Client):
    """One browser tab. It sends what stands on the page and applies the answers to it.

    Args:
        url: The address of the app.
        values: What stands on the page at first, by elem_id.
    """

    def __init__(self, url: str, **values: Any) -> None:
        super().__init__(url)
        self.parts: dict[int, dict[str, Any]] = {part["id"]: dict(part["props"]) for part in self.config["components"]}
        self._ids: dict[str, list[int]] = {}
        for part in self.config["components"]:
            name = KEPT.get(part["props"].get("storage_key")) or part["props"].get("elem_id")
            self._ids.setdefault(name, []).append(part["id"])
        self._events = self.config["dependencies"]
        for name in KEPT.values():
            self[name] = self.part(name)["default_value"]
        for name, value in values.items():
            self[name] = value

    def reloaded(self, **values: Any) -> PageClient:
        """The same browser after a reload: the page is empty, and what the browser keeps is still there."""
        page = PageClient(self.url, **{name: self[name] for name in KEPT.values()}, **values)
        page.http.cookies = self.http.cookies
        return page

    def __getitem__(self, name: str) -> Any:
        """The value of a component."""
        return self.part(name).get("value")

    def __setitem__(self, name: str, value: Any) -> None:
        for each in self._ids[name]:
            self.parts[each]["value"] = value

    def part(self, name: str) -> dict[str, Any]:
        """All properties of a component."""
        return self.parts[self._ids[name][0]]

    def give(self, person: bytes, *garments: bytes) -> None:
        """Put photos into the two slots."""
        self["person"] = self.upload(person)
        self["garments"] = [on_rail(self.upload(garment)) for garment in garments]

    def tiles(self, name: str = "result") -> list[dict[str, Any]]:
        """The looks in the station, or in the strip ("looks"), in their order."""
        value = self[name]
        if isinstance(value, str):
            return list(json.loads(value)["tiles"])
        return [json.loads(value["tiles"][id]) for id in value["order"].split()]

    def address(self, relative: str) -> str:
        """The whole address of what the page shows."""
        return f"{self.url}{relative}"

    def picture(self) -> str:
        """The address of the only look in the station, or of what it shows meanwhile."""
        (only,) = self.tiles()
        return self.address(only["url"] or only["meanwhile"] or only["before"])

    def happens(self, name: str, event: str, **told: Any) -> None:
        """Fire an event of a component, with what it tells, and run everything that follows from it."""
        for _ in self.following(name, event, **told):
            pass

    def click(self, name: str) -> None:
        """Press a button, to the end of what it starts."""
        self.happens(name, "click")

    def until(self, words: str, steps: Iterator[None]) -> None:
        """Take step after step until the status contains these words."""
        assert any(words in self["status"] for _ in steps), self["failure"]

    def following(self, name: str, event: str = "click", **told: Any) -> Generator[None, None, None]:
        """The same as `happens`, step by step: after each the page is as a visitor would see it."""
        for one in self._events_of(name, event):
            body = {**self._data(one), "event_data": told or None}
            yield from self._queued(one, body) if one["queue"] is not False else self._unqueued(one, body)

    def press(self, name: str, event: str = "click", **told: Any) -> None:
        """Press a button without listening to what it starts."""
        for one in self._events_of(name, event):
            body = {**self._data(one), "event_data": told or None}
            self.http.post("gradio_api/queue/join", json=body).raise_for_status()

    def _events_of(self, name: str, event: str) -> list[Any]:
        wanted = [[each, event] for each in self._ids[name]]
        found = [one for one in self._events if any(target in wanted for target in one["targets"])]
        # Some functions are called after a step in the browser that does nothing: see `wiring._call_always_last`.
        steps = {one["id"] for one in found if not one["backend_fn"]}
        called = [one for one in self._events if one["backend_fn"] and (one in found or one["trigger_after"] in steps)]
        assert called, f"nothing happens at {event} of {name}"
        return called

    def _data(self, event: Mapping[str, Any]) -> dict[str, Any]:
        data = [self.parts[each].get("value") for each in event["inputs"]]
        return {"data": data, "fn_index": event["id"], "session_hash": self.session}

    def _unqueued(self, event: Mapping[str, Any], body: Mapping[str, Any]) -> Generator[None, None, None]:
        answer = self.http.post("gradio_api/run/predict", json=body)
        self._apply(event, answer.raise_for_status().json()["data"])
        yield

    def _queued(self, event: Mapping[str, Any], body: Mapping[str, Any]) -> Generator[None, None, None]:
        joined = self.http.post("gradio_api/queue/join", json=body).raise_for_status().json()
        for output in self.outputs(QueuedEvent(session=self.session, index=event["id"], id=joined["event_id"])):
            assert output["success"], output
            self._apply(event, output["data"])
            yield

    def _apply(self, event: Mapping[str, Any], values: list[Any]) -> None:
        for each, value in zip(event["outputs"], values, strict=True):
            if isinstance(value, dict) and value.get("__type__") == "update":
                own = {**self.parts[each].get("props", {}), **value.get("props", {})}
                self.parts[each].update({**value, "props": own})
            else:
                self.parts[each]["value"] = value
