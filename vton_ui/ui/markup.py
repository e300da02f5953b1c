"""The page's own HTML. Pure; every text from a visitor, a model or fal is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from html import escape

from typing_extensions import assert_never

from vton_ui.errors import InputError, KeyRefused, VtonError
from vton_ui.models.spec import ModelSpec, Size
from vton_ui.money.pricing import estimate_pictures, money
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
from vton_ui.tryon.plan_price import PlanPrice
from vton_ui.tryon.results import Result, cost_of
from vton_ui.ui.components.tiles import State
from vton_ui.ui.plan_words import all_models_title, lines, summary

INVITATION = (
    '<div class="invitation" data-state="empty"><strong>The result appears here</strong>'
    "<span>Add a person and a garment, then try it on.</span></div>"
)


def model_card(model: ModelSpec) -> str:
    """A model's name, and what to know before choosing it, as two lines of plain text."""
    least = _least_cost(model)
    cost = "price not published" if least is None else f"from {money(least)}"
    return f"{model.title}\n{model.good_at}. {model.takes.capitalize()}, {cost}, {model.licence_short}."


def all_models_card(models: Sequence[ModelSpec]) -> str:
    """The same for all models together, with the sum of their prices."""
    known = [cost for cost in map(_least_cost, models) if cost is not None]
    prices = [f"from {money(sum(known, Decimal(0)))}"] * bool(known)
    unknown = len(models) - len(known)
    prices += [f"{'a price' if unknown == 1 else f'{unknown} prices'} not published"] * bool(unknown)
    return f"{all_models_title(len(models))}\nA look of each, to compare, {' plus '.join(prices)}."


def _least_cost(model: ModelSpec) -> Decimal | None:
    """What a look costs at least."""
    megapixel = Size(1000, 1000)
    return estimate_pictures(model, person=megapixel, garment=megapixel, output=megapixel).total


def estimate_line(price: PlanPrice, *, free: bool) -> str:
    """The estimate: a total that opens into its lines."""
    rows = "".join(
        f"<li><span>{escape(line.what)}</span><span>{money(line.usd) if line.usd is not None else '–'}</span></li>"
        for line in lines(price)
    )
    return f"<details><summary>{escape(summary(price, free=free))}</summary><ul>{rows}</ul></details>"


def status(event: Event) -> str:
    """What is happening now."""
    words, share = words_without_seconds(event)
    if isinstance(event, Done):
        return _plain("done", words)
    if isinstance(event, (Cancelled, Skipped)):
        return _plain("cancelled", words)
    return _working(words, share, seconds=_seconds(event))


def words_for(event: Event) -> tuple[str, float | None]:
    """An event in plain words, and the progress from 0 to 1 where it is known."""
    words, share = words_without_seconds(event)
    return words + _seconds(event), share


def _seconds(event: Event) -> str:
    return f" · {event.seconds:.0f} s" if isinstance(event, (Waiting, Running)) else ""


def words_without_seconds(event: Event) -> tuple[str, float | None]:
    """The same for the tiles: they count the seconds by themselves."""
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
        return f"Waiting{_place(event.position)}", None
    if isinstance(event, Running):
        log = f": {event.log[:60]}" if event.log else ""
        step = f", step {event.step} of {event.steps}" if event.step is not None else log
        share = event.step / event.steps if event.step is not None and event.steps else None
        return f"Running{step}", share
    if isinstance(event, Cancelling):
        return "Cancelling", None
    if isinstance(event, Skipped):
        return "Not ordered: the step before it did not end in a picture", None
    assert_never(event)


def status_of_several(states: Sequence[State]) -> str:
    """How far several looks are."""
    done, all_ = states.count("done"), len(states)
    words = f"{done} of {all_} looks ready"
    if any(state in ("planned", "waiting", "working") for state in states):
        return _working(words, done / all_)
    if not done and "cancelled" in states:
        return _plain("cancelled", "Cancelled")
    return _plain("done" if done else "over", words)


def _place(position: int | None) -> str:
    """Position 0 is the next job."""
    if position is None:
        return ""
    if position == 0:
        return ", next in line"
    number = position + 1
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f", {number}{ending} in line"


def _working(words: str, share: float | None, *, seconds: str = "", mark: str = "") -> str:
    """What keys.js says aloud is in `words`; nobody wants to hear the seconds."""
    bar = f'style="width:{share:.0%}"' if share is not None else 'class="unknown"'
    return (
        f'<div class="working" data-state="working"{mark}><span class="words">{escape(words)}</span>'
        f'<span aria-hidden="true">{seconds}</span>'
        f'<div class="bar"><i {bar}></i></div></div>'
    )


def _plain(state: str, words: str) -> str:
    return f'<div class="line" data-state="{state}"><span class="words">{escape(words)}</span></div>'


STARTED = _working("Starting", None)
RETURNED = _working("Picking up the try-on you left", None, mark=" data-returned")
FORGET_QUESTION = "Delete your looks, and the photos and choices on this page? This cannot be undone."
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


def gone(names: Sequence[str]) -> str:
    """What of a page could not be brought back."""
    return f"No longer here: {', '.join(names)}. Uploads are deleted after an hour. Add what is missing again."


def cost_words(results: Sequence[Result]) -> str:
    """What the pictures of one look cost."""
    return "free draft" if results[-1].facts["sandbox"] else money(cost_of(results))


def details(result: Result, model: ModelSpec) -> str:
    """The line under the result, which opens into its facts."""
    facts = result.facts
    line = f"{model.title} · {facts['seconds']} s · {cost_words([result])} · seed\u00a0{facts['seed']}"
    rows = [
        ("Request id", f"<code>{escape(str(facts['request_id']))}</code>"),
        ("Size", f"{result.size.width} × {result.size.height} pixels"),
        ("Licence", escape(model.licence)),
    ]
    if facts["prompt"]:
        rows.append(("Prompt", escape(str(facts["prompt"]))))
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    return f"<details><summary>{escape(line)}</summary><dl>{listed}</dl></details>"
