"""How garments are made up: the body they are cut for, an upper garment's cut, cloth, seams and buttons."""

from __future__ import annotations

from dataclasses import dataclass

from .body import Build, sleeve_shape
from .fabrics import FABRICS
from .shapes import Curve, both_sides, clipped, curve, element, flipped, group, line, outline, path

FORM = Build(height=1000, shoulder=114, chest=90, waist=79, hip=97, thigh=47, calf=30, arm=24, neck=30)
"""The body the garments are cut for."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How an upper garment is cut: widths beyond the body, lengths from the crown."""

    hem: float
    chest: float
    waist: float
    flare: float
    """Room at chest, waist and hem."""
    neck: float = 40
    scoop: float = 200
    sleeve: int = 8
    """How many stations of the arm the sleeve covers."""
    room: float = 8
    """Room in the sleeve."""
    rounded: float = 5
    """How far the hem drops in the middle."""

    def side(self) -> Curve:
        """The right side seam from armpit to hem."""
        stops = [(268, self.chest), (385, self.waist), (self.hem, self.flare)]
        heights = [268, 300, 340, 385, *(385 + (self.hem - 385) * share / 4 for share in range(1, 5))]
        body = [FORM.torso(min(y, 490)) for y in heights]
        extra = [
            stops[0][1] + (stops[1][1] - stops[0][1]) * (y - 268) / 117
            if y <= 385
            else stops[1][1] + (stops[2][1] - stops[1][1]) * (y - 385) / (self.hem - 385)
            for y in heights
        ]
        return [(width + more, y) for width, more, y in zip(body, extra, heights, strict=True)]

    def body(self) -> str:
        """The garment without its sleeves."""
        side, tip = self.side(), FORM.shoulder
        inner, outer = (self.neck, 168), (tip - 6, 187)
        hem = side[-1]
        return both_sides(
            [(0, self.scoop), (self.neck * 0.66, self.scoop - 9), inner],
            [inner, (self.neck + 34, 174), outer],
            [outer, (tip - 8, 214), (tip - 10, 246), side[0]],
            side,
            [hem, (hem[0] * 0.5, self.hem + self.rounded * 0.8), (0, self.hem + self.rounded)],
        )

    def arm(self) -> str:
        """The right sleeve."""
        return sleeve_shape(FORM, self.sleeve, self.room)

    def cuff(self, deep: float) -> tuple[str, str]:
        """The band at the sleeve's end, and the line above it."""
        x, y, half = FORM.arm_line()[self.sleeve - 1]
        wide = half + self.room + 0.6
        across, down = (0.966, -0.259), (0.25, 0.968)
        corners = [
            (x + across[0] * side * wide + down[0] * far, y + across[1] * side * wide + down[1] * far)
            for side, far in ((1, -deep), (1, 1), (-1, 1), (-1, -deep))
        ]
        return outline(corners[:2], corners[2:]), curve([corners[0], corners[3]])


def cloth(name: str, d: str, fabric: str, details: tuple[str, ...] | list[str] = ()) -> str:
    """One piece of a garment: colour, pattern and weave, rounded by shade; details do not leave it."""
    weave = element("rect", x=-400, y=0, width=800, height=1100, filter=f"url(#{FABRICS[fabric].weave})")
    woven = group([weave], clip_path=f"url(#{name})", style="mix-blend-mode:soft-light")
    return group([path(d, fill=f"url(#{fabric})"), woven, clipped(name, d, details)], filter="url(#piece)")


def pair(right: str) -> str:
    """A piece and its mirror image."""
    return right + flipped(right)


def stitch(d: str, colour: str = "#1a1420", opacity: float = 0.45, width: float = 0.8) -> str:
    """A row of stitches."""
    return line(d, colour, width, opacity=opacity, stroke_dasharray="3 1.8", stroke_linecap="butt")


def seam(d: str, opacity: float = 0.4, width: float = 1.1) -> str:
    """A seam: a thin dark line."""
    return line(d, "#0d0812", width, opacity=opacity)


def button(x: float, y: float, colour: str, size: float = 3.0) -> str:
    """A button with its shadow and two holes."""
    dots = [element("circle", cx=x + dx, cy=y, r=size * 0.16, fill="#1c1512") for dx in (-size * 0.32, size * 0.32)]
    return group(
        [
            element("circle", cx=x + 0.5, cy=y + 1, r=size, fill="#000000", opacity=0.3),
            element(
                "circle",
                cx=x,
                cy=y,
                r=size,
                fill=colour,
                stroke="#1c1512",
                stroke_opacity=0.4,
                stroke_width=0.4,
            ),
            *dots,
        ]
    )


def back_inside(cut: Cut, colour: str, top: float = 168) -> str:
    """What one sees of the garment's back through its neck, with a label."""
    neck = cut.neck
    hollow = outline(
        [(-neck, top), (0, top + 7), (neck, top)],
        [(neck, top), (neck * 0.7, cut.scoop), (-neck * 0.7, cut.scoop)],
    )
    label = element("rect", x=-7, y=top + 12, width=14, height=6, rx=1, fill="#e9e2d5", opacity=0.85)
    return path(hollow, fill=colour) + path(hollow, fill="#000000", opacity=0.3) + label


ARMHOLE = f"M{FORM.shoulder - 8} 188C{FORM.shoulder - 12} 214 {FORM.shoulder - 13} 244 {FORM.torso(268) + 4} 270"
SLEEVE_FOLDS: list[Curve] = [
    [(104, 262), (118, 268), (130, 266), (142, 258)],
    [(118, 346), (130, 356), (144, 356), (160, 346)],
    [(126, 376), (140, 380), (152, 376), (164, 366)],
]
BODY_FOLDS: list[Curve] = [
    [(94, 282), (76, 300), (58, 308), (36, 306)],
    [(86, 372), (68, 384), (50, 388), (32, 384)],
    [(90, 420), (72, 426), (58, 424), (46, 416)],
]
