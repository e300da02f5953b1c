"""The example people: who they are, what simple things they wear, and how that is put together."""

# ruff: noqa: E501 (coordinates of one path, or one person, stay on one line)

from __future__ import annotations

from dataclasses import dataclass

from .body import Build, skin, sleeve_shape
from .face import HAIR, Face, face_piece
from .shapes import (
    at,
    blur_filter,
    both_sides,
    clipped,
    element,
    flipped,
    folds,
    form_filter,
    group,
    line,
    outline,
    path,
    tube,
)  # fmt: skip

WIDTH, HEIGHT, SOLE = 960, 1280, 1212
HEAD = 1.33
"""A head's hundredth in thousandths of the body: 7.5 heads."""


@dataclass(frozen=True, kw_only=True)
class Top:
    """A close-fitting upper garment, or a dress where the hem is low."""

    colour: str
    hem: float = 505
    neck: float = 34
    """Half the width of the neckline."""
    scoop: float = 205
    """How low the neckline goes."""
    sleeve: int = 0
    """How many stations of the arm the sleeve covers; none for a tank."""


@dataclass(frozen=True, kw_only=True)
class Bottom:
    """Leggings, jeans or shorts."""

    colour: str
    hem: float
    ease: float = 1.5
    stitched: bool = False


@dataclass(frozen=True, kw_only=True)
class Person:
    """One example person."""

    build: Build
    face: Face
    hair: str
    top: Top
    bottom: Bottom | None
    shoes: str
    sole: str = "#d9d2c6"


def filters() -> str:
    """The shading every figure shares."""
    return "".join(
        [
            form_filter("skin-form", "#5d2418", soft=7, dx=-5, dy=-3, strength=0.42),
            form_filter("cloth-form", "#1d1526", soft=7, dx=-5, dy=-3, strength=0.5),
            *(blur_filter(f"soft-{size}", size) for size in (1, 2)),
            *(blur_filter(f"soft-{size}", size) for size in (5, 12)),
        ]
    )


def ground(person: Person) -> str:
    """Studio wall and floor, and the shadow of the feet."""
    foot = person.build.foot()[0] * person.build.height / 1000
    pools = [
        element("ellipse", cx=480 + side * foot, cy=SOLE - 6, rx=52, ry=8, fill="#6f665e", opacity=0.4,
                filter="url(#soft-5)")
        for side in (-1, 1)
    ]  # fmt: skip
    wide = element("ellipse", cx=500, cy=SOLE + 4, rx=190, ry=16, fill="#8b8177", opacity=0.22, filter="url(#soft-12)")
    wall = element("rect", width=WIDTH, height=HEIGHT, fill="url(#studio)")
    shades = '<stop offset="0" stop-color="#edebe7"/><stop offset="0.82" stop-color="#e8e5e0"/>'
    shades += '<stop offset="1" stop-color="#e2ded8"/>'
    return element("linearGradient", shades, id="studio", x1=0, y1=0, x2=0, y2=1) + wall + wide + group(pools)


def top_piece(build: Build, top: Top) -> str:
    """The upper garment on this body."""
    ease, tip = 2.5, build.shoulder
    edge = [(build.torso(y) + ease, y) for y in range(270, int(top.hem) + 1, 23)]
    last = (edge[-1][0], top.hem)
    shoulder_in = (top.neck, 163 + max(0, top.neck - 34) * 0.38)
    shoulder_out = (tip - 9, 188) if top.sleeve else (top.neck + 17, 176)
    arm = [(tip - 6, 216), (build.torso(262) + 3, 264)] if top.sleeve else [
        (tip - 32, 214), (build.torso(262) - 4, 252), (build.torso(270) + ease, 270)]  # fmt: skip
    body = both_sides(
        [(0, top.scoop), (top.neck * 0.62, top.scoop - 7), shoulder_in],
        [shoulder_in, (tip - 30, 178), shoulder_out] if top.sleeve else [shoulder_in, shoulder_out],
        [shoulder_out, *arm],
        [arm[-1], *edge, last],
        [last, (last[0] * 0.5, top.hem + 5), (0, top.hem + 6)],
    )
    pieces = [path(body)]
    if top.sleeve:
        sleeve = path(sleeve_shape(build, top.sleeve, 5))
        pieces += [sleeve, flipped(sleeve)]
    bust, waist = build.chest, build.waist
    creases = [
        [(bust - 4, 288), (bust * 0.72, 312), (bust * 0.42, 320), (bust * 0.2, 314)],
        [(waist + 2, 388), (waist * 0.75, 380), (waist * 0.5, 382), (waist * 0.3, 392)],
        [(waist + 4, 422), (waist * 0.8, 408), (waist * 0.62, 406), (waist * 0.45, 410)],
    ]
    if top.hem > 560:
        creases.append([(build.hip, 508), (build.hip * 0.65, 530), (build.hip * 0.35, 536), (10, 530)])
    hem = line(f"M{-last[0]} {top.hem - 7}Q0 {top.hem + 1} {last[0]} {top.hem - 7}", "#000000", 1, opacity=0.22)
    neckline = f"M{-shoulder_in[0]} {shoulder_in[1]}C{-top.neck * 0.9} {top.scoop - 5} {top.neck * 0.9} {top.scoop - 5} {shoulder_in[0]} {shoulder_in[1]}"
    rib = line(neckline, "#000000", 1.1, opacity=0.2, transform="translate(0 5)")
    details = [folds(creases, strength=0.2), hem, rib]
    if top.sleeve:
        seam = line(
            f"M{tip - 10} 190C{tip - 14} 214 {tip - 16} 240 {build.torso(262)} 262",
            "#000000",
            1.1,
            opacity=0.25,
        )
        details += [seam, flipped(seam), sleeve_hem(build, top.sleeve)]
    return group([group(pieces, fill=top.colour, filter="url(#cloth-form)"), clipped("top", body, details)])


def sleeve_hem(build: Build, count: int) -> str:
    """Nothing more than the shade a sleeve throws on the arm."""
    x, y, half = build.arm_line()[count - 1]
    mark = line(f"M{x - half} {y + 7}L{x + half} {y - 3}", "#000000", 1, opacity=0.25)
    return mark + flipped(mark)


def bottom_piece(build: Build, bottom: Bottom) -> str:
    """Leggings, jeans or shorts on this body."""
    ease, legs = bottom.ease, build.leg_line()
    centre = [(y, x) for x, y, _ in legs]
    width = [(y, half) for _, y, half in legs]
    heights = [y for _, y, _ in legs if y < bottom.hem - 12] + [bottom.hem]
    leg = tube([(at(centre, y), y, at(width, y) + ease) for y in heights])
    yoke = both_sides(
        [(0, 480), (build.torso(480) + 1, 480)],
        [(build.torso(y) + ease * share, y) for y, share in ((480, 0.3), (500, 0.6), (520, 1))],
        [(build.torso(520) + ease, 520), (10, 545), (0, 545)],
    )
    cloth = group([path(yoke), path(leg), flipped(path(leg))], fill=bottom.colour, filter="url(#cloth-form)")
    knee_x, knee_y, knee = legs[4]
    creases = [[(3, 538), (16, 528), (30, 522), (48, 520)], [(5, 556), (18, 550), (30, 548), (40, 550)]]
    if bottom.hem > 700:
        creases += [
            [
                (knee_x - knee, knee_y + 4),
                (knee_x - 6, knee_y + 14),
                (knee_x + 8, knee_y + 12),
                (knee_x + knee, knee_y - 6),
            ],
            [
                (knee_x - knee, knee_y + 30),
                (knee_x - 10, knee_y + 34),
                (knee_x, knee_y + 33),
                (knee_x + 12, knee_y + 26),
            ],
            [
                (legs[-1][0] - 18, 912),
                (legs[-1][0] - 4, 922),
                (legs[-1][0] + 8, 920),
                (legs[-1][0] + 18, 910),
            ],
        ]
    details = [folds(creases, thick=5, strength=0.24), line("M0 500V545", "#000", 1.1, opacity=0.35)]
    if bottom.stitched:
        outseam = line(
            f"M{legs[1][0] + legs[1][2] - 7} 560L{legs[-1][0] + legs[-1][2] - 4} 940",
            "#10141f",
            1,
            opacity=0.35,
        )
        details += [outseam, flipped(outseam)]
    return cloth + group(details)


def shoes_piece(person: Person) -> str:
    """Plain low trainers, toes turned out a little."""
    x, y = person.build.foot()
    half = person.build.calf * 0.42 + 5
    upper = outline(
        [(-half - 1, -14), (-half - 3, 4), (-19, 24), (-20, 38), (-13, 46), (0, 48), (13, 46), (20, 38), (19, 24),
         (half + 3, 4), (half + 1, -14)],
        [(half + 1, -14), (0, -9), (-half - 1, -14)],
    )  # fmt: skip
    sole = "M-20.6 36C-20 49-8 51.5 0 51.5C8 51.5 20 49 20.6 36C17 46 8 47 0 47C-8 47-17 46-20.6 36Z"
    laces = "M-7 4L7 6M-7.6 10L7.6 12M-8 16L8 18"
    pieces = [
        group([path(upper, fill=person.shoes)], filter="url(#cloth-form)"),
        path("M-8-6C-5 6-7 16-9 22L9 22C7 16 5 6 8-6Z", fill="#000000", opacity=0.16),
        line("M-16 27C-8 21 8 21 16 27", "#000000", 1.1, opacity=0.3),
        line(laces, person.sole, 1.9),
        path(sole, fill=person.sole),
    ]
    shoe = group(pieces, transform=f"translate({x + 2:.1f} {y - 3:.1f}) rotate(-9) scale(1.1 1.03)")
    return shoe + flipped(shoe)


def figure(person: Person) -> str:
    """The whole person on the studio ground, as an SVG document."""
    build, face = person.build, person.face
    back, front = HAIR[person.hair](face)
    chin_shade = path(
        f"M{-build.neck - 2} 112H{build.neck + 2}V140C14 156-14 156{-build.neck - 2} 140Z",
        fill=face.shade, opacity=0.75, filter="url(#soft-2)",
    )  # fmt: skip
    head = f"scale({HEAD})"
    clothes = (
        (bottom_piece(build, person.bottom) if person.bottom else "")
        + shoes_piece(person)
        + top_piece(build, person.top)
    )
    body = group(
        [
            group([back], transform=head),
            skin(build, face.skin, face.shade),
            clipped("neck", build.trunk(), [chin_shade]),
            clothes,
            group([face_piece(face), group([front], filter="url(#cloth-form)")], transform=head),
        ],
        transform=f"translate(480 {SOLE - build.height}) scale({build.height / 1000})",
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"<defs>{filters()}</defs>{ground(person)}{body}</svg>"
    )


PEOPLE = {
    "ada": Person(
        build=Build(height=1110, shoulder=103, chest=76, waist=62, hip=88, thigh=43, calf=27, arm=20, neck=27),
        face=Face(skin="#c68a63", shade="#8a4f33", lips="#a44a44", hair="#2c1c18", shine="#6b4636", iris="#4a2c1a", jaw=25),
        hair="curly", top=Top(colour="#8a9a83", neck=40, scoop=222), bottom=Bottom(colour="#3a3d45", hem=925), shoes="#b9714f",
    ),
    "henrik": Person(
        build=Build(height=1130, shoulder=131, chest=104, waist=103, hip=102, thigh=50, calf=32, arm=28, neck=35),
        face=Face(skin="#ecc2a6", shade="#b5765a", lips="#b86a60", hair="#a9a6a2", shine="#e3e1de", iris="#5a7690", jaw=30,
                  brow=3.4, eye=0.5, nose=7, blush=0.26, lashes=False, lined=True),
        hair="swept", top=Top(colour="#5f7487", sleeve=3, scoop=192, neck=38),
        bottom=Bottom(colour="#2f3c55", hem=946, ease=5, stitched=True), shoes="#7a5a43",
    ),
    "kofi": Person(
        build=Build(height=1160, shoulder=124, chest=94, waist=76, hip=88, thigh=45, calf=29, arm=26, neck=33),
        face=Face(skin="#6f452f", shade="#3c2117", lips="#7d4038", hair="#17110f", shine="#4b3a33", iris="#2a1710", jaw=29,
                  brow=3.4, eye=0.7, nose=7.5, blush=0.1, lashes=False),
        hair="crop", top=Top(colour="#b9a98c", sleeve=3, scoop=192, neck=37),
        bottom=Bottom(colour="#3f4a48", hem=655, ease=8), shoes="#4b5563",
    ),
    "marta": Person(
        build=Build(height=1100, shoulder=120, chest=106, waist=98, hip=125, thigh=61, calf=37, arm=30, neck=30),
        face=Face(skin="#e2b08a", shade="#a86a48", lips="#b0504e", hair="#3b2520", shine="#84584a", iris="#5c4a2a", jaw=29,
                  blush=0.26),
        hair="bob", top=Top(colour="#7d5068", hem=650, neck=42, scoop=218), bottom=None, shoes="#5b4a4f",
    ),
    "mei": Person(
        build=Build(height=1070, shoulder=104, chest=80, waist=67, hip=92, thigh=46, calf=29, arm=21, neck=26),
        face=Face(skin="#efc9a8", shade="#bd8460", lips="#c0615c", hair="#1d191c", shine="#5d5560", iris="#33211a", jaw=26,
                  eye=0.55, nose=5.4, blush=0.26),
        hair="fringe", top=Top(colour="#bf8a80", sleeve=3, scoop=194, neck=36),
        bottom=Bottom(colour="#39455f", hem=640), shoes="#8c8f7c",
    ),
}  # fmt: skip
"""The example people by file name."""
