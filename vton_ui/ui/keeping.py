"""Looks to take away, and what they changed of the photo."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.disk import check_room
from vton_ui.errors import InputError, VtonError
from vton_ui.pictures.prepare import on_photos
from vton_ui.studio import Studio
from vton_ui.tryon.changed import change_of, kept_change
from vton_ui.tryon.export import Look, contact_sheet_file, write_zip
from vton_ui.ui import markup
from vton_ui.ui.compat.files import upload_folder
from vton_ui.ui.components.actions import Action
from vton_ui.ui.errors import translate_error
from vton_ui.ui.kept import KeptLook, chosen, photo_of
from vton_ui.ui.page import Page
from vton_ui.ui.web.uploads import written
from vton_ui.ui.web.visitor import browser_of, visitor_of

Updates = dict[Component, Any]
Values = Mapping[Component, Any]

MAX_OFFERS = 1000
"""Browsers whose last file is remembered. Files are deleted after an hour anyway."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """The file that a browser asked for last, and of which looks."""

    kind: str
    ids: tuple[str, ...]
    path: Path


@dataclass(frozen=True, kw_only=True, eq=False)
class Keeping:
    """The events with kept looks that give a file or a fact, on one studio.

    Attributes:
        kept: The looks that the caller's browser has kept.
        strip: The strip of them, with a file to save.
        offers: The last file made for each browser.
    """

    page: Page
    studio: Studio
    kept: Callable[[Values, gr.Request], Awaitable[Sequence[KeptLook]]]
    strip: Callable[[Values, gr.Request, Path | None], Awaitable[Updates]]
    offers: OrderedDict[str, Offer] = field(default_factory=OrderedDict)

    async def download_chosen(self, action: Action, values: Values, request: gr.Request) -> Updates:
        """The chosen looks as a ZIP."""
        return await self._given(action, values, request, self._zip)

    async def contact_sheet(self, action: Action, values: Values, request: gr.Request) -> Updates:
        """The chosen looks and their photo as one picture."""
        return await self._given(action, values, request, self._sheet)

    async def compare(self, values: Values, request: gr.Request) -> Updates:
        """Compare the looks that are not yet, after they were shown: see what each changed of its photo."""
        browser, found = browser_of(request), False
        for look in await self.kept(values, request):
            photo = None if kept_change(look.result.path) else photo_of(look, browser, self.studio)
            if photo is None:
                continue
            if not self.studio.free.allows(visitor_of(request)):
                break
            try:
                await change_of(photo, look.result.path)
                found = True
            except VtonError:
                continue  # of another shape, or just deleted: it stays without
        return await self.strip(values, request, None) if found else {}

    async def _given(
        self,
        action: Action,
        values: Values,
        request: gr.Request,
        make: Callable[[list[KeptLook], str], Awaitable[Path]],
    ) -> Updates:
        """A file of the chosen looks, for the browser to save."""
        browser = browser_of(request)
        try:
            looks = chosen(await self.kept(values, request), action.ids)
            last = self.offers.get(browser)
            if last is None or (last.kind, last.ids) != (action.name, action.ids) or not last.path.is_file():
                self.studio.free.count(visitor_of(request))
                path = await make(looks, browser)
                self._offer(browser, Offer(kind=action.name, ids=action.ids, path=path))
            return await self.strip(values, request, self.offers[browser].path)
        except Exception as exc:
            return {self.page.failure: markup.failure(translate_error(exc))}

    def _offer(self, browser: str, offer: Offer) -> None:
        """Remember a browser's file in place of the one before, so that nobody fills the disk with them."""
        before = self.offers.pop(browser, None)
        if before is not None:
            before.path.unlink(missing_ok=True)
        self.offers[browser] = offer
        while len(self.offers) > MAX_OFFERS:
            self.offers.popitem(last=False)
        self.studio.session_uploads.add(browser, [offer.path])

    async def _zip(self, looks: list[KeptLook], browser: str) -> Path:
        exported = [look.to_export(self.studio) for look in looks]
        return await asyncio.to_thread(_written_zip, exported)

    async def _sheet(self, looks: list[KeptLook], browser: str) -> Path:
        photos = {look.source.photo if look.source else None for look in looks}
        if len(photos) > 1:
            raise InputError(
                f"These looks are of {len(photos)} photos.", "Choose looks of one photo.", slot="Contact sheet"
            )
        exported = [look.to_export(self.studio) for look in looks]
        photo = photo_of(looks[0], browser, self.studio)
        data = await on_photos("Contact sheet", contact_sheet_file, photo, exported)
        return await asyncio.to_thread(written, data, "looks")


def _written_zip(looks: Sequence[Look]) -> Path:
    """The ZIP in the folder of uploads. DiskFull if there is no room."""
    sizes = [look.result.path.stat().st_size for look in looks if look.result.path.is_file()]
    check_room(upload_folder(), sum(sizes))
    path = upload_folder() / secrets.token_urlsafe(16) / "looks.zip"
    path.parent.mkdir(parents=True)
    write_zip(looks, path)
    return path
