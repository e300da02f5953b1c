"""Place an upper garment, a dress or a coat on a figure: the trunk, and the sleeves along the arms."""

from __future__ import annotations

from vton_ui.backends.sandbox.draft.garment import Garment
from vton_ui.backends.sandbox.draft.warp import ROWS, Row, Strip
from vton_ui.pictures.figure import ANKLE, WRIST, Figure
from vton_ui.pictures.outline import Span, blend, smoothed

SHOULDERS = 113
"""Half the width, in thousandths of a person's height, that garments are cut for: a measure of their length."""
ARMHOLE = 0.93
"""Where the armhole's seam begins on the shoulder, as a share of the way to its tip."""


def tops(figure: Figure, garment: Garment, room: float) -> list[Strip]:
    """Sleeves, then the trunk over them.

    Args:
        figure: the person.
        garment: what is worn above the waist, or from the shoulders down.
        room: the garment's width where it is tight, in body widths.
    """
    top = Top(figure, garment, room)
    sleeves = [top.sleeve(side) for side in (0, 1)] if garment.armpit else []
    return [*sleeves, top.trunk()]


class Top:
    """An upper garment on a figure: its scales, and the seams that part sleeves from trunk.

    Rows called y are the garment's, in pixels of its picture; sides are 0, left on the picture, and 1.
    """

    def __init__(self, figure: Figure, garment: Garment, room: float) -> None:
        self.figure, self.room, self.shape = figure, room, garment.shape
        shape, chest = garment.shape, garment.armpit or garment.shape.at(0.28)
        self.tip, self.tip_half = shape.shoulder(shape.top, chest)
        self.slope = shape.slope(shape.top, self.tip_half)
        if garment.armpit:
            self.low = garment.armpit + 2
            self.wide = figure.tip_half * (0.96 + 0.04 * room) / self.tip_half
            tall = SHOULDERS * figure.height / 1000 / self.tip_half
        else:
            # Straps and capes have no shoulders to scale by, so the chest is used.
            self.low = shape.top
            left, right = figure.across(figure.trunk, figure.row(285))
            half = max(shape.half(chest), 1)
            self.wide = (right - left) / 2 * room / half
            tall = figure.height * max(0.09 / half, 0.25 / shape.height)
        longest = (figure.row(ANKLE) - figure.tip) / max(shape.bottom - self.tip, 1)
        self.tall = max(min(tall, longest), 0.01)

    def down(self, y: float) -> float:
        """The photo's row for a row of the garment."""
        return self.figure.slope + (y - self.slope) * self.tall - self.figure.height * 0.004

    def cloth(self, y: int) -> Span:
        """The garment's own trunk at a row; a curved hem is taken as straight."""
        row = min(y, self.shape.at(0.95))
        return self.shape.centre(row) or self.shape.outer(row)

    def body(self, y: int) -> Span:
        """Where that trunk lies on the person's, for a row below the armpits."""
        figure, place_y, (own_left, own_right) = self.figure, self.down(y), self.cloth(y)
        # Broad shoulders do not make a wide hem: below the armpit, width follows the height as well.
        stops = [(self.down(self.low), self.wide), (figure.row(400), (self.wide + self.tall) / 2)]
        scale = blend(stops, place_y)
        left, right = figure.around(max(place_y, figure.armpit), self.room)
        return (
            min(figure.middle + (own_left - self.shape.middle) * scale, left),
            max(figure.middle + (own_right - self.shape.middle) * scale, right),
        )

    def armhole(self, y: int, side: int) -> tuple[float, float]:
        """Where sleeve and trunk are sewn together, on the photo and on the garment, from tip to armpit."""
        begin = (2 * side - 1) * self.tip_half * ARMHOLE
        place = [(self.tip, self.figure.middle + begin * self.wide), (self.low, self.body(self.low)[side])]
        own = [(self.tip, self.shape.middle + begin), (self.low, self.cloth(self.low)[side])]
        return blend(place, y), blend(own, y)

    def trunk(self) -> Strip:
        """Rows from collar to hem."""
        figure, shape, strip = self.figure, self.shape, []
        for y in range(shape.top, shape.bottom, ROWS):
            if y >= self.low:
                (left, right), own = self.body(y), self.cloth(y)
            elif y >= self.tip:
                (left, own_left), (right, own_right) = self.armhole(y, 0), self.armhole(y, 1)
                own = (own_left, own_right)
            else:
                own = shape.outer(y)
                left, right = (figure.middle + (edge - shape.middle) * self.wide for edge in own)
            strip.append(Row(self.down(y), left, right, y, *own))
        return strip

    def sleeve(self, side: int) -> Strip:
        """Rows from the shoulder's tip to the cuff, along the arm."""
        figure, edges, strip = self.figure, self.sleeve_edges(side), []
        end, armpit = max(edges), self.down(self.low)
        reach = self.down(end)
        if end - self.low > (self.low - self.tip) * 0.8 and reach > figure.row(450):
            reach = figure.row(WRIST)
        stops = [(self.tip, self.down(self.tip)), (self.low, armpit), (max(end, self.low + 1), max(reach, armpit + 1))]
        for y in sorted(edges)[::ROWS]:
            place_y, own = blend(stops, y), edges[y]
            if y < self.low:
                place, own = self.cap(y, side, own[side])
            else:
                left, right = figure.across(figure.arms[side], max(place_y, figure.armpit))
                half = max((own[1] - own[0]) * self.wide, (right - left) * (self.room + 0.1)) / 2
                place = ((left + right) / 2 - half, (left + right) / 2 + half)
            strip.append(Row(place_y, *place, y, *own))
        return [Row(*each) for each in smoothed(strip, len(strip) // 30)]

    def cap(self, y: int, side: int, edge: float) -> tuple[Span, Span]:
        """The sleeve above the armpit, on the photo and on the garment: from the seam to the arm's outer edge."""
        figure, (seam, own_seam) = self.figure, self.armhole(y, side)
        arm = figure.across(figure.arms[side], self.down(y))[side]
        room = figure.height * (0.002 + (self.room - 1) * 0.05)
        out = max(abs(edge - self.shape.middle) * self.wide, abs(arm - figure.middle) + room)
        if side:
            return (seam, figure.middle + out), (own_seam, edge)
        return (figure.middle - out, seam), (edge, own_seam)

    def sleeve_edges(self, side: int) -> dict[int, Span]:
        """A sleeve's own edges by row, its slanted cuff drawn out straight so that the warp does not square it."""
        edges = {y: self.shape.outer(y) for y in range(self.tip, self.low)}
        hanging = {y: beside[side] for y in range(self.low, self.shape.bottom) if (beside := self.shape.beside(y))}
        edges |= hanging
        rows = sorted(edges)
        slant = min(max(4, round(len(rows) * (0.22 if hanging else 0.3))), (len(rows) - 1) // 2)
        kept, anchor = rows[-1 - slant], rows[-1 - 2 * slant]
        if slant == 0 or (hanging and anchor < self.low):
            return edges
        (left, right), (left0, right0) = edges[kept], edges[anchor]
        for y in rows[-slant:]:
            share = (y - kept) / (kept - anchor)
            edges[y] = (left + (left - left0) * share, right + (right - right0) * share)
        return edges
