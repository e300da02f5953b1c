"""Put trousers, a skirt or shoes on a figure."""

from __future__ import annotations

from vton_ui.draft.figure import SOLE, WAIST, Figure
from vton_ui.draft.garment import Garment
from vton_ui.draft.outline import Stops, blend
from vton_ui.draft.warp import Station, Strip

ROWS = 2
"""Every so many rows of the garment make a station."""
WAIST_HALF = 0.082
"""Half the waist that garments are cut for, in a person's height: a measure of their length."""
LONG_HEM, LOWEST_HEM = 958, 950
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
        shape, crotch, waist = garment.shape, garment.crotch, figure.row(WAIST)
        self.own_waist = max(shape.half(shape.at(0.04)), 1)
        self.tall = WAIST_HALF * figure.height / self.own_waist
        self.stops: Stops = [(shape.top, waist)]
        """Rows of the garment, and where they lie on the photo."""
        hem = min(waist + shape.height * self.tall, figure.row(LOWEST_HEM))
        if crotch:
            seat = figure.crotch + figure.height * 0.014
            self.stops.append((crotch, seat))
            long = shape.bottom - crotch > (crotch - shape.top) * 1.7
            hem = min(seat + (shape.bottom - crotch) * self.tall, figure.row(LOWEST_HEM))
            hem = figure.row(LONG_HEM) if long else hem
        self.stops.append((shape.bottom, hem))

    def seat(self, y: int) -> Station:
        """A row above the legs, or any of a skirt: the waist's width and the garment's flare beyond it."""
        figure, shape = self.figure, self.shape
        place_y, own = blend(self.stops, y), shape.outer(min(y, shape.at(0.95)))
        left, right = figure.across(figure.trunk, place_y)
        waist_left, waist_right = figure.trunk[figure.row(WAIST)]
        flare = ((own[1] - own[0]) / 2 - self.own_waist) * self.tall
        half, room = (waist_right - waist_left) / 2 * self.room + flare, (right - left) * (self.room - 1) / 2 + 1
        return Station(
            place_y, min(figure.middle - half, left - room), max(figure.middle + half, right + room), y, *own
        )

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
            inner, outer = (
                old + (new - old) * share for old, new in zip(sewn, (middle - half, middle + half), strict=True)
            )
            strip.append(Station(place_y, inner, outer, y, *own))
        return strip


def shoes(figure: Figure, garment: Garment, room: float) -> list[Strip]:
    """A shoe on each foot; a pair that hangs together is parted in its middle."""
    shape, (x, y) = garment.shape, garment.origin
    boxes = sorted(
        (left - x, top - y, right - x, bottom - y) for left, top, right, bottom in (each.box for each in garment.parts)
    )
    if len(boxes) != 2:
        middle = round(shape.middle)
        boxes = [(shape.left, shape.top, middle, shape.bottom), (middle, shape.top, shape.right, shape.bottom)]
    floor = min(figure.top + figure.height, figure.photo.height) + figure.height * 0.002
    strips = []
    for leg, (own_left, own_top, own_right, own_bottom) in zip(figure.legs, boxes, strict=True):
        foot = leg[figure.row(955) : figure.row(SOLE)] or leg[-1:]
        left, right = min(span[0] for span in foot), max(span[1] for span in foot)
        middle, half = (left + right) / 2, (right - left) / 2 * room
        tall = (own_bottom - own_top) * 2 * half / max(own_right - own_left, 1)
        tall = max(min(tall, figure.height * SHOE_HEIGHT[1]), figure.height * SHOE_HEIGHT[0])
        ends = ((floor - tall, own_top), (floor, own_bottom))
        strips.append(
            [Station(place_y, middle - half, middle + half, own_y, own_left, own_right) for place_y, own_y in ends]
        )
    return strips
