"""The result station's tiles."""

from __future__ import annotations

import itertools
import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import until
from tests.page.acts import WAIT
from tests.page.looks import scenes
from tests.page.looks.acts import shown, slowed, tile
from tests.page.looks.conftest import Visit
from tests.page.looks.scenes import failed, look, waiting, working
from tests.page.looks.stage import Stage, person
from vton_ui.ui.components.actions import Action

ENDINGS = "#station .said p"
NOTE_CANCEL = """() => new MutationObserver(() => {
  const cancel = document.querySelector("#station button[data-action=cancel]");
  if (cancel) window.cancelAtFirst ??= getComputedStyle(cancel).pointerEvents;
}).observe(document.querySelector("#station"), {subtree: true, childList: true})"""
"""Notes whether a click would hit the button at the moment it comes, however late the test gets to ask."""


def boxes(page: Page) -> list[dict[str, float]]:
    """Where every picture and every caption stands."""
    script = "all => all.map(one => one.getBoundingClientRect().toJSON())"
    return page.locator("#station :is(.frame, .picture, .caption)").evaluate_all(script)  # type: ignore[no-any-return]


def test_layout(stage: Stage, visit: Visit) -> None:
    """However many, they share the photo's frame: one large, two side by side, two by two, then a grid that scrolls."""
    page = visit()
    for count, columns in ((0, 0), (1, 1), (2, 2), (3, 2), (4, 2), (5, 2), (12, 2)):
        stage.show([look(f"t{place}", "done") for place in range(count)])
        shown(page, count)
        frame = page.locator("#station .frame").bounding_box()
        assert frame
        assert frame["width"] / frame["height"] == pytest.approx(3 / 4, abs=0.005), count
        lefts = page.locator("#station .tile").evaluate_all("all => all.map(t => t.getBoundingClientRect().left)")
        assert len(set(lefts)) == columns, count
        scrolls = page.locator("#station .tiles").evaluate("list => list.scrollHeight > list.clientHeight + 1")
        assert scrolls == (count > 4), count
        _, *inside = boxes(page)
        column = [box for box in inside if box["x"] == inside[0]["x"]]
        for above, below in itertools.pairwise(column):
            assert above["y"] + above["height"] <= below["y"], count
        if 0 < count <= 4:
            assert column[-1]["y"] + column[-1]["height"] <= frame["y"] + frame["height"] + 1, count


def test_one_look_as_ever(stage: Stage, visit: Visit) -> None:
    """A single picture fills the frame: the page says the rest, and has the Cancel."""
    stage.show([working("a", meanwhile=person("mei"))])
    page = visit()
    shown(page, 1)
    expect(page.locator("#station img")).to_have_attribute("src", re.compile("mei.jpg$"))
    expect(tile(page, "a").locator(".panel")).to_be_hidden()
    expect(tile(page, "a").get_by_role("button", name="Cancel")).to_be_hidden()
    stage.show([look("a", "done")])
    expect(page.locator("#station img")).to_have_attribute("src", re.compile("marta.jpg$"))
    expect(tile(page, "a").locator(".caption")).to_be_hidden()
    frame, picture, *_ = boxes(page)
    assert picture["width"] >= frame["width"] - 2
    assert picture["height"] >= frame["height"] - 2


def test_nothing_jumps(stage: Stage, visit: Visit) -> None:
    """No picture moves when one is done, one fails and one is cancelled."""
    page = visit()
    ends = ["done", "failed", "cancelled"]
    for count in (1, 2, 4, 7):
        ids = [f"{count}t{place}" for place in range(count)]
        stage.show([working(id, cost="") for id in ids])
        expect(tile(page, ids[-1])).to_be_visible()
        shown(page, count)
        before = boxes(page)
        stage.show([failed(id) if end == "failed" else look(id, end) for id, end in zip(ids, ends * 3, strict=False)])
        expect(tile(page, ids[0])).to_have_attribute("data-shown", "")
        shown(page, count)
        assert boxes(page) == before, count


def test_being_made(stage: Stage, visit: Visit) -> None:
    """A tile being made keeps the photo, dimmed, under its words, its seconds and a thin bar."""
    stage.show([working("a", share=0.5), waiting("b")])
    page = visit()
    shown(page, 2)
    expect(tile(page, "a").locator(".words")).to_have_text("Running, step 2 of 4")
    photo = tile(page, "a").locator(".photo")
    expect(photo).to_be_visible()
    assert float(photo.evaluate("image => getComputedStyle(image).opacity")) < 0.6
    bar = tile(page, "a").locator(".bar")
    expect(bar.locator("i")).to_have_css("width", f"{bar.evaluate('bar => bar.clientWidth') / 2:g}px")
    assert bar.evaluate("bar => bar.clientHeight") <= 5
    # How far the other is, nobody knows.
    assert tile(page, "b").locator(".bar i").evaluate("fill => fill.getAnimations().length") == 1


def test_seconds(stage: Stage, visit: Visit) -> None:
    """The browser counts the seconds by itself, in words that no screen reader is told."""
    stage.show([working("a", started_at=time.time() - 3600)])
    page = visit()
    clock = tile(page, "a").locator(".clock")
    expect(clock).to_have_text(re.compile(r"^· 60 min \d s$"))
    expect(clock).to_have_attribute("aria-hidden", "true")
    first = clock.inner_text()
    expect(clock).not_to_have_text(first)


@pytest.mark.parametrize("off", [-7200, 7200])
def test_wrong_clock(stage: Stage, visit: Visit, off: int) -> None:
    """A visitor whose clock is hours off sees the right seconds."""
    stage.show([working("a", started_at=time.time() - 600)])
    page = visit(script=f"const now = Date.now; Date.now = () => now() + {off} * 1000")
    assert page.evaluate("Date.now()") / 1000 - time.time() == pytest.approx(off, abs=60)
    expect(tile(page, "a").locator(".clock")).to_have_text(re.compile(r"^· 10 min \d+ s$"))


def test_failed_in_place(stage: Stage, visit: Visit) -> None:
    """A failed tile says in its place why, what to do and what it cost, and is tried again by itself."""
    stage.show([look("a", "done"), failed("b")])
    page = visit()
    for words in ("fal could not find a person in the photo.", "Take one that shows the whole body."):
        expect(tile(page, "b").get_by_text(words)).to_be_visible()
    expect(tile(page, "b").get_by_text("Nothing was charged.").filter(visible=True)).to_have_count(1)
    tile(page, "b").get_by_role("button", name="Retry: FLUX VTO, Striped tee").click()
    until(lambda: stage.actions == [Action(name="retry", ids=("b",))])
    assert stage.sent == [{"id": "b", "action": "retry"}]


def test_offers(stage: Stage, visit: Visit) -> None:
    """What a failed tile offers is Python's to say; nothing at all where nothing helps."""
    stage.show([failed("a", offers=[("look_again", "Look again"), ("retry", "Send again")]), failed("b", offers=[])])
    page = visit()
    expect(tile(page, "a").locator(".buttons button")).to_have_text(["Look again", "Send again"])
    expect(tile(page, "b").locator(".buttons button")).to_have_count(0)


def test_cancel_one(stage: Stage, visit: Visit) -> None:
    """Each look under way has a Cancel of its own, and no other has one; what was focused stays in the tile."""
    stage.show(scenes.four())
    page = visit()
    expect(page.get_by_role("button", name=re.compile("^Cancel"))).to_have_count(2)
    button = tile(page, "c").get_by_role("button", name="Cancel: FLUX VTO, Green dress")
    button.click()
    expect(button).to_have_attribute("data-sent", "")  # something answers at once
    until(lambda: stage.actions == [Action(name="cancel", ids=("c",))])
    button.focus()
    stage.show([{**one, "state": "cancelled", "words": ""} if one["id"] == "c" else one for one in scenes.four()])
    expect(tile(page, "c").locator(".words")).to_have_text("Cancelled")
    expect(tile(page, "c").locator(".face")).to_be_focused()


def test_double_click(stage: Stage, visit: Visit) -> None:
    """A double click asks once, and does not hit what takes the button's place."""
    stage.show([failed("a"), look("b", "done")])
    page = visit()
    retry = tile(page, "a").get_by_role("button", name="Retry")
    retry.dblclick()
    until(lambda: stage.actions != [])
    page.evaluate(NOTE_CANCEL)
    stage.show([working("a"), look("b", "done")])
    tile(page, "a").get_by_role("button", name="Cancel").click()
    assert page.evaluate("window.cancelAtFirst") == "none"
    until(lambda: len(stage.actions) == 2)
    assert stage.actions == [Action(name="retry", ids=("a",)), Action(name="cancel", ids=("a",))]


def test_outfit(stage: Stage, visit: Visit) -> None:
    """An outfit shows its steps; where one failed, those before it are kept, and it goes on from there."""
    stage.show(scenes.outfit())
    page = visit()
    steps = tile(page, "a").get_by_role("list", name="Steps").get_by_role("listitem")
    expect(steps).to_have_text(["Trousers, done", "Shirt, failed", "Coat, to come"])
    expect(steps.nth(0).locator("img")).to_be_visible()
    expect(tile(page, "a").locator(".photo")).to_have_attribute("src", re.compile("henrik.jpg$"))
    expect(tile(page, "b").get_by_role("listitem").nth(1)).to_have_text("Shirt, being put on")
    tile(page, "a").get_by_role("button", name="Go on from here").click()
    until(lambda: stage.actions == [Action(name="go_on", ids=("a",))])
    stage.show([failed("a")])
    expect(tile(page, "a").locator(".buttons button")).to_have_text(["Retry"])


def test_order_the_rest(stage: Stage, visit: Visit) -> None:
    """Looks that were not ordered share one button, which says what the rest costs."""
    stage.show(scenes.after_reload(), rest="Order the rest · $0.095")
    page = visit()
    expect(page.get_by_text("2 not ordered", exact=True)).to_be_visible()
    button = page.get_by_role("button", name="Order the rest · $0.095")
    button.dblclick()
    until(lambda: stage.actions != [])
    stage.show(scenes.four())
    expect(button).to_be_hidden()
    expect(tile(page, "a").locator(".face")).to_be_focused()
    assert stage.actions == [Action(name="order_rest")]


def test_said_once(stage: Stage, visit: Visit) -> None:
    """A look that ends is announced, once; what had ended before the page came up is not."""
    stage.show([look("a", "done"), working("b"), waiting("c")])
    page = visit()
    shown(page, 3)
    stage.show([look("a", "done"), look("b", "done"), waiting("c")])
    expect(page.locator(ENDINGS)).to_have_text(["FLUX VTO, Striped tee: done, 8.1 s, $0.0475."])
    for share in (0.2, 0.4, 0.6):
        stage.show([look("a", "done", cost=f"${share}"), look("b", "done"), working("c", share=share)])
        expect(tile(page, "a").locator(".numbers")).to_have_text(f"8.1 s · ${share}")
    stage.show([look("a", "done"), look("b", "done"), failed("c")])
    expect(page.locator(ENDINGS)).to_have_text(
        [
            "FLUX VTO, Striped tee: done, 8.1 s, $0.0475.",
            "FLUX VTO, Striped tee: failed. fal could not find a person in the photo. Nothing was charged.",
        ]
    )
    expect(page.get_by_role("log")).to_have_attribute("aria-live", "polite")


def test_stream(stage: Stage, visit: Visit) -> None:
    """Twelve looks told something new ten times a second: nodes, focus and order stay, and the last value stands."""
    page = visit()
    ids = [f"t{place}" for place in range(12)]
    stage.show([waiting(id) for id in ids])
    shown(page, 12)
    page.locator("#station .tile").evaluate_all("all => all.forEach(one => { one.mine = one.dataset.id })")
    page.locator("#station .face img.photo").evaluate_all("all => all.forEach(one => { one.mine = true })")
    cancel = tile(page, "t6").get_by_role("button", name="Cancel")
    cancel.focus()
    with slowed(page):
        for step in range(15):
            stage.show([working(id, words=f"Running, step {step}", share=step / 15) for id in ids])
            time.sleep(0.1)  # the pace is the test
    expect(page.locator("#station .words")).to_have_text(["Running, step 14"] * 12, timeout=WAIT)
    expect(cancel).to_be_focused()
    kept = (
        "all => all.every(one => one.mine === one.dataset.id) && all.every(one => one.querySelector('.face img').mine)"
    )
    assert page.locator("#station .tile").evaluate_all(kept)
    stage.show([look(id, "done") for id in reversed(ids)])
    expect(page.locator("#station .tile[data-shown]")).to_have_count(12)
    order = page.locator("#station .tile").evaluate_all("all => all.map(one => one.dataset.id)")
    assert order == ids[::-1]
    assert page.locator("#station .tile").evaluate_all(kept)
    expect(tile(page, "t6").locator(".face")).to_be_focused()


def test_picture_gone(stage: Stage, visit: Visit) -> None:
    """A look told anew with another picture shows that one, once it is there."""
    stage.show([look("a", "done", url=person("kofi"))])
    page = visit()
    shown(page, 1)
    stage.show([look("a", "done", url=person("mei"))])
    expect(tile(page, "a").locator("img.look")).to_have_attribute("src", re.compile("mei.jpg$"))
    expect(tile(page, "a")).to_have_attribute("data-shown", "")
