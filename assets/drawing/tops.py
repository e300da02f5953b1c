"""The example garments for the upper body and for all of it."""

# ruff: noqa: E501 (coordinates of one path stay on one line)

from __future__ import annotations

from .sewing import ARMHOLE, BODY_FOLDS, FORM, SLEEVE_FOLDS, Cut, back_inside, button, cloth, pair, seam, stitch
from .shapes import Curve, both_sides, clipped, element, folds, group, line, outline, path


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
