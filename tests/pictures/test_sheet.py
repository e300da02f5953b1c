"""Several garments → one sheet on which nothing is cropped, blown up or covered."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw

from vton_ui.errors import GarmentsError
from vton_ui.models.spec import Size
from vton_ui.pictures.sheet import GAP, cells, grid, sheet, trim

COLOURS = [(200, 0, 0), (0, 160, 0), (0, 0, 200), (160, 160, 0), (0, 160, 160), (160, 0, 160)]
WHITE = (255, 255, 255)

Box = tuple[int, int, int, int]


def piece(width: int, height: int, colour: tuple[int, int, int], margin: int = 0) -> Image.Image:
    """A garment of one colour on a white margin."""
    image = Image.new("RGB", (width + 2 * margin, height + 2 * margin), WHITE)
    image.paste(colour, (margin, margin, margin + width, margin + height))
    return image


def mask(image: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """White where the picture has exactly this colour."""
    red, green, blue = ImageChops.difference(image, Image.new("RGB", image.size, colour)).split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue).point(lambda value: 255 * (value == 0))


def box_of(image: Image.Image, colour: tuple[int, int, int]) -> Box:
    """Where a colour is; it must fill its box."""
    found = mask(image, colour)
    box = found.getbbox()
    assert box is not None
    assert found.crop(box).getextrema() == (255, 255)
    return box


def apart(one: Box, other: Box, by: int) -> bool:
    return one[2] + by <= other[0] or other[2] + by <= one[0] or one[3] + by <= other[1] or other[3] + by <= one[1]


@pytest.mark.parametrize(
    ("count", "expected"), [(1, (1, 1)), (2, (2, 1)), (3, (2, 2)), (4, (2, 2)), (5, (3, 2)), (6, (3, 2))]
)
def test_grid(count: int, expected: tuple[int, int]) -> None:
    """Two side by side, 3–4 in 2×2, 5–6 in 3×2."""
    assert grid(count) == expected


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("row", [(1, 1), (2, 1), (3, 1), (4, 1), (5, 1), (6, 1)]),
        ("grid", [(1, 1), (1, 2), (2, 2), (2, 2), (3, 2), (3, 2)]),
    ],
)
def test_layout(layout: str, expected: list[tuple[int, int]]) -> None:
    """All in one row, or in two."""
    assert [grid(count, layout) for count in range(1, 7)] == expected
    garments = [piece(200, 200, colour) for colour in COLOURS]
    for count, (columns, rows) in enumerate(expected[1:], 2):
        picture = sheet(garments[:count], pixels=40_000, layout=layout)
        boxes = [box_of(picture, colour) for colour in COLOURS[:count]]
        assert (len({box[0] for box in boxes}), len({box[1] for box in boxes})) == (columns, rows)


@pytest.mark.parametrize(("count", "cure"), [(0, "Add a photo"), (7, "take 1 away"), (9, "take 3 away")])
def test_too_few_or_many(count: int, cure: str) -> None:
    """None, or more than six, is an error that says what to do."""
    with pytest.raises(GarmentsError, match=cure) as caught:
        sheet([piece(30, 30, COLOURS[0])] * count, pixels=10_000)
    assert caught.value.slot == "Garments"


def test_one_is_left_alone() -> None:
    """A single garment is sent as it is, margin and all."""
    garment = piece(300, 400, COLOURS[0], margin=50)
    assert sheet([garment], pixels=1000) is garment


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.builds(Size, st.integers(20, 400), st.integers(20, 400)), min_size=2, max_size=6),
    pixels=st.sampled_from([20_000, 60_000, 500_000]),
)
def test_sheet(sizes: list[Size], pixels: int) -> None:
    """Every piece is there, whole, in its shape, no larger than it was; white all around; within the limit."""
    garments = [piece(*size, colour) for size, colour in zip(sizes, COLOURS, strict=False)]
    picture = sheet(garments, pixels=pixels)
    assert Size(*picture.size).pixels <= pixels
    boxes = [box_of(picture, colour) for colour, _ in zip(COLOURS, sizes, strict=False)]
    for (left, top, right, bottom), size in zip(boxes, sizes, strict=True):
        width, height = right - left, bottom - top
        assert width <= size.width
        assert height <= size.height
        assert (
            abs(width - height * size.width / size.height) <= 1 or abs(height - width * size.height / size.width) <= 1
        )
    inside = sum((box[2] - box[0]) * (box[3] - box[1]) for box in boxes)
    assert mask(picture, WHITE).histogram()[255] == picture.width * picture.height - inside
    gap = cells(sizes, pixels)[2]
    assert gap >= 1
    border = (gap, gap, picture.width - gap, picture.height - gap)
    for index, box in enumerate(boxes):
        assert box[0] >= border[0]
        assert box[1] >= border[1]
        assert box[2] <= border[2]
        assert box[3] <= border[3]
        assert all(apart(box, other, gap) for other in boxes[index + 1 :])


@given(
    sizes=st.lists(st.builds(Size, st.integers(256, 6000), st.integers(256, 6000)), min_size=2, max_size=6),
    pixels=st.sampled_from([250_000, 500_000, 1_000_000]),
)
def test_cells(sizes: list[Size], pixels: int) -> None:
    """Large garments use the sheet to its limit, with a gap of about 12 pixels to a cell of 512."""
    size, cell, gap = cells(sizes, pixels)
    assert size.pixels <= pixels
    columns, rows = grid(len(sizes))
    assert size == (columns * (cell.width + gap) + gap, rows * (cell.height + gap) + gap)
    assert gap == pytest.approx(GAP * cell.pixels**0.5, abs=1.1)
    assert GAP == 12 / 512
    if min(min(each) for each in sizes) > 2000:
        assert size.pixels > 0.95 * pixels


def test_sheet_of_small_pieces() -> None:
    """A sheet is no larger than its pieces need: nothing is gained by white."""
    assert cells([Size(100, 100), Size(100, 100)], 500_000)[1] == (100, 100)
    assert cells([Size(50, 100), Size(80, 160)], 500_000)[1] == (80, 160)


def test_pieces_are_centred() -> None:
    """A piece that does not fill its cell stands in the middle of it."""
    picture = sheet([piece(100, 100, COLOURS[0]), piece(20, 60, COLOURS[1])], pixels=500_000)
    size, cell, gap = cells([Size(100, 100), Size(20, 60)], 500_000)
    left, top, right, bottom = box_of(picture, COLOURS[1])
    assert picture.size == size
    assert (left + right) / 2 == pytest.approx(gap + cell.width + gap + cell.width / 2, abs=1)
    assert (top + bottom) / 2 == pytest.approx(gap + cell.height / 2, abs=1)


def test_order() -> None:
    """The pieces stand as they were given, row by row."""
    picture = sheet([piece(100, 100, colour) for colour in COLOURS], pixels=500_000)
    places = [box_of(picture, colour)[1::-1] for colour in COLOURS]
    assert places == sorted(places)
    assert len({top for top, _ in places}) == 2


def test_margins_do_not_count() -> None:
    """A piece with a wide plain margin is drawn as large as one without."""
    picture = sheet([piece(200, 200, COLOURS[0]), piece(200, 200, COLOURS[1], margin=300)], pixels=60_000)
    first, second = (box_of(picture, colour) for colour in COLOURS[:2])
    assert second[2] - second[0] > 0.85 * (first[2] - first[0])


@pytest.mark.parametrize("ground", [(255, 255, 255), (250, 248, 240), (120, 130, 125), (0, 0, 0)], ids=str)
def test_trim(ground: tuple[int, int, int]) -> None:
    """A plain margin of any colour goes, but for a sliver, and JPEG's noise does not keep it."""
    image = Image.new("RGB", (600, 500), ground)
    image.paste(COLOURS[0], (200, 100, 400, 450))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    trimmed = trim(Image.open(buffer).convert("RGB"))
    assert trimmed.size == pytest.approx((200, 350), abs=40)
    # JPEG blurs the garment's edge over a block of 8, so only its heart has the colour
    assert trimmed.width >= 200
    assert trimmed.height >= 350
    assert trimmed.getpixel((trimmed.width // 2, trimmed.height // 2)) == pytest.approx(COLOURS[0], abs=4)


def test_trim_through_noise() -> None:
    """The grain of a camera is still a plain margin."""
    image = Image.effect_noise((600, 500), 2).convert("RGB")
    image.paste(COLOURS[0], (200, 100, 400, 450))
    assert trim(image).size == (200 + 2 * 5, 350 + 2 * 5)


def test_trim_keeps_a_sleeve() -> None:
    """Something thin that reaches far out still belongs to the garment."""
    image = Image.new("RGB", (600, 600), WHITE)
    image.paste(COLOURS[2], (250, 250, 350, 350))
    ImageDraw.Draw(image).line((300, 300, 560, 300), fill=COLOURS[2], width=2)
    assert trim(image).width >= 561 - 250


def test_trim_leaves_busy_pictures_alone() -> None:
    """A picture whose edge is not plain has no margin."""
    image = Image.effect_noise((300, 300), 120).convert("RGB")
    assert trim(image) is image


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (256, 256)], ids=str)
def test_trim_leaves_blank_pictures_alone(size: tuple[int, int]) -> None:
    """A picture of one colour is not trimmed to nothing."""
    image = Image.new("RGB", size, WHITE)
    assert trim(image) is image
