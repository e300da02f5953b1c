"""The stage, and visits to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import DESK
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


@pytest.fixture
def visit(browser: Browser, shared_stage: tuple[Stage, str]) -> Iterator[Visit]:
    """Opens the stage; the page must log no error."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def opened(viewport: dict[str, int] = DESK, *, dark: bool = False, script: str = "", **options: Any) -> Page:
        touch = min(viewport.values()) < 700
        context = browser.new_context(viewport=viewport, has_touch=touch, is_mobile=touch, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(script)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.extend([message.text] if message.type == "error" else []))
        page.goto(f"{shared_stage[1]}?__theme={'dark' if dark else 'light'}")
        page.wait_for_selector("#station .looks")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
