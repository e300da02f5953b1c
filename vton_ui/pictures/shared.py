"""Results that several callers need: each is made once and shared, even while it is being made."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Coroutine, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(eq=False)
class _Entry(Generic[T]):
    """One result: its task, how many callers wait for it, and the files it was made from, for each use."""

    task: asyncio.Task[T]
    waiting: int = 0
    uses: set[frozenset[Path]] = field(default_factory=set)


class SharedResults(Generic[T]):
    """The results used last, up to `capacity`.

    Callers who need the same result at the same time wait for one task. If all of them are cancelled, so is the task.
    Errors are not kept.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()

    async def get(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, T]], files: Collection[Path]) -> T:
        """The result for a key.

        Args:
            key: Equal keys share one result.
            make: Makes it, if it is not there yet. What it raises is raised here.
            files: What it is made from; see `forget`.
        """
        key = (asyncio.get_running_loop(), key)  # a task belongs to its loop
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(asyncio.ensure_future(make()))
        entry.uses.add(frozenset(files))
        self._entries.move_to_end(key)
        while len(self._entries) > self._capacity:
            self._entries.popitem(last=False)
        entry.waiting += 1
        try:
            return await asyncio.shield(entry.task)
        except BaseException:
            if self._entries.get(key) is entry and (entry.task.done() or entry.waiting == 1):
                del self._entries[key]
            raise
        finally:
            entry.waiting -= 1
            if not entry.waiting:
                entry.task.cancel()  # does nothing if it is done

    def forget(self, files: Collection[Path]) -> None:
        """Drop what was made only from these files, or from files that are deleted. Callers who wait still get it."""
        used = {file for entry in self._entries.values() for use in entry.uses for file in use}
        gone = {*files, *(file for file in used if not file.exists())}
        for key, entry in list(self._entries.items()):
            entry.uses = {use for use in entry.uses if use.isdisjoint(gone)}
            if not entry.uses:
                del self._entries[key]
