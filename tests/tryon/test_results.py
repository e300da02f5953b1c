"""A finished picture: checked, cut back to the photo, marked with how it was made, and kept."""

from __future__ import annotations

import io
import json
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat, PngImagePlugin

from tests.conftest import photo_bytes
from vton_ui.errors import Cost, Filtered, ResultLost
from vton_ui.models.spec import Answer, Value
from vton_ui.pictures.framing import Frame
from vton_ui.tryon.results import Result, delete_expired, discard, keep

ROOT = Path(__file__).parents[2]
WHOLE = Frame(width=300, height=400, left=0, top=0, right=300, bottom=400)
PADDED = Frame(width=300, height=400, left=0, top=100, right=300, bottom=300)
FACTS: dict[str, Value] = {
    "model": "flux-vto",
    "endpoint": "fal-ai/flux-pro/v1/vto",
    "request_id": "abc-123",
    "seed": 42,
    "seconds": 8.1,
    "cost_usd": "0.0475",
    "prompt": "The person, wearing the “Été” tee.",
    "sandbox": False,
}
SRGB = ImageCms.createProfile("sRGB")
AI_MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


def kept(store: Path, picture: bytes, frame: Frame = WHOLE, answer: Answer | None = None, **facts: Value) -> Result:
    return keep(picture, answer or Answer(url="https://v3.fal.media/a.jpg"), {**FACTS, **facts}, frame, store)


def black(format: str, mode: str = "RGB", level: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (300, 400), level).convert(mode).save(buffer, format)
    return buffer.getvalue()


def rough_png() -> bytes:
    """As hard to compress as a photo."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (300, 400), random.Random(1).randbytes(300 * 400 * 3)).save(buffer, "PNG")
    return buffer.getvalue()


def with_byte_changed(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def marks(path: Path) -> tuple[Any, str]:
    """The facts in the file, and its XMP."""
    with Image.open(path) as image:
        image.load()
        xmp = image.info.get("xmp", b"")
        return json.loads(image.getexif()[0x010E]), xmp.decode() if isinstance(xmp, bytes) else xmp


@pytest.mark.parametrize(("format", "suffix"), [("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".png")])
def test_kept(format: str, suffix: str, tmp_path: Path) -> None:
    """A picture is kept whole; the file says how it was made, and has the mark of AI."""
    result = kept(tmp_path / "store", photo_bytes(300, 400, format))
    assert result.size == (300, 400)
    assert result.path.name == f"try-on-flux-vto-42{suffix}"
    assert result.facts == FACTS
    facts, xmp = marks(result.path)
    assert facts == FACTS
    assert AI_MADE in xmp


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_draft_is_not_marked_as_ai(format: str, tmp_path: Path) -> None:
    """A draft of the sandbox says how it was made, and no AI was in it."""
    facts, xmp = marks(kept(tmp_path, photo_bytes(300, 400, format), sandbox=True).path)
    assert facts["sandbox"] is True
    assert xmp == ""


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize("scale", [1, 2])
def test_padding_is_cut_off(format: str, scale: int, tmp_path: Path) -> None:
    """Only what lies over the photo is kept, whatever scale the picture came back at."""
    image = Image.new("RGB", (300 * scale, 400 * scale), "white")
    image.paste((200, 40, 40), (0, 100 * scale, 300 * scale, 300 * scale))
    buffer = io.BytesIO()
    image.save(buffer, format, subsampling=0)
    result = kept(tmp_path, buffer.getvalue(), PADDED)
    assert result.size == (300 * scale, 200 * scale)
    with Image.open(result.path) as cut:
        assert cut.size == result.size
        darkest = [band.getextrema()[0] for band in cut.convert("RGB").split()]
        assert darkest == pytest.approx([200, 40, 40], abs=24)


def test_jpeg_is_not_made_worse(tmp_path: Path) -> None:
    """An uncut JPEG keeps the tables the model chose, so that writing the marks costs nothing visible."""
    data = photo_bytes(300, 400)
    result = kept(tmp_path, data)
    with Image.open(io.BytesIO(data)) as before, Image.open(result.path) as after:
        assert after.quantization == before.quantization  # type: ignore[attr-defined]
        assert after.convert("RGB").getpixel((9, 9)) == pytest.approx(before.convert("RGB").getpixel((9, 9)), abs=2)


def test_cut_is_not_made_worse(tmp_path: Path) -> None:
    """A JPEG that has to be encoded again for the cut keeps fine coloured detail."""
    rough = Image.open(io.BytesIO(rough_png())).resize((150, 200)).resize((300, 400), Image.Resampling.BICUBIC)
    data = file_of(rough, "JPEG", quality=95, subsampling=0)
    with Image.open(kept(tmp_path, data, PADDED).path) as cut, Image.open(io.BytesIO(data)) as whole:
        apart = ImageChops.difference(cut, whole.crop((0, 100, 300, 300)))
    assert max(ImageStat.Stat(apart).mean) < 4


def test_png_keeps_every_pixel(tmp_path: Path) -> None:
    """A PNG is kept as it came, pixel for pixel."""
    data = photo_bytes(300, 400, "PNG")
    with Image.open(kept(tmp_path, data).path) as after:
        assert after.tobytes() == Image.open(io.BytesIO(data)).tobytes()


@pytest.mark.parametrize(("told", "expected"), [(None, 42), (7, 7), (0, 0)])
def test_seed(told: int | None, expected: int, tmp_path: Path) -> None:
    """The model's seed is kept; without one, the seed that was sent."""
    result = kept(tmp_path, photo_bytes(300, 400), answer=Answer(url="u", seed=told))
    assert result.facts["seed"] == expected
    assert marks(result.path)[0]["seed"] == expected
    assert result.path.stem.endswith(f"-{expected}")


def test_names_cannot_be_guessed(tmp_path: Path) -> None:
    """The same picture kept twice is in two folders with long random names."""
    first, second = (kept(tmp_path, photo_bytes(300, 400)).path for _ in range(2))
    assert first != second
    assert len(first.parent.name) >= 20
    assert first.parent.parent == tmp_path


@pytest.mark.parametrize(
    "picture",
    [black("PNG"), black("JPEG"), black("PNG", "RGBA"), black("PNG", "L"), black("JPEG", level=5)],
    ids=["PNG", "JPEG", "RGBA", "grey", "nearly"],
)
def test_black(picture: bytes, tmp_path: Path) -> None:
    """An all-black picture comes from a safety checker: it is an error, and not kept."""
    with pytest.raises(Filtered, match="black") as caught:
        kept(tmp_path, picture)
    error = caught.value
    assert (error.cost, error.request_id) == (Cost.MAYBE, "abc-123")
    assert "another seed" in error.cure
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_dark_is_not_black(format: str, tmp_path: Path) -> None:
    """A dark picture with a single light spot is a picture."""
    image = Image.new("RGB", (300, 400))
    image.putpixel((150, 200), (90, 90, 90))
    buffer = io.BytesIO()
    image.save(buffer, format, quality=95)
    assert kept(tmp_path, buffer.getvalue()).path.exists()


def test_flagged(tmp_path: Path) -> None:
    """A flagged picture is an error and not kept, with or without bytes."""
    with pytest.raises(Filtered, match="safety checker") as caught:
        kept(tmp_path, b"", answer=Answer(url="u", flagged=True))
    assert (caught.value.cost, caught.value.request_id) == (Cost.MAYBE, "abc-123")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "picture",
    [
        b"",
        b"<html>502</html>",
        photo_bytes(300, 400)[:3000],
        photo_bytes(300, 400, "PNG")[:300],
        rough_png()[:-20],
        with_byte_changed(rough_png()),
        photo_bytes(9, 9, "BMP"),
    ],
    ids=["nothing", "a page", "half a JPEG", "half a PNG", "a PNG without its end", "a changed byte", "another kind"],
)
def test_damaged(picture: bytes, tmp_path: Path) -> None:
    """Bytes that are no picture are an error with the request id."""
    with pytest.raises(ResultLost) as caught:
        kept(tmp_path, picture)
    assert (caught.value.cost, caught.value.request_id) == (Cost.CHARGED, "abc-123")
    assert "costs nothing" in caught.value.cure
    assert list(tmp_path.iterdir()) == []


def test_no_room(tmp_path: Path) -> None:
    """A picture that cannot be saved is an error with the request id."""
    store = tmp_path / "store"
    store.write_text("a file, where the folder should be")
    with pytest.raises(ResultLost, match="no room") as caught:
        kept(store, photo_bytes(300, 400))
    assert (caught.value.cost, caught.value.request_id) == (Cost.CHARGED, "abc-123")


def test_sweep(tmp_path: Path) -> None:
    """Results are deleted when they have expired, and not before."""
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "try-on.jpg").write_bytes(b"picture")
    two_hours_ago = time.time() - 2 * 3600
    os.utime(old, (two_hours_ago, two_hours_ago))
    delete_expired(tmp_path, hours=3)
    assert old.exists()
    delete_expired(tmp_path, hours=1)
    assert not old.exists()
    assert (new / "try-on.jpg").exists()
    delete_expired(tmp_path / "nowhere", hours=1)


def test_discard(tmp_path: Path) -> None:
    """A result is deleted with its folder, and may be gone already."""
    path = kept(tmp_path, photo_bytes(300, 400)).path
    for _ in range(2):
        discard(path, tmp_path)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("way", ["../ledger.sqlite3", "picture.jpg", "a/b/picture.jpg", "link/picture.jpg", "."])
def test_nothing_but_results_is_discarded(way: str, tmp_path: Path) -> None:
    """A path that leads out of the store, or is none of its results, deletes nothing."""
    store, elsewhere = tmp_path / "store", tmp_path / "elsewhere"
    for folder in (store / "a" / "b", elsewhere):
        folder.mkdir(parents=True)
    (store / "link").symlink_to(elsewhere)
    for file in (
        tmp_path / "ledger.sqlite3",
        store / "picture.jpg",
        store / "a" / "b" / "picture.jpg",
        elsewhere / "picture.jpg",
    ):
        file.write_bytes(b"")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match="not in the store"):
        discard(store / way, store)
    assert sorted(tmp_path.rglob("*")) == before


def fractal() -> Image.Image:
    return Image.effect_mandelbrot((300, 400), (-2, -1.5, 1, 1.5), 60).convert("RGB")


def file_of(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def foreign_marks(format: str) -> dict[str, Any]:
    """What a file may bring along: where it was taken, a text, a profile."""
    exif = Image.Exif()
    exif[0x010E] = "taken somewhere"
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 0.0)})
    options: dict[str, Any] = {"exif": exif, "icc_profile": ImageCms.ImageCmsProfile(SRGB).tobytes()}
    if format == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", "<x>theirs</x>")
        texts.add_text("prompt", "theirs")
        return {**options, "pnginfo": texts}
    return {**options, "xmp": b"<x>theirs</x>", "comment": b"theirs"}


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_marks_are_ours_alone(format: str, tmp_path: Path) -> None:
    """Other metadata is dropped, ours is in it once; the colour profile and the pixels stay."""
    data = file_of(fractal(), format, **foreign_marks(format))
    path = kept(tmp_path, data).path
    written = path.read_bytes()
    assert b"theirs" not in written
    assert b"taken" not in written
    assert written.count(AI_MADE.encode()) == 1
    assert marks(path)[0] == FACTS
    with Image.open(io.BytesIO(data)) as before, Image.open(path) as after:
        assert after.info["icc_profile"] == before.info["icc_profile"]
        assert dict(after.getexif().get_ifd(0x8825)) == {}
        assert after.tobytes() == before.tobytes()


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_pixels_are_not_touched(format: str, tmp_path: Path) -> None:
    """A picture that need not be cut is not encoded again."""
    data = photo_bytes(300, 400, format)
    pixels = data[data.index(b"IDAT") :] if format == "PNG" else data[data.index(b"\xff\xda") :]
    assert kept(tmp_path, data).path.read_bytes().endswith(pixels)


@pytest.mark.parametrize(
    ("mode", "format"),
    [("RGBA", "PNG"), ("P", "PNG"), ("L", "PNG"), ("I;16", "PNG"), ("L", "JPEG"), ("CMYK", "JPEG"), ("RGB", "WEBP")],
)
def test_other_kinds_of_pixels(mode: str, format: str, tmp_path: Path) -> None:
    """Whatever kind of pixels came, what is kept is a plain picture in colours."""
    image = Image.new(mode, (300, 400), 40_000) if mode == "I;16" else fractal().convert(mode)
    path = kept(tmp_path, file_of(image, format)).path
    with Image.open(path) as image:
        assert (image.mode, image.size) == ("RGB", (300, 400))
    assert marks(path)[0] == FACTS


def test_progressive(tmp_path: Path) -> None:
    """A JPEG with many scans is kept to its end."""
    data = file_of(fractal(), "JPEG", progressive=True, quality=80)
    with Image.open(io.BytesIO(data)) as before, Image.open(kept(tmp_path, data).path) as after:
        assert after.info["progressive"]
        assert after.tobytes() == before.tobytes()


@pytest.mark.parametrize(
    "data",
    [
        photo_bytes(300, 400)[:2] + b"\xff" + photo_bytes(300, 400)[2:],
        photo_bytes(300, 400) + b"more",
        photo_bytes(300, 400, "PNG") + b"more",
        photo_bytes(300, 400, "PNG")[:-12],
    ],
    ids=["filled JPEG", "JPEG and more", "PNG and more", "PNG without its end"],
)
def test_odd_files(data: bytes, tmp_path: Path) -> None:
    """A file that Pillow can read, though it is not quite as it should be, is kept with its marks."""
    path = kept(tmp_path, data).path
    facts, xmp = marks(path)
    assert facts == FACTS
    assert AI_MADE in xmp
    with Image.open(path) as image:
        image.load()
        assert image.size == (300, 400)


def test_marks_in_a_padded_picture(tmp_path: Path) -> None:
    """A picture that is cut is marked like any other."""
    for format in ("JPEG", "PNG"):
        facts, xmp = marks(kept(tmp_path, photo_bytes(300, 400, format), PADDED).path)
        assert facts == FACTS
        assert AI_MADE in xmp
