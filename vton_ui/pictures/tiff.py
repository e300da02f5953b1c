"""Reads the first directory of a TIFF file, or of EXIF, which has the same format, within limits.

TIFF 6.0: https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf
"""

from __future__ import annotations

import struct

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes of a value, by type."""
_NUMBERS = {3: "H", 4: "I"}
_MOST_NUMBERS = 100_000


def directory(tiff: bytes) -> dict[int, tuple[int, ...]]:
    """The whole numbers in the first directory, by tag; empty for a tag with other values.

    Raises:
        ValueError: There is no directory, or its values would take more bytes than the file has.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        raise ValueError("no TIFF")
    places: dict[int, tuple[int, int, int]] = {}
    total = 0
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for at in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, values = struct.unpack_from(f"{order}HHI", tiff, at)
            total += values * _SIZES.get(kind, 1)
            places[tag] = kind, values, at + 8
            if kind in _NUMBERS and values > _MOST_NUMBERS:
                raise ValueError("too many numbers")
        if total > len(tiff):
            raise ValueError("more values than bytes")
        return {tag: _numbers(tiff, order, *place) for tag, place in places.items()}
    except struct.error as exc:
        raise ValueError("cut off") from exc


def _numbers(tiff: bytes, order: str, kind: int, values: int, at: int) -> tuple[int, ...]:
    if kind not in _NUMBERS:
        return ()
    if values * _SIZES[kind] > 4:
        (at,) = struct.unpack_from(f"{order}I", tiff, at)
    return struct.unpack_from(f"{order}{values}{_NUMBERS[kind]}", tiff, at)
