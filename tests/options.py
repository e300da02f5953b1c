"""Writes the table of options in vton_ui/ui/API.md from the registry: `python -m tests.options`."""

from __future__ import annotations

import re
from pathlib import Path

from vton_ui.models import MODELS
from vton_ui.models.spec import Choice, Flag, Number, Option

FILE = Path(__file__).parent.parent / "vton_ui" / "ui" / "API.md"
PLACE = re.compile(r"(<!-- options:.*?-->\n).*?(<!-- /options -->)", re.DOTALL)


def table() -> str:
    """Every option of every model: its name in the API, its label, its values and its default."""
    rows = ["| model | option | on the page | values | default |", "|---|---|---|---|---|"]
    for model in MODELS.values():
        for option in model.options:
            default = "" if option.default in (None, "") else f"`{option.default}`"
            rows.append(f"| {model.name} | `{option.name}` | {option.label} | {values(option)} | {default} |")
    return "\n".join(rows) + "\n"


def values(option: Option) -> str:
    """What an option may be, in words."""
    if isinstance(option, Choice):
        return ", ".join(f"`{value}`" for value, _ in option.choices)
    if isinstance(option, Number):
        return f"{option.minimum:g} to {option.maximum:.0f}"
    return "true, false" if isinstance(option, Flag) else f"text of up to {option.max_length} characters"


def written(text: str) -> str:
    """The file with its table as the registry has it now."""
    return PLACE.sub(lambda match: f"{match[1]}{table()}{match[2]}", text)


if __name__ == "__main__":
    FILE.write_text(written(FILE.read_text(encoding="utf-8")), encoding="utf-8")
