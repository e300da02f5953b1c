"""Files that are far more work than a photo are refused by their structure; real photos of every size are not."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import in_detail, photo_bytes
from tests.pictures.bombs import black, by_component, chunk, claiming, grain, heic_grid, many_scans, png, saved, tiff
from vton_ui.errors import PhotoError
from vton_ui.models.spec import Size
from vton_ui.pictures import bounds
from vton_ui.pictures.photos import measure, read, unchanged

SMALL = Image.new("RGB", (300, 300), (9, 9, 9))
SOF = (b"\xff\xc0\x00", b"\xff\xc2\x00")


def same(size: Size) -> Size:
    return size


def of_kind(marker: int) -> bytes:
    """A JPEG that says that it is coded in another way."""
    return saved(SMALL).replace(b"\xff\xc0\x00\x11", bytes((0xFF, marker, 0, 0x11)))


def after_start(jpeg: bytes, more: bytes) -> bytes:
    return jpeg[:2] + more + jpeg[2:]


def jpeg_in_tiff() -> bytes:
    """A TIFF with a JPEG of 250 scans inside."""
    inside = many_scans(512, 250)
    entries = [(256, 4, 1, 512), (257, 4, 1, 512), (258, 3, 1, 8), (259, 3, 1, 7), (262, 3, 1, 6), (277, 3, 1, 3)]
    entries += [(278, 4, 1, 512), (279, 4, 1, len(inside)), (273, 4, 1, 8 + 2 + 12 * 9 + 4)]
    return tiff(*entries, more=inside)


def repeated_exif() -> bytes:
    """EXIF that names the same half megabyte a hundred times over."""
    return tiff(*((0x9000 + number, 7, 500_000, 0) for number in range(100)), more=bytes(500_000))


HEAVY: dict[str, Callable[[], bytes]] = {
    "JPEG, many scans": many_scans,
    "JPEG, thousands of scans": lambda: claiming(many_scans(256, 9000), 7700, 7700),
    "JPEG, a scan for each component, many times": lambda: claiming(by_component(SMALL, 4), 7700, 7700),
    "JPEG, scans after a comment that looks like the end": lambda: _hidden(many_scans()),
    "JPEG, arithmetic": lambda: of_kind(0xC9),
    "JPEG, lossless": lambda: of_kind(0xC3),
    "JPEG, many segments": lambda: after_start(saved(SMALL), b"\xff\xfe\x00\x02" * 1_000_000),
    "JPEG, much EXIF": lambda: after_start(saved(SMALL), (b"\xff\xe1\xff\xffExif\0\0" + bytes(65_527)) * 200),
    "PNG, many chunks": lambda: png(300, 300, 8, 2, *[chunk(b"IDAT")] * 500_000),
    "PNG, much text": lambda: png(300, 300, 8, 2, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**9 // 8), 9) * 20)),
    "GIF, a long comment": lambda: _gif(b"!\xfe" + (b"\xff" + bytes(255)) * 100_000 + b"\0"),
    "GIF, many comments": lambda: _gif(b"!\xfe\x01a\0" * 1_000_000),
    "TIFF, many tiles": lambda: tiff((256, 4, 1, 300), (257, 4, 1, 300), (324, 4, 90_000, 50), more=bytes(360_000)),
    "TIFF, large tiles": lambda: tiff((256, 4, 1, 300), (257, 4, 1, 300), (322, 4, 1, 60_000), (323, 4, 1, 60_000)),
    "TIFF, JPEG of many scans": jpeg_in_tiff,
    "TIFF, of a rare compression": lambda: tiff((256, 4, 1, 300), (257, 4, 1, 300), (259, 3, 1, 50_000)),
    "BMP, run lengths": lambda: _bmp_of_runs(),
}


def _hidden(jpeg: bytes) -> bytes:
    at = jpeg.rindex(b"\xff\xda")
    return jpeg[:at] + b"\xff\xfe\x00\x04\xff\xd9" + jpeg[at:]


def _gif(more: bytes) -> bytes:
    data = saved(SMALL.convert("P"), "GIF")
    head = 13 + (3 << (data[10] & 7) + 1)
    return data[:head] + more + data[head:]


def _bmp_of_runs() -> bytes:
    data = bytearray(saved(SMALL.convert("P"), "BMP"))
    struct.pack_into("<I", data, 30, 1)
    return bytes(data)


@pytest.mark.parametrize("kind", HEAVY)
def test_heavy(kind: str) -> None:
    """A file that is built to take long is refused at once, with a reason, from its structure."""
    data = HEAVY[kind]()
    assert len(data) < 30_000_000
    begin = time.process_time()
    with pytest.raises(PhotoError) as caught:
        measure(data, slot="Person")
    assert time.process_time() - begin < 0.5
    assert "unusual way" in caught.value.cause
    assert "new JPEG" in caught.value.cure


PIXELS: dict[str, Callable[[], bytes]] = {
    "HEIC, a grid of one large tile": lambda: heic_grid((8192, 8192), 250),
    "WebP, a large canvas": lambda: _webp(16_000, 16_000),
    "JPEG, a scan for each component": lambda: claiming(by_component(SMALL), 14_000, 14_000),
}


def _webp(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size


@pytest.mark.parametrize("kind", PIXELS)
def test_too_many_pixels(kind: str) -> None:
    """What has to be decoded as a whole may have 60 megapixels, whatever it is made of."""
    with pytest.raises(PhotoError, match="at most 60 megapixels"):
        measure(PIXELS[kind](), slot="Person")


@pytest.mark.parametrize("times", [2, 256])
def test_more_values_than_bytes(times: int) -> None:
    """A TIFF whose tags name the same bytes again and again is not read."""
    with pytest.raises(PhotoError, match="damaged"):
        measure(tiff(*((256 + n, 7, 1_000_000, 0) for n in range(times)), more=bytes(1_000_000)), slot="Person")


def test_heavy_exif() -> None:
    """EXIF that would expand to fifty megabytes is ignored, and takes no time."""
    data = photo_bytes(300, 400, "PNG")
    begin = time.process_time()
    assert measure(data[:33] + chunk(b"eXIf", repeated_exif()) + data[33:], slot="Person") == (300, 400)
    assert time.process_time() - begin < 0.1


@pytest.mark.parametrize("size", [(300, 300), (1000, 800), *in_detail((4000, 3000))], ids=str)
def test_honest_progressive(size: tuple[int, int]) -> None:
    """A progressive photo is accepted, and so is one with a scan for each component."""
    image = grain(*size)
    for data in (saved(image, progressive=True), by_component(image)):
        assert read(data, slot="Person", to=same).size == size


# Headers that claim more pixels than the file has

KINDS = {
    "baseline": saved(grain(800, 600)),
    "baseline, 4:4:4": saved(grain(800, 600), subsampling=0),
    "grey": saved(grain(800, 600, "L")),
    "inks": saved(grain(800, 600, "CMYK")),
    "progressive": saved(grain(800, 600), progressive=True),
    "progressive, grey": saved(grain(800, 600, "L"), progressive=True),
    "restarts": saved(grain(800, 600), restart_marker_rows=1),
    "by component": by_component(grain(800, 600)),
}
LIES = [(2000, 2000), (800, 640), (832, 600), *in_detail((7000, 7000))]


@pytest.mark.parametrize("size", LIES, ids=str)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("to", [same, lambda size: Size(size.width // 8, size.height // 8)], ids=["whole", "an eighth"])
def test_header_that_promises_more(kind: str, size: tuple[int, int], to: Callable[[Size], Size]) -> None:
    """A JPEG that has fewer pixels than its header says is refused, at any scale, whatever it is coded in."""
    with pytest.raises(PhotoError, match=r"damaged|at most 60 megapixels"):
        read(claiming(KINDS[kind], *size), slot="Person", to=to)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_header_that_promises_the_most(kind: str) -> None:
    """A file of 196 megapixels of which 195 are missing is refused."""
    with pytest.raises(PhotoError, match=r"damaged|at most 60 megapixels"):
        read(claiming(KINDS[kind], 14_000, 14_000), slot="Person", to=lambda _: Size(1000, 1000))


@pytest.mark.parametrize("size", [(2000, 2000), (1000, 800), (800, 640)], ids=str)
@pytest.mark.parametrize("kind", ["baseline", "progressive"])
def test_promise_that_would_be_sent_unchanged(kind: str, size: tuple[int, int], tmp_path: Path) -> None:
    """It is not sent unchanged either."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(claiming(KINDS[kind], *size))
    with pytest.raises(PhotoError, match="damaged"):
        unchanged(path, slot="Person", to=same)


@pytest.mark.parametrize(
    "how",
    [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}],
    ids=["baseline", "progressive", "4:4:4", "restarts"],
)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("size", [(800, 600), (801, 607), *in_detail((3000, 2500))], ids=str)
def test_grey_ground(how: dict[str, object], mode: str, size: tuple[int, int], tmp_path: Path) -> None:
    """A real photo that ends in the grey of missing pixels is read."""
    image = Image.new("RGB", size, (128, 128, 128))
    image.paste(grain(200, 200), (300, 200))
    path = tmp_path / "photo.jpg"
    path.write_bytes(saved(image.convert(mode), **how))
    small = Size(size[0] // 3, size[1] // 3)
    assert read(path, slot="Person", to=lambda _: small).size == small
    if mode == "RGB":
        assert unchanged(path, slot="Person", to=same) is not None


# Memory

PEAK = r"""
import re, sys
from vton_ui.pictures.framing import fitted
from vton_ui.pictures.photos import read
image = read(open(sys.argv[1], "rb").read(), slot="Person", to=lambda size: fitted(size, 1_000_000))
print(int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells the peak")
@pytest.mark.parametrize(
    ("depth", "colour_type", "megabytes"),
    [(16, 0, 250), (16, 2, 350), (16, 4, 350), (16, 6, 350), (8, 6, 350)],
)
def test_memory_of_sixty_megapixels(depth: int, colour_type: int, megabytes: int, tmp_path: Path) -> None:
    """A large PNG takes little more memory than Pillow needs to decode it."""
    path = tmp_path / "photo.png"
    path.write_bytes(black(10_000, 6_000, depth, colour_type))
    run = subprocess.run([sys.executable, "-c", PEAK, path], capture_output=True, text=True, check=True)
    assert int(run.stdout) < megabytes


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "L", "P", "CMYK", "I;16", "1"])
def test_bands_leave_no_seams(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that is converted band by band is the same as one that is not."""
    image = grain(350, 451)
    if mode == "I;16":
        image = image.convert("L").convert("I").point(lambda value: value * 256).convert("I;16")
    else:
        image = image.convert(mode)
    data = saved(image, "TIFF" if mode == "CMYK" else "PNG")
    whole = read(data, slot="Person", to=lambda _: Size(53, 68))
    monkeypatch.setattr("vton_ui.pictures.photos._BAND_PIXELS", 7_500)
    assert read(data, slot="Person", to=lambda _: Size(53, 68)).tobytes() == whole.tobytes()


def test_pictures_of_bombs_are_what_they_say() -> None:
    """Pillow can read the files of these tests, so they are refused for their work and nothing else."""
    for data in (many_scans(256, 3), by_component(grain(256, 256)), black(256, 256, 16, 6)):
        with Image.open(io.BytesIO(data)) as image:
            image.load()


def _tiff_with(magic: bytes, entries: int, size: int) -> bytes:
    head = magic + (8).to_bytes(4, "little" if magic[:1] == b"I" else "big")
    body = b"".join(struct.pack("<HHII", 256 + n, 1, size, 0) for n in range(entries))
    return head + entries.to_bytes(2, "little") + body + bytes(size)


@pytest.mark.parametrize("magic", [b"II\0*", b"MM*\0", b"II+\0", b"MM\0+"])
def test_unusual_tiffs_are_refused(magic: bytes) -> None:
    """Byte orders of TIFF that Pillow reads and no program writes are refused."""
    with pytest.raises(bounds.TooHeavy):
        bounds.check(_tiff_with(magic, 150, 1_000))


def test_markers_without_data_count() -> None:
    """A file of bare markers only is not read to its end."""
    with pytest.raises(bounds.TooHeavy):
        bounds.check(b"\xff\xd8" + b"\xff\x01" * 1_000_000)


def test_sub_blocks_count_together() -> None:
    """Many comments of a GIF cost as much as one long one."""
    comment = b"!\xfe" + b"\x01a" * 500 + b"\0"
    with pytest.raises(bounds.TooHeavy):
        bounds.check(b"GIF89a" + bytes(7) + comment * 50)


def test_strips_with_jpegs_may_not_overlap() -> None:
    """Strips that overlap are refused: the same bytes would be read many times."""
    strips = 1000
    entries = [(259, 3, 1, 7), (273, 4, strips, 100), (279, 4, strips, 100 + 4 * strips)]
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    head = b"II*\0" + (8).to_bytes(4, "little") + len(entries).to_bytes(2, "little") + body
    data = (
        head.ljust(100, b"\0")
        + struct.pack(f"<{strips}I", *[50_000] * strips)
        + struct.pack(f"<{strips}I", *[9_000] * strips)
    )
    with pytest.raises(bounds.TooHeavy):
        bounds.check(data + b"\xff\x01" * 40_000)


def test_parts_end_with_their_box() -> None:
    """A box that claims more parts than it has is not read beyond its end."""

    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(body), kind) + body

    parts = box(b"dimg", struct.pack(">HH", 1, 60_000))
    meta = box(b"pitm", bytes(4) + b"\0\1") + box(b"iref", bytes(4) + parts * 100) + box(b"iprp", box(b"ipco", b""))
    data = box(b"ftyp", b"heicmif1") + box(b"meta", bytes(4) + meta) + bytes(200_000)
    with pytest.raises(ValueError, match="too many parts"):
        bounds.check(data)
