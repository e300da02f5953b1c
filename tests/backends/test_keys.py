"""Keys that fal has never accepted cost the server next to nothing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.client import Client
from tests.conftest import photo_bytes
from tests.fake_fal.server import FakeFal
from tests.subprocess_app import subprocess_app

INVENTED = 200


def resources(pid: int) -> tuple[float, int]:
    """Resident megabytes and open descriptors of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is told by /proc")
@pytest.mark.timeout(300)
def test_invented_keys(fal: FakeFal, tmp_path: Path) -> None:
    """200 try-ons and estimates with as many invented keys: the memory grows by less than 10 MB, and no connection
    stays open."""
    with subprocess_app(fal, tmp_path / "data") as server:
        assert server.process
        client = Client(server.url)
        given = {"person": client.upload(photo_bytes(300, 400)), "garments": [client.upload(photo_bytes(260, 260))]}
        given["model"] = "cat-vton"  # its price has to be requested

        def ask(key: str, number: int) -> str:
            client.http.headers["x-fal-key"] = key
            return str(client.call("try_on" if number % 2 else "estimate", **given))

        for number in range(20):  # Python and Gradio reach their usual size
            ask("known-id:known-secret", number)
        memory, descriptors = resources(server.process.pid)
        answers = [ask(f"invented-id:{number:032x}", number) for number in range(INVENTED)]
        after, open_after = resources(server.process.pid)
    assert after - memory < 10
    assert open_after - descriptors <= 6
    assert all("does not accept the key" in answer for answer in answers[1::2])
    assert fal.jobs == {}
