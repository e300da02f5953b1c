"""Which uploads a browser session has shown on its page."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

SESSIONS = 1000
"""Remembered at most; the uploads themselves are deleted after an hour anyway."""


class Seen:
    """The uploads of every session, of the last sessions."""

    def __init__(self) -> None:
        self._paths: OrderedDict[str, set[Path]] = OrderedDict()

    def add(self, session: str | None, paths: Iterable[Path]) -> None:
        """These stand on the session's page."""
        self._paths.setdefault(session or "", set()).update(paths)
        self._paths.move_to_end(session or "")
        while len(self._paths) > SESSIONS:
            self._paths.popitem(last=False)

    def pop(self, session: str | None) -> set[Path]:
        """All that stood there, and no longer remembered."""
        return self._paths.pop(session or "", set())
