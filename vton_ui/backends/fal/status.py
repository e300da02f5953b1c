"""fal's status of a job → our events. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from vton_ui.tryon.events import Progress, Running, Waiting

Status = Mapping[str, Any]
"""What fal says of a job; empty where it said nothing."""


def progress_of(status: Status, seconds: float) -> Progress:
    """The event of a job that is not over; an unknown status counts as running, since only COMPLETED ends a job.

    Args:
        status: As fal answered.
        seconds: Since the click.
    """
    if status.get("status") == "IN_QUEUE":
        position = status.get("queue_position")
        return Waiting(position=position if isinstance(position, int) else None, seconds=seconds)
    logs = status.get("logs")
    lines = [line.get("message") for line in logs if isinstance(line, Mapping)] if isinstance(logs, list) else []
    messages = [text.strip() for text in lines if isinstance(text, str) and text.strip()]
    step, steps = step_of(messages)
    return Running(step=step, steps=steps, seconds=seconds, log=messages[-1] if messages and step is None else None)


def step_of(messages: Sequence[str]) -> tuple[int | None, int | None]:
    """The newest "step of steps" in a model's log ("Step 2/4", or a tqdm bar), or two Nones."""
    for message in reversed(messages):
        found = re.findall(r"(?<![\d/])(\d{1,3})\s*/\s*(\d{1,3})(?![\d/])", message)
        if found and int(found[-1][0]) <= int(found[-1][1]):
            return int(found[-1][0]), int(found[-1][1])
    return None, None


def has_run(status: Status) -> bool:
    """Whether a job that is over was run at all, as far as fal says."""
    metrics = status.get("metrics")
    seconds = metrics.get("inference_time") if isinstance(metrics, Mapping) else None
    return isinstance(seconds, (int, float)) and seconds > 0
