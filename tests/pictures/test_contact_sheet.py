"""The contact sheet: the photo first, every look whole in its place, and captions that stay in theirs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from vton_ui.errors import InputError, PhotoError
from vton_ui.pictures.contact_sheet import (
    GRID,
    LONGEST_SIDE,
    MAX_LOOKS,
    PAPER,
    Captioned,
    Layout,
    contact_sheet,
    layout_of,
)

pytestmark = pytest.mark.slow

Drawing = Callable[..., Path]
COLOURS = [(40 + 16 * number, 200 - 14 * number, 120) for number in range(MAX_LOOKS)]
RED = (250, 0, 0)


@pytest.fixture
def plain(tmp_path: Path) -> Drawing:
    """A picture of one colour, as a file."""

    def drawing(colour: tuple[int, int, int] = RED, size: tuple[int, int] = (300, 400)) -> Path:
        path = tmp_path / f"{colour}{size}.png"
        Image.new("RGB", size, colour).save(path)
        return path

    return drawing


def looks_of(*paths: Path) -> list[Captioned]:
    return [Captioned(path=path, lines=("Striped tee", "CatVTON", "seed 7")) for path in paths]


def check_cell(sheet: Image.Image, layout: Layout, index: int, colour: tuple[int, int, int]) -> None:
    """A picture of one colour fills its cell, with soft corners, and a caption is below it."""
    cell, (left, top) = layout.cell if index else layout.photo, layout.at(index)
    inside = sheet.crop((left + 16, top + 16, left + cell.width - 16, top + cell.height - 16))
    assert inside.getextrema() == tuple((channel, channel) for channel in colour)
    assert sheet.getpixel((left, top + cell.height - 1)) != colour
    caption = sheet.crop((left, top + cell.height + 2, left + cell.width, top + cell.height + 48))
    assert ImageStat.Stat(ImageChops.invert(caption)).extrema[0][1] > 180


@given(st.integers(0, MAX_LOOKS), st.floats(0.1, 8), st.booleans())
def test_layout(looks: int, ratio: float, tall: bool) -> None:
    """Pictures do not touch each other or the edges, the sheet is not too large, and few places stay empty."""
    layout = layout_of(looks, ratio, tall=tall)
    boxes = []
    for index in range(looks + 1):
        cell, (left, top) = layout.cell if index else layout.photo, layout.at(index)
        boxes.append((left, top, left + cell.width, top + cell.height))
    assert max(box[2] for box in boxes) == layout.size.width - layout.margin
    assert max(box[3] for box in boxes) < layout.size.height - layout.margin
    for index, one in enumerate(boxes):
        assert min(one[:2]) >= layout.margin >= 3 * GRID
        for other in boxes[index + 1 :]:
            beside = one[2] + layout.gap <= other[0] or other[2] + layout.gap <= one[0]
            assert beside or one[3] + layout.gap < other[1] or other[3] + layout.gap < one[1]
    assert max(layout.size) < LONGEST_SIDE * 1.2
    places = layout.columns * layout.rows + layout.tall
    assert looks + 1 <= places <= (looks + 1) * 1.4
    assert tall or not layout.tall


@pytest.mark.parametrize("count", range(1, MAX_LOOKS + 1))
def test_photo_first_and_all_looks(count: int, plain: Drawing) -> None:
    """The photo is in the first place, and every look whole in its own, on paper."""
    sheet = contact_sheet(plain(RED, (900, 1200)), looks_of(*map(plain, COLOURS[:count])), "Note.")
    layout = layout_of(count, 0.75)
    assert (sheet.mode, sheet.size) == ("RGB", layout.size)
    for index, colour in enumerate([RED, *COLOURS[:count]]):
        check_cell(sheet, layout, index, colour)
    rim = sheet.crop((0, 0, sheet.width, layout.margin - 2))
    assert rim.getextrema() == tuple((channel, channel) for channel in PAPER)


@pytest.mark.parametrize("count", [1, 2, 7, MAX_LOOKS])
def test_without_the_photo(count: int, plain: Drawing) -> None:
    """Where the photo is gone, the looks stand alone, all of one size."""
    sheet = contact_sheet(None, looks_of(*map(plain, COLOURS[:count])), "Note.")
    layout = layout_of(count - 1, 0.75, tall=False)
    assert sheet.size == layout.size
    for index, colour in enumerate(COLOURS[:count]):
        check_cell(sheet, layout, index, colour)


@pytest.mark.parametrize("look_size", [(400, 300), (300, 300), (100, 400), (2000, 2600), (60, 80)])
def test_any_shape(look_size: tuple[int, int], plain: Drawing) -> None:
    """A look of another shape or size than the photo is shown whole."""
    sheet = contact_sheet(plain((255, 255, 255)), looks_of(plain((20, 90, 160), look_size)), "Note.")
    layout = layout_of(1, 0.75)
    left, top = layout.at(1)
    cell = sheet.crop((left, top, left + layout.cell.width, top + layout.cell.height))
    blue = cell.getchannel("R").point(lambda value: 255 * (value == 20)).getbbox()
    assert blue is not None
    shape = (blue[2] - blue[0]) / (blue[3] - blue[1])
    assert shape == pytest.approx(look_size[0] / look_size[1], rel=0.03)


@pytest.mark.parametrize("words", ["", "рубашка", "衬衫", "a" * 200, "tee + coat + shoes + skirt", "\u202e👕", "a b"])
def test_any_words(words: str, plain: Drawing) -> None:
    """No caption breaks the sheet or runs out of its column."""
    sheet = contact_sheet(plain(), [Captioned(path=plain(), lines=(words, words))], "Note.")
    layout = layout_of(1, 0.75)
    right = sheet.crop((layout.at(1)[0] + layout.cell.width + 2, 0, *sheet.size))
    assert right.getextrema() == tuple((channel, channel) for channel in PAPER)


@pytest.mark.parametrize("count", [0, MAX_LOOKS + 1])
def test_too_few_or_many(count: int, plain: Drawing) -> None:
    """None, or more than there is room for, is refused in words."""
    with pytest.raises(InputError, match=f"{count} looks"):
        contact_sheet(plain(), looks_of(plain()) * count, "Note.")


def test_files_that_are_gone(plain: Drawing, tmp_path: Path) -> None:
    """A photo or a look that is gone is told in words."""
    with pytest.raises(PhotoError):
        contact_sheet(tmp_path / "gone.jpg", looks_of(plain()), "Note.")
    for photo in (plain(), None):
        with pytest.raises(InputError, match="no longer there"):
            contact_sheet(photo, looks_of(tmp_path / "gone.jpg"), "Note.")
