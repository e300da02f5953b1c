"""What makes a small machine fast enough for many visitors."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio.utils import get_upload_folder
from PIL import Image, JpegImagePlugin

import app
from tests.conftest import free_port
from tests.fake_fal.server import FakeFal
from tests.fal_helpers import followed, ordered
from vton_ui.backends.fal.backend import FalBackend
from vton_ui.models import FLUX_VTO
from vton_ui.models.spec import Size
from vton_ui.pictures import photos
from vton_ui.pictures.pool import in_pool
from vton_ui.pictures.worker import NICENESS
from vton_ui.settings import Settings
from vton_ui.ui.blocks import build, launch_options
from vton_ui.ui.compat.blocks import drop_finished_sessions
from vton_ui.ui.web import uploads


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gr.Blocks]:
    """The whole app, without a key, on a port of its own."""
    studio = app.open_studio(Settings(data_dir=tmp_path_factory.mktemp("light")))
    demo = build(studio)
    options = {**launch_options(studio), "server_name": "127.0.0.1", "server_port": free_port()}
    demo.launch(**options, prevent_thread_lock=True, quiet=True)
    yield demo
    demo.close(verbose=False)


IMPORTING = """
import ast, inspect
getfile, parse, parsed = inspect.getfile, ast.parse, []
ast.parse = lambda code, *args, **kwargs: (parsed.append(code), parse(code, *args, **kwargs))[1]
import vton_ui.ui.blocks
print(sum("class Textbox" in str(code) for code in parsed), inspect.getfile is getfile)
"""


@pytest.mark.slow
def test_no_stubs_are_made_at_the_start() -> None:
    """Importing Gradio takes half the time without stubs, and `inspect` is unchanged afterwards."""
    ran = subprocess.run([sys.executable, "-c", IMPORTING], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["0", "True"]


def test_sessions_are_light(demo: gr.Blocks) -> None:
    """Of a visitor only what changed is remembered, not the description of every component."""
    call = {"data": ["flux-vto"], "session_hash": "somebody"}
    url = f"{demo.local_url}gradio_api/call/estimate"
    event = httpx.post(url, json=call).json()["event_id"]
    assert "error" in httpx.get(f"{url}/{event}").text  # there are no photos
    session = demo.app.state_holder.session_data["somebody"]
    assert list(session.components) == []


def test_progress_is_noted_nowhere(demo: gr.Blocks) -> None:
    """Else Gradio's page notes every step of every call at each of its outputs: a tenth of the work of a try-on."""
    calls = [one for one in demo.config["dependencies"] if one["backend_fn"]]
    assert len(calls) > 20
    assert [one for one in calls if one["show_progress_on"] != [] and one["api_visibility"] == "private"] == []


def test_visitors_who_are_gone_are_forgotten(demo: gr.Blocks) -> None:
    """Gradio keeps the messages of the last visitors only, and nothing else of the others."""
    queue: Any = demo._queue
    call = {"data": ["flux-vto"], "session_hash": "gone"}
    url = f"{demo.local_url}gradio_api/call/estimate"
    assert "error" in httpx.get(f"{url}/{httpx.post(url, json=call).json()['event_id']}").text
    drop_finished_sessions(demo)
    assert "gone" in queue.pending_event_ids_session  # its messages are still there
    while "gone" in queue.pending_messages_per_session:
        queue.pending_messages_per_session.popitem(last=False)
    drop_finished_sessions(demo)
    assert "gone" not in queue.pending_event_ids_session


def test_garbage_of_the_start_is_left_alone(demo: gr.Blocks) -> None:
    """The garbage collector does not search the objects that exist at the start."""
    assert gc.get_freeze_count() > 100_000


def test_no_statistics(demo: gr.Blocks) -> None:
    """No event waits for statistics over earlier events."""
    queue: Any = demo._queue
    assert queue.compute_analytics_summary([{"function": "f", "status": "success", "process_time": 1.0}]) == {
        "functions": {}
    }


@pytest.mark.skipif(sys.platform == "win32", reason="niceness is Unix's")
async def test_pictures_step_back() -> None:
    """Workers run at a lower priority than the event loop."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    seen = await in_pool(os.getpriority, os.PRIO_PROCESS, 0)
    assert (seen, os.getpriority(os.PRIO_PROCESS, 0)) == (max(before, NICENESS), before)


async def test_one_connection_for_a_job(fal: FakeFal, backend: FalBackend) -> None:
    """A job's submit, stream and result use one connection, without further handshakes."""
    job = await ordered(backend)
    await followed(backend, job)
    await backend.fetch(job, FLUX_VTO.read)
    ports = {seen.port for seen in fal.seen if seen.operation in ("submit", "stream", "result")}
    assert len(ports) == 1


async def test_stream_that_does_not_end(fal: FakeFal, backend: FalBackend) -> None:
    """A stream that stays open after its last event delays nothing."""
    fal.fault("stream", "linger", seconds=5)
    begin = asyncio.get_running_loop().time()
    await followed(backend, await ordered(backend))
    assert asyncio.get_running_loop().time() - begin < 4


def test_phone_photo_is_decoded_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a 12 megapixel photo less than one is decoded for CatVTON."""
    path, unpacked = tmp_path / "phone.jpg", []
    Image.effect_noise((3024, 4032), 20).convert("RGB").save(path)
    load = JpegImagePlugin.JpegImageFile.load
    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", lambda image: unpacked.append(image.size) or load(image))
    assert photos.read(path, slot="Person", to=lambda _: Size(768, 1024)).size == (768, 1024)
    assert unpacked[0] == (756, 1008)


def test_result_is_not_copied(demo: gr.Blocks, tmp_path: Path) -> None:
    """The API returns the kept file under a second name, which stays when the first is deleted."""
    result = tmp_path / "try-on.jpg"
    result.write_bytes(b"picture")
    name = uploads.offered(result)
    assert name.is_relative_to(Path(get_upload_folder()))
    assert name.samefile(result)
    result.unlink()
    assert name.read_bytes() == b"picture"


def test_result_on_another_disk(demo: gr.Blocks, tmp_path: Path) -> None:
    """If no second name can be made, Gradio gets the first."""
    assert uploads.offered(tmp_path / "gone.jpg") == tmp_path / "gone.jpg"
