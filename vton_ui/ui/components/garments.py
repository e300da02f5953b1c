"""The garments on the rail, as a browser tells them and as the app reads them."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any

import gradio as gr

from vton_ui.models.spec import Choice, ModelSpec
from vton_ui.pictures.cutting import Box

KIND = "cloth_type"
"""The option of a model that asks for a garment's kind."""
MAX_READ = 12
"""How many garments are read: more than any model takes, so that the page can say that these are too many."""
MIN_CROP = 0.05
"""The least width and height of a crop, as a share of the picture's."""

_PUT_ON = {"inner": 0, "lower": 1, "upper": 2, "overall": 3, "outer": 4}
"""Cloth types in the order in which they are put on: under before over, lower before upper."""
_LONGEST_NAME, _LONGEST_PATH, _LONGEST_ADDRESS = 80, 1024, 2048
_ID, _KIND = re.compile(r"[A-Za-z0-9_-]{1,32}"), re.compile(r"[a-z_]{1,32}")
_ADDRESS = re.compile(r"(?:https?://|/(?!/)|[\w.-]+/)[^\s\x00-\x1f\x7f\\]*", re.ASCII | re.IGNORECASE)
_OF_A_CAMERA = re.compile(r"(?:img|dsc[fn]?|pxl|photo|image|picture|screenshot|p|dcim)?[\s\d]*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Garment:
    """One garment on the rail.

    Attributes:
        path: The file, as the browser names it: whether it may be used must be looked at by whoever opens it.
        url: Where the browser shows it; "" for `path` on this server.
        kind: Its cloth type, or None while nobody knows. Whether a model knows it must be looked at, too.
        guessed: Whether `kind` is a guess that the visitor did not touch.
        crop: The part of the picture to use; None for all of it.
        cut_out: Whether its plain ground is to be white.
        view: Where the browser shows the garment after crop and cut-out; None while that is being made.
        placed: Whether the visitor put the garments into their order.
    """

    id: str
    path: str
    url: str = ""
    name: str = "Garment"
    kind: str | None = None
    guessed: bool = True
    crop: Box | None = None
    cut_out: bool = False
    view: str | None = None
    placed: bool = False

    @property
    def plain(self) -> bool:
        """Whether its picture is used as it is."""
        return self.crop is None and not self.cut_out

    def as_json(self) -> dict[str, Any]:
        """For the browser."""
        return {**asdict(self), "crop": list(self.crop) if self.crop else None}


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What the server made of a garment as it was cropped and cut out then.

    Attributes:
        kind: The kind it looks like; for garments whose kind is a guess.
        path: The file that shows the garment as it is used; None where that is the upload itself.
        source: The file that takes the place of an upload which browsers cannot show.
        refused: Why it could not be cut out or, without a path, cropped; the rail says so and takes that back.
    """

    id: str
    crop: Box | None
    cut_out: bool
    kind: str | None = None
    path: str | None = None
    source: str | None = None
    refused: str | None = None

    def as_json(self) -> dict[str, Any]:
        """For the browser."""
        return {**asdict(self), "crop": list(self.crop) if self.crop else None}


def kinds(models: Iterable[ModelSpec]) -> list[tuple[str, str]]:
    """What a garment can be, as (value, label), for the first of these models that asks for it; else nothing."""
    asked = (option for model in models for option in model.options if option.name == KIND)
    return next((list(option.choices) for option in asked if isinstance(option, Choice)), [])


def new(path: str, *, name: str | None = None, kind: str | None = None) -> Garment:
    """A garment of a file of this server's, an example for instance.

    Args:
        name: What to call it; by default what the file is called.
        kind: What it is, where that is known and not a guess.
    """
    return Garment(id=secrets.token_hex(4), path=path, name=name or tidied(path), kind=kind, guessed=kind is None)


def tidied(filename: str) -> str:
    """A file's name as a garment's: "striped_tee-2.jpg" is "Striped tee 2", and what a camera writes is "Garment"."""
    words = " ".join(re.split(r"[\s_\-.+]+", _printable(PurePath(filename.replace("\\", "/")).stem))).strip()
    name = "Garment" if _OF_A_CAMERA.fullmatch(words) else words[0].upper() + words[1:]
    return name[:_LONGEST_NAME].rstrip()


def read(value: Any) -> list[Garment]:
    """The garments of a value that a browser sent, whatever it is: what cannot be read is left out."""
    found: dict[str, Garment] = {}
    for item in value[: 4 * MAX_READ] if isinstance(value, list) else ():
        garment = _garment(item)
        if garment and garment.id not in found and len(found) < MAX_READ:
            found[garment.id] = garment
    return list(found.values())


def proposed_order(garments: Sequence[Garment]) -> list[Garment]:
    """The garments as one puts them on: under before over, lower before upper; as they are once the visitor moved one.

    Garments whose kind nobody knows count as tops.
    """
    if any(garment.placed for garment in garments):
        return list(garments)
    return sorted(garments, key=lambda garment: _PUT_ON.get(garment.kind or "", _PUT_ON["upper"]))


def joining(garments: Sequence[Garment]) -> dict[str, Any]:
    """The update that adds garments to those on a rail, as far as they fit; none that was added meanwhile is lost."""
    return gr.update(added=[garment.as_json() for garment in garments])


def shown(previews: Sequence[Preview], order: Sequence[str] = ()) -> dict[str, Any]:
    """The update that tells a rail what became of its garments.

    It holds for garments that are still cropped and cut out as they were then; to others it does nothing, so that a
    late answer undoes nothing.

    Args:
        order: `proposed_order`; it is followed as long as the visitor moved nothing.
    """
    return gr.update(previews=[preview.as_json() for preview in previews], order=list(order))


def _garment(item: Any) -> Garment | None:
    if not isinstance(item, dict):
        return None
    identity, path = item.get("id"), item.get("path")
    if not isinstance(identity, str) or not _ID.fullmatch(identity):
        return None
    if not isinstance(path, str) or not 0 < len(path) <= _LONGEST_PATH or not path.isprintable():
        return None
    kind = item.get("kind")
    known = kind if isinstance(kind, str) and _KIND.fullmatch(kind) else None
    return Garment(
        id=identity,
        path=path,
        url=_address(item.get("url")) or "",
        name=_name(item.get("name")),
        kind=known,
        guessed=item.get("guessed") is not False or known is None,
        crop=_crop(item.get("crop")),
        cut_out=item.get("cut_out") is True,
        view=_address(item.get("view")),
        placed=item.get("placed") is True,
    )


def _name(given: Any) -> str:
    text = " ".join(_printable(given[:1000]).split()) if isinstance(given, str) else ""
    return text[:_LONGEST_NAME].rstrip() or "Garment"


def _printable(text: str) -> str:
    """The text without control characters, and without those that turn its direction."""
    return "".join(" " if unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else letter for letter in text)


def _address(given: Any) -> str | None:
    """An address on the web or on this server, and none that means anything else to a browser."""
    fits = isinstance(given, str) and len(given) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(given)
    return given if fits else None


def _crop(given: Any) -> Box | None:
    """A box inside the picture; None for what is none, is too small, or is the whole picture."""
    if not isinstance(given, list) or len(given) != 4:
        return None
    if not all(isinstance(edge, int | float) and not isinstance(edge, bool) for edge in given):
        return None
    left, top, right, bottom = given
    inside = 0 <= left < right <= 1 and 0 <= top < bottom <= 1  # NaN is not
    if not inside or min(right - left, bottom - top) < MIN_CROP - 1e-6:
        return None
    box = (float(left), float(top), float(right), float(bottom))
    return None if box == (0, 0, 1, 1) else box
