"""How long the page's estimate takes to follow a change, seen in a real browser."""

from __future__ import annotations

# From the click to the first frame in which the text is another one.
_UNTIL_CHANGED = """
() => new Promise((done, failed) => {
  const estimate = document.querySelector('#estimate');
  const before = estimate.innerText;
  const begin = performance.now();
  const look = () => {
    const after = performance.now() - begin;
    if (estimate.innerText !== before) done(after);
    else if (after > 5000) failed(new Error('the estimate stays as it is'));
    else requestAnimationFrame(look);
  };
  document.querySelector('#option-full_size input').click();
  requestAnimationFrame(look);
})
"""


def seconds_to_estimate(url: str, photo: bytes, rounds: int) -> list[float]:
    """After each of several changes.

    Raises:
        NoBrowser: There is none.
        ImportError: Nor anything to drive it with.
    """
    from playwright.sync_api import expect

    from tests.browser import chromium, open_page
    from tests.page.acts import WAIT, give

    with chromium() as browser:
        page = open_page(browser, url)
        give(page, "person", photo)
        give(page, "garments", photo)
        expect(page.locator("#estimate")).to_contain_text("$", timeout=WAIT)
        page.get_by_text("Expert options").click()
        page.wait_for_selector("#option-full_size input")
        page.wait_for_timeout(1000)
        seen = []
        for _ in range(max(rounds, 5)):
            seen.append(float(page.evaluate(_UNTIL_CHANGED)) / 1000)
            page.wait_for_timeout(300)
        return seen
