"""What a look changed of the photo: faces, hands and grounds count, JPEG's noise and a little light do not."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageStat

from vton_ui.backends.sandbox.draft import drape
from vton_ui.errors import PhotoError
from vton_ui.pictures.changes import body_of, compare, marked_changes
from vton_ui.pictures.figure import CHIN, WRIST, Figure
from vton_ui.pictures.figure import measure as measure_figure

pytestmark = pytest.mark.slow

ASSETS = Path(__file__).parents[2] / "assets"
PEOPLE = sorted(path.stem for path in (ASSETS / "people").glob("*.jpg"))
GARMENTS = {"tee": "upper", "coat": "outer", "skirt": "lower", "dress": "overall"}
SIZE = (866, 1155)
"""One megapixel: what FLUX gets and gives."""

Box = tuple[int, int, int, int]

every_person = pytest.mark.parametrize("who", PEOPLE)


@cache
def person(who: str) -> Image.Image:
    """On a plain ground."""
    return Image.open(ASSETS / "people" / f"{who}.jpg").convert("RGB").resize(SIZE)


def measure(photo: Image.Image) -> Figure:
    """The figure of a person on a plain ground."""
    figure = measure_figure(photo)
    assert figure is not None
    return figure


@cache
def scene(who: str, shift: int = 0, noise: float = 6) -> Image.Image:
    """The person before a ground full of patches, with a camera's grain that is another at every call."""
    photo = person(who)
    figure = measure(photo)
    patches = Image.frombytes("RGB", (72, 96), random.Random(7).randbytes(72 * 96 * 3))
    ground = ImageChops.offset(patches.resize(SIZE, Image.Resampling.BICUBIC), shift, 0)
    grain = Image.merge("RGB", [Image.effect_noise(SIZE, noise) for _ in range(3)])
    return ImageChops.add(Image.composite(photo, ground, figure.mask.resize(SIZE)), grain, offset=-128)


def jpeg(picture: Image.Image, quality: int = 75) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def decoded(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def moved(picture: Image.Image, by: float) -> Image.Image:
    """The whole picture, shifted; what comes in at the edges is its own edge."""
    wide = Image.new("RGB", (SIZE[0] + 8, SIZE[1] + 8))
    wide.paste(picture.resize(wide.size))
    wide.paste(picture, (4, 4))
    return wide.transform(SIZE, Image.Transform.AFFINE, (1, 0, 4 + by, 0, 1, 4 + by), Image.Resampling.BICUBIC)


@cache
def dressed(who: str, garment: str) -> Image.Image:
    cloth = Image.open(ASSETS / "garments" / f"{garment}.jpg").convert("RGB")
    return drape(person(who), measure(person(who)), cloth, region=GARMENTS[garment])


def face_of(who: str) -> Box:
    figure = measure(person(who))
    middle, chin, top = (round(place * figure.zoom) for place in (figure.middle, figure.row(CHIN), figure.row(40)))
    return middle - 45, top, middle + 45, chin


def hand_of(who: str) -> Box:
    figure = measure(person(who))
    hand = figure.arms[1][figure.row(560)]
    left, right, top, bottom = (
        round(place * figure.zoom) for place in (hand[0] - 8, hand[1] + 16, figure.row(WRIST), figure.row(650))
    )
    return left, top, right, bottom


def with_drifted_face(who: str, look: Image.Image, by: int = 5) -> Image.Image:
    """The face a few pixels lower, softly blended in: another face, but at a glance the same."""
    left, top, right, bottom = box = face_of(who)
    soft = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(soft).ellipse((4, 4, soft.width - 4, soft.height - 4), fill=255)
    look = look.copy()
    look.paste(person(who).crop((left, top - by, right, bottom - by)), box, soft.filter(ImageFilter.GaussianBlur(4)))
    return look


def without_hand(who: str, look: Image.Image) -> Image.Image:
    """The ground from beside the hand, where the hand was."""
    left, top, right, bottom = box = hand_of(who)
    look = look.copy()
    look.paste(person(who).crop((right + 10, top, 2 * right - left + 10, bottom)), box)
    return look


def marked_in(overlay: Image.Image, box: Box) -> float:
    """The share of a part of the overlay that is not clear."""
    alpha = overlay.convert("RGBA").getchannel("A").crop(box).point(lambda value: 255 * (value > 0))
    return ImageStat.Stat(alpha).mean[0] / 255


# What is no change


@pytest.mark.parametrize("make", [scene, person], ids=["scene", "plain"])
@pytest.mark.parametrize(
    "change",
    [
        lambda photo: photo.copy(),
        lambda photo: decoded(jpeg(photo)),
        lambda photo: ImageEnhance.Brightness(photo).enhance(1.03),
        lambda photo: ImageEnhance.Brightness(photo).enhance(0.97),
        lambda photo: photo.point(lambda value: value * 0.92 + 3),
        lambda photo: photo.point([*(min(255, round(v * 1.03)) for v in range(256)), *range(256), *range(256)]),
        lambda photo: moved(photo, 0.5),
        lambda photo: moved(photo, -0.5),
        lambda photo: photo.resize((768, 1024)),
        lambda photo: photo.resize((1732, 2310)),
        lambda photo: photo.filter(ImageFilter.GaussianBlur(0.7)),
        lambda photo: decoded(jpeg(ImageEnhance.Brightness(moved(photo, 0.5)).enhance(1.03).resize((768, 1024)))),
    ],
    ids=[
        "same",
        "q75",
        "light",
        "dark",
        "darker",
        "warm",
        "shift",
        "shift back",
        "small",
        "large",
        "soft",
        "all at once",
    ],
)
def test_no_change(make: Callable[[str], Image.Image], change: Callable[[Image.Image], Image.Image]) -> None:
    """What a model and a file format do to every picture counts as nothing, and nothing is marked."""
    photo = make("kofi")
    changes = compare(photo, change(photo))
    assert changes.share < 0.0005
    assert changes.share_outside < 0.0005
    assert marked_in(changes.overlay, (0, 0, *changes.overlay.size)) < 0.005


def test_grain_is_no_change() -> None:
    """Two pictures of one scene, each with a grain of its own."""
    assert compare(scene("mei"), scene("mei", noise=9)).share < 0.0005


# What is


@every_person
@pytest.mark.parametrize("garment", GARMENTS)
def test_garment_alone(who: str, garment: str) -> None:
    """A garment changes the middle of the body, and next to nothing outside."""
    changes = compare(person(who), decoded(jpeg(dressed(who, garment))))
    assert changes.share > 0.03
    assert changes.share_outside < 0.006
    if garment == "tee":
        assert changes.share_outside == 0


@every_person
def test_drifted_face(who: str) -> None:
    """A face that drifted is marked where it is, and counts outside, whatever is worn."""
    look = dressed(who, "tee")
    before, after = compare(person(who), look), compare(person(who), with_drifted_face(who, look))
    assert after.share_outside > before.share_outside + 0.001
    assert after.share > before.share
    assert marked_in(before.overlay, face_of(who)) == 0
    assert marked_in(after.overlay, face_of(who)) > 0.2


@every_person
def test_lost_hand(who: str) -> None:
    """A hand that is gone is marked, and counts outside."""
    look = dressed(who, "tee")
    before, after = compare(person(who), look), compare(person(who), without_hand(who, look))
    assert after.share_outside > before.share_outside + 0.001
    assert marked_in(before.overlay, hand_of(who)) == 0
    assert marked_in(after.overlay, hand_of(who)) > 0.25


def test_moved_ground() -> None:
    """A ground that moved a little counts outside, far more than any garment."""
    changes = compare(scene("henrik"), scene("henrik", shift=12))
    assert changes.share_outside > 0.5
    left, right = (marked_in(changes.overlay, box) for box in ((0, 0, 200, 1155), (666, 0, 866, 1155)))
    assert min(left, right) > 0.5


def test_other_ground() -> None:
    """A plain ground of another shade is a change, although most of the picture changed alike."""
    photo = person("mei")
    look = Image.composite(photo, photo.point(lambda value: value - 40), measure(photo).mask.resize(SIZE))
    changes = compare(photo, look)
    assert changes.share_outside > 0.9
    assert marked_in(changes.overlay, face_of("mei")) < 0.3


def test_vanished_line() -> None:
    """A thin thing that is gone is seen, although all around it is as it was."""
    photo = Image.new("RGB", SIZE, "white")
    look = photo.copy()
    ImageDraw.Draw(photo).line((100, 50, 800, 90), fill="black", width=8)
    for before, after in ((photo, look), (look, photo)):
        changes = compare(before, after)
        assert changes.share == pytest.approx(700 * 8 / (SIZE[0] * SIZE[1]), rel=0.6)
        assert changes.share_outside > changes.share


def test_shares() -> None:
    """All of a picture that changed altogether, and none of one that did not."""
    black, white = (Image.new("RGB", SIZE, colour) for colour in ("black", "white"))
    changes = compare(black, white)
    assert changes.share == pytest.approx(1, abs=0.02)
    assert changes.share_outside == pytest.approx(1, abs=0.03)
    assert compare(black, black).share == 0


# The middle of the body


@every_person
def test_body(who: str) -> None:
    """It has the trunk and the feet, and neither face nor hands nor the ground beside."""
    body, figure = body_of(person(who)), measure(person(who))
    for box in (face_of(who), hand_of(who)):
        assert ImageStat.Stat(body.crop(box)).mean[0] < 255 * 0.2
    middle = round(figure.middle * figure.zoom)
    for level in (250, 400, 700, 980):
        assert body.getpixel((middle, figure.row(level) * figure.zoom)) == 255
    assert 0.1 < ImageStat.Stat(body).mean[0] / 255 < 0.4


def test_body_of_a_scene() -> None:
    """Where no figure can be measured, it is the central part of the frame."""
    assert body_of(scene("ada")).getbbox() == pytest.approx((216, 208, 650, 1120), abs=4)


# The overlay


def test_overlay_is_clear_where_nothing_changed() -> None:
    """Tint where it changed, a light and a dark line around it, and nothing at all elsewhere."""
    photo = Image.new("RGB", SIZE, (120, 120, 120))
    look = photo.copy()
    look.paste((20, 60, 200), (300, 300, 500, 600))
    overlay = compare(photo, look).overlay.convert("RGBA")
    assert overlay.size == SIZE
    assert overlay.getpixel((400, 450)) == (214, 22, 140, 110)
    assert marked_in(overlay, (0, 0, 866, 280)) == marked_in(overlay, (0, 0, 280, 1155)) == 0
    edge = [overlay.getpixel((x, 450)) for x in range(280, 320)]
    opaque = [pixel[:3] for pixel in edge if isinstance(pixel, tuple) and pixel[3] > 240]
    assert max(map(min, opaque)) > 250
    assert min(map(max, opaque)) < 40


def test_overlay_as_a_file(tmp_path: Path) -> None:
    """The overlay's file is small, and shows what the overlay does."""
    photo, look = tmp_path / "photo.jpg", tmp_path / "look.jpg"
    photo.write_bytes(jpeg(person("ada"), 92))
    look.write_bytes(jpeg(dressed("ada", "tee"), 92))
    share, file = marked_changes(photo, look)
    changes = compare(photo, look)
    assert share == changes.share_outside
    with Image.open(io.BytesIO(file)) as overlay:
        assert overlay.convert("RGBA").tobytes() == changes.overlay.convert("RGBA").tobytes()
    assert len(file) < 40_000


# What comes in


def test_files(tmp_path: Path) -> None:
    """Files and bytes are read as photos are: upright, however they are stored."""
    photo, look = person("ada"), with_drifted_face("ada", person("ada"))
    path, exif = tmp_path / "photo.jpg", Image.Exif()
    exif[0x0112] = 6
    photo.transpose(Image.Transpose.ROTATE_90).save(path, quality=92, exif=exif)
    from_files = compare(path, jpeg(look, 92))
    assert from_files.share == pytest.approx(compare(photo, look).share, rel=0.2)
    assert from_files.overlay.size == SIZE


def test_pictures_stay_as_they_were() -> None:
    """Neither picture is drawn upon."""
    photo, look = person("ada").copy(), dressed("ada", "tee")
    before = photo.tobytes(), look.tobytes()
    compare(photo, look)
    assert (photo.tobytes(), look.tobytes()) == before


@pytest.mark.parametrize("size", [(866, 866), (1155, 866), (650, 1155), (866, 1190)])
def test_other_shape(size: tuple[int, int]) -> None:
    """A look of another shape is not this photo's."""
    with pytest.raises(PhotoError, match="another shape"):
        compare(person("ada"), person("ada").resize(size))


@pytest.mark.parametrize("size", [(864, 1152), (768, 1024), (432, 576), (867, 1155)])
def test_rounded_shape(size: tuple[int, int]) -> None:
    """A side that was rounded to a multiple of 16 is the same shape."""
    changes = compare(person("ada"), person("ada").resize(size))
    assert changes.share < 0.001
    assert changes.overlay.size == size


def test_damaged_file() -> None:
    """What is no picture is refused in words."""
    with pytest.raises(PhotoError):
        compare(person("ada"), b"no picture")
