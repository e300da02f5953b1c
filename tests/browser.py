"""A real Chromium for the tests of the page, and for `python -m tests.screenshots`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SHELL = "chromium-headless-shell"
"""The same without windows, in Debian: pages take a fifth less of the processor's time in it."""
DESK = {"width": 1440, "height": 900}
TABLET = {"width": 768, "height": 1024}
PHONE = {"width": 390, "height": 844}
EARLY = Path(__file__).parents[1] / "vton_ui" / "ui" / "web" / "early.js"
# As root, in a container, Chromium has no sandbox of its own; the rest keeps it from calling home.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


class NoBrowser(Exception):
    """There is no Chromium, neither the system's nor Playwright's own."""


def installed(*names: str) -> str | None:
    """The first of these programs that the system has; None for Playwright's own."""
    return next((path for name in names if (path := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium.

    Raises:
        NoBrowser: There is none.
    """
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=installed(SHELL, *NAMES), args=ARGUMENTS)
        except Error as exc:
            raise NoBrowser(str(exc)) from exc
        yield browser
        browser.close()


def open_page(browser: Browser, url: str, *, viewport: dict[str, int] = DESK, dark: bool = False) -> Page:
    """The studio in a fresh context (no cookies, no storage), ready to be used."""
    touch = viewport["width"] < 700
    context = browser.new_context(viewport=viewport, is_mobile=touch, has_touch=touch)  # type: ignore[arg-type]
    page = context.new_page()
    load(page, url, dark=dark)
    return page


def quiet_page(context: BrowserContext) -> Page:
    """A page for parts of the studio: as on the whole one, Gradio's loader draws no frames once it is gone."""
    context.add_init_script(path=EARLY)
    return context.new_page()


def load(page: Page, url: str, *, dark: bool = False) -> None:
    """Load the studio, until it is ready to be used."""
    # Gradio draws a page a moment before it answers to what is done on it; its first event shows that it does.
    with page.expect_request("**/queue/join*"):
        page.goto(f"{url}?__theme={'dark' if dark else 'light'}")
    page.wait_for_selector("#try_on")
    page.wait_for_function("document.querySelectorAll('#people img').length > 0")


def in_ci() -> bool:
    """Whether a missing browser is a failure."""
    return os.environ.get("CI") == "true"
