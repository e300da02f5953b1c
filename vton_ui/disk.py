"""Room on the disk."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from pathlib import Path

from vton_ui.errors import Cost, DiskFull

FREE_BYTES = 500_000_000
FREE_SHARE = 0.05
"""Uploads leave the smaller of the two free, so that results can still be saved."""


def check_room(folder: Path, coming: int) -> None:
    """DiskFull if a folder's disk has no room for so many uploaded bytes."""
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    if usage.free - coming < min(FREE_BYTES, usage.total * FREE_SHARE):
        raise _full(Cost.NOTHING)


def disk_full(exc: BaseException | None, cost: Cost = Cost.NOTHING) -> DiskFull | None:
    """DiskFull if a full disk caused this error, otherwise None."""
    while exc is not None:
        if isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT):
            return _full(cost)
        if isinstance(exc, sqlite3.Error) and "disk is full" in str(exc):
            return _full(cost)
        exc = exc.__cause__ or exc.__context__
    return None


def _full(cost: Cost) -> DiskFull:
    return DiskFull("The disk of this server is full.", "Try again later; its owner has to make room.", cost=cost)
