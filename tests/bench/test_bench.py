"""The benchmark runs: its cheapest part, once, end to end."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageColor

from tests.bench import __main__ as bench
from tests.bench.growth import FIGURES, LAST, MEDIAN, Crowded, picture, table
from tests.bench.server import Weight
from tests.bench.soak import Minute, verdict
from tests.bench.table import Row, markdown, percentile

HERE = Path(__file__).parent


@pytest.mark.bench
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_cheapest_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Two apps and a fal start, a phone photo costs what it should with one and is refused with the other."""
    out = tmp_path / "figures.json"
    monkeypatch.setattr(sys, "argv", ["bench", "--only", "flux", "--json", str(out)])
    bench.main()
    figures = json.loads(out.read_text())
    (row,) = figures["rows"]
    assert (row["baseline"], row["ours"], row["met"]) == ("refused", 0.0475, True)
    assert figures["machine"]["cores"] > 0
    assert "| refused | 0.0475 |" in capsys.readouterr().out


def test_table() -> None:
    """A ratio where there are two figures, a verdict where there is a target."""
    row = Row(what="time", unit="s", baseline=0.75, ours=0.25, target=0.2)
    assert (row.ratio, row.met) == (3.0, False)
    assert markdown([row]).endswith("| time | s | 0.75 | 0.25 | 3.0 × | ≤ 0.2 | **missed** |")
    assert Row(what="memory", unit="", baseline=None, ours="none", target=1.0).met is None
    assert [percentile([4.0, 1.0, 3.0, 2.0], percent) for percent in (1, 50, 75, 99)] == [1.0, 2.0, 3.0, 4.0]


def test_verdict_of_the_soak() -> None:
    """What grows by more than a sixth is named; a few connections more are chance."""

    def minute(memory: float, sockets: int) -> Minute:
        weight = Weight(memory=memory, files=30, sockets=sockets, threads=20)
        return Minute(tries=100, failed=0, seconds=1.0, weight=weight)

    words, steady = verdict([minute(100, 5), minute(200, 5), minute(210, 9)])
    assert steady
    assert "memory: +5.0 %" in words
    words, steady = verdict([minute(200, 5), minute(200, 5), minute(300, 5)])
    assert not steady
    assert "memory: +50.0 % - grows" in words


def test_growth_is_drawn_as_it_was_measured() -> None:
    """The committed picture shows the figures of the table beside it, and fills its frame."""
    text = (HERE / "README.md").read_text(encoding="utf-8")
    with Image.open(HERE / "growth.png") as drawn:
        rows = [Crowded(**row) for row in json.loads(drawn.info[FIGURES])]
        again, _ = picture(rows)
        assert drawn.size == again.size
        colours = {colour for _, colour in drawn.convert("RGB").getcolors(1 << 16) or []}
    assert table(rows) in text
    assert {ImageColor.getrgb(LAST), ImageColor.getrgb(MEDIAN)} <= colours
