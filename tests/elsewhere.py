"""Runs the app in a process of its own, on a fake fal in another: `python -m tests.elsewhere ADDRESSES`.

ADDRESSES is `FakeFal.addresses()` as JSON. For tests that kill the app and start it again.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.fake_fal import TEST_KEY, FakeFal

ROOT = Path(__file__).parent.parent


@dataclass(kw_only=True)
class Elsewhere:
    """The app in another process, always on the same port and the same data."""

    fake: FakeFal
    data: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start it and wait until it answers."""
        environment = {
            **os.environ,
            "FAL_KEY": TEST_KEY,
            "FAL_API_URL": self.fake.api_url,
            "VTON_DATA_DIR": str(self.data),
            "GRADIO_SERVER_PORT": str(self.port),
            "GRADIO_ANALYTICS_ENABLED": "False",
        }
        command = [sys.executable, "-m", "tests.elsewhere", json.dumps(self.fake.addresses())]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        for _ in range(240):
            try:
                httpx.get(self.url, timeout=2)
                return
            except httpx.HTTPError:
                time.sleep(0.25)
        raise TimeoutError("the app does not answer")

    def kill(self) -> None:
        """`kill -9`: no goodbye, nothing flushed."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


@contextmanager
def elsewhere(fake: FakeFal, data: Path) -> Iterator[Elsewhere]:
    """The app in another process, started."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = Elsewhere(fake=fake, data=data, port=port)
    app.start()
    try:
        yield app
    finally:
        app.kill()


if __name__ == "__main__":
    import runpy

    import fal_client.client

    for name, address in json.loads(sys.argv[1]).items():
        setattr(fal_client.client, name, address)
    runpy.run_path("app.py", run_name="__main__")
