"""The sandbox's free local draft: garments cut from their pictures and laid over the person. No AI.

A garment is taken apart along its seams (trunk, sleeves, legs, shoes); each piece is stretched row by row
from its own outline to the place where the person's outline wants it.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from vton_ui.silhouette import (
    Blob,
    Figure,
    Shape,
    Span,
    blend,
    blobs,
    measure,
    neck_hollow,
    painted,
    smoothed,
    softened,
    subjects,
)

GARMENT_SIDE = 960


STEP = 3
"""Rows warped at once: fine enough for smooth edges, coarse enough to be quick."""


@dataclass(frozen=True, kw_only=True)
class Station:
    """One row of a piece: where it lies on the photo and where it comes from on the garment."""

    y: float
    span: Span
    from_y: float
    from_span: Span


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One garment cut from its ground: its picture, its mask and the outline of the mask."""

    picture: Image.Image
    mask: Image.Image
    shape: Shape
    found: list[Blob]

    @property
    def armpit(self) -> int | None:
        """Where the sleeves leave the trunk, if it has any."""
        return self.shape.armpit(self.shape.at(0.12), self.shape.at(0.85))


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How a kind of garment is worn: room around the body, and length against the usual."""

    room: float = 1.05
    length: float = 1.0


FITS = {
    "upper": Fit(),
    "overall": Fit(),
    "inner": Fit(room=1.0, length=0.98),
    "outer": Fit(room=1.1, length=1.03),
    "lower": Fit(room=1.05),
    "feet": Fit(room=1.12),
}
"""CatVTON's `cloth_type` values, and the shoes of a sheet."""


FEET_TO_COAT = ("feet", "lower", "overall", "inner", "upper", "outer")
"""The order in which a sheet's garments go on."""


def drape(person: Image.Image, garment: Image.Image, *, region: str) -> Image.Image:
    """Lay a garment, cut from its plain ground, over the person where its kind is worn.

    Args:
        person: the photo to dress, RGB.
        garment: one garment's picture, RGB; where its ground is not plain, the whole picture is the garment.
        region: one of CatVTON's cloth types: upper, lower, overall, inner or outer.

    Returns:
        The draft, RGB, of the size of `person`.
    """
    return dressed(person, measure(person), whole(garment), region)


def drape_sheet(person: Image.Image, sheet: Image.Image) -> Image.Image:
    """Lay each garment of a sheet, or a picture's only one, over the person where its shape says.

    Args:
        person: the photo to dress, RGB.
        sheet: one to six garments on white with gaps between them, RGB.

    Returns:
        The draft, RGB, of the size of `person`.
    """
    figure = measure(person)
    pieces = [(region_of(piece), piece) for piece in pieces_of(sheet)]
    pieces.sort(key=lambda each: (FEET_TO_COAT.index(each[0]), each[1].shape.width))
    for layer, (region, piece) in enumerate(pieces):
        person = dressed(person, figure, piece, region, layer)
    return person


def whole(garment: Image.Image) -> Piece:
    """The picture's garment, whatever it consists of, as one piece."""
    picture = garment.copy()
    picture.thumbnail((GARMENT_SIDE, GARMENT_SIDE))
    found = subjects(picture, tolerance=20) or blobs(Image.new("L", picture.size, 255))
    return piece_of(picture, found)


def piece_of(picture: Image.Image, found: list[Blob]) -> Piece:
    """These blobs of the picture as one garment."""
    mask = painted(picture.size, found)
    return Piece(picture=picture, mask=mask, shape=Shape(mask), found=found)


def pieces_of(sheet: Image.Image) -> list[Piece]:
    """The garments of a sheet; the two shoes of a pair are one garment."""
    picture = sheet.copy()
    picture.thumbnail((GARMENT_SIDE * 2, GARMENT_SIDE * 2))
    pieces = subjects(picture, tolerance=20)
    if pieces is None:
        return [whole(sheet)]
    groups: list[list[Blob]] = []
    for found in pieces:
        mate = next((group for group in groups if len(group) == 1 and is_pair(group[0], found)), None)
        if mate:
            mate.append(found)
        else:
            groups.append([found])
    return [piece_of(picture, group) for group in groups]


def is_pair(one: Blob, other: Blob) -> bool:
    """Whether two blobs look like a pair of shoes: alike, side by side, neither long nor wide."""
    (left, top, right, bottom), (left2, top2, right2, bottom2) = one.box, other.box
    width, height = right - left, bottom - top
    alike = abs(one.area - other.area) < one.area * 0.12 and abs(height - (bottom2 - top2)) < height * 0.08
    gap = max(left, left2) - min(right, right2)
    return alike and abs(top - top2) < height * 0.15 and 0 <= gap < width * 0.8 and height < width * 2.6


def region_of(piece: Piece) -> str:
    """Guess from its outline where a garment is worn: a cloth type, or "feet"."""
    shape, armpit = piece.shape, piece.armpit
    tall = shape.height / max(shape.width, 1)
    if len(piece.found) == 2 and is_pair(piece.found[0], piece.found[1]) and tall < 1.3:
        return "feet"
    if shape.crotch() and not armpit:
        return "lower"
    if armpit:
        _, tip_half = shape.shoulder(shape.top, armpit)
        long = (shape.bottom - shape.top) / max(tip_half * 2, 1) > 2.1
        sleeves = shape.half(shape.at(0.35)) > tip_half * 1.5 or shape.beside(shape.at(0.45)) is not None
        return ("outer" if sleeves else "overall") if long else "upper"
    if tall < 0.6:
        return "feet"
    flat_top = shape.half(shape.at(0.02)) > shape.half(shape.at(0.25)) * 0.62 and len(shape.rows[shape.at(0.04)]) == 1
    if flat_top:
        return "lower"
    return "overall" if tall > 1.6 else "upper"


def dressed(person: Image.Image, figure: Figure, piece: Piece, region: str, layers: int = 0) -> Image.Image:
    """The person with one more garment on, over this many others."""
    fit = FITS[region]
    fit = replace(fit, room=fit.room + 0.02 * layers)
    cut = piece.picture.convert("RGB")
    hollow = None if region in ("lower", "feet") else neck_hollow(piece.picture, piece.mask)
    cut.putalpha(softened(ImageChops.subtract(piece.mask, hollow) if hollow else piece.mask))
    layer = Image.new("RGBA", person.size)
    plan = {"lower": lower_stations, "feet": shoe_stations}.get(region, upper_stations)
    for stations in plan(figure, piece, fit):
        layer.alpha_composite(warped(cut, stations, person.size))
    layer.putalpha(ImageChops.multiply(layer.getchannel("A"), ImageChops.invert(in_front(figure, person.size, region))))
    trousers = region == "lower" and piece.shape.crotch() is not None
    return worn(person, layer, figure, trousers)


def in_front(figure: Figure, size: tuple[int, int], region: str) -> Image.Image:
    """A mask of what no garment covers: head, throat and hands."""
    mask = Image.new("L", size, 0)
    if region == "feet":
        return mask
    draw, last = ImageDraw.Draw(mask), len(figure.trunk) - 1
    unit = figure.height / 1000
    if region != "lower":
        throat = 27 * unit
        draw.rectangle((figure.middle - 70 * unit, 0, figure.middle + 70 * unit, figure.row(136)), fill=255)
        draw.rectangle((figure.middle - throat, 0, figure.middle + throat, figure.row(168)), fill=255)
        low = figure.row(168)
        draw.ellipse((figure.middle - throat, low - 22 * unit, figure.middle + throat, low + 22 * unit), fill=255)
    if figure.mask is None:
        return mask.filter(ImageFilter.GaussianBlur(1))
    for side in (0, 1):
        for y in range(figure.row(506), min(figure.row(600), last)):
            left, right = figure.arms[side][y]
            draw.line((left, y, right, y), fill=255)
    return ImageChops.multiply(mask, figure.mask).filter(ImageFilter.GaussianBlur(1))


def without_skirt(person: Image.Image, figure: Figure) -> Image.Image:
    """The ground between the legs where a dress hangs there, since trousers would not cover it."""
    if figure.mask is None or figure.parted - figure.crotch < figure.height * 0.02:
        return person
    mask = Image.new("L", person.size, 0)
    draw = ImageDraw.Draw(mask)
    for y in range(figure.crotch, min(figure.parted + STEP, person.height)):
        draw.line((figure.legs[0][y][1], y, figure.legs[1][y][0], y), fill=255)
    ground = person.crop((0, 0, max(1, person.width // 50), person.height)).resize(person.size, Image.Resampling.BOX)
    return Image.composite(ground, person, mask)


def worn(person: Image.Image, layer: Image.Image, figure: Figure, trousers: bool) -> Image.Image:
    """The layer on the person: its shadow on the body below, and the body's own roundness on the cloth."""
    alpha, down = layer.getchannel("A"), figure.height * 0.006
    cast = blurred(alpha, figure.height * 0.005)
    cast = cast.transform(person.size, Image.Transform.AFFINE, (1, 0, -down / 6, 0, 1, -down))
    body = figure.mask or Image.new("L", person.size, 255)
    cast = ImageChops.multiply(cast, body).point(lambda value: round(value * 0.38))
    shaded = Image.composite(Image.new("RGB", person.size, (40, 28, 30)), person, cast)
    if trousers:
        shaded = without_skirt(shaded, figure)
    relief = relief_of(person, figure)
    cloth = ImageChops.soft_light(layer.convert("RGB"), Image.merge("RGB", (relief,) * 3))
    return Image.composite(cloth, shaded, alpha)


def relief_of(person: Image.Image, figure: Figure) -> Image.Image:
    """Grey where the person is as light as around, darker and lighter elsewhere, dark along the outline."""
    unit = figure.height / 1000
    # Coarser than the seams of what is worn below, which must not print through.
    light = blurred(person.convert("L"), 7 * unit)
    relief = ImageChops.subtract(light, blurred(light, 28 * unit), scale=5, offset=128)
    if figure.mask is None:
        return relief
    relief.paste(128, mask=ImageChops.invert(figure.mask))
    inside = blurred(figure.mask, 16 * unit).point(lambda value: min(255, 200 + value * 2 // 7))
    return ImageChops.multiply(relief, inside)


def blurred(picture: Image.Image, radius: float) -> Image.Image:
    """The picture blurred at a third of its size: the eye cannot tell, the clock can."""
    small = picture.resize((max(1, picture.width // 3), max(1, picture.height // 3)), Image.Resampling.BOX)
    return small.filter(ImageFilter.GaussianBlur(radius / 3)).resize(picture.size, Image.Resampling.BILINEAR)


def upper_stations(figure: Figure, piece: Piece, fit: Fit) -> Iterator[list[Station]]:
    """Sleeves, then the trunk, hung from the shoulders' tips."""
    shape = piece.shape
    armpit = piece.armpit
    chest = armpit or shape.at(0.28)
    tip, tip_half = shape.shoulder(shape.top, chest)
    wide, tall = figure.tip_half * (0.96 + 0.04 * fit.room) / tip_half, 0.113 * figure.height / tip_half
    if armpit is None:
        # Straps and capes say nothing about shoulders; the chest does.
        left, right = figure.trunk[figure.row(285)]
        wide = (right - left) / 2 * fit.room / max(shape.half(chest), 1)
        tall = max(0.09 * figure.height / max(shape.half(chest), 1), 0.25 * figure.height / max(shape.height, 1))
    tall = max(min(tall * fit.length, (figure.row(965) - figure.tip) / max(shape.bottom - tip, 1)), 0.01)
    hung = Hang(
        figure=figure,
        shape=shape,
        fit=fit,
        wide=wide,
        tall=tall,
        tip=tip,
        tip_half=tip_half,
        slope=shape.slope(shape.top, tip_half),
        armpit=armpit,
    )
    if armpit is not None:
        yield from (hung.sleeve(side) for side in (0, 1))
    yield hung.trunk()


@dataclass(frozen=True, kw_only=True)
class Hang:
    """An upper garment hung on a figure: scales, and the seams that part sleeves from trunk."""

    figure: Figure
    shape: Shape
    fit: Fit
    wide: float
    tall: float
    tip: int
    tip_half: float
    slope: int
    armpit: int | None

    def down(self, y: float) -> float:
        """The photo's row for a row of the garment."""
        return self.figure.slope + (y - self.slope) * self.tall - self.figure.height * 0.004

    def body(self, y: float) -> Span:
        """The trunk of the garment over the person's, at a row of the photo below the armpits."""
        figure, shape = self.figure, self.shape
        from_y = round(self.slope + (y + figure.height * 0.004 - figure.slope) / self.tall)
        left, right = figure.trunk[min(max(round(y), figure.armpit), len(figure.trunk) - 1)]
        own_left, own_right = self.cloth(from_y)
        # Broad shoulders do not make a wide hem: below the armpit, width follows the height as well.
        chest = self.down(self.armpit) if self.armpit else figure.armpit
        scale = blend([(chest, self.wide), (figure.row(400), (self.wide + self.tall) / 2)], y)
        room = (right - left) * (self.fit.room - 1) / 2 + 1
        return (
            min(figure.middle + (own_left - shape.middle) * scale, left - room),
            max(figure.middle + (own_right - shape.middle) * scale, right + room),
        )

    def cloth(self, y: float) -> Span:
        """The garment's own trunk at one of its rows; a curved hem is taken as straight."""
        shape = self.shape
        row = min(max(round(y), shape.top), shape.at(0.95))
        return shape.centre(row) or shape.outer(row)

    def seam(self, y: float, top: float, top_half: float, low: float, edge: float, middle: float) -> float:
        """How far from the middle sleeve and trunk are sewn together, between the tip and the armpit."""
        return blend([(top, top_half * 0.93), (low, abs(edge - middle))], y)

    def seams(self, y: float, side: int) -> tuple[float, float]:
        """The seam's place on the photo and on the garment, at a row of the garment above its armpit."""
        figure, shape, low = self.figure, self.shape, (self.armpit or 0) + 2
        sign = 2 * side - 1
        own = self.seam(y, self.tip, self.tip_half, low, self.cloth(low)[side], shape.middle)
        place = self.seam(y, self.tip, self.tip_half * self.wide, low, self.body(self.down(low))[side], figure.middle)
        return figure.middle + sign * place, shape.middle + sign * own

    def trunk(self) -> list[Station]:
        """Rows from collar to hem."""
        figure, shape, stations = self.figure, self.shape, []
        low = -1 if self.armpit is None else self.armpit + 2
        for y in range(shape.top, shape.bottom, 2):
            if y >= low:
                place, own = self.body(self.down(y)), self.cloth(y)
            elif y >= self.tip:
                (left, own_left), (right, own_right) = self.seams(y, 0), self.seams(y, 1)
                place, own = (left, right), (own_left, own_right)
            else:
                own = shape.outer(y)
                left, right = ((edge - shape.middle) * self.wide for edge in own)
                place = (figure.middle + left, figure.middle + right)
            stations.append(Station(y=self.down(y), span=place, from_y=y, from_span=own))
        return stations

    def sleeve(self, side: int) -> list[Station]:
        """Rows from the shoulder's tip to the cuff, along the arm."""
        figure, shape, low = self.figure, self.shape, (self.armpit or 0) + 2
        hanging = {y: beside[side] for y in range(low, shape.bottom) if (beside := shape.beside(y))}
        edges = straightened(shape, self.tip, low, hanging, side)
        end = max(edges)
        wrist, reach = figure.row(505), self.down(end)
        if end - low > (low - self.tip) * 0.8 and reach > figure.row(450):
            reach = wrist
        rows = [
            (self.tip, self.down(self.tip)),
            (low, self.down(low)),
            (max(end, low + 1), max(reach, self.down(low) + 1)),
        ]
        stations = []
        for y in range(self.tip, end + 1, 2):
            place_y = blend(rows, y)
            own = edges[y]
            arm = figure.arms[side][min(max(round(place_y), figure.armpit), len(figure.trunk) - 1)]
            width = max((own[1] - own[0]) * self.wide, (arm[1] - arm[0]) * (1.1 + self.fit.room - 1))
            middle = (arm[0] + arm[1]) / 2
            place = (middle - width / 2, middle + width / 2)
            if y < low:
                place, own = self.cap(y, side, own, place_y)
            stations.append(Station(y=place_y, span=place, from_y=y, from_span=own))
        spans = smoothed([each.span for each in stations], max(2, len(stations) // 30))
        return [
            Station(
                y=each.y,
                span=each.span if each.from_y < low else span,
                from_y=each.from_y,
                from_span=each.from_span,
            )
            for each, span in zip(stations, spans, strict=True)
        ]

    def cap(self, y: int, side: int, own: Span, place_y: float) -> tuple[Span, Span]:
        """The sleeve between tip and armpit: from the seam out to the arm's outer edge."""
        figure, sign = self.figure, 2 * side - 1
        seam, own_seam = self.seams(y, side)
        out = abs(own[side] - self.shape.middle) * self.wide
        if figure.mask is not None:
            body = figure.arms[side][min(max(round(place_y), 0), len(figure.trunk) - 1)][side]
            share = blend([(self.tip, 0.0), ((self.armpit or 0) + 2, 1.0)], y)
            room = figure.height * (0.002 + (self.fit.room - 1) * 0.1 * share)
            out = max(out, abs(body - figure.middle) + room)
        place = (seam, figure.middle + sign * out)
        own = (own_seam, own[side])
        return (place, own) if side else (place[::-1], own[::-1])


def straightened(shape: Shape, tip: int, low: int, hanging: dict[int, Span], side: int) -> dict[int, Span]:
    """A sleeve's edges by row, its slanted cuff drawn out straight so that the warp does not square it."""
    edges = {y: shape.outer(y) for y in range(tip, low)}
    edges |= hanging
    rows = range(min(edges), max(edges) + 1)
    for y in rows:
        edges.setdefault(y, edges.get(y - 1, (shape.middle, shape.middle)))
    slant = max(4, round(len(rows) * 0.22 if hanging else (low - tip) * 0.3))
    kept, anchor = rows[-1] - slant, max(rows[-1] - 2 * slant, rows[0])
    if kept <= anchor or (hanging and anchor < low):
        return edges
    (left, right), (left0, right0) = edges[kept], edges[anchor]
    slope = ((left - left0) / (kept - anchor), (right - right0) / (kept - anchor))
    drawn_out = {y: (left + slope[0] * (y - kept), right + slope[1] * (y - kept)) for y in range(kept, rows[-1] + 1)}
    return edges | drawn_out


@dataclass(frozen=True, kw_only=True)
class Girdle:
    """A skirt or trousers on a figure: which rows go where, and how wide."""

    figure: Figure
    shape: Shape
    fit: Fit
    rows: list[tuple[float, float]]
    """Rows of the garment and where they lie on the photo."""
    own_waist: float
    tall: float

    def seat(self, y: int) -> Station:
        """A row above the legs, or any of a skirt: the waist's width and the garment's flare beyond it."""
        figure, shape = self.figure, self.shape
        place_y, own = blend(self.rows, y), shape.outer(min(y, shape.at(0.95)))
        left, right = figure.trunk[min(max(round(place_y), 0), len(figure.trunk) - 1)]
        waist = figure.trunk[figure.row(386)]
        flare = (waist[1] - waist[0]) / 2 * self.fit.room + ((own[1] - own[0]) / 2 - self.own_waist) * self.tall
        room = (right - left) * (self.fit.room - 1) / 2 + 1
        span = (min(figure.middle - flare, left - room), max(figure.middle + flare, right + room))
        return Station(y=place_y, span=span, from_y=y, from_span=own)

    def leg(self, side: int, crotch: int) -> list[Station]:
        """A leg from the crotch to the hem: as wide as the seat at first, then along the person's leg."""
        figure, shape = self.figure, self.shape
        seat, top = self.seat(crotch).span, blend(self.rows, crotch)
        stations = []
        for y in range(crotch + 1, shape.bottom, 2):
            place_y = blend(self.rows, y)
            own = (shape.halves(min(y, shape.at(0.97))) or (shape.outer(y),) * 2)[side]
            left, right = figure.legs[side][min(max(round(place_y), figure.crotch + 4), len(figure.trunk) - 1)]
            half = max((own[1] - own[0]) * self.tall, (right - left) * self.fit.room + 2) / 2
            free = ((left + right) / 2 - half, (left + right) / 2 + half)
            sewn = (figure.middle, seat[1]) if side else (seat[0], figure.middle)
            share = blend([(top, 0.0), (top + figure.height * 0.11, 1.0)], place_y)
            share = share * share * (3 - 2 * share)
            span = (sewn[0] + (free[0] - sewn[0]) * share, sewn[1] + (free[1] - sewn[1]) * share)
            stations.append(Station(y=place_y, span=span, from_y=y, from_span=own))
        return stations


def lower_stations(figure: Figure, piece: Piece, fit: Fit) -> Iterator[list[Station]]:
    """A skirt, or the two legs and the seat of trousers, from the waist down."""
    shape, crotch = piece.shape, piece.shape.crotch()
    own_waist = max(shape.half(shape.at(0.04)), 1)
    waist, seat, tall = (
        figure.row(386),
        figure.crotch + figure.height * 0.014,
        0.082 * figure.height / own_waist,
    )
    rows: list[tuple[float, float]] = [(shape.top, waist)]
    hem = min(waist + shape.height * tall, figure.row(950))
    if crotch:
        rows.append((crotch, seat))
        long = shape.bottom - crotch > (crotch - shape.top) * 1.7
        hem = figure.row(958) if long else min(seat + (shape.bottom - crotch) * tall, figure.row(950))
    rows.append((shape.bottom, hem))
    girdle = Girdle(figure=figure, shape=shape, fit=fit, rows=rows, own_waist=own_waist, tall=tall)
    if crotch:
        yield from (girdle.leg(side, crotch) for side in (0, 1))
    yield [girdle.seat(y) for y in range(shape.top, crotch + 3 if crotch else shape.bottom, 2)]


def shoe_stations(figure: Figure, piece: Piece, fit: Fit) -> Iterator[list[Station]]:
    """A shoe on each foot; a pair that hangs together is parted in its middle."""
    left, top, right, bottom = piece.shape.left, piece.shape.top, piece.shape.right, piece.shape.bottom
    middle = (left + right) / 2
    boxes = sorted(each.box for each in piece.found[:2])
    if len(boxes) != 2:
        boxes = [(left, top, round(middle), bottom), (round(middle), top, right, bottom)]
    floor = min(figure.top + figure.height, len(figure.trunk)) + figure.height * 0.002
    for side, (own_left, own_top, own_right, own_bottom) in enumerate(boxes):
        foot = [figure.legs[side][y] for y in range(figure.row(955), figure.row(985))] or [figure.legs[side][-1]]
        inner, outer = min(span[0] for span in foot), max(span[1] for span in foot)
        half, centre = (outer - inner) / 2 * fit.room, (inner + outer) / 2
        tall = max(
            min((own_bottom - own_top) * 2 * half / max(own_right - own_left, 1), figure.height * 0.1),
            figure.height * 0.066,
        )
        yield [
            Station(y=y, span=(centre - half, centre + half), from_y=own_y, from_span=(own_left, own_right))
            for y, own_y in ((floor - tall, own_top), (floor, own_bottom))
        ]


def warped(cut: Image.Image, stations: list[Station], size: tuple[int, int]) -> Image.Image:
    """The piece stretched row by row onto an empty layer of the photo's size."""
    # One piece wider than the outline, so that the feathered edge comes along.
    mesh, rim = [], 2.0
    scale = max((each.span[1] - each.span[0]) / max(each.from_span[1] - each.from_span[0], 1) for each in stations)
    if scale < 0.6:
        # Bilinear sampling skips pixels when it shrinks a lot; shrink properly first.
        factor = max(scale * 1.2, 0.05)
        cut = cut.resize((max(1, round(cut.width * factor)), max(1, round(cut.height * factor))), Image.Resampling.BOX)
    else:
        factor = 1.0
    table = even(sorted(stations, key=lambda each: each.y))
    top, bottom = max(0, round(table[0].y)), min(size[1], round(table[-1].y))
    heights = [each.y for each in table]
    for y in range(top, bottom, STEP):
        end = min(y + STEP, bottom)
        (left, right), upper = row_of(table, bisect(heights, y), y)
        _, lower = row_of(table, bisect(heights, end), end)
        box = (max(0, round(left - rim)), y, min(size[0], round(right + rim)), end)
        if box[0] >= box[2]:
            continue
        quad = [*upper(box[0]), *lower(box[0]), *lower(box[2]), *upper(box[2])]
        mesh.append((box, [value * factor for value in quad]))
    return cut.transform(size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def even(stations: list[Station]) -> list[Station]:
    """The stations without the outlines' single-pixel steps."""
    if len(stations) < 8:
        return stations
    spans, own = (
        smoothed([each.span for each in stations], 2),
        smoothed([each.from_span for each in stations], 2),
    )
    return [
        Station(y=each.y, span=span, from_y=each.from_y, from_span=from_span)
        for each, span, from_span in zip(stations, spans, own, strict=True)
    ]


def row_of(table: list[Station], index: int, y: float) -> tuple[Span, Callable[[float], Span]]:
    """Where the piece lies on this row of the photo, and which point of the garment belongs to an x there."""
    one, two = table[max(index - 1, 0)], table[min(index, len(table) - 1)]
    share = min(max((y - one.y) / (two.y - one.y), 0.0), 1.0) if two.y > one.y else 0.0

    def between(a: float, b: float) -> float:
        return a + (b - a) * share

    left, right = between(one.span[0], two.span[0]), between(one.span[1], two.span[1])
    own_left = between(one.from_span[0], two.from_span[0])
    own_right = between(one.from_span[1], two.from_span[1])
    own_y, scale = between(one.from_y, two.from_y), (own_right - own_left) / max(right - left, 1)
    return (left, right), lambda x: (own_left + (x - left) * scale, own_y)
