"""What a visitor does in the viewer, and what is to be seen there."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image
from playwright.sync_api import CDPSession, Locator, Page, expect


def tile(page: Page, id: str) -> Locator:
    return page.locator(f"#station .tile[data-id='{id}']")


def shown(page: Page, count: int) -> None:
    """That many tiles are there, and the pictures in them."""
    expect(page.locator("#station .tile")).to_have_count(count)
    page.wait_for_function(
        "[...document.querySelectorAll('#station img[src]')].every(i => i.complete && i.naturalWidth)"
    )


LYING = {"width": 844, "height": 390}
RED, BLUE = (255, 0, 0), (0, 0, 255)
# The two pictures and nothing that lies over them.
BARE = """
#station :is(.tag, .divider, .split, .turn) { opacity: 0 !important; }
#station .stage { border-radius: 0 !important; }
"""


@contextmanager
def slowed(page: Page) -> Iterator[None]:
    """While this lasts, the page is as slow as on a phone."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    try:
        yield
    finally:
        session.detach()


def viewer(page: Page) -> Locator:
    return page.locator("#station dialog")


def opened(page: Page, id: str = "a") -> Locator:
    """The viewer on a look, with its pictures there."""
    page.locator(f"#station .tile[data-id='{id}'] .face").click()
    expect(viewer(page)).to_be_visible()
    page.wait_for_function("[...document.querySelectorAll('#station .layer img[src]')].every(i => i.complete)")
    return viewer(page)


def pictures(page: Page) -> Image.Image:
    """What the stage shows of the two pictures."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return Image.open(io.BytesIO(page.locator("#station .view").screenshot(style=BARE))).convert("RGB")


def split(page: Page, value: int) -> None:
    """Put the slider somewhere."""
    page.locator("#station .split").fill(str(value))


def level(page: Page) -> int:
    return int(page.locator("#station .level").inner_text().removesuffix(" %"))


def touches(session: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})


def middle(page: Page) -> tuple[float, float]:
    box = page.locator("#station .stage").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def offset(page: Page) -> tuple[float, float]:
    """How far the picture's middle is from the stage's."""
    script = "all => all.map(one => one.getBoundingClientRect()).map(b => [b.x + b.width / 2, b.y + b.height / 2])"
    stage, image = page.locator("#station :is(.stage, .layer img.look)").evaluate_all(script)
    return image[0] - stage[0], image[1] - stage[1]
