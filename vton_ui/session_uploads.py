"""Which browser has which uploads. Gradio names uploads by their content, so several visitors can share one file."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

MAX_OWNERS = 1000
"""Owners remembered at most. Uploads are deleted after an hour anyway."""


@dataclass
class _Files:
    current: set[Path] = field(default_factory=set)
    forgotten: set[Path] = field(default_factory=set)


class SessionUploads:
    """The uploads of the most recent owners. An owner is a browser, or a visitor whose browser keeps no cookie."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, _Files] = OrderedDict()

    def add(self, owner: str, paths: Iterable[Path]) -> None:
        """Note that the owner uses these files, in whatever way they came."""
        self._of(owner).current.update(paths)

    def add_upload(self, owner: str, paths: Iterable[Path]) -> None:
        """Note that the owner uploaded these files. This restores access to files that were forgotten."""
        new, files = {path.resolve() for path in paths}, self._of(owner)
        files.current |= new
        files.forgotten -= new

    def is_forgotten(self, owner: str, path: Path) -> bool:
        """Whether the owner has forgotten this file and has not uploaded it since."""
        files = self._files.get(owner)
        return files is not None and path in files.forgotten

    def forget(self, owner: str, *, keep: Iterable[Path]) -> set[Path]:
        """Remove an owner's access to all files but `keep`. Returns the files that no other owner has."""
        files = self._of(owner)
        removed = files.current - set(keep)
        files.forgotten |= removed
        files.current = set()
        return removed.difference(*(other.current for other in self._files.values()))

    def paths(self, owner: str) -> set[Path]:
        """The files of an owner."""
        return set(self._of(owner).current)

    def drop_deleted(self) -> None:
        """Drop the entries of files that no longer exist."""
        for files in list(self._files.values()):
            files.current = {path for path in files.current if path.exists()}
            files.forgotten = {path for path in files.forgotten if path.exists()}

    def _of(self, owner: str) -> _Files:
        files = self._files.setdefault(owner, _Files())
        self._files.move_to_end(owner)
        while len(self._files) > MAX_OWNERS:
            self._files.popitem(last=False)
        return files
