"""Photos of a page → the files that are shown and used: made here, whatever the browser says it shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from vton_ui.errors import PhotoError, VtonError
from vton_ui.pictures.photos import shows_in_browser
from vton_ui.pictures.prepare import on_photos
from vton_ui.pictures.shared import SharedResults
from vton_ui.pictures.work import browser_jpeg, cut_garment, sheet_jpeg
from vton_ui.studio import Studio
from vton_ui.tryon.request import named
from vton_ui.ui.components.garments import Garment, proposed_order
from vton_ui.ui.web.uploads import visible_upload, written
from vton_ui.ui.web.visitor import browser_of, visitor_of


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was made of photos.

    Attributes:
        path: The file; None where nothing had to be made.
        kind: The cloth type that a garment looks like.
        refused: Whether a garment was to be cut out, and its ground is not plain enough.
    """

    path: Path | None
    kind: str | None = None
    refused: bool = False


_made: SharedResults[Made] = SharedResults(1000)
"""Files that were made, by what they were made from. An upload's content never changes under its path."""


@dataclass(frozen=True, kw_only=True)
class PagePhotos:
    """The photos of one visitor's page. What has to be made for it counts as free work."""

    studio: Studio
    request: gr.Request

    def visible(self, path: Any, slot: str) -> Path:
        """A file that the page names. PhotoError if it is not the visitor's own."""
        return visible_upload(browser_of(self.request), path, slot=slot, studio=self.studio)

    async def converted(self, photo: Path, slot: str) -> Path | None:
        """A photo as a JPEG, where browsers cannot show its format; otherwise None."""
        if await asyncio.to_thread(shows_in_browser, photo, slot=slot):
            return None

        async def make() -> Made:
            picture = await on_photos(slot, browser_jpeg, photo, slot)
            return Made(path=await asyncio.to_thread(written, picture, photo.stem) if picture else None)

        return (await self._once(("converted", photo), make, [photo])).path

    async def cut(self, garment: Garment, photo: Path, slot: str) -> Made:
        """A garment's photo as it is used; without a path where that is the photo itself.

        Raises:
            PhotoError: The photo cannot be used, or too little of it is left.
        """

        async def make() -> Made:
            cut = await on_photos(slot, cut_garment, photo, slot, garment.crop, garment.cut_out)
            path = await asyncio.to_thread(written, cut.jpeg, photo.stem) if cut.jpeg else None
            return Made(path=path, kind=cut.kind, refused=cut.refused)

        try:
            return await self._once(("cut", photo, garment.crop, garment.cut_out), make, [photo])
        except PhotoError as exc:  # another visitor, or another order, may have called the slot by another name
            raise PhotoError(exc.cause, exc.cure, slot=slot) from exc

    async def with_kinds(self, garments: Sequence[Garment]) -> list[Garment]:
        """The garments as the rail will show them once it was told their kinds: a click may be quicker."""
        guessed = await asyncio.gather(*(self._with_kind(garment, slot) for garment, slot in named(garments)))
        return proposed_order(guessed)

    async def _with_kind(self, garment: Garment, slot: str) -> Garment:
        if garment.kind:
            return garment
        try:
            return replace(garment, kind=(await self.cut(garment, self.visible(garment.path, slot), slot)).kind)
        except VtonError:
            return garment  # it can be tried on as what the option says, or `worn` says what is wrong

    async def worn(self, garments: Sequence[Garment]) -> list[Path]:
        """The garments' pictures as they are used: cropped and cut out.

        Raises:
            PhotoError: One cannot be used, or is not the visitor's own.
        """
        return list(await asyncio.gather(*(self._worn(garment, slot) for garment, slot in named(garments))))

    async def _worn(self, garment: Garment, slot: str) -> Path:
        photo = self.visible(garment.path, slot)
        if garment.plain:
            return photo
        return (await self.cut(garment, photo, slot)).path or photo

    async def sheet(self, garments: Sequence[Path], pixels: int, layout: str) -> Path | None:
        """The sheet of several garments, to show. PhotoError if one cannot be used."""

        async def make() -> Made:
            picture = await on_photos("Garments", sheet_jpeg, named(garments), pixels, layout)
            return Made(path=await asyncio.to_thread(written, picture, "sheet"))

        return (await self._once(("sheet", *garments, pixels, layout), make, garments)).path

    async def _once(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, Made]], photos: Sequence[Path]) -> Made:
        async def counted() -> Made:
            self.studio.free.count(visitor_of(self.request))
            return await make()

        made = await _made.get(key, counted, photos)
        if made.path and not made.path.exists():  # the hour of uploads is over, or it was forgotten
            forget(photos)
            made = await _made.get(key, counted, photos)
        if made.path:
            self.studio.session_uploads.add_upload(browser_of(self.request), [made.path])
        return made


def forget(photos: Collection[Path]) -> None:
    """Drop what was made from these photos."""
    _made.forget(photos)
