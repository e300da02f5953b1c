"""Any photo file → an upright sRGB picture without metadata; and padding, on and off."""

from __future__ import annotations

import io
import math
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageChops, ImageFile, ImageStat

from tests.conftest import in_detail, photo_bytes
from tests.pictures import icc
from tests.pictures.bombs import chunk, claiming, png
from vton_ui.errors import Cost, PhotoError
from vton_ui.models.spec import Size
from vton_ui.pictures.framing import Frame, contained, edge_colour, fitted, pad, unpad
from vton_ui.pictures.photos import measure, read, shows_in_browser, to_jpeg

RED, GREEN, BLUE, YELLOW = (200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40)
"""The corners of `photo_bytes`, row by row."""
WHITE = (255, 255, 255)
SLOT = "Garment 2"
FORMATS = ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF"]
SECRETS = [b"Exif", b"http://ns.adobe.com/xap", b"ICC_PROFILE", b"Photoshop", b"secret"]

Colour = tuple[int, int, int]


def saved(image: Image.Image, format: str, **how: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **how)
    return buffer.getvalue()


def plain(mode: str, colour: Any, format: str = "PNG", **how: Any) -> bytes:
    return saved(Image.new(mode, (256, 256), colour), format, **how)


def as_is(source: str | Path | bytes) -> Image.Image:
    return read(source, slot=SLOT, to=lambda size: size)


def colour_at(image: Image.Image, x: int, y: int) -> Colour:
    red, green, blue = image.getpixel((x, y))  # type: ignore[misc]
    return red, green, blue


def corners(image: Image.Image) -> list[Colour]:
    right, bottom = image.width - 5, image.height - 5
    return [colour_at(image, x, y) for x, y in ((4, 4), (right, 4), (4, bottom), (right, bottom))]


def near(actual: Colour | Iterable[Colour], expected: Colour | Iterable[Colour], by: int = 6) -> bool:
    return flatten(actual) == pytest.approx(flatten(expected), abs=by)


def flatten(colours: Any) -> list[int]:
    return [number for colour in colours for number in ([colour] if isinstance(colour, int) else colour)]


def refused(source: str | Path | bytes, *words: str) -> PhotoError:
    """The error of a photo that cannot be used, which must name slot, cause and cure, and tell these words."""
    with pytest.raises(PhotoError) as caught:
        as_is(source)
    error = caught.value
    assert (error.slot, error.cost) == (SLOT, Cost.NOTHING)
    assert error.cause.endswith(".")
    assert error.cure.endswith(".")
    assert str(error).startswith(f"{SLOT}: {error.cause} {error.cure}")
    assert [word for word in words if word not in str(error)] == []
    return error


def png_of(depth: int, colour_type: int, samples: tuple[int, ...]) -> bytes:
    """A PNG of 256 × 256 equal pixels."""
    row = b"\0" + struct.pack(f">{len(samples)}{'H' if depth == 16 else 'B'}", *samples) * 256
    return png(256, 256, depth, colour_type, chunk(b"IDAT", zlib.compress(row * 256)))


# What is read


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("as_file", [False, True], ids=["bytes", "file"])
def test_every_format(format: str, as_file: bool, tmp_path: Path) -> None:
    """Each kind of photo is read, from memory and from a file of any name, whole and in its own colours."""
    path, data = tmp_path / "photo", photo_bytes(300, 400, format)
    path.write_bytes(data)
    source = path if as_file else data
    image = as_is(source)
    assert (image.mode, image.size) == ("RGB", (300, 400))
    assert near(corners(image), [RED, GREEN, BLUE, YELLOW])
    assert measure(source, slot=SLOT) == (300, 400)


def test_mpo() -> None:
    """The JPEG of many phones, which holds a second picture, is read as its first."""
    first, second = Image.new("RGB", (300, 256), RED), Image.new("RGB", (300, 256), BLUE)
    data = saved(first, "MPO", save_all=True, append_images=[second])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    assert near(colour_at(as_is(data), 9, 9), RED)


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_animated(format: str) -> None:
    """Of several frames the first is taken."""
    frames = [Image.new("RGB", (256, 256), colour) for colour in (RED, GREEN, BLUE)]
    data = saved(frames[0], format, save_all=True, append_images=frames[1:])
    assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) == 3
    assert near(colour_at(as_is(data), 9, 9), RED)


@cache
def kinds_of_pixels() -> dict[str, tuple[bytes, Colour]]:
    sixteen = Image.new("I;16", (256, 256), 0x8000)
    big_endian = Image.frombytes("I;16B", (256, 256), b"\x80\x00" * 256 * 256)
    palette = Image.new("P", (256, 256), 1)
    palette.putpalette([0, 0, 0, *RED])
    return {
        "grey": (plain("L", 77), (77, 77, 77)),
        "1 bit": (plain("1", 1), WHITE),
        "grey JPEG": (plain("L", 77, "JPEG"), (77, 77, 77)),
        "grey with alpha": (plain("LA", (0, 127)), (128, 128, 128)),
        "half transparent": (plain("RGBA", (0, 0, 200, 127)), (128, 128, 228)),
        "all transparent": (plain("RGBA", (0, 0, 200, 0)), WHITE),
        "transparent WebP": (plain("RGBA", (0, 0, 200, 0), "WEBP"), WHITE),
        "palette": (saved(palette, "PNG"), RED),
        "palette, transparent": (saved(palette, "PNG", transparency=1), WHITE),
        "GIF, transparent": (saved(palette, "GIF", transparency=1), WHITE),
        "RGB, transparent": (saved(Image.new("RGB", (256, 256), RED), "PNG", transparency=RED), WHITE),
        "CMYK": (plain("CMYK", (0, 255, 255, 0), "JPEG"), (255, 0, 0)),
        "CMYK TIFF": (plain("CMYK", (0, 255, 255, 0), "TIFF"), (255, 0, 0)),
        "16-bit grey PNG": (saved(sixteen, "PNG"), (128, 128, 128)),
        "16-bit grey TIFF": (saved(sixteen, "TIFF"), (128, 128, 128)),
        "16-bit grey TIFF, big-endian": (saved(big_endian, "TIFF"), (128, 128, 128)),
        "32-bit grey TIFF": (plain("I", 0x8000, "TIFF"), (128, 128, 128)),
        "16-bit grey and alpha": (png_of(16, 4, (0x4000, 0xFFFF)), (64, 64, 64)),
        "16-bit RGB": (png_of(16, 2, (0xC800, 0x2800, 0x2800)), RED),
        "16-bit RGBA": (png_of(16, 6, (0xC800, 0x2800, 0x2800, 0)), WHITE),
    }


@pytest.mark.parametrize("kind", kinds_of_pixels())
def test_kinds_of_pixels(kind: str) -> None:
    """Whatever the pixels are made of, they come out as 8-bit RGB, the transparent ones on white."""
    data, expected = kinds_of_pixels()[kind]
    image = as_is(data)
    assert image.mode == "RGB"
    assert near(colour_at(image, 100, 100), expected, by=3)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_large_and_transparent(mode: str) -> None:
    """Scaled far down, a transparent pixel counts as white, whatever its colour."""
    stripes = Image.new("RGBA", (1024, 1024), (0, 0, 0, 0))
    for x in range(0, 1024, 2):
        stripes.paste((100, 100, 100, 255), (x, 0, x + 1, 1024))
    data = saved(stripes.convert(mode), "PNG")
    image = read(data, slot=SLOT, to=lambda size: Size(100, 100))
    assert image.size == (100, 100)
    assert near(colour_at(image, 50, 50), (178, 178, 178), by=2)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "P", "I;16"])
def test_large(mode: str) -> None:
    """Scaled far down, pixels of any kind keep their colour."""
    colour: Any = {"RGB": RED, "CMYK": (0, 255, 255, 0), "I;16": 0x8000}.get(mode, 77)
    data = saved(Image.new(mode, (2048, 1024), colour), "TIFF" if mode == "CMYK" else "PNG")
    image = read(data, slot=SLOT, to=lambda size: Size(128, 64))
    assert image.size == (128, 64)
    assert colour_at(image, 64, 32) == colour_at(as_is(data), 64, 32)


@cache
def profiled() -> dict[str, tuple[bytes, Colour]]:
    p3, srgb_red, red_in_p3 = icc.display_p3(), (255, 0, 0), (234, 51, 35)
    palette = Image.new("P", (256, 256), 1)
    palette.putpalette([0, 0, 0, *red_in_p3])
    return {
        "P3 red": (plain("RGB", red_in_p3, "JPEG", icc_profile=p3), srgb_red),
        "P3 grey": (plain("RGB", (100, 100, 100), "JPEG", icc_profile=p3), (100, 100, 100)),
        "P3 PNG": (plain("RGB", red_in_p3, "PNG", icc_profile=p3), srgb_red),
        "P3 with alpha": (plain("RGBA", (*red_in_p3, 255), "PNG", icc_profile=p3), srgb_red),
        "P3 palette": (saved(palette, "PNG", icc_profile=p3), srgb_red),
        "P3 HEIC": (plain("RGB", red_in_p3, "HEIF", icc_profile=p3), srgb_red),
        "P3 AVIF": (plain("RGB", red_in_p3, "AVIF", icc_profile=p3), srgb_red),
        "grey": (plain("L", 128, "JPEG", icc_profile=icc.linear_grey()), (188, 188, 188)),
        "CMYK": (plain("CMYK", (255, 0, 0, 0), "JPEG", icc_profile=icc.black_inks()), (118, 118, 118)),
        "CMYK, broken": (plain("CMYK", (255, 0, 0, 0), "JPEG", icc_profile=b"\0" * 200), (0, 255, 255)),
        "CMYK, cut off": (
            plain("CMYK", (255, 0, 0, 0), "JPEG", icc_profile=icc.black_inks()[:300]),
            (0, 255, 255),
        ),
        "CMYK, of an RGB picture": (plain("CMYK", (255, 0, 0, 0), "JPEG", icc_profile=p3), (0, 255, 255)),
        "RGB, broken": (plain("RGB", RED, "JPEG", icc_profile=b"garbage"), RED),
        "RGB, of a CMYK picture": (plain("RGB", RED, "JPEG", icc_profile=icc.black_inks()), RED),
        "grey, of an RGB picture": (plain("L", 77, "JPEG", icc_profile=p3), (77, 77, 77)),
    }


@pytest.mark.parametrize("kind", profiled())
def test_profiles(kind: str) -> None:
    """A colour profile is applied; a broken one, or one for other pixels, is ignored."""
    data, expected = profiled()[kind]
    assert near(colour_at(as_is(data), 100, 100), expected, by=4)


UPRIGHT = {
    1: [RED, GREEN, BLUE, YELLOW],
    2: [GREEN, RED, YELLOW, BLUE],
    3: [YELLOW, BLUE, GREEN, RED],
    4: [BLUE, YELLOW, RED, GREEN],
    5: [RED, BLUE, GREEN, YELLOW],
    6: [BLUE, RED, YELLOW, GREEN],
    7: [YELLOW, GREEN, BLUE, RED],
    8: [GREEN, YELLOW, RED, BLUE],
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("format", ["JPEG", "HEIF", "TIFF", *in_detail("PNG", "WEBP", "AVIF")])
def test_turned(format: str, orientation: int) -> None:
    """A rotated or mirrored photo is made upright, at full scale and reduced."""
    data = photo_bytes(300, 400, "JPEG" if format == "HEIF" else format, exif_orientation=orientation)
    if format == "HEIF":  # which keeps the turn in the container, and is written so from a picture that has one
        data = saved(Image.open(io.BytesIO(data)), "HEIF")
    expected = (300, 400) if orientation < 5 else (400, 300)
    assert measure(data, slot=SLOT) == expected
    half = read(data, slot=SLOT, to=lambda size: Size(size.width // 2, size.height // 2))
    assert half.size == (expected[0] // 2, expected[1] // 2)
    for image in (as_is(data), half):
        assert near(corners(image), UPRIGHT[orientation], by=10)


def test_turn_behind_the_pixels() -> None:
    """A PNG may tell its turn after its pixels."""
    data = photo_bytes(300, 400, "PNG", exif_orientation=6)
    start = data.index(b"eXIf") - 4
    end = start + 12 + struct.unpack(">I", data[start : start + 4])[0]
    image = as_is(data[:start] + data[end:-12] + data[start:end] + data[-12:])
    assert near(corners(image), UPRIGHT[6])


@pytest.mark.parametrize(
    "exif",
    [b"garbage", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 80],
    ids=["no EXIF", "empty", "leads nowhere", "endless"],
)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_garbage_exif(format: str, exif: bytes) -> None:
    """Damaged metadata is no reason to refuse a photo."""
    image = as_is(saved(Image.open(io.BytesIO(photo_bytes(300, 400))), format, exif=exif))
    assert near(corners(image), UPRIGHT[1])


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("value", [0, 9, 65535, (1, 6)], ids=repr)
def test_senseless_turn(value: Any) -> None:
    """An orientation that does not exist turns nothing."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = value
    data = saved(Image.open(io.BytesIO(photo_bytes(300, 400))), "JPEG", exif=exif)
    assert near(corners(as_is(data)), UPRIGHT[1])


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("profile", [icc.display_p3(), None], ids=["profile", "no profile"])
def test_no_metadata_is_left(format: str, profile: bytes | None) -> None:
    """What is sent has no place, camera, time, software or colour profile in it."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "secret"
    exif[ExifTags.Base.Orientation] = 6
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place.update({1: "N", 2: (47.0, 22.0, 0.0), 3: "E", 4: (8.0, 33.0, 0.0)})
    exif[ExifTags.IFD.GPSInfo] = place
    more: dict[str, Any] = {"JPEG": {"comment": b"secret"}, "PNG": {}, "WEBP": {}}.get(format, {})
    if format in ("JPEG", "WEBP", "AVIF", "HEIF"):
        more["xmp"] = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>secret</x:xmpmeta>"
    photo = Image.open(io.BytesIO(photo_bytes(300, 400)))
    data = saved(photo, format, exif=exif, icc_profile=profile, dpi=(72, 72), **more)
    assert b"secret" in data
    sent = to_jpeg(as_is(data))
    assert [word for word in SECRETS if word in sent] == []
    opened = Image.open(io.BytesIO(sent))
    assert dict(opened.getexif()) == {}
    assert opened.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_jpeg_is_full_and_readable() -> None:
    """What is sent is a baseline JPEG of RGB with full chroma."""
    opened = Image.open(io.BytesIO(to_jpeg(as_is(photo_bytes(300, 400)))))
    assert (opened.format, opened.mode, opened.size) == ("JPEG", "RGB", (300, 400))
    assert [layer[1:3] for layer in opened.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]
    assert "progressive" not in opened.info


def test_jpeg_keeps_the_cloth() -> None:
    """What is sent keeps fine coloured detail, which the models copy."""
    rough = Image.frombytes("RGB", (150, 200), random.Random(1).randbytes(150 * 200 * 3))
    cloth = rough.resize((300, 400), Image.Resampling.BICUBIC)
    apart = ImageChops.difference(cloth, Image.open(io.BytesIO(to_jpeg(cloth))))
    assert max(ImageStat.Stat(apart).mean) < 6


@pytest.mark.parametrize("format", FORMATS)
def test_measuring_decodes_nothing(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size comes from the header alone."""
    data = photo_bytes(300, 400, format)
    decoded: list[object] = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: decoded.append(self))
    assert measure(data, slot=SLOT) == (300, 400)
    assert decoded == []


@pytest.mark.parametrize(("format", "shown"), [("JPEG", True), ("WEBP", True), ("HEIF", False), ("TIFF", False)])
def test_shows_in_browser(format: str, shown: bool) -> None:
    """Not every photo can be shown as it is."""
    assert shows_in_browser(photo_bytes(300, 400, format), slot=SLOT) is shown


@pytest.mark.filterwarnings("error::ResourceWarning", "error::pytest.PytestUnraisableExceptionWarning")
def test_files_are_closed(tmp_path: Path) -> None:
    """A file is closed again, whether its photo was good or not."""
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_bytes(photo_bytes(300, 400, "GIF"))
    bad.write_bytes(b"text")
    assert as_is(good).size == (300, 400)
    assert measure(good, slot=SLOT) == (300, 400)
    refused(bad)


# What is refused


@pytest.mark.parametrize("tenth", range(1, 10))
@pytest.mark.parametrize("format", [*FORMATS, "progressive JPEG"])
def test_cut_off(format: str, tenth: int) -> None:
    """A photo that is cut off anywhere is refused as incomplete."""
    data = noise(format)
    refused(data[: len(data) * tenth // 10], "cut off", "Upload it again")


@cache
def noise(format: str) -> bytes:
    image = Image.effect_noise((300, 260), 90).convert("RGB")
    return saved(image, format.split()[-1], **({"progressive": True} if " " in format else {}))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", ["empty"]),
        (b"Dear diary, today", ["not a photo", "JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP or TIFF"]),
        (b"%PDF-1.7\n%\xe2\xe3", ["not a photo"]),
        (b"\0" * 600, ["not a photo"]),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='900' height='900'/>", ["SVG", "PNG"]),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN'>", ["SVG"]),
        (b"\n <!-- drawn by hand --> <SVG/>", ["SVG"]),
        (b"<?xml version='1.0'?><note/>", ["not a photo"]),
        (b"\xff\xd8\xff\xe0", ["cut off"]),
    ],
    ids=["empty", "text", "PDF", "zero bytes", "SVG", "SVG with BOM", "SVG after comment", "XML", "start of a JPEG"],
)
@pytest.mark.parametrize("name", ["photo.svg", "photo.png"])
def test_no_photo(data: bytes, words: list[str], name: str, tmp_path: Path) -> None:
    """A file that is no photo is refused, whatever its name."""
    path = tmp_path / name
    path.write_bytes(data)
    refused(path, *words)
    refused(data, *words)


def test_other_formats_are_not_opened() -> None:
    """Formats of Pillow that no camera writes are refused."""
    refused(saved(Image.new("RGB", (300, 300)), "PPM"), "not a photo")
    refused(saved(Image.new("RGB", (300, 300)), "ICO"), "not a photo")


def test_missing(tmp_path: Path) -> None:
    """For a missing file the cure is to upload it again."""
    refused(tmp_path / "gone.jpg", "no longer there", "again")
    refused(tmp_path, "no longer there")


def test_heavy(tmp_path: Path) -> None:
    """More than 30 MB are refused by the length of the file; its message does not say that 30 is more than 30."""
    path = tmp_path / "photo.png"
    path.write_bytes(photo_bytes(300, 400))
    with path.open("r+b") as file:
        file.truncate(30_000_000)
        assert as_is(path).size == (300, 400)
        file.truncate(30_060_000)
        refused(path, "30.1 MB", "at most 30 MB")
        file.truncate(31_000_000)
        refused(path, "31.0 MB")


@pytest.mark.parametrize(
    "size", [(1, 1), (20_000, 1), (255, 3000), (3000, 255), (255, 255)], ids=lambda size: "×".join(map(str, size))
)
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_too_small(size: tuple[int, int], format: str) -> None:
    """Fewer than 256 pixels on a side are refused, with the numbers."""
    refused(photo_bytes(*size, format), f"{size[0]} × {size[1]} pixels", "at least 256")


def test_just_large_enough() -> None:
    """256 pixels are enough."""
    assert as_is(photo_bytes(256, 256)).size == (256, 256)


def test_decompression_bomb() -> None:
    """A PNG of 2.5 gigapixels is refused by its header."""
    bomb = png(50_000, 50_000, 8, 2, chunk(b"IDAT", zlib.compress(b"\0" * 100_000)))
    refused(bomb, "too many pixels", "at most 60 megapixels")


@pytest.mark.parametrize(
    ("data", "accepted"),
    [
        (png(10_000, 6_000, 8, 2, chunk(b"IDAT", b"")), True),
        (png(10_000, 6_001, 8, 2, chunk(b"IDAT", b"")), False),
        (claiming(plain("RGB", RED, "JPEG"), 20_000, 10_000), True),
        (claiming(plain("RGB", RED, "JPEG"), 20_000, 10_001), False),
        (claiming(plain("RGB", RED, "JPEG"), 65_000, 65_000), False),
        (claiming(plain("RGB", RED, "JPEG", progressive=True), 10_000, 6_000), True),
        (claiming(plain("RGB", RED, "JPEG", progressive=True), 10_000, 6_001), False),
    ],
    ids=["PNG 60", "PNG 60.01", "JPEG 200", "JPEG 200.01", "JPEG 4225", "progressive 60", "progressive 60.01"],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_most_pixels(data: bytes, accepted: bool) -> None:
    """Phones' JPEGs may have 200 megapixels; what cannot be decoded at reduced scale, 60."""
    if accepted:
        assert measure(data, slot=SLOT).pixels in (60_000_000, 200_000_000)
    else:
        refused(data, "pixels", "Use one of at most")


def test_fractional_pixels() -> None:
    """A TIFF whose numbers have no white is refused, rather than sent as a black picture."""
    refused(plain("F", 0.5, "TIFF"), "fractional", "JPEG")


LARGE = """
import resource, sys
from vton_ui.pictures.framing import fitted
from vton_ui.pictures.photos import read
data = open(sys.argv[1], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
image = read(data, slot="Person", to=lambda size: fitted(size, 1_000_000))
print(*image.size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other units elsewhere")
@pytest.mark.slow
def test_large_jpeg_is_decoded_at_reduced_scale(tmp_path: Path) -> None:
    """A JPEG of 192 megapixels is read within a fraction of the memory that its pixels would fill."""
    path = tmp_path / "large.jpg"
    Image.new("L", (16_000, 12_000), 90).save(path, "JPEG", quality=30)
    run = subprocess.run([sys.executable, "-c", LARGE, path], capture_output=True, text=True, check=True)
    width, height, kilobytes = map(int, run.stdout.split())
    assert (width, height) == (1154, 866)
    assert kilobytes < 64_000


# Sizes

photo_sizes = st.builds(Size, st.integers(256, 20_000), st.integers(256, 20_000))
sheets = st.builds(Size, st.integers(256, 2048), st.integers(256, 2048))


def same_shape(size: tuple[int, int], original: tuple[int, int]) -> bool:
    """Whether one side is within a pixel of what the other one asks for."""
    width, height = size
    across, down = original
    return abs(width - height * across / down) <= 1 or abs(height - width * down / across) <= 1


@given(size=photo_sizes, pixels=st.sampled_from([500_000, 1_000_000, 2_000_000]))
def test_fitted(size: Size, pixels: int) -> None:
    """Within the limit and as large as it allows, of the same shape within a pixel, and never scaled up."""
    result = fitted(size, pixels)
    assert result.pixels <= pixels
    assert result.width <= size.width
    assert result.height <= size.height
    assert same_shape(result, size)
    if size.pixels <= pixels:
        assert result == size
    else:
        assert (result.width + 2) * (result.height + 2) > pixels


@given(size=photo_sizes, into=sheets)
def test_contained(size: Size, into: Size) -> None:
    """The photo lies inside, touches two sides and keeps its shape within a pixel."""
    result = contained(size, into)
    assert result.width == into.width or result.height == into.height
    assert 1 <= result.width <= into.width
    assert 1 <= result.height <= into.height
    assert same_shape(result, size)


@settings(max_examples=40, deadline=None)
@given(size=st.builds(Size, st.integers(1, 300), st.integers(1, 300)), data=st.data())
def test_pad_and_unpad(size: Size, data: st.DataObject) -> None:
    """Cutting the padding off gives all of the photo and nothing else, at any scale of the result."""
    into = data.draw(st.builds(Size, st.integers(16, 300), st.integers(16, 300)))
    scale = data.draw(st.sampled_from([1, 2, 3]))
    padded, frame = pad(Image.new("RGB", size, RED), into, colour=WHITE)
    assert padded.size == into
    inner = Size(frame.right - frame.left, frame.bottom - frame.top)
    assert same_shape(inner, size)
    assert padded.histogram()[RED[0]] == inner.pixels
    result = padded.resize((into.width * scale, into.height * scale), Image.Resampling.NEAREST)
    cut = unpad(result, frame)
    assert cut.size == (inner.width * scale, inner.height * scale)
    assert cut.getextrema() == tuple((level, level) for level in RED)


@given(width=st.integers(1, 400), height=st.integers(1, 400), across=st.integers(8, 900), down=st.integers(8, 900))
def test_unpad_any_scale(width: int, height: int, across: int, down: int) -> None:
    """The cut of a result of any size lies inside it and is not empty."""
    frame = Frame(width=400, height=400, left=0, top=400 - height, right=width, bottom=400)
    cut = unpad(Image.new("RGB", (across, down)), frame)
    assert cut.width == pytest.approx(width * across / 400, abs=1)
    assert cut.height == pytest.approx(height * down / 400, abs=1)
    assert cut.width <= across
    assert cut.height <= down


def test_unpadded_picture_is_left_alone() -> None:
    """Without padding the same picture is returned."""
    image = Image.new("RGB", (300, 400))
    padded, frame = pad(image, Size(300, 400), colour=WHITE)
    assert padded is image
    assert unpad(image, frame) is image


@pytest.mark.parametrize("size", [(1, 1), (1, 256), (256, 1), (2, 2), (300, 400)], ids=str)
def test_edge_colour(size: tuple[int, int]) -> None:
    """The padding has the colour of the photo's edge, however thin the photo."""
    image = Image.new("RGB", size, RED)
    if min(size) > 10:
        image.paste(BLUE, (10, 10, size[0] - 10, size[1] - 10))
    assert edge_colour(image) == RED


@pytest.mark.parametrize("original", [(256, 234_375), (65_535, 256), (1200, 500)], ids=str)
def test_extreme_shapes(original: tuple[int, int]) -> None:
    """The longest accepted photo still gives a picture."""
    size = Size(*original)
    for result in (fitted(size, 1_000_000), contained(size, Size(768, 1024)), contained(size, Size(256, 256))):
        assert min(result) >= 1
        assert same_shape(result, size)
    assert math.prod(fitted(size, 1_000_000)) <= 1_000_000
