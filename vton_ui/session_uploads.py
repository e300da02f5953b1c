"""Which uploads are whose: several visitors with the same photo share one file, since it is named by its content."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

OWNERS = 1000
"""Remembered at most; the uploads themselves are deleted after an hour anyway."""


@dataclass
class _Files:
    has: set[Path] = field(default_factory=set)
    gave_up: set[Path] = field(default_factory=set)


class Seen:
    """The uploads of every owner, of the last owners. An owner is a browser, or a visitor without one."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, _Files] = OrderedDict()

    def add(self, owner: str, paths: Iterable[Path]) -> None:
        """The owner has shown these, by whatever way they came."""
        self._of(owner).has.update(paths)

    def uploaded(self, owner: str, paths: Iterable[Path]) -> None:
        """The owner has brought these, which gives back a right that was given up."""
        new, files = {path.resolve() for path in paths}, self._of(owner)
        files.has |= new
        files.gave_up -= new

    def gave_up(self, owner: str, path: Path) -> bool:
        """Whether the owner has given this one up, and not uploaded it since."""
        files = self._files.get(owner)
        return files is not None and path in files.gave_up

    def give_up(self, owner: str, *, kept: Iterable[Path]) -> set[Path]:
        """Take all files from an owner, but for those that are everybody's; returns those that nobody else has."""
        files = self._of(owner)
        gone = files.has - set(kept)
        files.gave_up |= gone
        files.has = set()
        return gone.difference(*(other.has for other in self._files.values()))

    def paths(self, owner: str) -> set[Path]:
        """What an owner has."""
        return set(self._of(owner).has)

    def drop_deleted(self) -> None:
        """Forget the files that are no longer there."""
        for files in list(self._files.values()):
            files.has = {path for path in files.has if path.exists()}
            files.gave_up = {path for path in files.gave_up if path.exists()}

    def _of(self, owner: str) -> _Files:
        files = self._files.setdefault(owner, _Files())
        self._files.move_to_end(owner)
        while len(self._files) > OWNERS:
            self._files.popitem(last=False)
        return files
