"""Draw the example pictures anew: `python assets/draw.py [name …]`.

Needs Playwright and a Chromium: the one on the PATH, or Playwright's own (`playwright install chromium`).
"""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from drawing.garments import GARMENTS, laid_flat
from drawing.people import PEOPLE, figure
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
QUALITY = 92
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def drawings() -> Iterator[tuple[str, str]]:
    """Each picture's path under assets/ and its SVG."""
    for name, person in PEOPLE.items():
        yield f"people/{name}.jpg", figure(person)
    for name, garment in GARMENTS.items():
        yield f"garments/{name}.jpg", laid_flat(garment)


def browser_path() -> str | None:
    """A Chromium of this machine, or None for Playwright's own."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


def render(browser: Browser, svg: str) -> Image.Image:
    """The SVG as a picture: drawn at twice its size and shrunk, which keeps fine lines even."""
    page = browser.new_page(device_scale_factor=2, viewport={"width": 960, "height": 1280})
    page.set_content(f'<body style="margin:0">{svg}</body>')
    picture = Image.open(io.BytesIO(page.locator("svg").screenshot())).convert("RGB")
    page.close()
    return picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS)


def main(names: list[str]) -> None:
    """Draw every picture, or only those named."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        for path, svg in drawings():
            if names and Path(path).stem not in names:
                continue
            target = HERE / path
            target.parent.mkdir(exist_ok=True)
            render(browser, svg).save(target, quality=QUALITY, optimize=True)
            print(f"{path}  {target.stat().st_size // 1024} KB")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
