"""A browser, the app with and without a key, and a fal that both share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from tests.browser import DESK, PHONE, NoBrowser, chromium, in_ci, load
from tests.conftest import serving
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.page.acts import WAIT
from vton_ui.backends.fal import answers
from vton_ui.settings import Settings

expect.set_options(timeout=WAIT)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for all tests; without one they skip on a laptop and fail in CI."""
    try:
        with chromium() as found:
            yield found
    except NoBrowser as exc:
        (pytest.fail if in_ci() else pytest.skip)(f"no Chromium: {exc}")


@pytest.fixture(scope="package")
def shared_fal() -> Iterator[FakeFal]:
    """One fal for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        fake = FakeFal().start()
        fake.patch(patch)
        patch.setattr(answers, "RETRY_SECONDS", 0.1)
        yield fake
        fake.stop()
    assert not fake.crashes, fake.crashes[0]


@pytest.fixture
def fal(shared_fal: FakeFal) -> FakeFal:
    """The same, with nothing left of the test before but the stored files, which the app rightly relies on."""
    shared_fal.jobs.clear()
    shared_fal.seen.clear()
    shared_fal.clear_faults()
    shared_fal.black, shared_fal.next_error = False, None
    shared_fal.queue_seconds, shared_fal.run_seconds, shared_fal.queue_length = 0.1, 0.2, 3
    shared_fal.concurrent = None
    return shared_fal


@pytest.fixture(scope="package")
def paid_url(shared_fal: FakeFal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with a key."""
    data = tmp_path_factory.mktemp("paid")
    with serving(Settings(fal_key=TEST_KEY, data_dir=data, fal_api_url=shared_fal.api_url)) as url:
        yield url


@pytest.fixture(scope="package")
def free_url(shared_fal: FakeFal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app without a key."""
    with serving(Settings(data_dir=tmp_path_factory.mktemp("free"), fal_api_url=shared_fal.api_url)) as url:
        yield url


@pytest.fixture(scope="package")
def paid_desk(browser: Browser) -> Iterator[BrowserContext]:
    """What `paid` is opened in."""
    yield from _context(browser, viewport=DESK)


@pytest.fixture(scope="package")
def free_desk(browser: Browser) -> Iterator[BrowserContext]:
    """What `free` is opened in."""
    yield from _context(browser, viewport=DESK)


@pytest.fixture(scope="package")
def paid_hand(browser: Browser) -> Iterator[BrowserContext]:
    """What `phone` is opened in."""
    yield from _context(browser, viewport=PHONE, is_mobile=True, has_touch=True)


def _context(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """A context in which nothing moves by itself: without a graphics card each frame of it costs processor time."""
    with browser.new_context(reduced_motion="reduce", **options) as context:
        yield context


@pytest.fixture
def paid(paid_desk: BrowserContext, paid_url: str, fal: FakeFal) -> Iterator[Page]:
    """The page of the app with a key; it must not log an error."""
    yield from _as_new(paid_desk, paid_url)


@pytest.fixture
def free(free_desk: BrowserContext, free_url: str, fal: FakeFal) -> Iterator[Page]:
    """The page of the app without a key; likewise."""
    yield from _as_new(free_desk, free_url)


@pytest.fixture
def phone(paid_hand: BrowserContext, paid_url: str, fal: FakeFal) -> Iterator[Page]:
    """The page of the app with a key on a phone; likewise."""
    yield from _as_new(paid_hand, paid_url)


def _as_new(context: BrowserContext, url: str) -> Iterator[Page]:
    """The page in a browser that remembers nothing of it but its scripts: it loads in less than half the time."""
    if not context.pages:
        clear(context.new_page(), url)
    page = context.pages[0]
    window = page.viewport_size
    errors: list[str] = []

    def note(error: Error) -> None:
        errors.append(str(error))

    page.on("pageerror", note)
    load(page, url)
    yield page
    page.remove_listener("pageerror", note)
    context.set_offline(False)
    for other in context.pages[1:]:
        other.close()
    if context.pages:
        context.pages[0].unroute_all(behavior="ignoreErrors")
        context.pages[0].set_viewport_size(window)  # type: ignore[arg-type]
        clear(context.pages[0], url)
    assert errors == []


def clear(page: Page, url: str) -> None:
    """Leave the app for a page of its server that has no script, and clear what the browser has stored for it.

    To the server it is another browser then.
    """
    page.goto(f"{url}gradio_api/app_id")
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.context.clear_cookies()
