"""How long a new visitor on a slow line waits for a page to answer, and how much is sent for it, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

SLOW = {"offline": False, "latency": 150, "downloadThroughput": 1_500_000 / 8, "uploadThroughput": 1_500_000 / 8}
"""1.5 Mbit/s and 150 ms, in the terms of Chromium's `Network.emulateNetworkConditions`."""
PATIENCE = 120.0


@dataclass(kw_only=True)
class Visit:
    """A page's load.

    Attributes:
        seconds: From the request of the page to the end of the stream that answers its first events.
        received: Bytes as they came over the wire, headers included.
        requests: How many were sent; what came from the browser's cache was not.
    """

    seconds: float = 0.0
    received: int = 0
    requests: int = 0


def first_and_second(urls: Mapping[str, str], rounds: int) -> dict[str, list[tuple[Visit, Visit]]]:
    """Of each page so many visits of a new browser on a slow line, each with one more by the same; pages in turns.

    Raises:
        NoBrowser: There is none.
        ImportError: Nor anything to drive it with.
    """
    from tests.browser import DESK, chromium

    found: dict[str, list[tuple[Visit, Visit]]] = {name: [] for name in urls}
    with chromium() as browser:
        for _ in range(rounds):
            for name, url in urls.items():
                with browser.new_context(viewport=DESK) as context:  # type: ignore[arg-type]
                    slow, again = context.new_page(), context.new_page()
                    first = visit(slow, url, SLOW)
                    slow.close()
                    found[name].append((first, visit(again, url)))
    return found


def visit(page: Page, url: str, conditions: dict[str, Any] | None = None) -> Visit:
    """Load a page until its first events are answered and everything on it is there.

    Args:
        page: In which it is loaded; what its context has in its cache is used.
        url: Of the page.
        conditions: Of the network, for example SLOW.

    Raises:
        TimeoutError: No event is answered.
    """
    network = page.context.new_cdp_session(page)
    traffic = _Traffic(begin=time.perf_counter())
    for event, note in (
        ("requestWillBeSent", traffic.sent),
        ("requestServedFromCache", traffic.cached),
        ("responseReceived", traffic.answered),
        ("loadingFinished", traffic.over),
        ("loadingFailed", traffic.over),
    ):
        network.on(f"Network.{event}", note)
    network.send("Network.enable")
    if conditions:
        network.send("Network.emulateNetworkConditions", conditions)
    traffic.begin = time.perf_counter()
    page.goto(url, wait_until="commit", timeout=PATIENCE * 1000)
    while not traffic.done:
        if time.perf_counter() - traffic.begin > PATIENCE:
            raise TimeoutError(f"{url} answers no event")
        page.wait_for_timeout(20)
    while traffic.open:
        page.wait_for_timeout(200)  # a picture may be drawn a moment after the answer
    network.detach()
    return Visit(
        seconds=traffic.seconds,
        received=sum(traffic.received.values()),
        requests=len(traffic.urls.keys() - traffic.from_cache),
    )


@dataclass(kw_only=True)
class _Traffic:
    begin: float
    urls: dict[str, str] = field(default_factory=dict)
    from_cache: set[str] = field(default_factory=set)
    received: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    done: bool = False

    @property
    def open(self) -> set[str]:
        """Requests under way; the heartbeat lasts as long as the page."""
        return {name for name, url in self.urls.items() if "/heartbeat/" not in url} - self.received.keys()

    def sent(self, event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("http"):
            self.urls[event["requestId"]] = event["request"]["url"]

    def cached(self, event: dict[str, Any]) -> None:
        self.from_cache.add(event["requestId"])

    def answered(self, event: dict[str, Any]) -> None:
        if event["response"].get("fromDiskCache"):
            self.from_cache.add(event["requestId"])

    def over(self, event: dict[str, Any]) -> None:
        name = event["requestId"]
        self.received[name] = int(event.get("encodedDataLength", 0))
        # Gradio's page closes the stream of its events after the last of them.
        if "/queue/data" in self.urls.get(name, "") and not self.done:
            self.seconds, self.done = time.perf_counter() - self.begin, True
