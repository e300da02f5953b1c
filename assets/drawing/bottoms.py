"""The example garments from the waist down."""

# ruff: noqa: E501 (coordinates of one path stay on one line)

from __future__ import annotations

from .sewing import FORM, button, cloth, pair, seam, stitch
from .shapes import Curve, both_sides, curve, element, folds, group, line, outline, path


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
