"""What the app relies on of Gradio's undocumented insides: a new version that moved any of it fails here first."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from gradio.blocks import Blocks
from gradio.data_classes import CancelBody, PredictBody
from gradio.mcp import GradioMCPServer
from gradio.queueing import Event, Queue
from gradio.server_messages import ProcessGeneratingMessage
from gradio.utils import cancel_tasks, set_task_name
from gradio_client.utils import construct_args

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
    """Events are found by their id, are alive while somebody listens, and tell how their stream is read."""
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
    """gradio_client tells of wrong names in these words."""
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
