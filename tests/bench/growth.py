"""From one visitor to a hundred: the figures as a table, and as the picture beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

HEAD = ("visitors at once", "last answer", "÷ one", "median", "p99 of a trivial request")
FIGURES = "figures"
"""The text in the picture's file that holds what it shows, as JSON."""

SIZE, LEFT, RIGHT, TOP, BOTTOM = (1440, 720), 110, 60, 110, 90
INK, GREY, LINE = "#1c1c1a", "#6b6b66", "#dcdcd6"
LAST, MEDIAN = "#0f6b4f", "#8a8a84"


@dataclass(frozen=True, kw_only=True)
class Crowded:
    """Visitors who click together: seconds to the last answer and to the median one, milliseconds of a request."""

    visitors: int
    last: float
    median: float
    lag: float


def table(rows: Sequence[Crowded]) -> str:
    """The figures in Markdown."""
    lines = ["| " + " | ".join(HEAD) + " |", "|---:" * len(HEAD) + "|"]
    for row in rows:
        ratio = row.last / rows[0].last
        lines.append(f"| {row.visitors} | {row.last:.2f} s | {ratio:.2f} | {row.median:.2f} s | {row.lag:.0f} ms |")
    return "\n".join(lines)


def picture(rows: Sequence[Crowded]) -> tuple[Image.Image, PngImagePlugin.PngInfo]:
    """The last and the median answer over the number of visitors, and the figures for the picture's file."""
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    most, longest = rows[-1].visitors, max(row.last for row in rows)
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100) if longest / step <= 6)
    ceiling = step * (int(longest / step) + 1)

    def at(visitors: float, seconds: float) -> tuple[float, float]:
        across, up = SIZE[0] - LEFT - RIGHT, SIZE[1] - TOP - BOTTOM
        return LEFT + across * visitors / most, SIZE[1] - BOTTOM - up * seconds / ceiling

    for seconds in range(0, ceiling + 1, step):
        draw.line([at(0, seconds), at(most, seconds)], fill=LINE, width=2)
        _write(draw, at(0, seconds), f"{seconds} s ", GREY, "rm")
    for row in rows:
        _write(draw, (at(row.visitors, 0)[0], SIZE[1] - BOTTOM + 14), f"{row.visitors}", GREY, "ma")
    _write(draw, (SIZE[0] - RIGHT, SIZE[1] - 14), "visitors who click at once", GREY, "rd")
    for name, colour, place, anchor in (("last", LAST, "last answer", "rd"), ("median", MEDIAN, "median", "ra")):
        points = [at(row.visitors, getattr(row, name)) for row in rows]
        draw.line(points, fill=colour, width=6, joint="curve")
        for x, y in points:
            draw.ellipse((x - 8, y - 8, x + 8, y + 8), fill=colour)
        (x, y), gap = points[-1], 64 if anchor == "ra" else -22
        _write(draw, (x, y + gap), f"{place} {getattr(rows[-1], name):.2f} s", colour, anchor)
    _write(draw, (24, 24), "Seconds to an answer, of which the model takes 2.5", INK, "la", 34)
    told = PngImagePlugin.PngInfo()
    told.add_text(FIGURES, json.dumps([asdict(row) for row in rows]))
    return image, told


def _write(
    draw: ImageDraw.ImageDraw, place: tuple[float, float], words: str, colour: str, anchor: str, size: int = 28
) -> None:
    draw.text(place, words, fill=colour, anchor=anchor, font=ImageFont.load_default(size))
