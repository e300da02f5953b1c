"""Limits on the work that decoding a file takes, checked from its structure before anything is decoded.

A small file can keep a decoder, or even a header parser, busy for minutes. Files from cameras and common programs are
far within these limits.
"""

from __future__ import annotations

import math
import struct

from vton_ui.pictures import heif, jpeg, tiff

MAX_JPEG_PIXELS = 200_000_000
"""Phones make them. A JPEG of one scan is decoded at reduced scale, row by row, so it stays cheap."""
MAX_PIXELS = 60_000_000
MAX_SCANNED = 10 * MAX_PIXELS
"""Pixels × scans; most progressive JPEGs have at most ten scans."""
MAX_METADATA = 1_000_000
MAX_PARTS = 20_000
"""Segments, chunks, blocks, strips or tiles of a file."""
_TILE_WIDTH, _TILE_LENGTH, _TILES = 322, 323, 324
_STRIPS, _COMPRESSION = 273, 259
_STRIP_BYTES, _TILE_BYTES = 279, 325
_JPEG_INSIDE = 7
_COMPRESSIONS = {1, 2, 3, 4, 5, 7, 8, 32773, 32946}
"""None, fax, LZW, JPEG, Deflate, PackBits."""


class TooMuch(Exception):
    """A photo has more pixels than its format may have.

    Args:
        pixels: How many; 0 if unknown.
        limit: The most it may have.
    """

    def __init__(self, pixels: int, limit: int) -> None:
        super().__init__(f"{pixels} pixels")
        self.pixels, self.limit = pixels, limit


class TooHeavy(Exception):
    """Decoding the file would be far more work than its picture needs."""


def check(data: bytes) -> None:
    """Check that a file takes no more work than a photo does. Files of unknown formats pass.

    Raises:
        TooMuch: It has too many pixels.
        TooHeavy: It takes too much work.
        ValueError: It does not follow its format.
    """
    for start, at, check_format in _CHECKS:
        if data.startswith(start, at):
            try:
                check_format(data)
            except (struct.error, IndexError) as exc:
                raise ValueError("cut off") from exc


def exif_is_small(exif: bytes) -> bool:
    """Whether EXIF is cheap to parse: its entries may all point at the same megabytes."""
    try:
        return not exif or (len(exif) <= MAX_METADATA and tiff.directory(exif.removeprefix(b"Exif\0\0")) is not None)
    except ValueError:
        return False


def _jpeg(data: bytes) -> None:
    outline = _outline(data)
    limit = MAX_JPEG_PIXELS if outline.at_once else MAX_PIXELS
    if outline.pixels > limit:
        raise TooMuch(outline.pixels, limit)
    if not outline.at_once and outline.pixels * outline.scans > MAX_SCANNED:
        raise TooHeavy("too many scans")
    if outline.metadata > MAX_METADATA:
        raise TooHeavy("too much metadata")


def _outline(data: bytes) -> jpeg.Outline:
    try:
        return jpeg.outline(data)
    except ValueError as exc:
        raise TooHeavy(str(exc)) from exc


def _png(data: bytes) -> None:
    at = 8
    for _ in range(MAX_PARTS):
        if at + 8 > len(data):
            return
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"IEND":
            return
        if name != b"IDAT" and length > MAX_METADATA:
            raise TooHeavy("too much metadata")
        at += 12 + length
    raise TooHeavy("too many chunks")


def _gif(data: bytes) -> None:
    """Limits blocks and sub-blocks: Pillow concatenates those of a comment one by one."""
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    blocks = 0
    while data[at : at + 1] == b"!":
        at += 2
        while at < len(data) and data[at]:
            at += 1 + data[at]
            blocks += 1
            if blocks > MAX_PARTS // 10:
                raise TooHeavy("too long a comment")
        at += 1
        blocks += 1


def _webp(data: bytes) -> None:
    """Limits pixels: libwebp allocates memory for all of them when it reads the header."""
    kind, body = data[12:16], data[20:30].ljust(10, b"\0")
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(body[at : at + 3], "little") for at in (4, 7))
    elif kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (size & 0x3FFF for size in struct.unpack_from("<HH", body, 6))
    if width * height > MAX_PIXELS:
        raise TooMuch(width * height, MAX_PIXELS)


def _tiff(data: bytes) -> None:
    numbers = tiff.directory(data)
    (compression, *_) = numbers.get(_COMPRESSION) or (1,)
    if compression not in _COMPRESSIONS:
        raise TooHeavy("an unusual compression")
    parts = (*numbers.get(_STRIPS, ()), *numbers.get(_TILES, ()))
    if len(parts) > MAX_PARTS:
        raise TooHeavy("too many strips or tiles")
    if math.prod(max(numbers.get(tag, ()), default=0) for tag in (_TILE_WIDTH, _TILE_LENGTH)) > MAX_PIXELS // 4:
        raise TooHeavy("too large tiles")
    if compression == _JPEG_INSIDE:
        sizes = (*numbers.get(_STRIP_BYTES, ()), *numbers.get(_TILE_BYTES, ()))
        # Parts that overlap would have the same bytes walked again and again.
        if len(sizes) != len(parts) or sum(sizes) > len(data):
            raise TooHeavy("overlapping strips or tiles")
        if any(_outline(data[at : at + size]).scans > 4 for at, size in zip(parts, sizes, strict=True)):
            raise TooHeavy("too many scans")


def _odd_tiff(data: bytes) -> None:
    """BigTIFF, and a mixed byte order that Pillow reads and no program writes."""
    raise TooHeavy("an unusual TIFF")


def _bmp(data: bytes) -> None:
    """Refuses run lengths, which Pillow unpacks in Python."""
    if len(data) >= 34 and struct.unpack_from("<I", data, 14)[0] >= 40 and data[30] in (1, 2):
        raise TooHeavy("run lengths")


def _heif(data: bytes) -> None:
    pixels = heif.decoded_pixels(data)
    if pixels > MAX_PIXELS * 5 // 4:  # the tiles of a grid extend a little beyond the picture
        raise TooMuch(pixels, MAX_PIXELS)


_CHECKS = (
    (b"\xff\xd8", 0, _jpeg),
    (b"\x89PNG\r\n\x1a\n", 0, _png),
    (b"GIF8", 0, _gif),
    (b"WEBP", 8, _webp),
    (b"II*\0", 0, _tiff),
    (b"MM\0*", 0, _tiff),
    *((start, 0, _odd_tiff) for start in (b"II+\0", b"MM\0+", b"II\0*", b"MM*\0")),
    (b"BM", 0, _bmp),
    (b"ftyp", 4, _heif),
)
