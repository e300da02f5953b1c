"""Photo files that are far more work than they look, for the tests."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

FLAT = (120, 90, 60)


def saved(image: Image.Image, format: str = "JPEG", **how: Any) -> bytes:
    """A picture as a file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **how)
    return buffer.getvalue()


def grain(width: int, height: int, mode: str = "RGB", seed: int | None = 1) -> Image.Image:
    """A picture with something in each of its pixels; without a seed it is another one each time."""
    dice = np.random.default_rng(seed)
    return Image.fromarray(dice.integers(60, 200, (height, width, 3), np.uint8)).convert(mode)


@cache
def many_scans(side: int = 7700, more: int = 250, **how: Any) -> bytes:
    """A flat JPEG whose last scan comes again and again: some 100 KB that take minutes to decode."""
    data = saved(Image.new("RGB", (side, side), FLAT), **{"progressive": True, **how})
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * more + data[-2:]


def claiming(jpeg: bytes, width: int, height: int) -> bytes:
    """The same JPEG with another size in its header."""
    at = next(jpeg.index(start) for start in (b"\xff\xc0\x00", b"\xff\xc2\x00") if start in jpeg)
    return jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]


def by_component(image: Image.Image, times: int = 1) -> bytes:
    """A sequential JPEG with a scan for each of its three components, `times` times."""
    data = saved(image, subsampling=0)
    grey = [saved(band) for band in image.convert("YCbCr").split()]
    tables = data[: data.rindex(b"\xff\xda")]
    scans = b""
    for number, picture in enumerate(grey, 1):
        at = picture.rindex(b"\xff\xda")
        # Their own tables, or the pixels would be read with those of another picture.
        huffman = b"".join(_huffman(picture[:at]))
        scans += huffman + b"\xff\xda\x00\x08\x01" + bytes((number, 0x00)) + b"\x00\x3f\x00" + picture[at + 10 : -2]
    return tables + scans * times + b"\xff\xd9"


def _huffman(head: bytes) -> list[bytes]:
    at, found = 2, []
    while at < len(head):
        length = 2 + struct.unpack_from(">H", head, at + 2)[0]
        found += [head[at : at + length]] if head[at + 1] == 0xC4 else []
        at += length
    return found


def png(width: int, height: int, depth: int, colour_type: int, *chunks: bytes, interlaced: bool = False) -> bytes:
    """A PNG of these chunks."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@cache
def black(width: int, height: int, depth: int, colour_type: int) -> bytes:
    """A PNG of one colour."""
    samples = {0: 1, 2: 3, 4: 2, 6: 4}[colour_type]
    row, packer = bytes(1 + width * samples * depth // 8), zlib.compressobj(1)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    return png(width, height, depth, colour_type, chunk(b"IDAT", data))


def tiff(*entries: tuple[int, int, int, int], more: bytes = b"") -> bytes:
    """A TIFF of one directory; entries are (tag, type, count, value or offset)."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed + bytes(4) + more


def box(kind: bytes, body: bytes) -> bytes:
    """A box of a HEIC file."""
    return struct.pack(">I4s", 8 + len(body), kind) + body


def heic_grid(tile: tuple[int, int], times: int) -> bytes:
    """The header of a HEIC whose picture is a grid of one tile, used `times` times."""
    properties = box(b"ispe", struct.pack(">III", 0, *tile)) + box(b"ispe", struct.pack(">III", 0, 8000, 7000))
    links = struct.pack(">II", 0, 2) + struct.pack(">HBBHBB", 1, 1, 2, 2, 1, 1)
    parts = struct.pack(">HH", 1, times) + struct.pack(">H", 2) * times
    meta = box(b"pitm", struct.pack(">IH", 0, 1)) + box(b"iref", bytes(4) + box(b"dimg", parts))
    meta += box(b"iprp", box(b"ipco", properties) + box(b"ipma", links))
    return box(b"ftyp", b"heic\0\0\0\0mif1heic") + box(b"meta", bytes(4) + meta)
