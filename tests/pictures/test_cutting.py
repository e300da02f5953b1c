"""Garments made ready: cropped, cut out, and their kind guessed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageOps

from vton_ui.pictures.cutting import Box, cropped, cut_out, guess_kind

GARMENTS = Path(__file__).parents[2] / "assets" / "garments"
KINDS = {
    "coat": "outer",
    "dress": "overall",
    "jacket": "upper",
    "jumper": "upper",
    "shirt": "upper",
    "shoes": "lower",
    "skirt": "lower",
    "tee": "upper",
    "trousers": "lower",
}


def example(name: str) -> Image.Image:
    with Image.open(GARMENTS / f"{name}.jpg") as image:
        return image.convert("RGB")


def on_ground(ground: tuple[int, int, int]) -> Image.Image:
    """A red square with a patch of the ground's colour in it."""
    image = Image.new("RGB", (400, 300), ground)
    draw = ImageDraw.Draw(image)
    draw.rectangle((100, 60, 299, 239), (180, 30, 40))
    draw.rectangle((180, 130, 219, 169), ground)
    return image


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0.25, 0.2, 0.75, 0.8), (200, 180)),
        ((0.0, 0.0, 1.0, 1.0), (400, 300)),
        ((0.5, 0.5, 0.5, 0.5), (1, 1)),
        ((1.0, 1.0, 1.0, 1.0), (1, 1)),
    ],
    ids=["middle", "whole", "nothing", "corner"],
)
def test_crop_size(box: Box, expected: tuple[int, int]) -> None:
    """A crop is as large as its box, and never empty."""
    assert cropped(on_ground((250, 250, 250)), box).size == expected


def test_crop_place() -> None:
    """A crop shows what is inside the box."""
    crop = cropped(on_ground((250, 250, 250)), (0.25, 0.2, 0.4, 0.4))
    assert crop.getcolors() == [(60 * 60, (180, 30, 40))]


@pytest.mark.parametrize("ground", [(255, 255, 255), (214, 208, 199), (40, 60, 52)], ids=["white", "warm", "dark"])
def test_cut_out(ground: tuple[int, int, int]) -> None:
    """The ground becomes white, the garment keeps its colour, and so does a patch inside it."""
    cut = cut_out(on_ground(ground))
    assert cut is not None
    assert cut.size == (400, 300)
    assert cut.getpixel((10, 10)) == cut.getpixel((390, 290)) == (255, 255, 255)
    assert cut.getpixel((120, 100)) == (180, 30, 40)
    assert cut.getpixel((200, 150)) == ground


def test_soft_edge() -> None:
    """Between garment and white lies a step or two, and nothing of the old ground."""
    cut = cut_out(on_ground((20, 20, 20)))
    assert cut is not None
    row = [cut.getpixel((x, 80)) for x in range(90, 112)]
    between = [pixel for pixel in row if pixel not in ((255, 255, 255), (180, 30, 40))]
    assert 1 <= len(between) <= 4
    assert all(pixel[0] >= 180 for pixel in between)  # type: ignore[index]


def test_large_photos_keep_their_size() -> None:
    """The mask is found on a smaller copy, the picture is not made smaller."""
    large = on_ground((230, 230, 230)).resize((3000, 2250))
    cut = cut_out(large)
    assert cut is not None
    assert cut.size == large.size
    assert cut.getpixel((50, 50)) == (255, 255, 255)
    assert cut.getpixel((1000, 700)) == (180, 30, 40)


def busy() -> Image.Image:
    return Image.effect_noise((400, 300), 120).convert("RGB")


def empty() -> Image.Image:
    return Image.new("RGB", (400, 300), (240, 240, 240))


@pytest.mark.parametrize("picture", [busy, empty])
def test_no_ground_to_cut(picture: Callable[[], Image.Image]) -> None:
    """No plain ground, or nothing on it: there is nothing to cut, and a top is as good a guess as any."""
    image = picture()
    assert cut_out(image) is None
    assert guess_kind(image) == "upper"


@pytest.mark.parametrize("mirrored", [False, True], ids=["as it is", "mirrored"])
@pytest.mark.parametrize("name", KINDS)
def test_kind_of_examples(name: str, mirrored: bool) -> None:
    """Every example's kind is guessed, whichever way it faces."""
    image = example(name)
    assert guess_kind(ImageOps.mirror(image) if mirrored else image) == KINDS[name]


@pytest.mark.parametrize("name", KINDS)
def test_kind_on_another_ground(name: str) -> None:
    """The guess does not hang on white, nor on the picture's size or margins."""
    framed = ImageOps.expand(example(name), 150, (255, 255, 255)).resize((480, 600))
    tinted = Image.blend(framed, Image.new("RGB", framed.size, (120, 130, 140)), 0.2)
    assert guess_kind(tinted) == KINDS[name]


def test_jumpsuit() -> None:
    """Legs that begin far down belong to a garment for the whole body."""
    image = Image.new("RGB", (300, 700), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    draw.rectangle((100, 50, 200, 400), (30, 60, 90))
    draw.rectangle((100, 400, 143, 650), (30, 60, 90))
    draw.rectangle((157, 400, 200, 650), (30, 60, 90))
    assert guess_kind(image) == "overall"
