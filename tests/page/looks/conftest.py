"""The stage, and visits to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, ConsoleMessage, Error, Page

from tests.browser import DESK, quiet_page
from tests.page.looks.stage import Stage, staged

Visit = Callable[..., Page]


@pytest.fixture(scope="package")
def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, str]]:
    """One server for all tests of the looks."""
    with staged(tmp_path_factory.mktemp("looks")) as found:
        yield found


@pytest.fixture
def stage(shared_stage: tuple[Stage, str]) -> Stage:
    """The stage, with nothing on it."""
    stage, _ = shared_stage
    stage.clear()
    return stage


@pytest.fixture(scope="package")
def tabs(browser: Browser) -> Iterator[dict[bool, Page]]:
    """Pages that tests use again, with a finger (True) or a mouse: their scripts are compiled only once."""
    found: dict[bool, Page] = {}
    yield found
    for page in found.values():
        page.context.close()


@pytest.fixture
def visit(browser: Browser, tabs: dict[bool, Page], shared_stage: tuple[Stage, str]) -> Iterator[Visit]:
    """Opens the stage; the page must log no error."""
    errors: list[str] = []
    visited: list[Page] = []
    scripts: list[CDPSession] = []

    def note_error(error: Error) -> None:
        errors.append(str(error))

    def note_message(message: ConsoleMessage) -> None:
        errors.extend([message.text] if message.type == "error" else [])

    def opened(viewport: dict[str, int] = DESK, *, dark: bool = False, script: str = "", **media: Any) -> Page:
        touch = min(viewport.values()) < 700
        if touch not in tabs:
            tabs[touch] = quiet_page(browser.new_context(has_touch=touch, is_mobile=touch))
        page = tabs[touch]
        if page not in visited:
            visited.append(page)
            page.on("pageerror", note_error)
            page.on("console", note_message)
        page.set_viewport_size(viewport)  # type: ignore[arg-type]
        page.emulate_media(**{"reduced_motion": "no-preference", "forced_colors": "none", **media})
        page.mouse.move(0, 0)
        if script:  # of this test only: what Playwright adds to a page stays with it
            scripts.append(page.context.new_cdp_session(page))
            scripts[-1].send("Page.enable")
            scripts[-1].send("Page.addScriptToEvaluateOnNewDocument", {"source": script})
        page.goto(f"{shared_stage[1]}?__theme={'dark' if dark else 'light'}")
        page.wait_for_selector("#station .looks")
        return page

    yield opened
    for session in scripts:
        session.detach()
    for page in visited:
        page.remove_listener("pageerror", note_error)
        page.remove_listener("console", note_message)
        page.goto("about:blank")
    assert errors == []
