"""The parts of a JPEG file, without decoding it: ITU-T T.81, Annex B."""

from __future__ import annotations

import struct

APP0, APP1, APP2, APP14, COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
APPLICATIONS = frozenset(range(0xE0, 0xF0))
END = b"\xff\xd9"
_START, _SCAN = 0xD8, 0xDA
_WITH_LENGTH = frozenset({*range(0xC0, 0xD0), *range(0xDB, 0xFF)})
_MAX_BYTES = 65_533


def parts(jpeg: bytes) -> tuple[list[bytes], bytes]:
    """The segments before the pixels, each with its marker, and all the rest: the pixels and what follows them.

    Raises:
        ValueError: It is put together in another way than usual.
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
    """Data as a segment. ValueError if it is more than one can hold."""
    if len(data) > _MAX_BYTES:
        raise ValueError("too long for a segment")
    return struct.pack(">BBH", 0xFF, kind, len(data) + 2) + data
