"""The example garments, laid flat on white and cut on the same skeleton as the people."""

# ruff: noqa: E501 (coordinates of one path, or one person, stay on one line)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .body import Build, sleeve_shape
from .fabrics import FABRICS, FILTERS
from .shapes import (
    Curve,
    both_sides,
    clipped,
    curve,
    element,
    flipped,
    folds,
    group,
    line,
    outline,
    path,
)  # fmt: skip

WIDTH, HEIGHT, MARGIN = 900, 1200, 0.06
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


def tee() -> str:
    """A striped tee."""
    cut = Cut(hem=522, chest=8, waist=15, flare=6, sleeve=3, room=10, scoop=198)
    collar = f"M{-cut.neck} 168C{-cut.neck + 4} 206 {cut.neck - 4} 206 {cut.neck} 168"
    band = line(collar, "#27414f", 9) + line(collar, "#16262f", 0.9, opacity=0.8, transform="translate(0 5)")
    sleeve_end, above = cut.cuff(6)
    arm = cloth(
        "tee-arm",
        cut.arm(),
        "stripe-arm",
        [folds(SLEEVE_FOLDS[:1]), seam(above, 0.5), path(sleeve_end, fill="#000", opacity=0.05)],
    )
    details = [
        folds(BODY_FOLDS, strength=0.26),
        pair(seam(ARMHOLE, 0.5)),
        band,
        seam("M-120 514Q0 521 120 514"),
        stitch("M-120 511Q0 518 120 511"),
    ]
    return back_inside(cut, "#27414f") + pair(arm) + cloth("tee", cut.body(), "stripe", details)


def shirt() -> str:
    """A button-down shirt in pale blue."""
    cut = Cut(hem=566, chest=9, waist=15, flare=5, neck=36, scoop=206, rounded=14)
    band, above = cut.cuff(26)
    sleeve = [
        folds(SLEEVE_FOLDS),
        path(band, fill="#ffffff", opacity=0.14),
        seam(above, 0.55),
        stitch(cut.cuff(22)[1]),
    ]
    placket = [
        element("rect", x=-8, y=190, width=16, height=400, fill="#ffffff", opacity=0.16),
        seam("M8 196V585", 0.5),
        stitch("M-7 196V585"),
        stitch("M5.6 196V585"),
    ]
    pocket = "M30 286H70V322L50 332L30 322Z"
    details = [
        folds(BODY_FOLDS, strength=0.24), folds([[(24, 470), (34, 500), (38, 530), (36, 556)]], strength=0.16),
        pair(seam(ARMHOLE, 0.5)), *placket, path(pocket, fill="#ffffff", opacity=0.12), seam(pocket, 0.5),
        stitch("M32 292H68"), pair(seam("M40 176C70 184 92 190 110 200", 0.25)),
        *(button(0, y, "#f3efe6") for y in range(226, 560, 44)),
        path("M-44 190L0 222L44 190L50 204L0 236L-50 204Z", fill="#1d2a44", opacity=0.25, filter="url(#soft-2)"),
    ]  # fmt: skip
    leaf = outline(
        [(cut.neck - 3, 158), (cut.neck + 8, 174), (cut.neck + 12, 196)],
        [(34, 222)],
        [(2, 205), (20, 184), (cut.neck - 3, 158)],
    )
    collar = cloth("collar", leaf, "oxford", [stitch(f"M{cut.neck + 9} 194L34 218L6 203")])
    return (
        back_inside(cut, "#8ea8c4", 160)
        + pair(cloth("shirt-arm", cut.arm(), "oxford", sleeve))
        + cloth("shirt", cut.body(), "oxford", details)
        + pair(collar)
    )


def jacket() -> str:
    """A denim jacket with copper-coloured stitches."""
    thread = "#d79a56"
    cut = Cut(hem=496, chest=15, waist=18, flare=6, neck=40, scoop=208, room=11)

    def sewn(d: str) -> str:
        return stitch(d, thread, 0.95, 1.1)

    band, above = cut.cuff(22)
    sleeve = [
        folds(SLEEVE_FOLDS, strength=0.34),
        path(band, fill="#000", opacity=0.12),
        seam(above, 0.6),
        sewn(cut.cuff(19)[1]),
        sewn(cut.cuff(25)[1]),
    ]
    flap = "M30 276H78V290L54 302L30 290Z"
    panels = "M26 302C30 370 34 420 40 478M84 300C78 370 70 420 64 478"
    details = [
        folds(BODY_FOLDS, strength=0.3), pair(seam(ARMHOLE, 0.6) + group([sewn(ARMHOLE)], transform="translate(-3 0)")),
        pair(seam("M8 268H110", 0.6) + sewn("M8 272H110")), pair(seam(panels, 0.5) + sewn(panels) + group([sewn(panels)], transform="translate(3 0)")),
        pair(path(flap, fill="#1c2f4a", opacity=0.3) + seam(flap, 0.6) + group([sewn("M33 279H75V288L54 298.500L33 288Z")])),
        element("rect", x=-9, y=196, width=18, height=290, fill="#16263e", opacity=0.18), seam("M9 206V500", 0.7), sewn("M6 206V478M-7 206V478"),
        path("M-140 476H140V520H-140Z", fill="#16263e", opacity=0.24), seam("M-140 476Q0 482 140 476", 0.7), sewn("M-140 480Q0 486 140 480M-140 496Q0 502 140 496"),
        *(button(0, y, "#b9824a", 3.8) for y in (232, 286, 338, 390, 440, 488)), pair(button(54, 293, "#b9824a", 2.8)),
        path("M-52 188L0 226L52 188L60 206L0 244L-60 206Z", fill="#0c1626", opacity=0.4, filter="url(#soft-2)"),
    ]  # fmt: skip
    leaf = outline(
        [(cut.neck - 4, 156), (cut.neck + 10, 172), (cut.neck + 24, 204)],
        [(30, 230)],
        [(2, 208), (22, 186), (cut.neck - 4, 156)],
    )
    collar = cloth("lapel", leaf, "denim", [sewn(f"M{cut.neck + 20} 202L31 225L8 207")])
    return (
        back_inside(cut, "#33496a", 158)
        + pair(cloth("jacket-arm", cut.arm(), "denim-arm", sleeve))
        + cloth("jacket", cut.body(), "denim", details)
        + pair(collar)
    )


def coat() -> str:
    """A camel coat, double-breasted, down to the knee."""
    cut = Cut(hem=742, chest=19, waist=22, flare=36, neck=42, scoop=292, room=14, rounded=6)
    inner = outline(
        [(-42, 168), (-26, 240), (0, 306)],
        [(0, 306), (26, 240), (42, 168)],
        [(42, 168), (0, 177), (-42, 168)],
    )
    back = path(inner, fill="#5d3f26") + element("rect", x=-9, y=186, width=18, height=7, rx=1, fill="#e9dcc6")
    lapel = outline(
        [(40, 156), (56, 178), (62, 212)],
        [(76, 214), (88, 232), (60, 276), (14, 326)],
        [(0, 300), (20, 240), (40, 156)],
    )
    collar = outline([(38, 154), (54, 170), (66, 208)], [(66, 208), (44, 222)], [(44, 222), (38, 190), (38, 154)])
    welt = "M58 500L104 486L106 502L60 516Z"
    details = [
        folds(BODY_FOLDS[:2], thick=8, strength=0.28),
        folds([[(40, 520), (48, 590), (52, 660), (54, 744)], [(100, 540), (110, 600), (116, 670), (118, 740)]], thick=4, strength=0.26),
        pair(seam(ARMHOLE, 0.5)), seam("M30 306C34 420 36 600 36 752", 0.65, 1.4), path("M30 306C34 420 36 600 36 752L46 752C44 600 42 420 36 306Z", fill="#000", opacity=0.16, filter="url(#soft-1)"),
        pair(path(welt, fill="#ffffff", opacity=0.08) + seam(welt, 0.55)),
        *(button(x, y, "#4a2f1d", 5.2) for y in (352, 408, 464) for x in (-22, 22)),
    ]  # fmt: skip
    _band, above = cut.cuff(30)
    sleeve = [
        folds(SLEEVE_FOLDS, thick=8, strength=0.3),
        seam(above, 0.4),
        button(196, 470, "#4a2f1d", 3),
        button(199, 481, "#4a2f1d", 3),
    ]
    faces = cloth("coat-lapel", lapel, "camel", [seam("M62 212L46 224", 0.6)]) + cloth("coat-collar", collar, "camel")
    shadow = path("M92 236L60 284L14 336L0 306Z", fill="#2a1608", opacity=0.4, filter="url(#soft-2)")
    return (
        back
        + pair(cloth("coat-arm", cut.arm(), "camel", sleeve))
        + cloth("coat", cut.body(), "camel", [*details, pair(shadow)])
        + pair(faces)
    )


def jumper() -> str:
    """A mustard jumper with ribbed edges."""
    cut = Cut(hem=528, chest=13, waist=19, flare=2, neck=39, scoop=199, room=11)
    ribs = "".join(f"M{x} 502V545" for x in range(-126, 127, 5))
    band, above = cut.cuff(24)
    arm_ribs = group(
        [seam("".join(f"M{x} 440V540" for x in range(130, 240, 4)), 0.3, 1.4)],
        transform="rotate(-14 178 500)",
    )
    collar = f"M{-cut.neck} 167C{-cut.neck + 4} 207 {cut.neck - 4} 207 {cut.neck} 167"
    sleeve = [
        folds(SLEEVE_FOLDS, thick=7, strength=0.34),
        clipped("cuff", band, [path(band, fill="#b98427"), arm_ribs]),
        seam(above, 0.5),
    ]
    details = [
        folds(BODY_FOLDS, thick=7, strength=0.32), pair(seam(ARMHOLE, 0.5, 1.4)),
        path("M-140 502Q0 508 140 502V560H-140Z", fill="#b98427"), seam(ribs, 0.3, 1.5), seam("M-140 502Q0 508 140 502", 0.5),
        line(collar, "#b98427", 13), line(collar, "#000", 13, opacity=0.28, stroke_dasharray="1.4 3.2", stroke_linecap="butt"), seam(collar.replace("207", "215"), 0.4),
    ]  # fmt: skip
    return (
        back_inside(cut, "#9c6d1e", 166)
        + pair(cloth("jumper-arm", cut.arm(), "knit-arm", sleeve))
        + cloth("jumper", cut.body(), "knit", details)
    )


def trousers() -> str:
    """Olive trousers with pressed creases."""
    legs = FORM.leg_line()
    foot = legs[-1][0]
    outer: Curve = [
        (FORM.torso(388) + 3, 386),
        (FORM.torso(430) + 5, 430),
        (FORM.hip + 5, 486),
        (105, 545),
        (98, 640),
        (87, 760),
        (foot + 25, 880),
        (foot + 24, 950),
    ]
    inner: Curve = [(foot - 23, 952), (foot - 24, 880), (17, 740), (8, 640), (3, 575), (0, 556)]
    whole = both_sides([(0, 391), outer[0]], outer, [outer[-1], (foot, 955), inner[0]], inner)
    band = "M-130 380H130V404Q0 412-130 404Z"
    details = [
        folds([[(2, 548), (18, 536), (36, 530), (58, 532)], [(4, 572), (20, 562), (38, 560), (50, 564)], [(24, 728), (38, 740), (54, 740), (78, 726)],
               [(28, 760), (44, 766), (58, 764), (72, 754)], [(foot - 22, 916), (foot - 4, 926), (foot + 8, 924), (foot + 22, 912)]], strength=0.3),
        pair(line(f"M50 420C54 560 {foot + 2} 760 {foot} 950", "#000", 2.4, opacity=0.2, filter="url(#soft-1)")),
        pair(line(f"M47 420C51 560 {foot - 1} 760 {foot - 3} 950", "#fff", 1.6, opacity=0.22, filter="url(#soft-1)")),
        path(band, fill="#000", opacity=0.1), seam("M-130 404Q0 412 130 404", 0.6), stitch("M-130 401Q0 409 130 401"),
        pair(seam(f"M{FORM.torso(410) - 22} 407C{FORM.torso(420) - 16} 432 {FORM.hip - 14} 452 {FORM.hip + 4} 466", 0.65, 1.3)), pair(seam("M50 383V404M56 383V404", 0.45)),
        seam("M0 404V558", 0.6), stitch("M14 408C16 460 13 500 2 516"), button(0, 398, "#3a2f22", 4), pair(stitch(f"M{foot - 30} 942Q{foot} 947 {foot + 30} 940")),
    ]  # fmt: skip
    return path(both_sides([(0, 382), outer[0]], [outer[0], (40, 400), (0, 402)]), fill="#33351f") + cloth(
        "trousers", whole, "twill", details
    )


def skirt() -> str:
    """A pleated check skirt."""
    waist = FORM.torso(388) + 2
    side: Curve = [(waist, 386), (waist + 6, 412), (FORM.hip + 10, 470), (126, 560), (140, 648)]
    whole = both_sides([(0, 391), side[0]], side, [side[-1], (72, 661), (0, 665)])
    pleats = [[(x * 0.52, 414), (x * 0.68, 480), (x * 0.86, 560), (x, 668)] for x in (14, 42, 70, 98, 124)]
    details = [
        *(pair(line(curve(each), "#0e0a16", 1.4, opacity=0.6)) for each in pleats),
        *(pair(path(outline(each, [(x + 13 * i / 3, y) for i, (x, y) in enumerate(each)][::-1]), fill="#0e0a16", opacity=0.3, filter="url(#soft-2)")) for each in pleats),
        *(pair(path(outline(each, [(x - 8 * i / 3, y) for i, (x, y) in enumerate(each)][::-1]), fill="#fff", opacity=0.14, filter="url(#soft-1)")) for each in pleats),
        path("M-130 380H130V408Q0 416-130 408Z", fill="#2b2233", opacity=0.55), seam("M-130 408Q0 416 130 408", 0.7), stitch("M-130 405Q0 413 130 405", "#d9c9b0", 0.5),
        stitch("M-160 640Q0 668 160 640", "#000", 0.4),
    ]  # fmt: skip
    return path(both_sides([(0, 382), side[0]], [side[0], (40, 399), (0, 401)]), fill="#2c1d26") + cloth(
        "skirt", whole, "check", details
    )


def dress() -> str:
    """A green dress with small dots, a V neck and a full skirt."""
    neck, tip, waist = 42, FORM.shoulder, FORM.torso(385) + 5
    side: Curve = [(FORM.torso(268) + 6, 268), (FORM.torso(320) + 6, 320), (waist, 388)]
    skirt_side: Curve = [(waist, 388), (waist + 16, 430), (124, 520), (146, 620), (158, 716)]
    whole = both_sides(
        [(0, 252), (24, 208), (neck, 168)],
        [(neck, 168), (neck + 34, 174), (tip - 6, 187)],
        [(tip - 6, 187), (tip - 9, 230), side[0]],
        side,
        skirt_side,
        [skirt_side[-1], (80, 732), (0, 737)],
    )
    cut = Cut(hem=520, chest=6, waist=5, flare=6, sleeve=3, room=9, neck=neck)
    drapes = [[(x * 0.42, 396), (x * 0.56, 480), (x * 0.8, 600), (x, 744)] for x in (22, 62, 100, 136)]
    details = [
        folds(BODY_FOLDS[:1], strength=0.28), folds([[(84, 366), (64, 376), (44, 380), (24, 378)]], strength=0.26),
        *(pair(path(outline(each, [(x + 14 * i / 3, y) for i, (x, y) in enumerate(each)][::-1]), fill="#04130d", opacity=0.42, filter="url(#soft-2)")) for each in drapes),
        *(pair(path(outline(each, [(x - 10 * i / 3, y) for i, (x, y) in enumerate(each)][::-1]), fill="#fff", opacity=0.13, filter="url(#soft-2)")) for each in drapes),
        pair(seam(ARMHOLE, 0.5)), pair(seam("M0 252L42 168", 0.5) + stitch("M0 260L46 168", "#000", 0.5)), line("M0 252L-14 281", "#0a1a13", 1.2, opacity=0.6),
        path("M-130 380Q0 388 130 380V396Q0 404-130 396Z", fill="#143d2f"), seam("M-130 380Q0 388 130 380M-130 396Q0 404 130 396", 0.6), stitch("M-170 706Q0 737 170 706", "#000", 0.4),
    ]  # fmt: skip
    hollow = outline(
        [(-neck, 168), (0, 177), (neck, 168)],
        [(neck, 168), (24, 208), (0, 254)],
        [(0, 254), (-24, 208), (-neck, 168)],
    )
    back = (
        path(hollow, fill="#173f31")
        + path(hollow, fill="#000", opacity=0.3)
        + element("rect", x=-8, y=184, width=16, height=6, rx=1, fill="#e9e2d5", opacity=0.85)
    )
    arm = cloth("dress-arm", cut.arm(), "dots", [folds(SLEEVE_FOLDS[:1]), seam(cut.cuff(6)[1], 0.5)])
    return back + pair(arm) + cloth("dress", whole, "dots", details)


def shoes() -> str:
    """A pair of burgundy derby shoes, seen from above their toes."""
    upper = outline(
        [
            (-17, 904),
            (-19, 925),
            (-25, 955),
            (-26, 978),
            (-18, 994),
            (0, 999),
            (18, 994),
            (26, 978),
            (25, 955),
            (19, 925),
            (17, 904),
        ],
        [(17, 904), (0, 897), (-17, 904)],
    )
    welt = outline(
        [(-27, 974), (-22, 994), (-8, 1003), (8, 1003), (22, 994), (27, 974)],
        [(27, 974), (18, 992), (0, 998), (-18, 992), (-27, 974)],
    )
    vamp = "M-24 960C-12 948 12 948 24 960"
    lacing = "".join(f"M-9 {y}L9 {y + 2.4}M9 {y}L-9 {y + 2.4}" for y in (918, 925.5, 933, 940.5))
    details = [
        element("ellipse", cx=0, cy=907, rx=14.5, ry=7.5, fill="#1c0c0e"), element("ellipse", cx=0, cy=909, rx=11.5, ry=5, fill="#b08a63"),
        path("M-9 912L9 912C9 926 8 940 6 950C2 953-2 953-6 950C-8 940-9 926-9 912Z", fill="#4b171f"), path("M-9 912L9 912L8 918L-8 918Z", fill="#000", opacity=0.35, filter="url(#soft-1)"),
        pair(path("M9 911C16 912 19 925 22 946C16 950 10 951 5 951C8 940 9 926 9 911Z", fill="#7d2a35") + stitch("M7 947C9.500 938 11 926 11 914", "#e3b39a", 0.7, 0.6)),
        seam(vamp, 0.6), stitch("M-24 963C-12 951 12 951 24 963", "#e3b39a", 0.7, 0.6), line(lacing, "#2a0e12", 1.7),
        *(element("circle", cx=x, cy=y, r=0.9, fill="#d9b48c") for y in (918, 925.5, 933, 940.5) for x in (-10, 10)),
        path("M-14 968C-10 960-2 957 4 958C-2 964-8 972-12 980Z", fill="#fff", opacity=0.34, filter="url(#soft-2)"),
    ]  # fmt: skip
    shoe = (
        cloth("shoe", upper, "leather", details)
        + path(welt, fill="#2b1512")
        + stitch("M-23.500 984C-16 996 16 996 23.500 984", "#c99a72", 0.8, 0.5)
    )
    return pair(group([shoe], transform="translate(34 0) rotate(-5 0 950)"))


@dataclass(frozen=True, kw_only=True)
class Garment:
    """A garment's drawing and the box it fills: half its width, its top and bottom."""

    draw: Callable[[], str]
    half: float
    top: float
    bottom: float


GARMENTS = {
    "tee": Garment(draw=tee, half=160, top=162, bottom=530),
    "shirt": Garment(draw=shirt, half=201, top=155, bottom=582),
    "jacket": Garment(draw=jacket, half=204, top=153, bottom=503),
    "coat": Garment(draw=coat, half=207, top=152, bottom=750),
    "jumper": Garment(draw=jumper, half=204, top=162, bottom=535),
    "trousers": Garment(draw=trousers, half=108, top=380, bottom=957),
    "skirt": Garment(draw=skirt, half=142, top=380, bottom=667),
    "dress": Garment(draw=dress, half=160, top=166, bottom=739),
    "shoes": Garment(draw=shoes, half=66, top=894, bottom=1007),
}
"""The example garments by file name."""


def laid_flat(garment: Garment) -> str:
    """The garment filling its picture, with a faint shadow where it touches the ground, as an SVG document."""
    space = 1 - 2 * MARGIN
    size = min(WIDTH * space / (2 * garment.half), HEIGHT * space / (garment.bottom - garment.top))
    middle = (garment.top + garment.bottom) / 2
    placed = group(
        [garment.draw()],
        transform=f"translate({WIDTH / 2} {HEIGHT / 2}) scale({size:.4f}) translate(0 {-middle})",
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"<defs>{''.join(each.svg(name) for name, each in FABRICS.items())}{FILTERS}</defs>"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>{group([placed], filter="url(#whole)")}</svg>'
    )
