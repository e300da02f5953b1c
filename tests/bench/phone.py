"""How long a phone's photo takes from the pick to the server over a mobile uplink, in a real browser."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

UPLINK = 5_000_000 / 8
"""Bytes a second: 5 Mbit/s."""


def seconds_to_server(url: str, slot: str, photo: bytes, rounds: int) -> list[float]:
    """From the pick to the server's answer to the upload.

    Args:
        url: A page with a file input.
        slot: Where that is, as a CSS selector.
        photo: What is picked.
        rounds: How often, each time on a fresh page.

    Raises:
        NoBrowser: There is none.
        ImportError: Nor anything to drive it with.
    """
    from tests.browser import chromium
    from tests.page.acts import WAIT

    seen = []
    with chromium() as browser, TemporaryDirectory() as folder:
        # A file of the browser's own machine: handing its bytes to the browser would take half a second.
        picked = Path(folder, "phone.jpg")
        picked.write_bytes(photo)
        for _ in range(rounds):
            page = browser.new_page()
            page.goto(url)
            page.wait_for_selector(slot, state="attached", timeout=WAIT)
            page.wait_for_timeout(1000)  # a page is drawn a moment before it answers
            network = page.context.new_cdp_session(page)
            network.send("Network.enable")
            limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": UPLINK}
            network.send("Network.emulateNetworkConditions", limits)
            begin = time.perf_counter()
            with page.expect_response(lambda answer: "/gradio_api/upload?" in answer.url, timeout=WAIT) as answered:
                page.set_input_files(slot, picked)
            answered.value.finished()
            seen.append(time.perf_counter() - begin)
            page.close()
    return seen
