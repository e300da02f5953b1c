"""What vton_ui/ui/compat relies on in Gradio and Starlette: after a version bump these tests fail first."""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import re
from pathlib import Path
from typing import Any

import gradio as gr
import gradio.mcp
import gradio.routes
import pytest
import uvicorn
from gradio import component_meta, processing_utils, queueing, route_utils, state_holder
from gradio.blocks import Block, Blocks
from gradio.context import LocalContext, get_blocks_context
from gradio.data_classes import CancelBody, ImageData, PredictBody
from gradio.mcp import GradioMCPServer
from gradio.queueing import Event, Queue
from gradio.server_messages import ProcessGeneratingMessage
from gradio.utils import cancel_tasks, set_task_name
from gradio_client import utils as client_utils
from gradio_client.utils import construct_args
from starlette.applications import Starlette

from vton_ui.ui.compat import assets, blocks, files, routes, startup

PARAMETERS = [{"parameter_name": "person", "parameter_has_default": False}]


async def test_a_call_is_a_task_with_a_name() -> None:
    """The queue's tasks are named by session, endpoint and event, and Gradio cancels them by the first two."""
    task = asyncio.create_task(asyncio.Event().wait())
    set_task_name(task, "session", 3, "event", False)
    assert task.get_name() == "session_3<gradio-sep>event"
    assert await cancel_tasks({"session_-1"}) == []
    assert await cancel_tasks({"session_3"}) == ["event"]
    assert set(CancelBody.model_fields) == {"session_hash", "fn_index", "event_id"}


def test_the_queue_knows_its_events() -> None:
    """Events are found by their id, know whether their stream is open, and in which form it is read."""
    assert "alive" in vars(Event(None, SimpleFn(), None, None))  # type: ignore[arg-type]
    assert "event_ids_to_events" in inspect.getsource(Queue.__init__)
    assert "alive = False" in inspect.getsource(Queue.clean_events)
    assert "simple_format" in PredictBody.model_fields
    assert ProcessGeneratingMessage(output={"data": [None]}, success=True).output == {"data": [None]}


class SimpleFn:
    """As much of a function as an event looks at."""

    concurrency_id = "one"


@pytest.mark.parametrize(
    ("given", "words"),
    [({}, "No value provided for required argument: person"), ({"x": 1}, "`x` is not a valid key-word argument")],
    ids=["missing", "unknown"],
)
def test_wrong_names_are_a_type_error(given: dict[str, int], words: str) -> None:
    """gradio_client reports wrong names in these words."""
    with pytest.raises(TypeError, match=words):
        construct_args(PARAMETERS, (), given)  # type: ignore[arg-type]


def test_the_tools_of_agents() -> None:
    """What `serve_tools` replaces and uses is there."""
    with Blocks() as blocks:
        pass
    tools = GradioMCPServer(blocks)
    assert {"mcp_server", "tool_to_endpoint", "root_path"} <= vars(tools).keys()
    assert str(inspect.signature(tools.get_fn_description)).startswith("(block_fn: 'BlockFunction', tool_name: str)")
    assert list(inspect.signature(tools.get_input_schema).parameters) == ["tool_name", "parameters"]
    assert "upload_file_to_gradio" in tools._file_data_tool_description


UNDOCUMENTED = re.compile(
    r"pending_\w+|handle_streaming_diffs|SessionState|StateHolder|LocalContext|mcp_server_obj|upload_file_set"
    r"|async_move_resource_to_block_cache|get_blocks_context|inspect\.getfile|hash_file|\._queue|root_block"
    r"|gradio\.(?:utils|processing_utils|route_utils|queueing|state_holder|data_classes|context|server_messages)"
    r"|_get_retry_delay|AsyncBackupDomainTransport|/gradio_api/(?:cancel|file=)"
)
PACKAGE = Path(__file__).parents[1] / "vton_ui"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_undocumented_names_are_in_one_place(path: Path) -> None:
    """Only ui/compat and backends/fal/client.py use what upstream does not promise; docstrings may name it."""
    if "compat" in path.parts or path == PACKAGE / "backends" / "fal" / "client.py":
        return
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):  # without docstrings
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            body[0].value.value = ""
    assert UNDOCUMENTED.findall(ast.unparse(tree)) == []


def test_compat_imports_nothing_by_itself() -> None:
    """`startup` has to run before Gradio is imported."""
    for name in ("__init__.py", "startup.py"):
        tree = ast.parse((PACKAGE / "ui" / "compat" / name).read_text("utf-8"))
        imported = [ast.unparse(node) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        assert not [line for line in imported if "gradio" in line]


# Startup


def test_stubs_are_skipped_on_an_oserror() -> None:
    """Gradio asks `inspect.getfile` for a component's file and goes on without one."""
    source = inspect.getsource(component_meta)
    assert "inspect.getfile(" in source
    assert "except OSError" in source
    assert component_meta.ComponentMeta.__name__ == "ComponentMeta"


def test_statistics_can_be_put_off() -> None:
    """Both variables are read where events are handled."""
    source = inspect.getsource(queueing)
    assert "GRADIO_ANALYTICS_CACHE_FREQUENCY" in source
    assert "GRADIO_ANALYTICS_MAX_EVENTS" in source


def test_forwarded_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    """uvicorn trusts the addresses in this variable, by default those of this machine."""
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "before")
    startup.ignore_forwarded_headers()
    assert uvicorn.Config("app").forwarded_allow_ips == ""


def test_names_of_files() -> None:
    """Uploads are named by this function, looked up in its module at every upload."""
    assert "client_utils.strip_invalid_filename_characters(" in inspect.getsource(route_utils)
    startup.clean_file_names()
    assert client_utils.strip_invalid_filename_characters("a%0Ab?.jpg") == "ab.jpg"


# Routes


def test_routes() -> None:
    """What is closed, limited or answered differently here has these addresses in Gradio."""
    found = re.findall(r"@(?:router|app)\.\w+\(\s*\"(/[^\"]*)\"", inspect.getsource(gradio.routes))
    assert route_utils.API_PREFIX == "/gradio_api"
    for route in ("/upload", "/cancel", "/file={path_or_url:path}", "/file/{path:path}", "/call/v2/{api_name}"):
        assert any(path.startswith(route) for path in found), route
    for name in ("proxy=", "process_recording", "component_server", "deep_link", "custom_component/", "dev/reload"):
        assert any(name in path for path in found if routes.CLOSED.search(path)), name
    assert routes.UNCHECKED.search("/gradio_api/call/v2/{api_name}")
    assert f'"{routes.MCP}' in inspect.getsource(gradio.mcp) or "/mcp" in inspect.getsource(gradio.routes)


# Blocks


async def test_every_event_passes_process_api() -> None:
    """The queue and the routes call the method that `QuietBlocks` overrides."""
    assert "process_api" in vars(Blocks)
    assert "app.get_blocks().process_api(" in inspect.getsource(route_utils.call_process_api)


def test_inputs_of_an_endpoint() -> None:
    """`gr.api` makes components, which are found in the configuration of the current Blocks."""

    def greet(photo: gr.FileData) -> str:
        return str(photo)

    with gr.Blocks():
        gr.api(greet)
        assert get_blocks_context() is not None
        (component,) = blocks.endpoint_inputs()
    assert isinstance(component, Block)


def test_middleware_stack() -> None:
    """Starlette keeps the stack in an attribute and builds it once."""
    assert "self.middleware_stack = self.build_middleware_stack()" in inspect.getsource(Starlette.__call__)


def test_sessions() -> None:
    """A session describes no component, at its start or when one changes; Gradio's own describes each of them."""
    with gr.Blocks() as demo:
        box = gr.Textbox()
    for session, described in ((state_holder.SessionState(demo), True), (blocks._Session(demo), False)):
        assert bool(list(session.components)) is described
        session[box._id] = changed = gr.Textbox("changed", render=False)
        session._update_config(box._id)
        session._update_value_in_config(box._id, "value")
        assert bool(list(session.components)) is described
        assert session[box._id] is changed
    assert {"session_data", "time_last_used"} <= vars(state_holder.StateHolder()).keys()
    for name in ("pending_event_ids_session", "pending_messages_per_session", "event_ids_to_events"):
        assert name in vars(demo._queue)


# Files


def test_files_are_named_by_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy in Gradio's cache lies in a folder named by the hash of its content; a data URI likewise."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    (tmp_path / "me.jpg").write_bytes(b"photo")
    copy = Path(processing_utils.save_file_to_cache(tmp_path / "me.jpg", str(files.upload_folder())))
    assert copy.parent == files.upload_folder() / files.content_name(tmp_path / "me.jpg")
    assert files.save_data_uri("data:image/jpeg;base64,cGhvdG8=").read_bytes() == b"photo"
    assert files.upload_folder() == Path(os.environ["GRADIO_TEMP_DIR"])
    assert "*.hf.co" in files.HUGGING_FACE_HOSTS or any("hf" in host for host in files.HUGGING_FACE_HOSTS)


def test_files_of_components() -> None:
    """What components of pictures hold."""
    image = ImageData(path="/uploads/me.jpg")
    assert files.image_path(image) == "/uploads/me.jpg"
    assert files.image_path(None) is None


async def test_downloads_can_be_replaced() -> None:
    """Preprocessing asks the component itself for every file, by this method."""
    assert "block.async_move_resource_to_block_cache(" in inspect.getsource(processing_utils)
    component: Any = gr.File(render=False)
    asked: list[str] = []

    async def download(source: str) -> str:
        asked.append(source)
        return "/uploads/me.jpg"

    files.replace_download(component, download)
    assert await component.async_move_resource_to_block_cache("http://me.example") == "/uploads/me.jpg"
    assert asked == ["http://me.example"]


def test_local_context() -> None:
    """What a handler can read about its call."""
    assert {"blocks", "request", "event_id"} <= vars(LocalContext).keys()
    assert "upload_file_set" in inspect.getsource(Blocks)


# The page


def test_files_of_the_page() -> None:
    """Gradio's bundler names the files of every import, and its registry those of every kind of component."""
    found = assets.page_files(["image", "html"])
    folder = Path(gr.__file__).parent / "templates" / "frontend"
    assert all((folder / "assets" / name).is_file() for name in found)
    assert [name.partition("-")[0] for name in found if name.endswith(".js")][:3] == ["index", "Index", "core"]
    for kind in ("Blocks", "statustracker", "Image", "HTML"):
        assert any(name.startswith(f"{kind}-") for name in found), kind
    assert set(assets.page_files(["html"])) < set(found)
    assert all(routes.HASHED.fullmatch(f"/assets/{name}") for name in found)
    page = (folder / "index.html").read_bytes()
    put = assets.put_first(b"<b>", page)
    assert put.index(b"<head>") < put.index(b"<b>") < put.index(b"<script>")
    assert put.replace(b"<b>", b"") == page


def test_loader_of_the_page() -> None:
    """early.js: the loader's script asks for frames by a function that it takes when it is read."""
    (script,) = (Path(gr.__file__).parent / "templates" / "frontend" / "assets").glob("statustracker-*.js")
    assert "window.requestAnimationFrame" in script.read_text("utf-8")
