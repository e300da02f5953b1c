"""The addresses of kept pictures: they tell nothing of where this server keeps them."""

from __future__ import annotations

import re
from pathlib import Path

from vton_ui.ui.compat.routes import file_address

_KEPT = re.compile(r"results/(?P<folder>[A-Za-z0-9_-]{22})/(?P<name>[A-Za-z0-9_-]{1,100}\.(?:jpg|png))")
"""A folder whose name nobody can guess, and a picture in it; what else is beside it is not served."""


def kept_address(picture: Path) -> str:
    """The address of a kept picture, or of one beside it; relative to the page."""
    return file_address("", f"results/{picture.parent.name}/{picture.name}").lstrip("/")


def kept_picture(path: str, store: Path) -> Path | None:
    """The file behind such an address, whether or not it is there; None if it is no such address."""
    found = _KEPT.fullmatch(path)
    return store.resolve() / found["folder"] / found["name"] if found else None
