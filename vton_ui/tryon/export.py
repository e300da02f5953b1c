"""Looks to take away: a ZIP of their files with a table of how they were made, and a contact sheet.

In the ZIP every picture is byte for byte as it was kept, so its provenance stays inside.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from vton_ui.models.spec import Value
from vton_ui.money.pricing import money
from vton_ui.pictures.contact_sheet import Captioned, contact_sheet
from vton_ui.pictures.provenance import encoded
from vton_ui.tryon.results import Result, cost_of

COLUMNS = ("file", "model", "seed", "prompt", "cost_usd", "request_id", "garments")
LONGEST_NAME = 60
"""Characters of a file's name, without its number and suffix."""

_FORMULA = re.compile(r"""(^|[\t\r\n;,|"'])(\s*)(?=[=+\-@＝＋－＠])""")
"""Where a spreadsheet would take what follows for a formula: where a cell begins, or would begin with another separator
than our comma, which is what programs expect in half of the world."""


_AI = "Looks made by AI."
_DRAFTS = "Drafts made without AI."
_BOTH = "Looks made by AI, except those stamped as drafts."


@dataclass(frozen=True, kw_only=True)
class Look:
    """A finished picture as it is given away.

    Attributes:
        result: Its file and the facts of its making.
        model: The model's title.
        garments: Their names, in the order in which they are worn; they come from the visitor.
        earlier: The pictures of its steps before, where it was made in several; they were paid, too.
    """

    result: Result
    model: str
    garments: tuple[str, ...]
    earlier: tuple[Result, ...] = ()

    @property
    def is_draft(self) -> bool:
        """Whether it was made by the sandbox, without AI."""
        return bool(self.result.facts["sandbox"])

    @property
    def cost_usd(self) -> Decimal | None:
        """What all its steps cost; None where the price of one is unknown."""
        return cost_of((*self.earlier, self.result))

    @property
    def request_ids(self) -> list[str]:
        """fal's ids of all its steps."""
        return [str(step.facts["request_id"]) for step in (*self.earlier, self.result)]


def write_zip(looks: Sequence[Look], path: Path) -> None:
    """Write the looks' files and `looks.csv` into a ZIP; the row of a look that was deleted meanwhile names no file.

    Raises:
        OSError: It cannot be written.
    """
    rows: list[tuple[str, ...]] = []
    # Pictures are compressed already: packing them again would cost time and save nothing.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
        for number, look in enumerate(looks, 1):
            name = file_name(number, look)
            try:
                archive.write(look.result.path, name)
            except FileNotFoundError:
                name = ""
            rows.append(_row(name, look))
        archive.writestr("looks.csv", table(rows), zipfile.ZIP_DEFLATED)


def contact_sheet_file(photo: Path | None, looks: Sequence[Look]) -> bytes:
    """A contact sheet as a JPEG that says how its looks were made, and that AI had a hand in it unless all are drafts.

    CPU work: call it off the event loop.

    Args:
        photo: The photo they were made from; None where it is gone.

    Raises:
        InputError, PhotoError: As `contact_sheet`.
    """
    drafts = sum(look.is_draft for look in looks)
    note = _AI if not drafts else _DRAFTS if drafts == len(looks) else _BOTH
    shown = [Captioned(path=look.result.path, lines=captions(look)) for look in looks]
    facts: dict[str, Value] = {
        "model": ", ".join(dict.fromkeys(str(look.result.facts["model"]) for look in looks)),
        "seed": ", ".join(str(look.result.facts["seed"]) for look in looks),
        "request_id": ", ".join(name for look in looks for name in look.request_ids),
        "sandbox": drafts == len(looks),
    }
    return encoded(contact_sheet(photo, shown, note), "JPEG", facts)


def captions(look: Look, *, prices: bool = False) -> tuple[str, str, str]:
    """What a look shows, what made it, and from which seed."""
    facts = look.result.facts
    seed = f"seed {facts['seed']}"
    if not prices:
        last = seed
    elif look.is_draft:
        last = f"{seed} · free"
    else:
        last = f"{seed} · {money(look.cost_usd)}"
    garments = " ".join(" + ".join(look.garments).split())[:200] or "Look"
    return garments[0].upper() + garments[1:], f"{look.model}, draft" if look.is_draft else look.model, last


def file_name(number: int, look: Look) -> str:
    """A readable name, which no other number has, and which every file system takes."""
    facts = look.result.facts
    words = f"{facts['model']}-{'-'.join(look.garments)}"
    plain = re.sub(r"[\W_]+", "-", words).strip("-")[:LONGEST_NAME].rstrip("-")
    return f"{number:02}-{plain}-seed-{facts['seed']}{look.result.path.suffix}".lower()


def table(rows: Sequence[Sequence[str]]) -> bytes:
    """The rows under `COLUMNS` as a CSV file: with the mark that tells Excel it is UTF-8, and without formulas."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerows([COLUMNS, *([_harmless(cell) for cell in row] for row in rows)])
    return text.getvalue().encode("utf-8-sig", errors="replace")


def _row(name: str, look: Look) -> tuple[str, ...]:
    facts = look.result.facts
    model = f"{look.model} (sandbox draft)" if look.is_draft else look.model
    made = ("" if fact is None else str(fact) for fact in (facts["seed"], facts["prompt"], look.cost_usd))
    return (name, model, *made, " ".join(look.request_ids), " + ".join(look.garments))


def _harmless(cell: str) -> str:
    """The cell as text: an apostrophe goes before what would be taken for a formula."""
    return _FORMULA.sub(r"\1\2'", cell)
