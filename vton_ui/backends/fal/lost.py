"""Finds a job whose answer was lost in fal's list of requests. Pure: list and job in, request ids out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from vton_ui.tryon.job import Job

CLOCK_SKEW = 60.0
"""Seconds that this machine's clock may be fast against fal's."""
ORDER_SECONDS = 120.0
"""How long after a job was stored it may reach fal, by fal's clock."""


def candidates(listed: Mapping[str, Any], job: Job) -> list[str] | None:
    """The request ids that the job can have, the one that fal got nearest to its submission first.

    The photo's address makes the match exact: it is unguessable, and no other visitor has it. The looks of one click
    share it, and are told apart by garment and seed. fal does not list private requests.

    Args:
        listed: fal's answer, https://docs.fal.ai/platform-apis
        job: The job, without a request id.

    Returns:
        None where the list does not say.
    """
    items = listed.get("items")
    if not isinstance(items, list):
        return None
    found = sorted((late, item["request_id"]) for item in items if (late := _lateness(item, job)) is not None)
    # If there are more pages, a job that is not on this one may be on another.
    return [request_id for _, request_id in found] if found or not listed.get("has_more") else None


def _lateness(item: Any, job: Job) -> float | None:
    """How many seconds from the job's submission one of fal's requests was sent; None if it is not the job."""
    sent = item.get("json_input") if isinstance(item, Mapping) else None
    if not isinstance(sent, Mapping) or not isinstance(item.get("request_id"), str):
        return None
    if not job.photo_url or not all(_holds(sent, url) for url in (job.photo_url, job.garment_url) if url):
        return None
    if sent.get("seed") != job.seed or sent.get("prompt") != job.prompt:
        return None
    try:
        sent_at = datetime.fromisoformat(str(item.get("sent_at")).replace("Z", "+00:00"))
    except ValueError:
        return None
    late = sent_at.replace(tzinfo=sent_at.tzinfo or timezone.utc).timestamp() - job.submitted_at
    return abs(late) if -CLOCK_SKEW <= late <= ORDER_SECONDS else None


def _holds(value: Any, text: str) -> bool:
    """Whether a text is among the values of a JSON object, under whatever name."""
    if isinstance(value, Mapping):
        return any(_holds(inner, text) for inner in value.values())
    if isinstance(value, list):
        return any(_holds(inner, text) for inner in value)
    return bool(value == text)
