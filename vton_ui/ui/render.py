"""The looks of a tab, and errors → what the page shows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.errors import Filtered, InputError, OverBudget, SubmitUnclear, VtonError
from vton_ui.tryon.events import Failed
from vton_ui.ui import markup
from vton_ui.ui.board import Board
from vton_ui.ui.components.tiles import station_value, strip_value
from vton_ui.ui.look import NotOrdered
from vton_ui.ui.look_tiles import tile
from vton_ui.ui.page import Page

Updates = dict[Component, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Renderer:
    """What a board holds → updates of the page."""

    page: Page

    def show(self, board: Board, status: str | None = None) -> Updates:
        """The station, and what belongs to it.

        Part of every step, because Gradio's page applies what changed between two steps to the older value in place: a
        phone that had not drawn the first step yet would lose what the second one does not repeat.

        Args:
            status: The line over the station, where the looks do not say it.
        """
        page, only = self.page, board.only
        before = next(iter(board.earlier.values()), None) if only else None
        meanwhile = before.result.path if before and before.result else None
        return {
            page.result: station_value(
                [tile(look, meanwhile=meanwhile) for look in board.looks.values()],
                rest=board.rest if board.left else "",
            ),
            page.status: _status(board) if status is None else status,
            **self._buttons(board),
            **self._under(board),
        }

    def kept(self, board: Board) -> Updates:
        """The strip, and what the browser is to keep."""
        looks = strip_value([tile(look) for look in board.kept.values()], file=board.file)
        return {self.page.looks: looks, self.page.memory: board.memory}

    def failed(self, exc: VtonError) -> Updates:
        """The card that says what happened and what to do, and the buttons that do it."""
        page, unclear = self.page, isinstance(exc, SubmitUnclear)
        final = isinstance(exc, (InputError, Filtered, OverBudget))
        return {
            page.failure: markup.failure(exc),
            page.look_again: button("Look again") if unclear else gr.update(visible=False),
            page.retry: gr.update(visible=not final, value="Send again" if unclear else "Try again"),
            **({page.again: gr.update(visible=True)} if isinstance(exc, Filtered) else {}),
        }

    def _buttons(self, board: Board) -> Updates:
        page, hidden = self.page, gr.update(visible=False)
        if board.is_busy:
            busy: Updates = {page.try_on: hidden, page.again: hidden, page.retry: hidden, page.look_again: hidden}
            return {**busy, page.confirm: "", page.cancel: gr.update(visible=True)}
        return {
            page.try_on: gr.update(visible=True),
            page.again: gr.update(visible=bool(board.only and board.only.state == "done")),
            page.cancel: gr.update(visible=False, interactive=True, value="Cancel"),
        }

    def _under(self, board: Board) -> Updates:
        """What is under the picture of a single look; the looks of a larger click tell it in the viewer."""
        page, only = self.page, board.only
        if only is None:
            return {page.details: "", page.download: gr.update(value=None, visible=False)}
        if only.state != "done" or only.result is None:
            return {}  # what is under the picture before it stays
        details = markup.details(only.result, only.current.model)
        return {page.details: details, page.download: gr.update(value=str(only.result.path), visible=True)}


def _status(board: Board) -> str:
    if not board.looks:
        return markup.STARTED if board.is_ordering else markup.INVITATION
    if board.only is None:
        return markup.status_of_several([look.state for look in board.looks.values()])
    last = board.only.current.last
    if last is None:
        return markup.STARTED
    return "" if isinstance(last, (Failed, NotOrdered)) else markup.status(last)


def button(words: str) -> Any:
    """A visible button with this text."""
    return gr.update(value=words, visible=True)
