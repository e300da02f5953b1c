"""Heads: a face from a few colours and numbers, and the hair around it.

Drawn in its own unit, a hundredth of the head's height, from the crown (0) to the chin (100).
"""

# ruff: noqa: E501 (coordinates of one path, or one person, stay on one line)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi, sin
from random import Random

from .shapes import both_sides, clipped, element, flipped, group, line, loop, path


@dataclass(frozen=True, kw_only=True)
class Face:
    """What makes a face this person's."""

    skin: str
    shade: str
    lips: str
    hair: str
    shine: str
    iris: str
    jaw: float = 27
    """Half the width of the jaw."""
    brow: float = 2.6
    eye: float = 1.0
    """How open the eyes are."""
    nose: float = 6.0
    blush: float = 0.22
    lashes: bool = True
    lined: bool = False


def head_shape(face: Face) -> str:
    """The face's contour."""
    jaw = face.jaw
    return both_sides(
        [
            (0, 4),
            (18, 8),
            (31, 24),
            (35, 44),
            (34, 60),
            (jaw + 3.5, 76),
            (jaw - 4, 88),
            (jaw * 0.45, 97),
            (0, 100),
        ],
    )


def eye(face: Face) -> str:
    """The right eye with its lid, lashes and brow."""
    open_ = face.eye
    almond = f"M7.6 54.4C9.6 {52.2 - 1.6 * open_} 14 {50.6 - 1.6 * open_} 17.8 {51 - 1.2 * open_}C20.6 51.2 22.8 52.6 24 53.6C21.4 {55.6 + open_} 17.6 {56.6 + open_} 14 {56.4 + open_}C11 56 8.8 55.4 7.6 54.4Z"
    lid = f"M7 54.8C9.4 {52 - 1.6 * open_} 14 {50.4 - 1.6 * open_} 17.8 {50.8 - 1.2 * open_}C20.8 51 23 52.2 24.8 53.2"
    thick = 1.9 if face.lashes else 1.3
    ball = [
        path(almond, fill="#f7f1ea"),
        element("circle", cx=15.6, cy=53.4, r=4.1, fill=face.iris),
        element("circle", cx=15.6, cy=53.4, r=2.0, fill="#15100e"),
        element("rect", x=6, y=48, width=20, height=4.2, fill="#3a2620", opacity=0.28),
        element("circle", cx=17, cy=51.9, r=0.95, fill="#ffffff"),
    ]
    pieces = [
        element("ellipse", cx=16, cy=50, rx=11, ry=5, fill=face.shade, opacity=0.35, filter="url(#soft-2)"),
        clipped(f"eye-{id(face)}", almond, ball),
        line(lid, "#2a1a15", thick),
        line(f"M8.6 {49.6 - open_}C12 {46.6 - open_} 19 {46 - open_} 23.6 49.6", face.shade, 0.9, opacity=0.9),
        line("M11 57.2C15 58.4 19 57.8 22 55.8", face.shade, 0.9, opacity=0.8),
        path(
            f"M6 {42.6 - face.brow * 0.2}C11 {40.4 - face.brow * 0.3} 18 {39.4 - face.brow * 0.2} 26.6 44.4"
            f"C18 {40.8 + face.brow * 0.6} 12 {41.6 + face.brow * 0.7} 6.4 {42.8 + face.brow * 0.8}Z",
            fill=face.hair,
            opacity=0.92,
        ),
    ]
    if face.lashes:
        pieces.append(line("M23.6 52.8L26.6 51", "#2a1a15", 1.3))
    if face.lined:
        pieces += [
            line("M27 54L31 52M27 56L31 56.6", face.shade, 0.8, opacity=0.8),
            line("M9 69C12.5 72 13.5 76 13 80", face.shade, 1.1, opacity=0.7),
        ]
    return group(pieces)


def nose_and_mouth(face: Face) -> str:
    """Nose shadow, nostrils, lips and chin."""
    wide = face.nose
    return group(
        [
            path(
                f"M2.4 50C3.4 58 4 64 {wide} 69C{wide - 1} 73 2 73.6 0 73.4L-1 70Z",
                fill=face.shade,
                opacity=0.5,
                filter="url(#soft-1)",
            ),
            line(
                f"M{-wide} 70.6C{-wide + 1} 73 -2 72.4 0 73.6C2 72.4 {wide - 1} 73 {wide} 70.6",
                face.shade,
                1.3,
            ),
            line(
                f"M{-wide - 0.8} 68.4C{-wide - 1.4} 70 {-wide} 71.6 {-wide + 1} 71.4",
                face.shade,
                1,
                opacity=0.8,
            ),
            line(f"M{wide + 0.8} 68.4C{wide + 1.4} 70 {wide} 71.6 {wide - 1} 71.4", face.shade, 1, opacity=0.8),
            line("M-1.4 54C-1.8 60-1.6 64-1 67", "#ffffff", 1.8, opacity=0.22, filter="url(#soft-1)"),
            path(
                "M-11.4 81.2C-7 80-3.4 78.6 0 80C3.4 78.6 7 80 11.4 81.2C7 83 3 83.2 0 83.2C-3 83.2-7 83-11.4 81.2Z",
                fill=face.lips,
            ),
            path("M-10.6 81.8C-6 83.6 6 83.6 10.6 81.8C7 87.6-7 87.6-10.6 81.8Z", fill=face.lips, opacity=0.78),
            line("M-12.4 80.4C-8 83.2-3 82.9 0 83.2C3 82.9 8 83.2 12.4 80.4", "#4a1f1c", 0.9, opacity=0.75),
            line("M-3.4 85C-1 85.7 1 85.7 3 85", "#ffffff", 1, opacity=0.35),
            line("M-5 89.6C-2 90.8 2 90.8 5 89.6", face.shade, 1.6, opacity=0.6, filter="url(#soft-1)"),
        ]
    )


def face_piece(face: Face) -> str:
    """The whole face with ears, without hair."""
    ear = group(
        [
            element("ellipse", cx=35.4, cy=57, rx=4.6, ry=8.6, fill=face.skin),
            line("M36 51.4C39 53 38.4 59 35.6 62", face.shade, 1.2, opacity=0.8),
        ]
    )
    cheek = element("ellipse", cx=21, cy=68, rx=8, ry=5.6, fill=face.lips, opacity=face.blush, filter="url(#soft-2)")
    shape = head_shape(face)
    inside = [
        path(shape, fill=face.skin, filter="url(#skin-form)"),
        path("M-40 0H40V34C28 24-28 24-40 34Z", fill=face.shade, opacity=0.4, filter="url(#soft-2)"),
        cheek, flipped(cheek), eye(face), flipped(eye(face)), nose_and_mouth(face),
    ]  # fmt: skip
    return group([ear, flipped(ear), clipped(f"face-{id(face)}", shape, inside)])


def strands(paths: list[str], colour: str, width: float = 1.1, opacity: float = 0.55) -> str:
    """Light along the hair."""
    return group([line(d, colour, width, opacity=opacity) for d in paths])


def curls(face: Face, seed: int, rim: list[tuple[float, float, float]]) -> str:
    """Curls strewn over discs given as (x, y, radius)."""
    random, pieces = Random(seed), []
    for x, y, radius in rim:
        pieces.append(element("circle", cx=x, cy=y, r=radius, fill=face.hair))
    for x, y, radius in rim:
        for _ in range(int(radius * 0.9)):
            angle, far = random.uniform(0, 2 * pi), radius * random.uniform(0.2, 1.02)
            cx, cy, r = x + cos(angle) * far, y + sin(angle) * far, random.uniform(2.6, 4.6)
            pieces.append(element("circle", cx=f"{cx:.1f}", cy=f"{cy:.1f}", r=f"{r:.1f}", fill=face.hair))
            arc = (
                f"M{cx - r * 0.7:.1f} {cy:.1f}A{r * 0.7:.1f} {r * 0.7:.1f} 0 0 1 {cx + r * 0.5:.1f} {cy - r * 0.5:.1f}"
            )
            pieces.append(line(arc, face.shine, 0.9, opacity=0.5))
    return group(pieces)


def curly(face: Face) -> tuple[str, str]:
    """A round cloud of curls, worn off the face."""
    back = [(32 * cos(a), 30 - 33 * sin(a), 15.0) for a in (x * pi / 9 for x in range(-2, 12))] + [(0, 30, 34.0)]
    front = [(26 * cos(a), 27 - 22 * sin(a), 8.5) for a in (x * pi / 8 for x in range(0, 9))]
    return curls(face, 4, back), curls(face, 7, front)


def bob(face: Face) -> tuple[str, str]:
    """A wavy bob down to the jaw, parted on one side."""
    back = loop([(0, -6), (26, -1), (42, 20), (45, 52), (47, 78), (40, 98), (24, 96), (-24, 96), (-40, 98), (-47, 78),
                 (-45, 52), (-42, 20), (-26, -1)])  # fmt: skip
    right = loop([(-10, -4), (14, -6), (34, 8), (43, 34), (44, 60), (46, 80), (38, 96), (30, 88), (31, 70), (33, 52),
                  (30, 36), (14, 22), (-6, 8)])  # fmt: skip
    left = loop([(-6, -5), (-24, -1), (-40, 16), (-44, 42), (-45, 66), (-46, 84), (-37, 96), (-31, 86), (-32, 68),
                 (-34, 50), (-31, 32), (-18, 18), (-8, 6)])  # fmt: skip
    light = ["M-4 2C14 6 34 18 37 48C38 66 40 78 37 90", "M2-1C22 4 38 20 41 50C42 66 43 74 42 84",
             "M-12 4C-28 12-38 26-39 52C-39 70-42 78-38 90", "M-14 0C-32 8-42 28-42 56"]  # fmt: skip
    front = path(right, fill=face.hair) + path(left, fill=face.hair) + strands(light, face.shine)
    return path(back, fill=face.hair), front


def crop(face: Face) -> tuple[str, str]:
    """Very short hair with a faded side, and a short beard."""
    top = loop([(0, -3), (18, 0), (31, 12), (36, 30), (35.6, 46), (32.6, 44), (32, 32), (26, 22), (12, 19), (0, 18.4),
                (-12, 19), (-26, 22), (-32, 32), (-32.6, 44), (-35.6, 46), (-36, 30), (-31, 12), (-18, 0)])  # fmt: skip
    beard = loop([(34.6, 54), (34, 66), (30, 80), (22, 92), (11, 100), (0, 101.6), (-11, 100), (-22, 92), (-30, 80),
                  (-34, 66), (-34.6, 54), (-32.4, 60), (-29, 70), (-22, 78), (-14, 77), (-8, 75.4), (0, 76.4), (8, 75.4),
                  (14, 77), (22, 78), (29, 70), (32.4, 60)])  # fmt: skip
    mouth = "M-12.4 82.2C-6 78 6 78 12.4 82.2C8 88.4-8 88.4-12.4 82.2Z"
    pieces = [
        path(beard + mouth, fill=face.hair, fill_rule="evenodd", opacity=0.82),
        path(top, fill=face.hair),
        strands(["M-22 8C-12 2 8 1 20 7"], face.shine, 3, 0.35),
    ]
    return "", group(pieces)


def swept(face: Face) -> tuple[str, str]:
    """Grey hair brushed to the side, a full beard and round glasses."""
    top = loop([(-20, 0), (0, -7), (20, -5), (34, 8), (38, 28), (37, 50), (33.4, 48), (33, 36), (28, 24), (10, 21),
                (-10, 17), (-22, 14), (-30, 26), (-33, 38), (-33.4, 48), (-37, 50), (-38, 28), (-32, 10)])  # fmt: skip
    beard = loop([(35, 54), (35, 68), (32, 84), (24, 97), (12, 105), (0, 107), (-12, 105), (-24, 97), (-32, 84),
                  (-35, 68), (-35, 54), (-32, 62), (-28, 71), (-20, 76), (-12, 75), (-6, 74.4), (0, 75.6), (6, 74.4),
                  (12, 75), (20, 76), (28, 71), (32, 62)])  # fmt: skip
    mouth = "M-11 83C-6 79.4 6 79.4 11 83C8 88-8 88-11 83Z"
    hairs = ["M-18 8C0 0 22 4 32 22", "M-14 13C4 6 20 10 30 26", "M-22 4C-4-4 20-3 33 12"]
    whiskers = ["M-24 80C-20 92-12 100-6 103", "M24 80C20 92 12 100 6 103", "M0 92V104", "M-29 70C-28 82-22 92-18 97",
                "M29 70C28 82 22 92 18 97", "M-10 78C-13 80-15 83-16 87", "M10 78C13 80 15 83 16 87"]  # fmt: skip
    rims = [element("circle", cx=x, cy=53.6, r=11.2, fill="#ffffff", fill_opacity=0.1, stroke="#3b3836",
                    stroke_width=1.5) for x in (-16, 16)]  # fmt: skip
    pieces = [
        path(beard + mouth, fill=face.hair, fill_rule="evenodd"),
        path(top, fill=face.hair), strands(hairs, face.shine, 1.5, 0.75), strands(whiskers, face.shine, 1.1, 0.7),
        *rims, line("M-5 52C-3 50 3 50 5 52M27 52L35 50M-27 52L-35 50", "#3b3836", 1.5),
    ]  # fmt: skip
    return "", group(pieces)


def fringe(face: Face) -> tuple[str, str]:
    """Straight hair with a fringe, the rest in a knot on the crown."""
    knot = [
        element("ellipse", cx=0, cy=-10, rx=15, ry=12, fill=face.hair),
        strands(["M-10-14C-4-20 6-19 11-12", "M-11-8C-4-13 6-13 11-6", "M-8-3C-2-7 4-7 8-2"], face.shine, 1.2, 0.6),
        element("rect", x=-9, y=-2, width=18, height=4, rx=2, fill="#b4573f"),
    ]
    top = loop([(0, -3), (20, 0), (34, 14), (37.5, 34), (37, 54), (35, 66), (32, 66), (33, 52), (31, 43), (24, 39),
                (12, 40), (0, 39), (-12, 40), (-24, 39), (-31, 43), (-33, 52), (-32, 66), (-35, 66), (-37, 54),
                (-37.5, 34), (-34, 14), (-20, 0)])  # fmt: skip
    light = ["M-6 2C-14 12-18 24-19 36", "M2 2C2 14 1 26 0 36", "M8 2C16 12 19 24 20 36", "M-14 3C-24 14-29 26-30 38",
             "M16 4C26 14 30 26 31 38"]  # fmt: skip
    glow = path("M-30 22C-16 15 16 15 30 22C16 19-16 19-30 22Z", fill=face.shine, opacity=0.7, filter="url(#soft-1)")
    return group(knot), path(top, fill=face.hair) + strands(light, face.shine, 0.9, 0.45) + glow


HAIR: dict[str, Callable[[Face], tuple[str, str]]] = {
    "curly": curly,
    "bob": bob,
    "crop": crop,
    "swept": swept,
    "fringe": fringe,
}
"""Hair styles: each gives what lies behind the body and what lies over the face."""
