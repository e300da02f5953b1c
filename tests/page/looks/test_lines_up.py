"""Before and after line up, to the pixel."""

from __future__ import annotations

import pytest
from PIL import Image, ImageChops, ImageDraw
from playwright.sync_api import Page

from tests.browser import DESK, PHONE
from tests.page.looks.acts import LYING, RED, opened, pictures, split
from tests.page.looks.conftest import Visit
from tests.page.looks.scenes import look
from tests.page.looks.stage import Stage


def grid(width: int, height: int, shift: int = 0) -> Image.Image:
    """Lines across the picture; `shift` moves the upright ones, in hundredths of the width."""
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    for part in range(1, 10):
        x, y = width * part / 10 + width * shift / 100, height * part / 10
        draw.rectangle((x - width / 100, 0, x + width / 100 - 1, height), fill="black")
        draw.rectangle((0, y - width / 100, width, y + width / 100 - 1), fill="black")
    return image


def middles(image: Image.Image, *, upright: bool) -> list[float]:
    """Where the lines are, in pixels, from one side to the other."""
    image = image.convert("L") if upright else image.convert("L").transpose(Image.Transpose.TRANSPOSE)
    row = image.crop((0, image.height // 20, image.width, image.height // 20 + 1)).tobytes()
    dark, found = [place for place, value in enumerate(row) if value < 128], []
    while dark:
        run = [place for at, place in enumerate(dark) if place == dark[0] + at]
        found.append(sum(run) / len(run))
        dark = dark[len(run) :]
    return found


def both(page: Page) -> tuple[Image.Image, Image.Image]:
    """The look alone, and the photo alone."""
    split(page, 0)
    after = pictures(page)
    split(page, 100)
    return after, pictures(page)


@pytest.mark.parametrize("viewport", [DESK, PHONE, LYING], ids=["desk", "phone", "lying"])
def test_lines_up(stage: Stage, visit: Visit, viewport: dict[str, int]) -> None:
    """The same picture before and after is one picture, wherever the slider is, zoomed and moved as well."""
    url = stage.picture("same.png", grid(600, 800))
    stage.show([look("a", "done", url=url, before=url)])
    page = visit(viewport)
    opened(page)
    for zoomed in (False, True):
        if zoomed:
            for _ in range(4):
                page.keyboard.press("+")
            page.keyboard.press("ArrowRight")
            page.keyboard.press("ArrowDown")
        shots = []
        for value in (0, 37, 50, 100):
            split(page, value)
            shots.append(pictures(page))
        page.locator("#station h2").focus()
        assert len(shots[0].getcolors(100_000) or []) > 1  # there is something to see
        for shot in shots[1:]:
            assert ImageChops.difference(shots[0], shot).getbbox() is None


def test_lines_up_in_any_size(stage: Stage, visit: Visit) -> None:
    """A photo as the visitor's phone stored it, lying and to be turned, lines up with a look of another size."""
    url = stage.picture("look.png", grid(768, 1024))
    exif = Image.Exif()
    exif[0x0112] = 6
    looks = []
    for size in ((1500, 2000), (745, 1000), (720, 961)):
        turned = grid(*size).transpose(Image.Transpose.ROTATE_90)
        before = stage.picture(f"turned{size[0]}.jpg", turned, quality=95, exif=exif)
        looks.append(look(f"of{size[0]}", "done", url=url, before=before))
    stage.show(looks)
    page = visit()
    for each in looks:
        opened(page, each["id"])
        after, photo = both(page)
        for upright in (True, False):
            lines, others = middles(after, upright=upright), middles(photo, upright=upright)
            assert len(lines) == len(others) == 9, each["id"]
            assert max(abs(line - other) for line, other in zip(lines, others, strict=True)) <= 1, each["id"]
        page.keyboard.press("Escape")


def test_a_shift_is_seen(stage: Stage, visit: Visit) -> None:
    """What the two tests above look for, they find: a look moved by a hundredth of its width."""
    before, url = stage.picture("grid.png", grid(600, 800)), stage.picture("moved.png", grid(600, 800, shift=1))
    stage.show([look("a", "done", url=url, before=before)])
    page = visit()
    opened(page)
    after, photo = both(page)
    assert ImageChops.difference(after, photo).getbbox()
    assert abs(middles(after, upright=True)[0] - middles(photo, upright=True)[0]) > 1


def test_other_shape(stage: Stage, visit: Visit) -> None:
    """A photo of quite another shape is shown whole, not stretched."""
    wide = Image.new("RGB", (800, 400), RED)
    stage.show([look("a", "done", before=stage.picture("wide.png", wide))])
    page = visit()
    opened(page)
    split(page, 100)
    box = pictures(page)
    red = [y for y in range(box.height) if box.getpixel((box.width // 2, y)) == RED]
    assert len(red) / box.width == pytest.approx(1 / 2, abs=0.01)
