"""The page's own HTML. Pure; every text from a visitor, a model or fal is escaped here."""

from __future__ import annotations

from decimal import Decimal
from html import escape

from typing_extensions import assert_never

from vton_ui.errors import InputError, KeyRefused, VtonError
from vton_ui.models.spec import ModelSpec, Size
from vton_ui.money.pricing import Estimate, estimate, money
from vton_ui.tryon.events import (
    Accepted,
    Cancelled,
    Cancelling,
    Done,
    Event,
    Preparing,
    Recovering,
    Running,
    Skipped,
    Submitting,
    Uploading,
    Waiting,
)
from vton_ui.tryon.results import Result

EMPTY = (
    '<div class="invitation" data-state="empty"><strong>The result appears here</strong>'
    "<span>Add a person and a garment, then try it on.</span></div>"
)


def model_card(model: ModelSpec) -> str:
    """A model's name, and what to know before choosing it, as two lines of plain text."""
    megapixel = Size(1000, 1000)
    least = estimate(model, person=megapixel, garment=megapixel, output=megapixel).total
    cost = "price not published" if least is None else f"from {money(least)}"
    return f"{model.title}\n{model.good_at}. {model.takes.capitalize()}, {cost}, {model.licence_short}."


def estimate_line(costs: Estimate, *, free: bool) -> str:
    """The estimate: a total that opens into its lines."""
    total = money(costs.total) if costs.total is not None else costs.note
    summary = f"Free draft. With a key: {total}" if free else f"Estimate: {total}"
    rows = "".join(
        f"<li><span>{escape(line.what)}</span><span>{money(line.usd) if line.usd is not None else '–'}</span></li>"
        for line in costs.lines
    )
    return f"<details><summary>{escape(summary)}</summary><ul>{rows}</ul></details>"


def status(event: Event) -> str:
    """What is happening now."""
    words, share = words_for(event)
    if isinstance(event, Done):
        return _plain("done", words)
    if isinstance(event, (Cancelled, Skipped)):
        return _plain("cancelled", words)
    return _working(words, share)


def words_for(event: Event) -> tuple[str, float | None]:
    """An event in plain words, and the progress from 0 to 1 where it is known."""
    if isinstance(event, Done):
        return f"Done in {event.result.facts['seconds']} s", None
    if isinstance(event, Cancelled):
        return f"Cancelled. {event.cost.value}", None
    if isinstance(event, Preparing):
        return "Preparing the photos", None
    if isinstance(event, Uploading):
        return "Sending the photos", None
    if isinstance(event, Submitting):
        return "Sending the order", None
    if isinstance(event, Recovering):
        return "No answer came back; looking for the order at fal", None
    if isinstance(event, Accepted):
        return "Accepted, waiting", None
    if isinstance(event, Waiting):
        return f"Waiting{_place(event.position)} · {event.seconds:.0f} s", None
    if isinstance(event, Running):
        log = f": {event.log[:60]}" if event.log else ""
        step = f", step {event.step} of {event.steps}" if event.step is not None else log
        share = event.step / event.steps if event.step is not None and event.steps else None
        return f"Running{step} · {event.seconds:.0f} s", share
    if isinstance(event, Cancelling):
        return "Cancelling", None
    if isinstance(event, Skipped):
        return "Not ordered: the step before it did not end in a picture", None
    assert_never(event)


def _place(position: int | None) -> str:
    """Position 0 is the next job."""
    if position is None:
        return ""
    if position == 0:
        return ", next in line"
    number = position + 1
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f", {number}{ending} in line"


def _working(words: str, share: float | None, *, mark: str = "") -> str:
    bar = f'style="width:{share:.0%}"' if share is not None else 'class="unknown"'
    return (
        f'<div class="working" data-state="working"{mark} role="status"><span>{escape(words)}</span>'
        f'<div class="bar"><i {bar}></i></div></div>'
    )


def _plain(state: str, words: str) -> str:
    return f'<div class="line" data-state="{state}" role="status">{escape(words)}</div>'


STARTED = _working("Starting", None)
RETURNED = _working("Picking up the try-on you left", None, mark=" data-returned")
FORGOTTEN = _plain("forgotten", "Forgotten. Nothing of yours is kept here any more.")


def failure(error: VtonError) -> str:
    """What happened, what to do, what it cost, and the request id to copy."""
    fixed_by = ' data-fixed-by="change"' if isinstance(error, (InputError, KeyRefused)) else ""
    slot = f"<b>{escape(error.slot)}.</b> " if error.slot else ""
    return (
        f'<div class="card" data-state="failed"{fixed_by} role="alert">'
        f'<p class="cause">{slot}{escape(error.cause)}</p><p>{escape(error.cure)}</p>'
        f'<p class="quiet">{escape(error.cost.value)}{_request_id(error.request_id)}</p></div>'
    )


def _request_id(request_id: str | None) -> str:
    return f" Request id: <code>{escape(request_id)}</code>" if request_id else ""


def notice(text: str) -> str:
    """A remark about what is chosen."""
    return f'<div class="notice" role="note">{escape(text)}</div>' if text else ""


OWN_KEY_WANTED = notice(
    "A try-on paid with a key of your own is waiting. Keys are not kept: type it again, then fetch it."
)


def details(result: Result, model: ModelSpec) -> str:
    """The line under the result, which opens into its facts."""
    facts = result.facts
    cost = (
        "free draft"
        if facts["sandbox"]
        else money(None if facts["cost_usd"] is None else Decimal(str(facts["cost_usd"])))
    )
    line = f"{model.title} · {facts['seconds']} s · {cost} · seed\u00a0{facts['seed']}"
    rows = [
        ("Request id", f"<code>{escape(str(facts['request_id']))}</code>"),
        ("Size", f"{result.size.width} × {result.size.height} pixels"),
        ("Licence", escape(model.licence)),
    ]
    if facts["prompt"]:
        rows.append(("Prompt", escape(str(facts["prompt"]))))
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    return f"<details><summary>{escape(line)}</summary><dl>{listed}</dl></details>"
