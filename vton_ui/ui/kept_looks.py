"""The looks that a browser has kept, with what they were made from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from vton_ui.errors import InputError, PhotoError
from vton_ui.studio import Studio
from vton_ui.tryon.export import Look
from vton_ui.tryon.look_source import LookSource, Worn, source_of
from vton_ui.tryon.results import Result
from vton_ui.ui.board import Board
from vton_ui.ui.web.uploads import visible_upload


@dataclass(frozen=True, kw_only=True)
class KeptLook:
    """A look that a browser has kept.

    Attributes:
        source: What it was made from, where that is known.
        earlier: The pictures of its steps before, where it was made in several.
    """

    result: Result
    source: LookSource | None
    earlier: tuple[Result, ...] = ()

    @property
    def garments(self) -> tuple[Worn, ...]:
        """What is worn, as far as it is known."""
        return self.source.garments if self.source else ()

    def to_export(self, studio: Studio) -> Look:
        """As it is given away."""
        name = str(self.result.facts["model"])
        model = studio.models.get(name)
        return Look(
            result=self.result,
            model=model.title if model else name,
            garments=tuple(worn.name for worn in self.garments),
            earlier=self.earlier,
        )


def chosen(board: Board, ids: Collection[str]) -> list[KeptLook]:
    """The looks of these ids, in their order: ids come from a browser, and only its own looks are found.

    Raises:
        InputError: One of them is not there.
    """
    looks = [board.find(name) for name in ids]
    steps = [[step.result for step in look.kept_steps if step.result] for look in looks if look]
    there = [each for each in steps if each and each[-1].path.is_file()]
    if len(there) < len(ids):
        some = "This look is" if len(ids) == 1 else "Some of these looks are"
        raise InputError(f"{some} no longer here.", "Choose others.", slot="Looks")
    return [
        KeptLook(result=result, source=source_of(result.path), earlier=tuple(earlier)) for *earlier, result in there
    ]


def photo_of(look: KeptLook, browser: str, studio: Studio) -> Path | None:
    """The photo that a look was made from, if it is still there."""
    return None if look.source is None else still_there(look.source.photo, browser, studio)


def garments_of(look: KeptLook, browser: str, studio: Studio) -> list[tuple[Worn, Path | None]]:
    """What a look wears, each with its photo if that is still there."""
    return [(worn, still_there(worn.path, browser, studio)) for worn in look.garments]


def still_there(path: Path | str, browser: str, studio: Studio) -> Path | None:
    """A photo that a browser may use; None where it is gone, or none of its own."""
    try:
        return visible_upload(browser, path, slot="Look", studio=studio)
    except PhotoError:
        return None
