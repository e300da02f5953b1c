"""The parts of a JPEG file, without decoding it: ITU-T T.81, Annex B."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

APP0, APP1, APP2, APP13, APP14, COMMENT = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xFE
APPLICATIONS = frozenset(range(0xE0, 0xF0))
END = b"\xff\xd9"
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""Inside pixel data, 0xFF is followed by 0 or by a restart marker."""
_WITH_LENGTH = frozenset({*range(0xC0, 0xD0), *range(0xDA, 0xFF)})
_MAX_BYTES, _MOST_SEGMENTS = 65_533, 20_000


@dataclass(frozen=True, kw_only=True)
class Outline:
    """How much work decoding a JPEG takes.

    Attributes:
        pixels: From the header.
        scans: How many passes a decoder makes over them.
        at_once: Whether each row can be finished before the next one starts, so that little memory is needed.
        metadata: Bytes that header parsers go through one by one.
        first_end: Where the pixels of the first scan end.
    """

    pixels: int
    scans: int
    at_once: bool
    metadata: int
    first_end: int


def outline(jpeg: bytes) -> Outline:
    """The outline of a JPEG, from its markers; data after its end is ignored.

    Raises:
        ValueError: It has too many segments, or a coding that cameras do not write: arithmetic, lossless,
            hierarchical.
    """
    at = segments = scans = pixels = components = together = metadata = first_end = 0
    progressive = False
    while (marker := _NEXT_MARKER.search(jpeg, at)) and jpeg[marker.start() + 1] != _END:
        kind, at = jpeg[marker.start() + 1], marker.end()
        segments += 1
        if segments > _MOST_SEGMENTS:
            raise ValueError("too many segments")
        if kind not in _WITH_LENGTH:
            continue
        if scans == 1 and not first_end:
            first_end = marker.start()
        length = int.from_bytes(jpeg[at : at + 2], "big")
        if kind in _FRAMES:
            if kind not in (*_SEQUENTIAL, _PROGRESSIVE):
                raise ValueError("an unusual kind")
            progressive = kind == _PROGRESSIVE
            height, width, components = struct.unpack(">HHB", jpeg[at + 3 : at + 8].ljust(5, b"\0"))
            pixels = width * height
        elif kind == _SCAN:
            scans += 1
            together = jpeg[at + 2] if scans == 1 and at + 2 < len(jpeg) else together
        elif kind == APP13 or jpeg.startswith(b"Exif", at + 2):
            metadata += length
        at += max(2, length)
    return Outline(
        pixels=pixels,
        scans=scans,
        at_once=scans == 1 and not progressive and together == components,
        metadata=metadata,
        first_end=first_end or (marker.start() if marker else len(jpeg)),
    )


def parts(jpeg: bytes) -> tuple[list[bytes], bytes]:
    """The segments before the pixels, each with its marker, and the rest: the pixels and what follows them.

    Raises:
        ValueError: It has no such structure.
    """
    if not jpeg.startswith(bytes((0xFF, _START))):
        raise ValueError("no JPEG")
    at, segments = 2, []
    try:
        while jpeg[at + 1] != _SCAN:
            start, kind, length = struct.unpack_from(">BBH", jpeg, at)
            end = at + 2 + length
            if start != 0xFF or kind not in _WITH_LENGTH or length < 2 or end > len(jpeg):
                raise ValueError("no segment")
            segments.append(jpeg[at:end])
            at = end
    except (IndexError, struct.error) as exc:
        raise ValueError("no pixels") from exc
    return segments, jpeg[at:]


def segment(kind: int, data: bytes) -> bytes:
    """Data as a segment. ValueError if it is too long for one."""
    if len(data) > _MAX_BYTES:
        raise ValueError("too long for a segment")
    return struct.pack(">BBH", 0xFF, kind, len(data) + 2) + data
