"""Figures, and how they are shown."""

from __future__ import annotations

import io
import os
import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from PIL import Image

from tests.bench.pictures import PHONE, photo

Figure = float | str | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        what: What was measured.
        unit: Of both figures.
        baseline: The baseline's figure; a text where it has none; None: not measured.
        ours: This app's.
        target: The most that this app's may be; None: there is no target.
        note: In which circumstances.
    """

    what: str
    unit: str
    baseline: Figure
    ours: Figure
    target: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the baseline's figure is this app's."""
        if isinstance(self.baseline, float) and isinstance(self.ours, float) and self.ours > 0:
            return self.baseline / self.ours
        return None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached."""
        return None if self.target is None or not isinstance(self.ours, float) else self.ours <= self.target


def markdown(rows: Iterable[Row]) -> str:
    """The table."""
    lines = ["| | unit | baseline | this app | ratio | target | |", "|---|---|---:|---:|---:|---:|---|"]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.1f} ×"
        target = "" if row.target is None else f"≤ {_shown(row.target)}"
        verdict = {None: "", True: "met", False: "**missed**"}[row.met]
        what = f"{row.what} ({row.note})" if row.note else row.what
        cells = (what, row.unit, _shown(row.baseline), _shown(row.ours), ratio, target, verdict)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine() -> dict[str, str | int]:
    """What it was measured on."""
    return {
        "cores": os.cpu_count() or 0,
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "gradio": version("gradio"),
        "pillow": version("pillow"),
    }


def decoding_seconds() -> float:
    """How long one core takes to decode a phone's photo at full size: the scale for the other figures,
    since a shared machine may be half as fast in the next minute."""
    data, seen = photo(PHONE), []
    for _ in range(3):
        begin = time.perf_counter()
        with Image.open(io.BytesIO(data)) as image:
            image.load()
        seen.append(time.perf_counter() - begin)
    return min(seen)


def percentile(figures: Sequence[float], percent: float) -> float:
    """The smallest figure that so many percent of all are not above."""
    ordered = sorted(figures)
    return ordered[max(0, -int(-len(ordered) * percent // 100) - 1)]


def median(figures: Sequence[float]) -> float:
    """As `percentile`, of 50."""
    return percentile(figures, 50)


def _shown(figure: Figure) -> str:
    if figure is None:
        return "–"
    if isinstance(figure, str):
        return figure
    return f"{figure:.0f}" if figure >= 100 or figure == int(figure) else f"{figure:.3g}"
