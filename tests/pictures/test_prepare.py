"""The photos of a request → the two pictures that are sent."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from tests.conftest import photo_bytes
from vton_ui.errors import GarmentsError, PhotoError
from vton_ui.models.spec import Size
from vton_ui.pictures.framing import unpad
from vton_ui.pictures.work import Picture, prepare_garment, prepare_person, sheet

PORTRAIT = Size(768, 1024)
CORNERS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40)]
WHITE = (255, 255, 255)


def photo(folder: Path, width: int, height: int, name: str = "photo", **how: object) -> Path:
    path = folder / f"{name}-{width}-{height}.jpg"
    path.write_bytes(photo_bytes(width, height, **how))  # type: ignore[arg-type]
    return path


def opened(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.jpeg))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", picture.size)
    assert (picture.frame.width, picture.frame.height) == picture.size
    return image


def inside(picture: Picture) -> Image.Image:
    frame = picture.frame
    return opened(picture).crop((frame.left, frame.top, frame.right, frame.bottom))


def corners(image: Image.Image) -> list[float]:
    right, bottom = image.width - 4, image.height - 4
    places = [(3, 3), (right, 3), (3, bottom), (right, bottom)]
    return [level for place in places for level in image.getpixel(place)]  # type: ignore[union-attr]


FLAT_CORNERS = [level for colour in CORNERS for level in colour]


@pytest.mark.parametrize(
    ("size", "expected"),
    [((4000, 3000), (1154, 866)), ((3000, 4000), (866, 1154)), ((400, 300), (400, 300)), ((1000, 1000), (1000, 1000))],
    ids=str,
)
def test_person_fitted(size: tuple[int, int], expected: tuple[int, int], tmp_path: Path) -> None:
    """Where the model follows the photo, all of the photo is sent, within the limit and never scaled up."""
    picture = prepare_person(photo(tmp_path, *size), 1_000_000, None)
    assert picture.size == expected
    assert inside(picture).size == expected
    assert corners(opened(picture)) == pytest.approx(FLAT_CORNERS, abs=8)


@pytest.mark.parametrize(
    ("size", "inner"),
    [((1200, 500), (768, 320)), ((300, 1500), (205, 1024)), ((3000, 4000), (768, 1024)), ((300, 400), (768, 1024))],
    ids=str,
)
def test_person_padded(size: tuple[int, int], inner: tuple[int, int], tmp_path: Path) -> None:
    """Where the model has a size of its own, all of the photo lies in the middle of it: head and feet stay."""
    picture = prepare_person(photo(tmp_path, *size), PORTRAIT.pixels, PORTRAIT)
    assert picture.size == PORTRAIT
    assert inside(picture).size == inner
    assert corners(inside(picture)) == pytest.approx(FLAT_CORNERS, abs=12)
    frame = picture.frame
    assert abs(frame.left - (768 - frame.right)) <= 1
    assert abs(frame.top - (1024 - frame.bottom)) <= 1


def test_ground_of_a_person(tmp_path: Path) -> None:
    """A person is padded in the colour of the photo's own edge."""
    path = tmp_path / "grey.png"
    Image.new("RGB", (800, 400), (90, 110, 130)).save(path)
    image = opened(prepare_person(path, PORTRAIT.pixels, PORTRAIT))
    assert image.getpixel((5, 5)) == pytest.approx((90, 110, 130), abs=3)


def test_ground_of_a_garment(tmp_path: Path) -> None:
    """A garment is padded in white."""
    picture = prepare_garment([(photo(tmp_path, 800, 400), "Garment")], PORTRAIT.pixels, PORTRAIT)
    assert picture.size == PORTRAIT
    assert opened(picture).getpixel((5, 5)) == WHITE
    assert corners(inside(picture)) == pytest.approx(FLAT_CORNERS, abs=12)


@pytest.mark.parametrize("orientation", [6, 8])
def test_turned(orientation: int, tmp_path: Path) -> None:
    """A photo that a phone took on its side is sent upright."""
    path = photo(tmp_path, 1200, 900, exif_orientation=orientation, gps=True)
    picture = prepare_person(path, 1_000_000, None)
    assert picture.size == (866, 1154)
    assert b"Exif" not in picture.jpeg


def test_one_garment_is_sent_as_it_is(tmp_path: Path) -> None:
    """A single garment keeps its margin and shape."""
    path = tmp_path / "tee.png"
    image = Image.new("RGB", (400, 600), WHITE)
    image.paste((0, 0, 200), (150, 250, 250, 350))
    image.save(path)
    picture = prepare_garment([(path, "Garment")], 500_000, None)
    assert picture.size == (400, 600)


def saved(folder: Path, size: tuple[int, int], **how: Any) -> Path:
    """A photo with grain, so that its weight is a photo's."""
    path = folder / "ready.jpg"
    grain(size).save(path, "JPEG", **{"quality": 75, **how})
    return path


@cache
def grain(size: tuple[int, int]) -> Image.Image:
    return Image.effect_noise(size, 20).convert("RGB")


@pytest.mark.parametrize("role", ["person", "garment"])
@pytest.mark.parametrize(
    ("size", "pixels", "fixed"),
    [((768, 1024), PORTRAIT.pixels, PORTRAIT), ((640, 480), 1_000_000, None), ((1000, 1000), 1_000_000, None)],
    ids=["the model's own size", "small", "as large as may be"],
)
@pytest.mark.parametrize("how", [{}, {"progressive": True}, {"subsampling": 0}], ids=["plain", "progressive", "4:4:4"])
def test_sent_as_it_is(
    role: str, size: tuple[int, int], pixels: int, fixed: Size | None, how: dict[str, Any], tmp_path: Path
) -> None:
    """A photo that needs no change is sent byte for byte."""
    path = saved(tmp_path, size, **how)
    if role == "person":
        picture = prepare_person(path, pixels, fixed)
    else:
        picture = prepare_garment([(path, "Garment")], pixels, fixed)
    assert picture.jpeg == path.read_bytes()
    assert inside(picture).size == size


@pytest.mark.parametrize("role", ["person", "garment"])
@pytest.mark.parametrize("size", [(1080, 1440), (1081, 1441), (1224, 1632), (768, 1024)], ids=str)
def test_right_shape_is_sent_unscaled(role: str, size: tuple[int, int], tmp_path: Path) -> None:
    """A photo that already has the output's shape is sent byte for byte, and the result is not cut."""
    path = saved(tmp_path, size)
    if role == "person":
        picture = prepare_person(path, PORTRAIT.pixels, PORTRAIT, 2_000_000)
    else:
        picture = prepare_garment([(path, "Garment")], PORTRAIT.pixels, PORTRAIT, 2_000_000)
    assert picture.jpeg == path.read_bytes()
    assert inside(picture).size == size
    for result in (PORTRAIT, size, (1536, 2048)):
        assert unpad(Image.new("RGB", result), picture.frame).size == result


@pytest.mark.parametrize(
    ("size", "how"),
    [
        ((600, 800), {}),
        ((1230, 1640), {}),
        ((1080, 1080), {}),
        ((1080, 1446), {}),
        ((1440, 1080), {}),
        ((1080, 1440), {"comment": b"secret"}),
        ((1080, 1440), {"quality": 100, "subsampling": 0}),
    ],
    ids=["small", "over 2 MP", "square", "a little too tall", "on its side", "comment", "heavy"],
)
def test_sent_scaled(size: tuple[int, int], how: dict[str, Any], tmp_path: Path) -> None:
    """All other photos are changed: fal would crop them, scale them or read their metadata."""
    picture = prepare_person(saved(tmp_path, size, **how), PORTRAIT.pixels, PORTRAIT, 2_000_000)
    assert picture.size == PORTRAIT
    assert b"secret" not in opened(picture).tobytes() + picture.jpeg


EXIF = Image.Exif()
EXIF[0x010E] = "secret"
TURNED = Image.Exif()
TURNED[0x0112] = 3


@pytest.mark.parametrize(
    "how",
    [
        {"exif": EXIF},
        {"exif": TURNED},
        {"comment": b"secret"},
        {"xmp": b"<secret/>"},
        {"icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()},
        {"quality": 100, "subsampling": 0},
    ],
    ids=["EXIF", "turned", "comment", "XMP", "profile", "heavy"],
)
def test_not_sent_as_it_is(how: dict[str, Any], tmp_path: Path) -> None:
    """A photo with metadata, orientation, a colour profile or many bytes is encoded again."""
    path = saved(tmp_path, (768, 1024), **how)
    picture = prepare_person(path, PORTRAIT.pixels, PORTRAIT)
    assert picture.jpeg != path.read_bytes()
    assert b"secret" not in picture.jpeg
    assert b"ICC_PROFILE" not in picture.jpeg


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_colours_are_not_sent_as_they_are(mode: str, tmp_path: Path) -> None:
    """A photo in grey or in inks is sent in red, green and blue."""
    path = tmp_path / "photo.jpg"
    grain((768, 1024)).convert(mode).save(path, "JPEG", quality=75)
    opened(prepare_person(path, PORTRAIT.pixels, PORTRAIT))


@pytest.mark.parametrize("more", [b"secret", b"\xff\xd8\xff\xd9"], ids=["a text", "another picture"])
def test_nothing_behind_the_picture(more: bytes, tmp_path: Path) -> None:
    """What a phone appends to the picture is not sent."""
    path = saved(tmp_path, (768, 1024))
    path.write_bytes(path.read_bytes() + more)
    assert not prepare_person(path, PORTRAIT.pixels, PORTRAIT).jpeg.endswith(more)


def test_cut_off_photo_is_not_sent(tmp_path: Path) -> None:
    """A photo that is cut off is refused, even if it would be sent unchanged."""
    path = saved(tmp_path, (768, 1024))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(PhotoError, match="read to its end"):
        prepare_person(path, PORTRAIT.pixels, PORTRAIT)


@pytest.mark.parametrize("count", [2, 3, 6])
def test_sheet(count: int, tmp_path: Path) -> None:
    """Several garments become one sheet within the limit, the very one that is shown before the click."""
    garments = [(photo(tmp_path, 1000 + 9 * number, 900), f"Garment {number}") for number in range(1, count + 1)]
    picture = prepare_garment(garments, 500_000, None)
    assert 0.9 * 500_000 < picture.size.pixels <= 500_000
    assert sheet(garments, 500_000).size == picture.size
    assert opened(picture).getpixel((1, 1)) == pytest.approx(WHITE, abs=2)


@pytest.mark.parametrize(("bad", "slot"), [(0, "Garment 1"), (2, "Garment 3")])
def test_bad_garment_is_named(bad: int, slot: str, tmp_path: Path) -> None:
    """The error names the slot of the one photo that cannot be used."""
    paths = [photo(tmp_path, 300, 300, str(index)) for index in range(3)]
    paths[bad].write_bytes(b"text")
    with pytest.raises(PhotoError) as caught:
        prepare_garment([(path, f"Garment {number}") for number, path in enumerate(paths, 1)], 500_000, None)
    assert caught.value.slot == slot


def test_bad_person_is_named(tmp_path: Path) -> None:
    """The error of a missing person's photo names its slot."""
    with pytest.raises(PhotoError) as caught:
        prepare_person(tmp_path / "gone.jpg", 1_000_000, None)
    assert caught.value.slot == "Person"


@pytest.mark.parametrize("count", [0, 7])
def test_number_of_garments(count: int, tmp_path: Path) -> None:
    """No garment, or more than six, are refused before any photo is read."""
    with pytest.raises(GarmentsError):
        prepare_garment([(tmp_path / "gone.jpg", "Garment")] * count, 500_000, None)
