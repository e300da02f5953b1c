"""How many pixels a decoder has to decode for the first picture of a HEIC or AVIF file: ISO/IEC 14496-12 and 23008-12.

A picture may be a grid of others, these again of others, and the same one may be used many times.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator

_MOST_BOXES = _MOST_PARTS = 20_000


def decoded_pixels(heif: bytes) -> int:
    """The pixels of all parts of the first picture, each counted as often as it is used.

    Raises:
        ValueError: It does not follow its format.
    """
    try:
        meta = next(body for kind, body in _boxes(heif, 0, len(heif)) if kind == b"meta")
        boxes = dict(_boxes(heif, meta[0] + 4, meta[1]))
        primary = _item(heif, boxes[b"pitm"][0])
        parts_of = _parts_of(heif, boxes.get(b"iref"))
        sizes = _sizes(heif, boxes[b"iprp"])
    except (StopIteration, KeyError, IndexError, struct.error) as exc:
        raise ValueError("no picture") from exc
    return _pixels(primary, parts_of, sizes, ())


def _pixels(item: int, parts_of: dict[int, list[int]], sizes: dict[int, int], within: tuple[int, ...]) -> int:
    if item in within or len(within) > 2:  # cameras write at most a rotated grid of tiles
        raise ValueError("built too deep")
    parts = parts_of.get(item)
    if parts is None:
        return sizes.get(item, 0)
    each = {part: _pixels(part, parts_of, sizes, (*within, item)) for part in set(parts)}
    return sum(each[part] for part in parts)


def _boxes(heif: bytes, at: int, end: int) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """The boxes between two offsets of the file: kind, and where the body begins and ends."""
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        size, kind = struct.unpack_from(">I4s", heif, at)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", heif, at + 8)
            head = 16
        stop = min(end, at + size if size else end)
        if stop < at + head:
            raise ValueError("no box")
        yield kind, (at + head, stop)
        at = stop
    raise ValueError("too many boxes")


def _item(heif: bytes, at: int) -> int:
    """The item's number in a `pitm` box."""
    return int.from_bytes(heif[at + 4 : at + (6 if heif[at] == 0 else 8)], "big")


def _parts_of(heif: bytes, iref: tuple[int, int] | None) -> dict[int, list[int]]:
    """The parts of each derived item."""
    parts_of: dict[int, list[int]] = defaultdict(list)
    if iref:
        kind_of_number = ">H" if heif[iref[0]] == 0 else ">I"
        width = struct.calcsize(kind_of_number)
        total = 0
        for kind, (at, end) in _boxes(heif, iref[0] + 4, iref[1]):
            if kind == b"dimg":
                (item,) = struct.unpack_from(kind_of_number, heif, at)
                (count,) = struct.unpack_from(">H", heif, at + width)
                start = at + width + 2
                total += count
                if start + count * width > end or total > _MOST_PARTS:
                    raise ValueError("too many parts")
                parts_of[item] += struct.unpack_from(f">{count}{kind_of_number[1]}", heif, start)
    return dict(parts_of)


def _sizes(heif: bytes, iprp: tuple[int, int]) -> dict[int, int]:
    """The pixels of each item, from its properties."""
    boxes = list(_boxes(heif, *iprp))
    properties = list(_boxes(heif, *next(body for kind, body in boxes if kind == b"ipco")))
    sizes: dict[int, int] = {}
    for at, end in (body for kind, body in boxes if kind == b"ipma"):
        version, wide = heif[at], heif[at + 3] & 1
        (count,) = struct.unpack_from(">I", heif, at + 4)
        at += 8
        for _ in range(count):
            if at >= end or len(sizes) > _MOST_PARTS:
                raise ValueError("too many properties")
            number = ">H" if version == 0 else ">I"
            (item,) = struct.unpack_from(number, heif, at)
            at += struct.calcsize(number)
            links, at = heif[at], at + 1
            for _ in range(links):
                index = struct.unpack_from(">H", heif, at)[0] & 0x7FFF if wide else heif[at] & 0x7F
                at += 2 if wide else 1
                if 0 < index <= len(properties) and properties[index - 1][0] == b"ispe":
                    across, down = struct.unpack_from(">II", heif, properties[index - 1][1][0] + 4)
                    sizes[item] = max(sizes.get(item, 0), across * down)
    return sizes
