"""The first second: what a new visitor's browser is sent, a style sheet that wins, blocked storage, installing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.bench.first import visit
from tests.browser import ARGUMENTS, DESK, NAMES, PHONE, installed
from tests.page.acts import WAIT

FIRST_BYTES, FIRST_REQUESTS, SECOND_BYTES = 600_000, 100, 40_000
THUMBNAIL = 176

SAMPLE = (
    "body, .gradio-container, .main, footer, footer *, h1, h2, h3, .tip, .tip *, #masthead p, #privacy p, .label-wrap, "
    ".station, #model label, #model span, #desk, .slot, #person *, #clothes *, #garments *, #result .frame, #status *, "
    "#try_on, #action, #swap, #pictures *, .options *, #keeping *, #key_drawer *"
)
STYLES = """(sample) => {
  const names = [...getComputedStyle(document.body)].filter((name) => !name.startsWith("--"));
  return [...document.querySelectorAll(sample)].map((element) => {
    const style = getComputedStyle(element);
    const values = names.map((name) => `${name}: ${style.getPropertyValue(name)}`);
    return `${element.tagName}#${element.id}.${element.getAttribute("class") ?? ""} ${values.join("; ")}`;
  });
}"""
OURS_FIRST = """() => {
  const ours = [...document.querySelectorAll("style")].filter((sheet) => sheet.textContent.includes("#masthead"));
  document.head.prepend(...ours);
  return ours.length;
}"""
COUNT_FRAMES = """
  window.loader_frames = 0;
  window.frame = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (draw) => {
    const [, , ours, caller] = new Error().stack.split("\\n"); // early.js asks for all of them
    window.loader_frames += /assets.(statustracker|index)-/.test(ours + caller);
    return window.frame(draw);
  };
"""
"""Counts what the loader's script asks for, and the springs that it leaves moving."""
THIRTY_FRAMES = "async () => { for (let i = 0; i < 30; i++) await new Promise((drawn) => window.frame(drawn)); }"


def test_first_and_second_visit(browser: Browser, free_url: str) -> None:
    """Little is sent for the first visit, next to nothing for the second, and no frames for a loader that is gone."""
    with browser.new_context(viewport=DESK) as context:  # type: ignore[arg-type]
        context.add_init_script(COUNT_FRAMES)
        page = context.new_page()
        first, second = visit(page, free_url), visit(page, free_url)
        assert first.received <= FIRST_BYTES, first
        assert first.requests <= FIRST_REQUESTS, first
        assert second.received <= SECOND_BYTES, second
        sizes = page.eval_on_selector_all(
            "#people img, #clothes img", "all => all.map((one) => Math.max(one.naturalWidth, one.naturalHeight))"
        )
        assert len(sizes) == 14
        assert max(sizes) <= THUMBNAIL
        page.evaluate("window.loader_frames = 0")
        page.evaluate(THIRTY_FRAMES)
        assert page.evaluate("window.loader_frames") < 10
        page.click("#people button >> nth=0")
        taken = page.locator("#person img")
        expect(taken).to_have_js_property("naturalHeight", 1280, timeout=WAIT)


def test_our_style_sheet_wins_in_any_order(free: Page) -> None:
    """Put before Gradio's sheets, ours looks the same: on a desk and on a phone, by day and by night."""
    for drawer in ("key_drawer", "expert", "keeping"):
        free.click(f"#{drawer} > .label-wrap")
    free.add_style_tag(content="* { transition: none !important; animation: none !important; }")
    after = [free.evaluate(STYLES, SAMPLE) for _ in _looks(free)]
    assert free.evaluate(OURS_FIRST) == 1
    before = [free.evaluate(STYLES, SAMPLE) for _ in _looks(free)]
    assert len(after[0]) > 150
    for first, last in zip(before, after, strict=True):
        changed = [(set(one.split("; ")), set(other.split("; "))) for one, other in zip(first, last, strict=True)]
        assert [one ^ other for one, other in changed if one != other] == []


def _looks(page: Page) -> Iterator[None]:
    for size in (DESK, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for dark in (False, True):
            page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", dark)
            assert (page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(25, 23, 20)") == dark
            yield
    page.set_viewport_size(DESK)  # type: ignore[arg-type]


@pytest.fixture
def third_party(browser: Browser, tmp_path: Path) -> Iterator[BrowserContext]:
    """A browser that blocks the storage of frames of other sites."""
    (tmp_path / "Default").mkdir()
    blocked = {"profile": {"block_third_party_cookies": True, "cookie_controls_mode": 1}}
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(blocked))
    with browser.browser_type.launch_persistent_context(
        tmp_path,
        executable_path=installed(*NAMES),  # the shell has no such setting
        args=ARGUMENTS,
        viewport=DESK,  # type: ignore[arg-type]
    ) as context:
        yield context


def test_blocked_storage(third_party: BrowserContext, free_url: str, free: Page) -> None:
    """In another site's frame, where the browser stores nothing, the page says so, and makes a draft."""
    expect(free.locator("#unstored")).to_be_hidden()
    page = third_party.new_page()
    page.goto(free_url.replace("127.0.0.1", "localhost") + "gradio_api/app_id")
    page.evaluate(
        "(url) => { document.body.innerHTML = `<iframe src='${url}' width=1400 height=850></iframe>`; }", free_url
    )
    frame = page.frame_locator("iframe")
    expect(frame.locator("#unstored")).to_contain_text("results are lost", timeout=WAIT)
    assert page.frames[1].evaluate("Object.getPrototypeOf(localStorage) !== Storage.prototype")
    frame.locator("#people button").first.click()
    expect(frame.locator("#person img")).to_be_visible(timeout=WAIT)
    frame.locator("#clothes button").first.click()
    expect(frame.locator("#try_on")).to_contain_text("Try on", timeout=WAIT)
    frame.locator("#try_on").click()
    expect(frame.locator("#status [data-state=done]")).to_be_visible(timeout=WAIT)


def test_installable(free: Page, free_url: str) -> None:
    """Browsers offer to install the page, with icons of its own, and every address works below a sub-path."""
    network = free.context.new_cdp_session(free)
    errors = network.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert {error["errorId"] for error in errors} <= {"in-incognito"}  # as every context of a test is
    found: dict[str, Any] = network.send("Page.getAppManifest")
    assert found["errors"] == []
    assert found["url"] == f"{free_url}install/app.webmanifest"
    manifest = json.loads(found["data"])
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
    named = [icon["src"] for icon in manifest["icons"]]
    linked = free.eval_on_selector_all(
        "link[rel=manifest][href*=install], link[rel=icon], link[rel=apple-touch-icon]",
        "all => all.map((link) => link.getAttribute('href'))",
    )
    assert len(linked) == 3
    for address in (*(f"install/{name}" for name in named), *linked):
        assert not address.startswith(("/", "http"))
        answer = httpx.get(free_url + address)
        assert answer.status_code == 200, address
    assert free.locator("meta[name=theme-color]").count() == 2
