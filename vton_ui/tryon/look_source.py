"""What a look was made from, so that it can be made again in another way.

It is part of the job, in the browser and in the job store (of a private one in the browser only), until there is a
picture; from then on it lies beside that, and is deleted with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vton_ui.models.spec import Values
from vton_ui.pictures.sheet import LAYOUT

FILE = "source.json"


@dataclass(frozen=True, kw_only=True)
class Worn:
    """A garment of a look.

    Attributes:
        path: Its photo as it was used. Uploads are deleted after an hour, so it may be gone.
        name: What it is called; it comes from the visitor.
        cloth_type: The kind it was put on as, where the model asks for one.
    """

    path: Path
    name: str
    cloth_type: str | None


@dataclass(frozen=True, kw_only=True)
class LookSource:
    """What a look was made from.

    Attributes:
        photo: The visitor's photo that the look began with, also where it was made in several steps.
        garments: All that is worn, in the order in which it was put on.
        model: The name of the model, of the last step.
        values: Its options.
        private: Whether fal was told to store no record of it.
        layout: How several garments lay on their sheet.
    """

    photo: Path
    garments: tuple[Worn, ...]
    model: str
    values: Values
    private: bool
    layout: str = LAYOUT.default

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        garments = [{**asdict(worn), "path": str(worn.path)} for worn in self.garments]
        return {**vars(self), "photo": str(self.photo), "garments": garments, "values": dict(self.values)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LookSource:
        """From `to_dict`. TypeError or KeyError if it is something else."""
        return cls(
            photo=Path(data["photo"]),
            garments=tuple(Worn(**{**worn, "path": Path(worn["path"])}) for worn in data["garments"]),
            model=str(data["model"]),
            values=dict(data["values"]),
            private=bool(data["private"]),
            layout=str(data["layout"]),
        )


def keep_source(source: LookSource, result: Path) -> None:
    """Write it beside a kept picture, which is worth no less if that fails."""
    with suppress(OSError):
        result.with_name(FILE).write_text(json.dumps(source.to_dict()), "utf-8")


def source_of(result: Path) -> LookSource | None:
    """What a kept picture was made from; None if nobody knows."""
    try:
        return LookSource.from_dict(json.loads(result.with_name(FILE).read_text("utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return None
