"""The sandbox's draft where no figure can be measured: garments beside the person, and words that say so."""

from __future__ import annotations

import io
import random
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from vton_ui.backends.sandbox.backend import _draft
from vton_ui.backends.sandbox.draft import stamped_draft
from vton_ui.backends.sandbox.draft.cards import arranged
from vton_ui.backends.sandbox.draft.stamp import LAID_STAMP, STAMP, stamp_top, stamped
from vton_ui.models.spec import Size
from vton_ui.pictures import sheet
from vton_ui.pictures.figure import measure
from vton_ui.pictures.framing import contained, pad, unpad
from vton_ui.pictures.ground import blobs
from vton_ui.pictures.photos import to_jpeg

pytestmark = pytest.mark.slow

ASSETS = Path(__file__).parents[2] / "assets"
PEOPLE = sorted(path.stem for path in (ASSETS / "people").glob("*.jpg"))
GARMENTS = ("tee", "trousers", "shoes", "coat", "skirt", "jacket")
FACES = {"astronaut": (0.28, 0.04, 0.6, 0.3), "camera": (0.36, 0.12, 0.55, 0.36)}
"""Photos that scikit-image ships, and where the face is, in shares of the frame."""


@cache
def bundled(kind: str, name: str) -> Image.Image:
    """An example of ours, at half its size."""
    with Image.open(ASSETS / kind / f"{name}.jpg") as opened:
        return opened.convert("RGB").reduce(2)


@cache
def real(name: str) -> Image.Image:
    """A real photo, 512 × 512."""
    spec = find_spec("skimage")
    assert spec is not None
    assert spec.origin is not None
    with Image.open(Path(spec.origin).parent / "data" / f"{name}.png") as opened:
        return opened.convert("RGB")


def garments(count: int) -> Image.Image:
    return sheet.sheet([bundled("garments", name) for name in GARMENTS[:count]], pixels=500_000)


def variants(photo: Image.Image) -> dict[str, Image.Image]:
    """What happens to a photo on its way, and changes nothing of what it shows."""
    squeezed = io.BytesIO()
    photo.save(squeezed, "JPEG", quality=30)
    width, height = photo.size
    wide = pad(photo, Size(width * 2, height), colour=photo.getpixel((2, height // 2)))[0]
    return {
        "as it is": photo,
        "flipped": ImageOps.mirror(photo),
        "small": photo.resize((width // 3, height // 3), Image.Resampling.BOX),
        "large": photo.resize((width * 2, height * 2), Image.Resampling.BICUBIC),
        "dark": ImageEnhance.Brightness(photo).enhance(0.75),
        "light": ImageEnhance.Brightness(photo).enhance(1.2),
        "soft": photo.filter(ImageFilter.GaussianBlur(2)),
        "squeezed": Image.open(squeezed),
        "wide": wide,
    }


def part(photo: Image.Image, *box: float) -> Image.Image:
    return photo.crop(tuple(round(share * side) for share, side in zip(box, photo.size * 2, strict=True)))


def no_figures(photo: Image.Image) -> dict[str, Image.Image]:
    """Pictures made of a standing person, none of which shows one whole and upright."""
    width, height = photo.size
    ground = photo.getpixel((2, height // 2))
    two = Image.new("RGB", (width * 2, height), ground)
    for left in (0, width):
        two.paste(photo, (left, 0))
    scene = real("astronaut").resize(photo.size)
    figure = measure(photo)
    assert figure is not None
    return {
        "no head": part(photo, 0, 0.2, 1, 1),
        "to the waist": part(photo, 0.2, 0, 0.8, 0.5),
        "to the thighs": part(photo, 0.25, 0, 0.75, 0.63),
        "head": part(photo, 0.3, 0, 0.7, 0.25),
        "legs": part(photo, 0.25, 0.5, 0.75, 1),
        "left half": part(photo, 0, 0, 0.5, 1),
        "upside down": photo.rotate(180),
        "lying": photo.rotate(90, expand=True),
        "leaning": photo.rotate(20, fillcolor=ground),
        "two": two,
        "before a scene": Image.composite(photo, scene, figure.mask.resize(photo.size)),
    }


@pytest.mark.parametrize("who", PEOPLE)
def test_standing_on_a_plain_ground_is_found(who: str) -> None:
    """Whatever the photo's size, light and quality."""
    assert [what for what, photo in variants(bundled("people", who)).items() if measure(photo) is None] == []


@pytest.mark.parametrize("name", FACES)
def test_real_photos_have_no_figure(name: str) -> None:
    """Neither as a whole nor in parts."""
    photos = variants(real(name))
    photos |= {f"{x}, {y}": part(real(name), x, y, x + 0.4, y + 0.4) for x in (0, 0.3, 0.6) for y in (0, 0.3, 0.6)}
    photos["framed"] = ImageOps.expand(real(name).resize((240, 700)), 50, "white")
    assert [what for what, photo in photos.items() if measure(photo)] == []


@pytest.mark.parametrize("who", PEOPLE)
def test_half_in_view_is_no_figure(who: str) -> None:
    """Nor is a person upside down, leaning or beside another."""
    assert [what for what, photo in no_figures(bundled("people", who)).items() if measure(photo)] == []


def test_things_are_no_figure() -> None:
    """Noise, blank paper and garments in the place of the person."""
    narrow = {name: bundled("garments", name).resize((300, 640)) for name in (*GARMENTS, "dress", "shirt")}
    noise = {str(seed): Image.frombytes("RGB", (150, 200), random.Random(seed).randbytes(90_000)) for seed in range(3)}
    things = narrow | noise | {"paper": Image.new("RGB", (150, 200), "white")}
    assert [what for what, photo in things.items() if measure(photo)] == []


@pytest.mark.parametrize("count", [1, 3, 6])
@pytest.mark.parametrize("name", FACES)
def test_garments_lie_beside(name: str, count: int) -> None:
    """A card for each garment, none over the face; all else is as it was, so that before and after line up."""
    photo = real(name)
    draft = stamped_draft(photo, garments(count), None)
    assert draft.size == photo.size
    apart = ImageChops.difference(photo, draft).convert("L").point(lambda value: 255 * (value > 40))
    assert part(apart, *FACES[name]).getbbox() is None
    top = stamp_top(photo.size, LAID_STAMP)
    cards = [each for each in blobs(apart.crop((0, 0, photo.width, top))) if each.area > 400]
    assert len({each.box for each in cards}) >= count
    assert sum(each.area for each in cards) < photo.width * photo.height * 0.3
    assert apart.crop((0, top, *photo.size)).getbbox() is not None


def test_it_says_so() -> None:
    """The stamp of a draft without a figure is another, and both fit every width."""
    assert LAID_STAMP.startswith("draft · body not found, garments laid beside")
    for photo, words, box in (
        (real("camera"), LAID_STAMP, (0, 0.84, 0.75, 1)),
        (bundled("people", "ada"), STAMP, (0, 0.95, 0.35, 1)),
    ):
        draft, expected = stamped_draft(photo, garments(1), "upper"), stamped(photo, words)
        assert ImageChops.difference(part(draft, *box), part(expected, *box)).getbbox() is None
    for size in ((256, 256), (300, 900), (1800, 600), (160, 120)):
        blank = Image.new("RGB", size, "white")
        left, top, right, bottom = ImageChops.difference(stamped(blank, LAID_STAMP), blank).getbbox() or (0, 0, 0, 0)
        assert 0 < left < right < size[0]
        assert stamp_top(size, LAID_STAMP) <= top < bottom < size[1]


def test_the_stamp_is_not_cut_off_with_the_padding() -> None:
    """A landscape photo is padded for a portrait model, and the padding is cut off the draft again."""
    photo = real("astronaut").crop((0, 0, 512, 300))
    padded, frame = pad(photo, Size(768, 1024), colour=(90, 90, 90))
    data = _draft(to_jpeg(padded), to_jpeg(garments(1)), "upper", frame)
    draft = unpad(Image.open(io.BytesIO(data)), frame)
    expected = stamped(
        photo.resize(contained(Size(*photo.size), Size(768, 1024)), Image.Resampling.LANCZOS), LAID_STAMP
    )
    below = (10, stamp_top(draft.size, LAID_STAMP) + 10, draft.width // 2, draft.height - 20)
    apart = ImageChops.difference(draft.crop(below), expected.crop(below)).convert("L")
    assert sum(apart.histogram()[60:]) < apart.width * apart.height * 0.01


@pytest.mark.parametrize("size", [(512, 512), (675, 900), (900, 506), (1800, 600), (300, 900), (4000, 3000), (64, 64)])
def test_cards_fit_beside_each_other(size: tuple[int, int]) -> None:
    """So many cards are as large as the photo allows, and lie within it."""
    gap, floor = 0.02 * (size[0] * size[1]) ** 0.5, stamp_top(size, LAID_STAMP)
    for count in range(1, 7):
        grid = arranged(count, size, floor, gap)
        across, down = grid.size(gap)
        assert grid.columns * grid.rows >= count
        assert across <= size[0] * (1 if grid.below else 0.34)
        assert down <= floor
        assert grid.width >= size[0] * 0.03
