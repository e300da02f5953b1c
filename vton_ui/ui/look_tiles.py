"""A look → the tile that the browser draws. Pure."""

from __future__ import annotations

from pathlib import Path

from vton_ui.errors import AppFault, Filtered, InputError, OverBudget, ResultLost, SubmitUnclear, VtonError
from vton_ui.tryon.events import Cancelled, Failed, Skipped
from vton_ui.ui import markup
from vton_ui.ui.compat.routes import file_address
from vton_ui.ui.components.tiles import Changed, Failure, Step, Tile
from vton_ui.ui.look import Look, NotOrdered
from vton_ui.ui.look import Step as LookStep
from vton_ui.ui.web.kept import kept_address


def upload_address(path: Path | None) -> str | None:
    """The address of an upload, relative to the page."""
    return file_address("", str(path)).lstrip("/") if path else None


def tile(look: Look, *, meanwhile: Path | None = None) -> Tile:
    """A look as a tile.

    Args:
        meanwhile: What a look under way shows in place of its photo.
    """
    current, result = look.current, look.result
    facts = result.facts if result else {}
    return {
        "id": look.id,
        "state": look.state,
        "title": current.model.title,
        "label": look.label,
        "words": _words(look),
        "started_at": current.started_at,
        "share": _share(current),
        "url": kept_address(result.path) if result else None,
        "before": upload_address(look.photo),
        "meanwhile": kept_address(meanwhile) if meanwhile else None,
        "cost": _cost(look),
        "seconds": _seconds(look),
        "facts": _facts(look),
        "seed": _whole(facts.get("seed")),
        "request_id": str(facts["request_id"]) if facts.get("request_id") else None,
        "error": _failure(current),
        "offers": _offers(look),
        "can": _can(look),
        "steps": [_step(step) for step in look.steps] if len(look.steps) > 1 else [],
        "sandbox": bool(facts.get("sandbox")),
        "changed": _changed(look),
    }


def _words(look: Look) -> str:
    """What is going on, without seconds: the browser counts them."""
    step, last = look.current, look.current.last
    if last is None or isinstance(last, (Failed, NotOrdered, Skipped)) or step.state == "done":
        return ""
    words, _ = markup.words_without_seconds(last)
    if len(look.steps) == 1 or isinstance(last, Cancelled):
        return words
    return f"{step.label}: {words[0].lower()}{words[1:]}"


def _share(step: LookStep) -> float | None:
    if step.last is None or isinstance(step.last, (Failed, NotOrdered)):
        return None
    return markup.words_without_seconds(step.last)[1]


def _step(step: LookStep) -> Step:
    return {"label": step.label, "state": step.state, "url": kept_address(step.result.path) if step.result else None}


def _cost(look: Look) -> str:
    """What its pictures cost, added up."""
    results = [step.result for step in look.steps if step.result]
    return markup.cost_words(results) if results else ""


def _seconds(look: Look) -> float | None:
    times = [step.result.facts["seconds"] for step in look.steps if step.result]
    return round(sum(float(time) for time in times if isinstance(time, (int, float))), 1) if times else None


def _facts(look: Look) -> list[tuple[str, str]]:
    result, model = look.result, look.current.model
    if result is None:
        return []
    facts = [("Size", f"{result.size.width} × {result.size.height} pixels"), ("Licence", model.licence)]
    return [*facts, ("Prompt", str(result.facts["prompt"]))] if result.facts.get("prompt") else facts


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _failure(step: LookStep) -> Failure | None:
    error = step.last.error if isinstance(step.last, Failed) else None
    if error is None:
        return None
    cause = f"{error.slot}: {error.cause}" if error.slot else error.cause
    return {"cause": cause, "cure": error.cure, "cost": error.cost.value}


def _offers(look: Look) -> list[tuple[str, str]]:
    """The buttons of a look that is over and has no picture."""
    step, known = look.current, all(step.request for step in look.steps)
    go_on = [("go_on", "Go on from here")] if look.kept_steps and step.request else []
    if look.state == "not_ordered":
        return go_on
    if look.state == "cancelled":
        return [*go_on, ("retry", "Retry")] if known else go_on
    if look.state != "failed" or not isinstance(step.last, Failed):
        return []
    fetch, retry = _cures(step.last.error)
    offers = [("look_again", fetch)] if fetch and step.job else go_on
    return [*offers, ("retry", retry)] if retry and known else offers


def _cures(error: VtonError) -> tuple[str, str]:
    """What is offered after an error: to fetch the picture, and to order it once more. Empty: not this."""
    if isinstance(error, SubmitUnclear):
        return "Look again", "Send again"
    if isinstance(error, ResultLost):
        return "Fetch it again", ""
    if isinstance(error, AppFault):
        return "Look again", "Retry"
    if isinstance(error, (InputError, OverBudget)):
        return "", ""
    return "", "Another seed" if isinstance(error, Filtered) else "Retry"


def _can(look: Look) -> list[str]:
    """What the viewer offers."""
    again = ["again"] if look.state == "done" and all(step.request for step in look.steps) else []
    return [*again, "use_settings", "use_as_person", "put_garments_back"] if look.result else []


def _changed(look: Look) -> Changed | None:
    """What it changed of the photo, where that is known."""
    changed = look.changed
    return {"share_outside": changed.share_outside, "overlay": kept_address(changed.overlay)} if changed else None
