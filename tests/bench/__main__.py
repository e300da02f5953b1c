"""The benchmark: `python -m tests.bench [--only NAME …] [--full] [--json FILE] [--picture FILE]`.

It runs a fake fal, this app and the baseline side by side, each in a process of its own, and prints one table.
Nothing reaches fal and nothing is paid.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from tests.bench.fal import fal_process
from tests.bench.growth import picture, table
from tests.bench.rows import PARTS, Bench, growth
from tests.bench.table import Row, decoding_seconds, machine, markdown


def measured(only: Sequence[str], *, rounds: int = 5, full: bool = False, drawn: Path | None = None) -> list[Row]:
    """The rows of the parts asked for, of all if none is named; `growth` has a table and a picture of its own."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bench") as folder, ExitStack() as stack:
        fal = stack.enter_context(fal_process())
        bench = Bench(fal=fal, folder=Path(folder), stack=stack, rounds=rounds, full=full)
        for name, part in PARTS.items():
            if name in (only or PARTS):
                begin = time.perf_counter()
                rows += part(bench)
                print(f"{name}: {time.perf_counter() - begin:.0f} s", file=sys.stderr)
        if "growth" in only:
            crowds = list(growth(bench))
            print(table(crowds))
            if drawn:
                image, figures = picture(crowds)
                image.save(drawn, optimize=True, pnginfo=figures)
    return rows


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], choices=[*PARTS, "growth"], metavar="NAME", help="some parts")
    parser.add_argument("--rounds", type=int, default=5, help="of the quick ones (5)")
    parser.add_argument("--full", action="store_true", help="50 visitors of the baseline, 1,000 try-ons (15 minutes)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the growth there, as PNG")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the processes it started end with it
    decoding = [decoding_seconds()]
    rows = measured(options.only, rounds=options.rounds, full=options.full, drawn=options.picture)
    decoding.append(decoding_seconds())
    if rows:
        print(markdown(rows))
    on = {**machine(), "decoding_seconds": decoding}
    print(f"\n{on['cores']} cores, {on['machine']}, Python {on['python']}, Gradio {on['gradio']}.", end=" ")
    before, after = (round(1000 * seconds) for seconds in decoding)
    print(f"One core decoded a 12 MP JPEG in {before} ms at the start and in {after} ms at the end.")
    if options.json:
        figures = [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in rows]
        options.json.write_text(json.dumps({"machine": on, "rows": figures}, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
