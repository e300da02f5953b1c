"""Curves and SVG pieces shared by people and garments.

Unit of length: a thousandth of the standing person's height, x from the body's middle, y from the crown.
Garments are cut in the same units, so that they fit the people.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from math import hypot
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]
Curve: TypeAlias = Sequence[Point]
Station: TypeAlias = tuple[float, float, float]
"""A place along a limb: x, y and half the limb's width there."""


def curve(points: Curve, *, move: bool = True) -> str:
    """A path through all the points, smooth between them (Catmull-Rom, written as cubic Béziers)."""
    parts = [f"{'M' if move else 'L'}{points[0][0]:.2f} {points[0][1]:.2f}"]
    padded = [points[0], *points, points[-1]]
    for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        one = (start[0] + (end[0] - before[0]) / 6, start[1] + (end[1] - before[1]) / 6)
        two = (end[0] - (after[0] - start[0]) / 6, end[1] - (after[1] - start[1]) / 6)
        parts.append(f"C{one[0]:.2f} {one[1]:.2f} {two[0]:.2f} {two[1]:.2f} {end[0]:.2f} {end[1]:.2f}")
    return "".join(parts)


def outline(*curves: Curve) -> str:
    """A closed path of smooth curves with corners where one ends and the next begins."""
    first, *others = curves
    return curve(first) + "".join(curve(each, move=False) for each in others) + "Z"


def loop(points: Curve) -> str:
    """A closed path, smooth all the way round."""
    wrapped = [points[-1], *points, points[0], points[1]]
    parts = [f"M{points[0][0]:.2f} {points[0][1]:.2f}"]
    for before, start, end, after in zip(wrapped, wrapped[1:], wrapped[2:], wrapped[3:], strict=False):
        one = (start[0] + (end[0] - before[0]) / 6, start[1] + (end[1] - before[1]) / 6)
        two = (end[0] - (after[0] - start[0]) / 6, end[1] - (after[1] - start[1]) / 6)
        parts.append(f"C{one[0]:.2f} {one[1]:.2f} {two[0]:.2f} {two[1]:.2f} {end[0]:.2f} {end[1]:.2f}")
    return "".join(parts) + "Z"


def both_sides(*right: Curve) -> str:
    """A closed path from the curves of its right half, read from the top middle to the bottom middle."""
    left = [[(-x, y) for x, y in reversed(each)] for each in reversed(right)]
    return outline(*right, *left)


def sides(stations: Sequence[Station]) -> tuple[list[Point], list[Point]]:
    """The outer and the inner edge of a right limb: a middle line of changing width."""
    outer: list[Point] = []
    inner: list[Point] = []
    for index, (x, y, half) in enumerate(stations):
        before, after = stations[max(index - 1, 0)], stations[min(index + 1, len(stations) - 1)]
        dx, dy = after[0] - before[0], after[1] - before[1]
        length = hypot(dx, dy)
        outer.append((x + dy / length * half, y - dx / length * half))
        inner.append((x - dy / length * half, y + dx / length * half))
    return outer, inner


def tube(stations: Sequence[Station]) -> str:
    """A limb as a closed path."""
    outer, inner = sides(stations)
    return outline(outer, inner[::-1])


def at(stops: Sequence[Point], y: float) -> float:
    """The value at height y of a table of (height, value), eased between its stops."""
    for (y0, value0), (y1, value1) in itertools.pairwise(stops):
        if y <= y1:
            share = min(max((y - y0) / (y1 - y0), 0), 1)
            return value0 + (value1 - value0) * share * share * (3 - 2 * share)
    return stops[-1][1]


def path(d: str, **attributes: str | float) -> str:
    """One SVG path; underscores in attribute names become hyphens."""
    return element("path", d=d, **attributes)


def element(name: str, body: str = "", **attributes: str | float) -> str:
    """One SVG element; underscores in attribute names become hyphens, a trailing one is dropped."""
    written = " ".join(f'{key.rstrip("_").replace("_", "-")}="{value}"' for key, value in attributes.items())
    return f"<{name} {written}>{body}</{name}>" if body else f"<{name} {written}/>"


def group(pieces: Iterable[str], **attributes: str | float) -> str:
    """The pieces as one SVG group."""
    return element("g", "".join(pieces) or " ", **attributes)


def flipped(piece: str) -> str:
    """The same piece on the other side of the body."""
    return group([piece], transform="scale(-1 1)")


def clipped(name: str, d: str, pieces: Iterable[str]) -> str:
    """The pieces, cut off outside the path d; `name` must be unique in the drawing."""
    return element("clipPath", path(d), id=name) + group(pieces, clip_path=f"url(#{name})")


def line(d: str, colour: str, width: float, **attributes: str | float) -> str:
    """An open stroke with round ends."""
    ends = {"stroke_linecap": "round", "stroke_linejoin": "round", **attributes}
    return path(d, fill="none", stroke=colour, stroke_width=width, **ends)


def sliver(points: Curve, thick: float) -> str:
    """A crease: a closed path along the points, `thick` in the middle and pointed at both ends."""
    last = len(points) - 1
    swell = [thick * min(index, last - index) / (last / 2) for index in range(last + 1)]
    return outline(points, [(x, y + more) for (x, y), more in zip(points, swell, strict=True)][::-1])


def folds(creases: Sequence[Curve], *, thick: float = 6, strength: float = 0.3) -> str:
    """Soft creases on the right side and mirrored on the left: shade, and light above it."""
    dark = [path(sliver(each, thick), fill="#130b1c", opacity=strength, filter="url(#soft-2)") for each in creases]
    light = [
        path(sliver(each, thick), fill="#ffffff", opacity=strength * 0.45, filter="url(#soft-2)",
             transform=f"translate(0 {-thick})")
        for each in creases
    ]  # fmt: skip
    right = group([*light, *dark])
    return right + flipped(right)


def form_filter(name: str, colour: str, *, soft: float, dx: float, dy: float, strength: float) -> str:
    """Shade a flat shape from its own edge inwards, so that it looks round."""
    return (
        f'<filter id="{name}" x="-20%" y="-20%" width="140%" height="140%" '
        'color-interpolation-filters="sRGB">'
        f'<feGaussianBlur in="SourceAlpha" stdDeviation="{soft}"/>'
        f'<feOffset dx="{dx}" dy="{dy}" result="inside"/>'
        '<feComposite in="SourceAlpha" in2="inside" operator="out" result="rim"/>'
        f'<feFlood flood-color="{colour}" flood-opacity="{strength}"/>'
        '<feComposite in2="rim" operator="in" result="shade"/>'
        '<feMerge><feMergeNode in="SourceGraphic"/><feMergeNode in="shade"/></feMerge></filter>'
    )


def blur_filter(name: str, soft: float) -> str:
    """A plain blur that may spread well beyond its shape."""
    return (
        f'<filter id="{name}" x="-100%" y="-100%" width="300%" height="300%">'
        f'<feGaussianBlur stdDeviation="{soft}"/></filter>'
    )


def cloth_filter(name: str, *, frequency: str, contrast: float, seed: int) -> str:
    """A weave: grey noise around the middle, meant to be laid over cloth with `soft-light`."""
    row = f"{contrast} {contrast} 0 0 {0.5 - contrast:.2f} "
    return (
        f'<filter id="{name}" x="0" y="0" width="100%" height="100%" color-interpolation-filters="sRGB">'
        f'<feTurbulence type="fractalNoise" baseFrequency="{frequency}" numOctaves="2" seed="{seed}"/>'
        f'<feColorMatrix values="{row * 3}0 0 0 0 1"/></filter>'
    )
