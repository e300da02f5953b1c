"""Runs the app in a process of its own, on a fake fal in another: `python -m tests.subprocess_app ADDRESSES DELAYS`.

ADDRESSES is `FakeFal.addresses()` as JSON; DELAYS are constants of ours with other values, as {"module.NAME": seconds}.
For tests that kill the app and start it again.
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
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.fake_fal.server import TEST_KEY, FakeFal

ROOT = Path(__file__).parent.parent


@dataclass(kw_only=True)
class SubprocessApp:
    """The app in another process, always on the same port and the same data."""

    fake: FakeFal
    data: Path
    port: int
    delays: dict[str, float] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start it and wait until it answers."""
        environment = {
            # Without it uploads lie below the data, as they do outside tests.
            **{name: value for name, value in os.environ.items() if name != "GRADIO_TEMP_DIR"},
            "FAL_KEY": TEST_KEY,
            "FAL_API_URL": self.fake.api_url,
            "VTON_DATA_DIR": str(self.data),
            "GRADIO_SERVER_PORT": str(self.port),
            "GRADIO_ANALYTICS_ENABLED": "False",
            "VTON_FREE_RATE": "1000000",  # all requests come from one address
            **self.environment,
        }
        command = [
            sys.executable,
            "-m",
            "tests.subprocess_app",
            json.dumps(self.fake.addresses()),
            json.dumps(self.delays),
        ]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        for _ in range(480):
            try:
                httpx.get(self.url, timeout=2)
                return
            except httpx.HTTPError:
                time.sleep(0.25)
        raise TimeoutError("the app does not answer")

    def kill(self) -> None:
        """`kill -9`: nothing is flushed or closed."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


@contextmanager
def subprocess_app(
    fake: FakeFal, data: Path, delays: dict[str, float] | None = None, environment: dict[str, str] | None = None
) -> Iterator[SubprocessApp]:
    """The app in another process, started; `environment` has further variables."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = SubprocessApp(fake=fake, data=data, port=port, delays=delays or {}, environment=environment or {})
    try:
        app.start()
        yield app
    finally:
        app.kill()


if __name__ == "__main__":
    import importlib
    import runpy

    import fal_client.client

    for name, address in json.loads(sys.argv[1]).items():
        setattr(fal_client.client, name, address)
    for name, seconds in json.loads(sys.argv[2] if len(sys.argv) > 2 else "{}").items():
        module, _, constant = name.rpartition(".")
        setattr(importlib.import_module(f"vton_ui.{module}"), constant, seconds)
    runpy.run_path("app.py", run_name="__main__")
