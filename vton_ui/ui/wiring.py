"""Which event of the page calls what."""

from __future__ import annotations

from typing import Any

import gradio as gr

from vton_ui.studio import Studio
from vton_ui.ui.components.garments import KIND
from vton_ui.ui.dispatch import Dispatch
from vton_ui.ui.edits import Edits
from vton_ui.ui.page import Page
from vton_ui.ui.rail import Rail
from vton_ui.ui.returning import Returns
from vton_ui.ui.runs import Runs
from vton_ui.ui.tab import Tabs

LOOK_AT = "() => document.querySelector('{0}')?.scrollIntoView({{behavior: 'smooth', block: 'nearest'}})"
"""On a phone the button is always in view; its effect, or the reason why it is disabled, may not be."""
COME_BACK = "() => window.addEventListener('online', () => document.querySelector('#come_back').click())"
"""When the network was down, the events of a running try-on were lost: the browser follows its jobs again."""
CLEAR_FIXED = "(card) => (card || '').includes('data-fixed-by=\"change\"') ? '' : {__type__: 'update'}"
"""Remove an error that a change may have fixed. Any other stays until the next try-on."""


def wire(page: Page, studio: Studio, blocks: gr.Blocks) -> None:
    """Connect the page's events."""
    edits = Edits(page=page, studio=studio)
    rail = Rail(page=page, studio=studio)
    # Off the queue: a change on the page must not wait for anybody's try-on.
    quick: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    slow: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
    question = [page.confirm, page.asked]
    refreshed = [page.try_on, page.estimate, page.notice, page.use_model, page.wear, *question]
    of_models = [block for named in (page.groups, page.headings) for blocks in named.values() for block in blocks]

    page.model.change(edits.show_model, page.model, [*of_models, *page.namesakes], **quick)
    page.person.upload(edits.convert_person, page.person, page.person, **quick)
    page.people.click(edits.example_person, page.people, page.person, **quick)
    page.use_model.click(edits.use_larger_model, page.garments, page.model, **quick)

    settings: Any = {*page.settings, page.asked}
    changes = [component.change for component in page.settings]  # type: ignore[attr-defined]
    gr.on(changes, edits.refresh, settings, refreshed, trigger_mode="always_last", **quick)
    gr.on(changes, None, page.failure, page.failure, js=CLEAR_FIXED)
    _wire_rail(page, rail, quick)

    page.confirm.clear(edits.not_now, None, question, **quick)
    page.notice.change(None, js=LOOK_AT.format("#notice:has([role=alert])"))

    _wire_looks(page, Tabs(page=page, studio=studio), blocks, quick, slow)


def _wire_rail(page: Page, rail: Rail, quick: dict[str, Any]) -> None:
    pair: Any = [page.person, page.garments]
    last: dict[str, Any] = {"trigger_mode": "always_last", **quick}
    page.model.change(rail.show_kinds, page.model, page.garments, **quick)
    page.clothes.click(rail.example_garment, page.clothes, page.garments, trigger_mode="multiple", **quick)
    swapped = page.swap.click(rail.swap, pair, pair, **quick)
    looks: list[Any] = [page.garments.input, page.model.change, swapped.then]
    for happens in looks:
        happens(rail.look_at, [page.garments, page.model], page.garments, **last)
    gr.on(
        [page.garments.change, page.model.change, page.wear.change, page.layout.change],
        rail.show_sheet,
        [page.model, page.garments, page.wear, page.layout],
        [page.sheet, page.layout],
        **last,
    )
    asked: Any = [options[KIND] for options in page.options.values() if KIND in options]
    if asked:
        page.garments.change(rail.tell_kind, page.garments, asked, **last)
    for option in asked:
        option.input(rail.take_kind, option, page.garments, **quick)


def _wire_looks(page: Page, tabs: Tabs, blocks: gr.Blocks, quick: dict[str, Any], slow: dict[str, Any]) -> None:
    runs, returns = Runs(tabs=tabs), Returns(tabs=tabs)
    actions = Dispatch(
        tabs=tabs,
        quick={"cancel": runs.cancel_look},
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
    gr.on([page.try_on.click, page.retry.click, page.again.click], None, js=LOOK_AT.format("#mirror"))
    page.status.change(None, js=LOOK_AT.format("#mirror:has([data-returned])"))
    page.failure.change(None, js=LOOK_AT.format("#failure"))
    gr.on([page.try_on.click, page.retry.click], runs.try_on, everything, touched, **slow)
    page.confirm.submit(runs.order, everything, touched, **slow)
    page.again.click(runs.again, everything, touched, **slow)
    page.cancel.click(runs.cancel, {page.memory}, page.cancel, **quick)
    gr.on([page.find.click, page.find_id.submit], returns.find, everything, touched, **slow)
    page.forget.click(returns.forget, everything, [*touched, page.person, page.garments], **quick)
    gr.on([blocks.load, page.come_back.click, page.look_again.click], returns.come_back, everything, touched, **slow)
    blocks.load(None, js=COME_BACK)
    # Several at once: while one look is ordered again, the next can be cancelled.
    several: dict[str, Any] = {"trigger_mode": "multiple"}
    for part in (page.result, page.looks):
        part.action(actions.act, everything, [*touched, *page.settings], **several, **quick)
        part.run(actions.run, everything, touched, **several, **slow)
