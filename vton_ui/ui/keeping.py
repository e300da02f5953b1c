"""Looks to take away, and what they changed of the photo."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.disk import check_room
from vton_ui.errors import InputError, VtonError
from vton_ui.pictures.prepare import on_photos
from vton_ui.tryon.changed import change_of
from vton_ui.tryon.export import Look, contact_sheet_file, write_zip
from vton_ui.ui import markup
from vton_ui.ui.compat.files import upload_folder
from vton_ui.ui.components.actions import Action
from vton_ui.ui.errors import translate_error
from vton_ui.ui.kept_looks import KeptLook, chosen, photo_of
from vton_ui.ui.look_tiles import upload_address
from vton_ui.ui.page_input import PageValues
from vton_ui.ui.render import Updates
from vton_ui.ui.tab import Tab, Tabs
from vton_ui.ui.web.uploads import written

MAX_OFFERS = 1000
"""Browsers whose last file is remembered. Files are deleted after an hour anyway."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """The file that a browser asked for last, and of which looks."""

    action: Action
    path: Path


@dataclass(frozen=True, kw_only=True, eq=False)
class Keeping:
    """The events with kept looks that give a file or a fact.

    Attributes:
        offers: The last file made for each browser.
    """

    tabs: Tabs
    offers: OrderedDict[str, Offer] = field(default_factory=OrderedDict)

    async def download_chosen(self, values: PageValues, action: Action, request: gr.Request) -> Updates:
        """The chosen looks as a ZIP."""
        return await self._given(await self.tabs.of(values, request), action, _zip)

    async def contact_sheet(self, values: PageValues, action: Action, request: gr.Request) -> Updates:
        """The chosen looks and their photo as one picture."""
        return await self._given(await self.tabs.of(values, request), action, _sheet)

    async def compare(self, values: dict[Component, Any], request: gr.Request) -> Updates:
        """Compare the looks that are not yet, after they were shown: see what each changed of its photo.

        One after the other: it can wait, and other visitors' photos cannot.
        """
        tab = await self.tabs.of(values, request)
        board, found = tab.board, False
        for name in [look.id for look in board.known() if look.result and look.is_over and not look.changed]:
            try:
                (look,) = await asyncio.to_thread(chosen, board, [name])
                photo = photo_of(look, tab.browser, tab.studio)
                if photo is None:
                    continue
                if not tab.studio.free.allows(tab.visitor):
                    break
                changed = await change_of(photo, look.result.path)
            except VtonError:
                continue  # of another shape, or just deleted: it stays without
            board.compared(look.result.path, changed)
            found = True
        if not found:
            return {part: gr.skip() for part in self.shown}  # of an empty dict Gradio says that values are missing
        # Nothing else: what is said of the last click stays as it is.
        return {part: value for part, value in {**tab.show(), **tab.kept()}.items() if part in self.shown}

    @property
    def shown(self) -> list[Component]:
        """The parts of the page that show looks."""
        return [self.tabs.page.result, self.tabs.page.looks]

    async def _given(self, tab: Tab, action: Action, make: Callable[[list[KeptLook], Tab], Awaitable[Path]]) -> Updates:
        """A file of the chosen looks, for the browser to save."""
        try:
            looks = await asyncio.to_thread(chosen, tab.board, action.ids)
            last = self.offers.get(tab.browser)
            if last is None or last.action != action or not last.path.is_file():
                tab.count()
                last = self._offered(tab, Offer(action=action, path=await make(looks, tab)))
            # Another address each time: the strip saves none twice.
            tab.board.file = f"{upload_address(last.path)}#{secrets.token_hex(4)}"
            return {**tab.kept(), tab.page.failure: ""}
        except Exception as exc:
            return {tab.page.failure: markup.failure(translate_error(exc))}

    def _offered(self, tab: Tab, offer: Offer) -> Offer:
        """Remember a browser's file in place of the one before, so that nobody fills the disk with them."""
        before = self.offers.pop(tab.browser, None)
        if before is not None:
            before.path.unlink(missing_ok=True)
        self.offers[tab.browser] = offer
        while len(self.offers) > MAX_OFFERS:
            self.offers.popitem(last=False)
        tab.studio.session_uploads.add(tab.browser, [offer.path])
        return offer


async def _zip(looks: list[KeptLook], tab: Tab) -> Path:
    return await asyncio.to_thread(_written_zip, [look.to_export(tab.studio) for look in looks])


def _written_zip(looks: Sequence[Look]) -> Path:
    """The ZIP in the folder of uploads. DiskFull if there is no room."""
    sizes = [look.result.path.stat().st_size for look in looks if look.result.path.is_file()]
    check_room(upload_folder(), sum(sizes))
    path = upload_folder() / secrets.token_urlsafe(16) / "looks.zip"
    path.parent.mkdir(parents=True)
    write_zip(looks, path)
    return path


async def _sheet(looks: list[KeptLook], tab: Tab) -> Path:
    photos = {look.source.photo: look for look in looks if look.source}
    if len(photos) > 1:
        raise InputError(f"These looks are of {len(photos)} photos.", "Choose looks of one photo.", slot="Looks")
    photo = next((photo_of(look, tab.browser, tab.studio) for look in photos.values()), None)
    exported = [look.to_export(tab.studio) for look in looks]
    data = await on_photos("Contact sheet", contact_sheet_file, photo, exported)
    return await asyncio.to_thread(written, data, "looks")
