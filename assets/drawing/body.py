"""The figure: one skeleton in a relaxed A-pose, fleshed out by a few widths per person."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin

from .shapes import Point, Station, at, both_sides, flipped, group, line, outline, path, sides, tube

UPPER_ARM, FOREARM = radians(18.5), radians(14.5)
"""Angles off the vertical."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """Half-widths of a body in thousandths of its height; `height` is in pixels of the picture."""

    height: float
    shoulder: float
    chest: float
    waist: float
    hip: float
    thigh: float
    calf: float
    arm: float
    neck: float = 29

    def torso(self, y: float) -> float:
        """Half the torso's width at height y."""
        stops = [
            (236, self.chest - 3),
            (272, self.chest),
            (385, self.waist),
            (486, self.hip),
            (560, self.thigh * 2 + 2),
            (680, self.thigh * 1.84),
        ]
        return at(stops, y)

    def arm_line(self) -> list[Station]:
        """The right arm from shoulder to wrist."""
        x, y, arm = self.shoulder - self.arm - 1, 216, self.arm
        elbow = (x + 158 * sin(UPPER_ARM), y + 158 * cos(UPPER_ARM))
        wrist = (elbow[0] + 136 * sin(FOREARM), elbow[1] + 136 * cos(FOREARM))

        def along(start: Point, end: Point, share: float, half: float) -> Station:
            return (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share, half)

        return [
            (x - 5, y - 20, arm * 0.74),
            (x, y, arm * 1.04),
            along((x, y), elbow, 0.45, arm),
            along((x, y), elbow, 0.9, arm * 0.8),
            along(elbow, wrist, 0.22, arm * 0.82),
            along(elbow, wrist, 0.55, arm * 0.68),
            along(elbow, wrist, 0.9, arm * 0.3 + 4),
            along(elbow, wrist, 1.08, arm * 0.26 + 4.2),
        ]

    def leg_line(self) -> list[Station]:
        """The right leg from hip to ankle."""
        top, foot = self.hip / 2, max(self.thigh * 1.12, 52)
        levels = [
            (500, self.hip / 2),
            (545, self.thigh),
            (620, self.thigh * 0.88),
            (690, self.thigh * 0.67),
            (735, self.calf * 0.95),
            (795, self.calf * 1.06),
            (850, self.calf * 0.84),
            (915, self.calf * 0.46 + 4),
            (952, self.calf * 0.42 + 5),
        ]
        return [(at([(500, top), (560, self.thigh + 3), (952, foot)], y), y, half) for y, half in levels]

    def trunk(self) -> str:
        """Neck, shoulders and torso down to the crotch."""
        neck, tip = self.neck, self.shoulder
        return both_sides(
            [(0, 110), (neck - 1, 112)],
            [
                (neck - 1, 112),
                (neck, 148),
                (neck + 5, 162),
                (neck + 20, 172),
                (tip - 30, 181),
                (tip - 12, 191),
                (tip - 3, 212),
            ],
            [(tip - 3, 212), (self.torso(262) + 2, 262)],
            [(self.torso(y), y) for y in (262, 300, 340, 385, 430, 486, 520)],
            [(self.torso(520), 520), (12, 540), (0, 538)],
        )

    def foot(self) -> Point:
        """Where the right ankle meets the shoe."""
        x, y, _ = self.leg_line()[-1]
        return x, y


def sleeve_shape(build: Build, count: int, room: float) -> str:
    """A right sleeve over the first `count` stations of the arm, from the shoulder's tip."""
    arm = [(x, y, half + room) for x, y, half in build.arm_line()[1:count]]
    outer, inner = sides(arm)
    return outline([(build.shoulder - 12, 187), *outer], inner[::-1])


HAND: list[Point] = [
    (-11, -6), (-14, 12), (-22, 22), (-27, 38), (-27, 54), (-24, 58), (-20, 55), (-18, 44), (-12, 38),
    (-12, 52), (-12.5, 72), (-11, 85), (-8, 88), (-5, 86), (-4.5, 92), (-1.5, 94.5), (1.5, 92.5), (3.5, 90),
    (6, 91.5), (9, 88), (10, 80), (12, 79), (14.5, 76), (15, 64), (15.5, 46), (15.5, 28), (13, 12), (11, -6),
]  # fmt: skip
"""The right hand seen from its back, thumb inwards, the wrist at the origin and the fingers down."""


def hand(build: Build, line_colour: str) -> str:
    """The right hand, hanging from the end of the forearm, with its fingers drawn in."""
    x, y, _ = build.arm_line()[-1]
    size = 0.8 + build.arm * 0.006
    fingers = ["M-5 86C-5.5 74-5 62-4 52", "M3.5 89C3.5 76 3 64 3.5 53", "M10 79C10 70 9.6 64 9.6 56"]
    pieces = [path(outline(HAND)), *(line(d, line_colour, 1.3, stroke_opacity=0.5) for d in fingers)]
    return group(pieces, transform=f"translate({x:.1f} {y - 4:.1f}) rotate(-9) scale({size:.2f} {size:.2f})")


def skin(build: Build, colour: str, shade: str) -> str:
    """The bare body without its head."""
    right = [path(tube(build.arm_line())), path(tube(build.leg_line())), hand(build, shade)]
    body = group([path(build.trunk()), *right, *map(flipped, right)], fill=colour, filter="url(#skin-form)")
    tip, chest = build.shoulder, build.torso(262)
    crease = line(f"M{chest + 1} 264C{chest - 3} 250 {chest - 1} 238 {tip - 22} 226", shade, 2.2, opacity=0.55)
    bone = line(f"M9 184C22 180 40 181 {tip - 34} 186", shade, 2.4, opacity=0.45, filter="url(#soft-1)")
    knee_x, knee_y, knee = build.leg_line()[4]
    knees = line(
        f"M{knee_x - knee * 0.5} {knee_y - 3}Q{knee_x} {knee_y + 9} {knee_x + knee * 0.5} {knee_y - 3}",
        shade,
        3,
        opacity=0.4,
        filter="url(#soft-2)",
    )
    marks = [crease, bone, knees]
    return body + group([*marks, *map(flipped, marks)])
