"""An app in a process of its own: started, timed to its first page, and measured."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fake_fal.server import PROXY_VARIABLES, TEST_KEY

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
OURS, BASELINE, EMPTY, BARE = "tests.subprocess_app", "tests.bench.baseline", "tests.bench.empty", "tests.bench.bare"
ONE_IMAGE = "tests.bench.one_image"
CAPS = ("VTON_DAILY_BUDGET_USD", "VTON_VISITOR_BUDGET_USD", "VTON_VISITOR_RATE")
LIMITS = ("VTON_FREE_RATE", "VTON_UPLOAD_MB")
"""Raised here, since all load comes from one address and would count as one visitor."""


@dataclass(frozen=True, kw_only=True)
class Weight:
    """What a process holds at a moment; memory in MB."""

    memory: float
    files: int
    sockets: int
    threads: int


@dataclass(kw_only=True)
class Server:
    """A running app."""

    process: subprocess.Popen[bytes]
    port: int
    first_page: float
    """Seconds from the start of its process to the last byte of its page."""
    first_cpu: float | None
    """Seconds of a core that this took, which other work on the machine does not stretch; None but on Linux."""

    def get(self, path: str, timeout: float = 30.0) -> bytes:
        """The body of a good answer."""
        return _get(self.port, path, timeout)

    def json(self, path: str) -> Any:
        """The same, read."""
        return json.loads(self.get(path))

    def weigh(self) -> Weight:
        """Linux only: FileNotFoundError elsewhere."""
        proc = Path("/proc") / str(self.process.pid)
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        targets = [_target(link) for link in (proc / "fd").iterdir()]
        return Weight(
            memory=int(status["VmRSS"].split()[0]) / 1024,
            files=len(targets),
            sockets=sum(target.startswith("socket:") for target in targets),
            threads=int(status["Threads"]),
        )

    def cpu(self) -> float:
        """Seconds of one core that it and its workers have taken; 0 but on Linux."""
        return cpu_seconds(self.process.pid) or 0.0

    def stop(self) -> None:
        """At once."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def start(module: str, folder: Path, where: tuple[Mapping[str, str], str]) -> Server:
    """Run an app until its page is there.

    Args:
        module: OURS, BASELINE, EMPTY, BARE or ONE_IMAGE.
        folder: For its files and its log.
        where: `BenchFal.where()`.
    """
    addresses, api_url = where
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if name not in PROXY_VARIABLES}
    environment |= {
        "FAL_KEY": TEST_KEY,
        "FAL_API_URL": api_url,
        "VTON_DATA_DIR": str(folder / "data"),
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
        **dict.fromkeys(LIMITS, str(10**6)),
        **dict.fromkeys(CAPS, ""),  # empty and not absent, or those of a .env file would hold
    }
    if module != OURS:  # this app has a folder of its own
        environment["GRADIO_TEMP_DIR"] = str(folder / "uploads")
    log = folder / "log.txt"
    with log.open("wb") as out:
        begin = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", module, json.dumps(dict(addresses))],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    while process.poll() is None and time.perf_counter() - begin < PATIENCE:
        try:
            _get(port, "/", 30.0)
            seconds = time.perf_counter() - begin
            return Server(process=process, port=port, first_page=seconds, first_cpu=cpu_seconds(process.pid))
        except (OSError, http.client.HTTPException):
            time.sleep(0.01)
    process.kill()
    raise RuntimeError(f"{module} does not start: {log.read_text(errors='replace')[-2000:]}")


def cpu_seconds(pid: int) -> float | None:
    """Seconds of one core that a process and its children have taken so far; None but on Linux."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return None
    # Its own, those of children that have ended, and those of children that still run.
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(child) or 0.0 for child in children)


def _get(port: int, path: str, timeout: float) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise http.client.HTTPException(f"{path}: {response.status}")
        return body
    finally:
        connection.close()


def _target(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:  # closed since it was listed
        return ""
