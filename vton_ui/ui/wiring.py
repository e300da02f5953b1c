"""Which event of the page calls what."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.studio import Studio
from vton_ui.ui import markup
from vton_ui.ui.components.controls import PRIVATE
from vton_ui.ui.components.garments import KIND
from vton_ui.ui.dispatch import Dispatch
from vton_ui.ui.edits import Edits
from vton_ui.ui.keeping import Keeping
from vton_ui.ui.page import Page
from vton_ui.ui.rail import Rail
from vton_ui.ui.returning import Returns
from vton_ui.ui.reuse import Reuse
from vton_ui.ui.runs import Runs
from vton_ui.ui.tab import Tabs

LOOK_AT = "() => document.querySelector('{0}')?.scrollIntoView({{block: 'nearest'}})"
"""On a phone the button is always in view; its effect, or the reason why it is disabled, may not be. At once: where the
page still changes its height, a smooth scroll ends beside its goal."""
COME_BACK = "() => window.addEventListener('online', () => document.querySelector('#come_back').click())"
"""When the network was down, the events of a running try-on were lost: the browser follows its jobs again."""
CLEAR_FIXED = """(card) => {
  document.body.dataset.card = "notice";
  return (card || "").includes('data-fixed-by="change"') ? "" : { __type__: "update" };
}"""
"""Remove an error that a change may have fixed. Any other stays until the next try-on."""
LOOK_AT_FAILURE = f"() => {{ document.body.dataset.card = 'failure'; ({LOOK_AT.format('#failure')})(); }}"
"""Of two red cards style.css shows one: what was tried last, or after another change what is wrong on the page."""

AT_LOAD = "(...values) => { window.pageAtLoad = values.map((value) => JSON.stringify(value)); }"
FILL_IN = """(restored, ...values) => {
  const { person, ...choices } = JSON.parse(restored || "{}");
  const photo = person && { ...person, url: new URL(person.url, document.baseURI).href };
  const kept = [photo, ...NAMES.map((name) => choices[name])];
  const wanted = (value, i) => kept[i] != null && JSON.stringify(value) === window.pageAtLoad[i];
  return values.map((value, i) => (wanted(value, i) ? kept[i] : { __type__: "update" }));
}"""
"""Fill a page that was just loaded; what the visitor has changed meanwhile stays."""

SHOW_KIND = """([garment, ...others], kind) =>
  garment && !others.length && KINDS.includes(garment.kind) ? garment.kind : kind"""
"""The options ask for the kind of one garment alone. The rail knows whether a guess or the visitor's word counts."""


def look_at_result(where: str = "") -> str:
    """A script that brings the result into view; below each other, what stands under the picture comes too.

    Args:
        where: A CSS selector that must hold for it.
    """
    return f"""() => document.querySelector("#mirror{where}")?.scrollIntoView({{
      block: matchMedia("(max-width: 1000px)").matches ? "start" : "nearest",
    }})"""


def wire(page: Page, studio: Studio, blocks: gr.Blocks) -> None:
    """Connect the page's events."""
    edits = Edits(page=page, studio=studio)
    rail = Rail(page=page, studio=studio)
    # Off the queue: a change on the page must not wait for anybody's try-on.
    quick: dict[str, Any] = {"queue": False, **PRIVATE}
    slow: dict[str, Any] = {"concurrency_limit": None, **PRIVATE}
    question = [page.confirm, page.asked]
    refreshed = [page.try_on, page.estimate, page.notice, page.use_model, page.wear, page.form, *question]
    of_models = [block for named in (page.groups, page.headings) for blocks in named.values() for block in blocks]

    shown = [*of_models, *page.namesakes, page.garments]
    _call_always_last([page.model.change], edits.show_model, page.model, shown, **quick)
    page.person.upload(edits.convert_person, page.person, page.person, **quick)
    page.people.click(edits.example_person, page.people, page.person, **quick)
    page.use_model.click(edits.use_larger_model, page.garments, page.model, **quick)

    settings: Any = {*page.settings, page.asked}
    changes = [component.change for component in page.settings]  # type: ignore[attr-defined]
    _call_always_last(changes, edits.refresh, settings, refreshed, **quick)
    gr.on(changes, None, page.failure, page.failure, js=CLEAR_FIXED)
    _wire_rail(page, rail, quick)

    page.confirm.clear(edits.not_now, None, question, **quick)
    page.notice.change(None, js=LOOK_AT.format("#notice:has([role=alert])"))

    _wire_looks(page, Tabs(page=page, studio=studio), blocks, quick, slow)


def _call_always_last(triggers: list[Any], fn: Any, inputs: Any, outputs: Any, **options: Any) -> None:
    """Call a function at these events; if several happen while it runs, it is called once more at its end.

    It hangs on a JavaScript step that does nothing. Gradio 6.31 repeats a call that had to wait by sending its whole
    event again, so that two `always_last` calls on one event would repeat each other for ever.
    """
    gr.on(triggers, None, js="() => {}").then(fn, inputs, outputs, trigger_mode="always_last", **options)


def _wire_rail(page: Page, rail: Rail, quick: dict[str, Any]) -> None:
    pair: Any = [page.person, page.garments]
    asked: Any = [options[KIND] for options in page.options.values() if KIND in options]
    looked_at: Any = ([page.garments, page.model], page.garments)
    page.clothes.click(rail.example_garment, page.clothes, page.garments, trigger_mode="multiple", **quick)
    swapped = page.swap.click(rail.swap, pair, pair, **quick)
    swapped.then(rail.look_at, *looked_at, **quick)
    _call_always_last([page.garments.input, page.model.change], rail.look_at, *looked_at, **quick)
    _call_always_last(
        [page.garments.change, page.model.change, page.wear.change, page.layout.change],
        rail.show_sheet,
        [page.model, page.garments, page.wear, page.layout],
        [page.sheet, page.layout],
        **quick,
    )
    for option in asked:
        show_kind = SHOW_KIND.replace("KINDS", json.dumps([kind for _, kind in option.choices]))
        page.garments.change(None, [page.garments, option], option, js=show_kind)


def _wire_looks(page: Page, tabs: Tabs, blocks: gr.Blocks, quick: dict[str, Any], slow: dict[str, Any]) -> None:
    runs, returns, keeping, reuse = Runs(tabs=tabs), Returns(tabs=tabs), Keeping(tabs=tabs), Reuse(tabs=tabs)
    actions = Dispatch(
        tabs=tabs,
        quick={
            "cancel": runs.cancel_look,
            "download_chosen": keeping.download_chosen,
            "contact_sheet": keeping.contact_sheet,
            "use_settings": reuse.use_settings,
            "use_as_person": reuse.use_as_person,
            "put_garments_back": reuse.put_garments_back,
        },
        runs={
            "retry": runs.retry,
            "go_on": runs.go_on,
            "again": runs.once_more,
            "order_rest": runs.order_rest,
            "look_again": returns.look_again,
        },
    )
    everything: Any = page.inputs
    station = [page.status, page.result, page.details, page.download]
    buttons = [page.try_on, page.cancel, page.again, page.retry, page.look_again]
    touched = [*buttons, page.failure, *station, page.memory, page.looks, page.confirm, page.asked]
    gr.on([page.try_on.click, page.retry.click, page.again.click], None, js=look_at_result())
    page.status.change(None, js=look_at_result(":has([data-returned])"))
    page.failure.change(None, js=LOOK_AT_FAILURE)
    page.cancel.click(runs.cancel, {page.memory}, page.cancel, **quick)
    blocks.load(None, js=COME_BACK)
    _wire_form(page, blocks)
    _wire_forget(page, returns, touched, quick)
    # Several at once: while one look is ordered again, the next can be cancelled.
    several: dict[str, Any] = {"trigger_mode": "multiple"}
    for part in (page.result, page.looks):
        part.action(actions.act, everything, [*touched, *page.settings], **several, **quick)
    made = [
        gr.on([page.try_on.click, page.retry.click], runs.try_on, everything, touched, **slow),
        page.confirm.submit(runs.order, everything, touched, **slow),
        page.again.click(runs.again, everything, touched, **slow),
        gr.on([page.find.click, page.find_id.submit], returns.find, everything, touched, **slow),
        blocks.load(returns.arrive, {*page.inputs, page.form}, [*touched, page.garments, page.restored], **slow),
        gr.on([page.come_back.click, page.look_again.click], returns.come_back, everything, touched, **slow),
        *(part.run(actions.run, everything, touched, **several, **slow) for part in (page.result, page.looks)),
    ]
    for event in made:
        event.then(keeping.compare, {page.memory}, keeping.shown, **quick)


def _wire_form(page: Page, blocks: gr.Blocks) -> None:
    """Fill a page that was just loaded as its browser left it."""
    kept = [page.person, *page.choices.values()]
    fill_in = FILL_IN.replace("NAMES", json.dumps(list(page.choices)))
    blocks.load(None, kept, js=AT_LOAD)
    page.restored.change(None, [page.restored, *kept], kept, js=fill_in)


def _wire_forget(page: Page, returns: Returns, touched: list[Component], quick: dict[str, Any]) -> None:
    page.forget.click(None, None, page.forget_confirm, js=f"() => {json.dumps(markup.FORGET_QUESTION)}")
    page.forget_confirm.clear(None, None, page.forget_confirm, js="() => ''")
    emptied = [*touched, page.person, page.garments, *page.choices.values(), page.form, page.forget_confirm]
    everything: Any = page.inputs
    forgotten = page.forget_confirm.submit(returns.forget, everything, emptied, **quick)
    forgotten.then(None, js=look_at_result())
