"""Place trousers, a skirt or shoes on a figure."""

from __future__ import annotations

from vton_ui.backends.sandbox.draft.garment import Garment
from vton_ui.backends.sandbox.draft.warp import ROWS, Row, Strip
from vton_ui.pictures.figure import ANKLE, SOLE, WAIST, Figure
from vton_ui.pictures.outline import Stops, blend

WAIST_HALF = 0.082
"""Half the waist that garments are cut for, in a person's height: a measure of their length."""
SHOE_HEIGHT = (0.066, 0.1)
"""Least and most, in a person's height."""


def bottoms(figure: Figure, garment: Garment, room: float) -> list[Strip]:
    """The legs of trousers, if there are any, and the seat over them, or a skirt.

    Args:
        figure: the person.
        garment: what is worn from the waist down.
        room: the garment's width where it is tight, in body widths.
    """
    bottom = Bottom(figure, garment, room)
    legs = [bottom.leg(side, garment.crotch) for side in (0, 1)] if garment.crotch else []
    last = garment.crotch + 3 if garment.crotch else garment.shape.bottom
    return [*legs, [bottom.seat(y) for y in range(garment.shape.top, last, ROWS)]]


class Bottom:
    """A skirt or trousers on a figure; rows called y are the garment's, in pixels of its picture."""

    def __init__(self, figure: Figure, garment: Garment, room: float) -> None:
        self.figure, self.room, self.shape = figure, room, garment.shape
        shape, crotch = garment.shape, garment.crotch
        self.own_waist = max(shape.half(shape.at(0.04)), 1)
        self.tall = WAIST_HALF * figure.height / self.own_waist
        stops: list[tuple[float, float]] = [(shape.top, figure.row(WAIST))]
        if crotch:
            stops.append((crotch, figure.crotch + figure.height * 0.014))
        y, place_y = stops[-1]
        ankle, hem = figure.row(ANKLE), place_y + (shape.bottom - y) * self.tall
        if hem > ankle or (crotch and shape.bottom - crotch > (crotch - shape.top) * 1.7):
            hem = ankle  # long trousers reach the ankle
        self.stops: Stops = [*stops, (shape.bottom, hem)]
        """Rows of the garment, and where they lie on the photo."""

    def seat(self, y: int) -> Row:
        """A row above the legs, or any of a skirt: the waist's width and the garment's flare beyond it."""
        figure, shape = self.figure, self.shape
        place_y, own = blend(self.stops, y), shape.outer(min(y, shape.at(0.95)))
        left, right = figure.around(place_y, self.room)
        waist_left, waist_right = figure.trunk[figure.row(WAIST)]
        half = (waist_right - waist_left) / 2 * self.room + ((own[1] - own[0]) / 2 - self.own_waist) * self.tall
        return Row(place_y, min(figure.middle - half, left), max(figure.middle + half, right), y, *own)

    def leg(self, side: int, crotch: int) -> Strip:
        """A leg from the crotch to the hem: as wide as the seat at first, then along the person's leg."""
        figure, shape, seat, strip = self.figure, self.shape, self.seat(crotch), []
        sewn = (figure.middle, seat.right) if side else (seat.left, figure.middle)
        for y in range(crotch + 1, shape.bottom, ROWS):
            place_y = blend(self.stops, y)
            own = (shape.halves(min(y, shape.at(0.97))) or (shape.outer(y),) * 2)[side]
            left, right = figure.across(figure.legs[side], max(place_y, figure.crotch + 2))
            middle, half = (left + right) / 2, max((own[1] - own[0]) * self.tall, (right - left) * self.room + 2) / 2
            share = blend([(seat.y, 0.0), (seat.y + figure.height * 0.11, 1.0)], place_y)
            share = share * share * (3 - 2 * share)  # eased at both ends
            left = sewn[0] + (middle - half - sewn[0]) * share
            right = sewn[1] + (middle + half - sewn[1]) * share
            strip.append(Row(place_y, left, right, y, *own))
        return strip


def shoes(figure: Figure, garment: Garment, room: float) -> list[Strip]:
    """A shoe on each foot: the picture's left and right half."""
    floor = min(figure.top + figure.height, figure.photo.height) + figure.height * 0.002
    width, height = garment.mask.size
    middle, strips = round(garment.shape.middle), []
    for leg, (start, end) in zip(figure.legs, ((0, middle), (middle, width)), strict=True):
        box = garment.mask.crop((start, 0, end, height)).getbbox() or (0, 0, end - start, height)
        foot = leg[figure.row(ANKLE) : figure.row(SOLE)] or leg[-1:]
        left, right = min(span[0] for span in foot), max(span[1] for span in foot)
        centre, half = (left + right) / 2, (right - left) / 2 * room
        tall = (box[3] - box[1]) * 2 * half / (box[2] - box[0])
        tall = max(min(tall, figure.height * SHOE_HEIGHT[1]), figure.height * SHOE_HEIGHT[0])
        across = (centre - half, centre + half)
        own = (start + box[0], start + box[2])
        strips.append([Row(floor - tall, *across, box[1], *own), Row(floor, *across, box[3], *own)])
    return strips
