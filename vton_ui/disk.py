"""Whether there is room on the disk."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from vton_ui.errors import Cost, DiskFull

FREE_BYTES = 500_000_000
FREE_SHARE = 0.05
"""Uploads leave as much free as the smaller of the two, so that results can still be kept."""


def check_room(folder: Path, coming: int) -> None:
    """Whether so many bytes may be uploaded to a folder. DiskFull if not."""
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    if usage.free - coming < min(FREE_BYTES, usage.total * FREE_SHARE):
        raise _full(Cost.NOTHING)


def disk_full(exc: BaseException | None, cost: Cost = Cost.NOTHING) -> DiskFull | None:
    """The error in words, if a full disk is what an error comes from."""
    while exc is not None:
        if isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT):
            return _full(cost)
        exc = exc.__cause__ or exc.__context__
    return None


def _full(cost: Cost) -> DiskFull:
    return DiskFull("The disk of this server is full.", "Try again later; its owner has to make room.", cost=cost)
