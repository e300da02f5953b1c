"""The tiles for whoever has no mouse, no screen, other colours or bad intentions."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import DESK, PHONE
from tests.page.looks import scenes
from tests.page.looks.acts import shown, tile
from tests.page.looks.conftest import Visit
from tests.page.looks.scenes import failed, look, waiting, working
from tests.page.looks.stage import Stage

HOSTILE = '"><img src=x onerror="document.title=1"><script>document.title=1</script>${document.title=1}{{1}}'


def test_hostile_words(stage: Stage, visit: Visit) -> None:
    """Words are words, wherever they come from, and no address is a script."""
    error = {"cause": HOSTILE, "cure": HOSTILE, "cost": HOSTILE}
    step = {"label": HOSTILE, "state": "working", "url": "javascript:document.title=1"}
    bad: dict[str, Any] = {"title": HOSTILE, "label": HOSTILE, "words": HOSTILE, "cost": HOSTILE}
    stage.show(
        [
            working("a", **bad, steps=[step], before="javascript:document.title=1"),
            failed("b", **bad, error=error, offers=[("retry", HOSTILE)]),
            look("c", "done", **bad, facts=[(HOSTILE, HOSTILE)], request_id=HOSTILE, url="javascript:document.title=1"),
        ],
        rest=HOSTILE,
    )
    page = visit()
    shown(page, 3)
    expect(tile(page, "a").locator(".words")).to_have_text(HOSTILE)
    tile(page, "c").locator(".face").click()
    expect(page.locator("#station .facts dt").first).to_have_text(HOSTILE)
    assert page.locator("#station img[src=x], #station script, #station [onerror]").count() == 0
    assert page.locator("#station [src^=javascript], #station [href^=javascript]").count() == 0
    assert page.title() == "Looks"


def test_keyboard(stage: Stage, visit: Visit) -> None:
    """One Tab stop leads to the tiles, arrow keys go from one to the next, Tab to the buttons of the one."""
    stage.show(scenes.four())
    page = visit()
    shown(page, 4)
    tile(page, "a").locator(".face").focus()
    for key, id in [("ArrowRight", "b"), ("ArrowDown", "d"), ("ArrowLeft", "c"), ("ArrowUp", "a"), ("End", "d")]:
        page.keyboard.press(key)
        expect(tile(page, id).locator(".face")).to_be_focused()
    page.keyboard.press("Tab")
    expect(tile(page, "d").get_by_role("button", name="Retry")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.locator("#station .tile :focus").count() == 0
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(tile(page, "d").locator(".face")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    assert page.locator("#station .tile :focus").count() == 0


def test_names(stage: Stage, visit: Visit) -> None:
    """Every tile has a name that says what it is and how it stands; only a done one opens."""
    stage.show(scenes.four())
    page = visit()
    names = [
        "FLUX VTO, Denim jacket: look closely",
        "FLUX VTO, Striped tee: Running, step 2 of 4",
        "FLUX VTO, Green dress: Waiting, 3rd in line",
        "FLUX VTO, Wool coat: fal could not find a person in the photo.",
    ]
    for name in names:
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(1)
    tile(page, "b").locator(".face").click(force=True)
    expect(page.locator("#station dialog")).to_be_hidden()


def test_touch(stage: Stage, visit: Visit) -> None:
    """On a phone every button is large enough for a finger, nothing is wider than the window, and the grid scrolls."""
    stage.show(scenes.twelve())
    page = visit(PHONE)
    shown(page, 12)
    sizes = page.locator("#station .tile button:visible").evaluate_all(
        "all => all.map(b => [b.offsetWidth, b.offsetHeight])"
    )
    assert len(sizes) > 12
    assert min(min(size) for size in sizes) >= 44
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tile(page, "t11").scroll_into_view_if_needed()
    expect(tile(page, "t11").locator(".words")).to_be_in_viewport()


def test_still(stage: Stage, visit: Visit) -> None:
    """Who wants nothing to move sees nothing move."""
    stage.show([waiting("a"), waiting("b")])
    page = visit(reduced_motion="reduce")
    shown(page, 2)
    assert page.evaluate("document.getAnimations().filter(one => one.id === 'drift').length") == 0
    assert tile(page, "a").locator(".photo").evaluate("one => getComputedStyle(one).transitionDuration") == "0s"


def test_forced_colours(stage: Stage, visit: Visit) -> None:
    """In forced colours the bar's filled part differs from the rest."""
    stage.show([working("a"), working("b")])
    page = visit(DESK, forced_colors="active")
    shown(page, 2)
    bar = tile(page, "a").locator(".bar")
    colour = "one => getComputedStyle(one).backgroundColor"
    assert bar.evaluate(colour) != bar.locator("i").evaluate(colour)


@pytest.mark.parametrize("dark", [False, True])
def test_contrast(stage: Stage, visit: Visit, dark: bool) -> None:
    """Words on tiles have the contrast that reading needs, by day and by night."""
    stage.show([working("a", before=None), failed("b", before=None)])
    page = visit(dark=dark)
    for selector in (".words", ".clock", ".cause", ".cure", ".title", ".numbers"):
        found = page.locator(f"#station {selector}:visible").first
        assert found.evaluate(CONTRAST) >= 4.5, selector


CONTRAST = """node => {
  const context = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const over = (colours) => {
    context.fillStyle = '#fff';
    context.fillRect(0, 0, 1, 1);
    for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map(
      (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const grounds = [];
  for (let one = node; one; one = one.parentElement) grounds.unshift(getComputedStyle(one).backgroundColor);
  const [text, ground] = [over([...grounds, getComputedStyle(node).color]), over(grounds)];
  return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
}"""
