"""The looks that a browser has kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from vton_ui.errors import InputError, PhotoError
from vton_ui.studio import Studio
from vton_ui.tryon.export import Look
from vton_ui.tryon.look_source import LookSource, Worn
from vton_ui.tryon.results import Result
from vton_ui.ui.web.uploads import visible_upload


@dataclass(frozen=True, kw_only=True)
class KeptLook:
    """A look that a browser has kept.

    Attributes:
        id: As on its tile.
        source: What it was made from, where that is known.
    """

    id: str
    result: Result
    source: LookSource | None

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
        )


def chosen(looks: Sequence[KeptLook], ids: Collection[str]) -> list[KeptLook]:
    """The looks of these ids, in their order: ids come from a browser, and only its own looks are found.

    Raises:
        InputError: One of them is not there.
    """
    by_id = {look.id: look for look in looks}
    if not by_id.keys() >= set(ids):
        some = "This look is" if len(ids) == 1 else "Some of these looks are"
        raise InputError(f"{some} no longer here.", "Choose others.", slot="Looks")
    return [by_id[name] for name in ids]


def photo_of(look: KeptLook, browser: str, studio: Studio) -> Path | None:
    """The photo that a look was made from, if it is still there."""
    return None if look.source is None else _still_there(look.source.photo, browser, studio)


def garments_of(look: KeptLook, browser: str, studio: Studio) -> list[tuple[Worn, Path | None]]:
    """What a look wears, each with its photo if that is still there."""
    return [(worn, _still_there(worn.path, browser, studio)) for worn in look.garments]


def _still_there(path: Path, browser: str, studio: Studio) -> Path | None:
    try:
        return visible_upload(browser, path, slot="Look", studio=studio)
    except PhotoError:
        return None
