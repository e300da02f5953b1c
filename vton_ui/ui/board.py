"""The looks that one tab of a browser shows: in the station those of the last click, in the strip all that are kept."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from vton_ui.tryon.changed import Changed
from vton_ui.ui.look import Look, plan_of
from vton_ui.ui.memory import NO_MEMORY, State

MAX_BOARDS = 1000
TWICE_SECONDS = 0.8
PROGRESS_SECONDS = 0.5
"""Between two reports of progress: a slow phone draws each that it is sent, and would fall behind."""
MAX_LOOKS = 12
"""In the station; one more takes the place of the oldest that is over."""


def set_all(stops: Iterable[asyncio.Event]) -> None:
    """Cancel all of these."""
    for stop in stops:
        stop.set()


@dataclass(kw_only=True, eq=False)
class Board:
    """What one tab shows.

    Attributes:
        looks: The station's, in their order.
        earlier: What stood there before the click under way; it comes back if that brings no picture.
        kept: The strip's, newest first.
        memory: What the browser keeps, as this tab wrote it last.
        file: The address of the file that was asked for last. It stays: a later step must not hide it from a slow page.
        rest: The words on the button that orders what an earlier run left.
        stops: What cancels the looks under way.
        asked: When what was asked for last.
        progress_at: When the page was last told of progress.
        is_ordering: Whether a click is being worked on, so that a double click orders once.
        is_starting: Whether its looks are not there yet.
        is_filled: Whether `kept` and `memory` were read from what the browser keeps; `filling` is held meanwhile.
    """

    looks: dict[str, Look] = field(default_factory=dict)
    earlier: dict[str, Look] = field(default_factory=dict)
    kept: dict[str, Look] = field(default_factory=dict)
    memory: State = NO_MEMORY
    file: str | None = None
    rest: str = ""
    stops: defaultdict[str, set[asyncio.Event]] = field(default_factory=lambda: defaultdict(set))
    asked: dict[tuple[str, ...], float] = field(default_factory=dict)
    progress_at: float = 0.0
    is_ordering: bool = False
    is_starting: bool = False
    is_filled: bool = False
    filling: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_busy(self) -> bool:
        """Whether a click is about to show its looks, or one of them is under way."""
        return self.is_starting or not all(look.is_over for look in self.looks.values())

    @property
    def only(self) -> Look | None:
        """The look in the station, if there is one and no other."""
        return next(iter(self.looks.values())) if len(self.looks) == 1 else None

    @property
    def left(self) -> list[Look]:
        """The looks that an earlier run left, as far as they can be ordered now."""
        return [look for look in self.looks.values() if look.state == "not_ordered" and plan_of(look, go_on=True)]

    def find(self, id: str) -> Look | None:
        """A look of this tab, by what the browser calls it."""
        return self.looks.get(id) or self.kept.get(id)

    def show(self, looks: Iterable[Look]) -> None:
        """Show the looks of a new click in place of those before."""
        self.earlier = {id: look for id, look in self.looks.items() if look.result} or self.earlier
        self.looks, self.is_starting = {look.id: look for look in looks}, False

    def give_back(self) -> None:
        """Show again what was shown before the click."""
        self.looks, self.earlier, self.is_starting = self.earlier, {}, False

    def put(self, look: Look) -> None:
        """Show a look in its place, or beside the others."""
        if look.id not in self.looks and len(self.looks) >= MAX_LOOKS:
            oldest = next((id for id, other in self.looks.items() if other.is_over), None)
            if oldest is not None:
                del self.looks[oldest]
        self.looks[look.id] = look

    def known(self) -> list[Look]:
        """All looks of this tab, each once."""
        return list({**self.kept, **self.looks}.values())

    def compared(self, result: Path, changed: Changed) -> None:
        """Note what a picture changed of its photo."""
        for shown in (self.looks, self.kept):
            for id, look in shown.items():
                if look.result and look.result.path == result:
                    shown[id] = replace(look, changed=changed)

    def is_repeated(self, *asked: str) -> bool:
        """Whether the same was asked for just now: the second half of a double click orders nothing."""
        now, before = time.monotonic(), self.asked.get(asked)
        self.asked[asked] = now
        return before is not None and now - before < TWICE_SECONDS

    def take_up(self, looks: Mapping[str, Look]) -> None:
        """Show looks of an earlier time; what this tab shows of other looks that are over stays."""
        here = {id: look for id, look in self.looks.items() if look.is_over or self.stops.get(id)}
        others = {id: look for id, look in here.items() if id not in looks}
        self.looks = {**others, **looks}

    def restore(self, id: str, look: Look | None) -> None:
        """Show a look as it was before; None: it was not there."""
        if look is not None:
            self.looks[id] = look
        else:
            self.looks.pop(id, None)

    def is_progress_due(self) -> bool:
        """Whether the page is told of progress now, changed or not: only then Gradio notices a page that is gone."""
        now = time.monotonic()
        due = now - self.progress_at >= PROGRESS_SECONDS
        self.progress_at = now if due else self.progress_at
        return due

    @contextmanager
    def stoppable(self, stops: Collection[tuple[str, asyncio.Event]]) -> Iterator[None]:
        """In here each of these stops cancels something of its look."""
        for id, stop in stops:
            self.stops[id].add(stop)
        try:
            yield
        finally:
            for id, stop in stops:
                self.stops[id].discard(stop)
                if not self.stops[id]:
                    del self.stops[id]

    def keep(self, look: Look) -> None:
        """Put what a look has by now at the front of the strip."""
        others = {id: other for id, other in self.kept.items() if id != look.id}
        self.kept = {look.id: replace(look, steps=look.kept_steps), **others}


class Boards:
    """The boards of the tabs that were used last, by browser and session."""

    def __init__(self) -> None:
        self._boards: OrderedDict[tuple[str, str], Board] = OrderedDict()

    def of(self, browser: str, session: str) -> Board:
        """A tab's board."""
        board = self._boards.setdefault((browser, session), Board())
        self._boards.move_to_end((browser, session))
        while len(self._boards) > MAX_BOARDS:
            self._boards.popitem(last=False)
        return board

    def others(self, browser: str, board: Board) -> list[Board]:
        """The boards of a browser's other tabs."""
        return [other for key, other in self._boards.items() if key[0] == browser and other is not board]

    def forget(self, browser: str) -> None:
        """Drop what the tabs of a browser show."""
        for key in [key for key in self._boards if key[0] == browser]:
            del self._boards[key]
