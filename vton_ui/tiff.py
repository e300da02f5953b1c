"""The first directory of a TIFF file, or of EXIF, which is one: how much its readers would read for it.

TIFF 6.0: https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes of a value, by type."""
_NUMBERS = {3: "H", 4: "I"}


class Entry(NamedTuple):
    """Of a directory: how many values and bytes it has, and the first value, where it is a whole number."""

    values: int
    size: int
    first: int


def directory(tiff: bytes) -> dict[int, Entry]:
    """The first directory's entries, by tag.

    Raises:
        ValueError: There is none, or it would be read to more bytes than the file has.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        raise ValueError("no TIFF")
    entries: dict[int, Entry] = {}
    total = 0
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for at in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, values = struct.unpack_from(f"{order}HHI", tiff, at)
            size = values * _SIZES.get(kind, 1)
            total += size
            entries[tag] = Entry(values, size, _first(tiff, order, kind, at + 8, size))
    except struct.error as exc:
        raise ValueError("cut off") from exc
    if total > len(tiff):
        raise ValueError("more values than bytes")
    return entries


def _first(tiff: bytes, order: str, kind: int, at: int, size: int) -> int:
    if kind not in _NUMBERS:
        return 0
    if size > 4:
        (at,) = struct.unpack_from(f"{order}I", tiff, at)
    return int(struct.unpack_from(f"{order}{_NUMBERS[kind]}", tiff, at)[0])
