"""The photos of a request → the two pictures that are sent. CPU work: call it off the event loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from vton_ui.models.spec import Size
from vton_ui.pictures import sheet as sheets
from vton_ui.pictures.framing import Frame, contained, edge_colour, fitted, pad
from vton_ui.pictures.photos import as_it_is, read, shows_in_browser, to_jpeg

SHOWN_PIXELS = 2_000_000
"""Pixels kept of a photo that the browser cannot show and that is therefore converted on arrival."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture as it is sent; `frame` says where the photo lies in it."""

    jpeg: bytes
    size: Size
    frame: Frame


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The two pictures of a request."""

    person: Picture
    garment: Picture


def prepare_person(path: Path, pixels: int, fixed: Size | None) -> Picture:
    """The person's picture: fitted into `pixels`, or padded to `fixed`.

    Args:
        path: The photo.
        pixels: The most pixels it may have.
        fixed: The size it must have, if the model has an output size of its own.

    Raises:
        PhotoError: The photo cannot be used.
    """
    ready = _ready(path, "Person", pixels, fixed)
    if ready:
        return ready
    image = read(path, slot="Person", to=_within(pixels, fixed))
    if fixed in (None, image.size):
        return _picture(image, fixed)
    # A ground like the photo's own edge: a hard white or black bar would draw the model's attention.
    return _picture(image, fixed, edge_colour(image))


def prepare_garment(garments: Sequence[tuple[Path, str]], pixels: int, fixed: Size | None) -> Picture:
    """The garment's picture, or the sheet of several, likewise. `garments` are (photo, name of its slot)."""
    ready = _ready(*garments[0], pixels, fixed) if len(garments) == 1 else None
    if ready:
        return ready
    return _picture(sheet(garments, pixels, fixed), fixed, sheets.GROUND)


def sheet(garments: Sequence[tuple[Path, str]], pixels: int, fixed: Size | None = None) -> Image.Image:
    """What the model gets to see of the garments, before any padding."""
    sheets.grid(len(garments))
    if len(garments) == 1:
        path, slot = garments[0]
        return read(path, slot=slot, to=_within(pixels, fixed))
    # Each piece is trimmed after this, so it may need more pixels now than its cell has.
    images = [read(path, slot=slot, to=lambda size: fitted(size, 2 * pixels)) for path, slot in garments]
    return sheets.sheet(images, pixels=pixels)


def sheet_jpeg(garments: Sequence[tuple[Path, str]], pixels: int) -> bytes:
    """The same as a file, to look at."""
    return to_jpeg(sheet(garments, pixels))


def shown(path: Path, slot: str) -> bytes | None:
    """A photo as a JPEG, where browsers cannot show its format (HEIC, TIFF). PhotoError if it cannot be used."""
    if shows_in_browser(path, slot=slot):
        return None
    return to_jpeg(read(path, slot=slot, to=lambda size: fitted(size, SHOWN_PIXELS)))


def _within(pixels: int, fixed: Size | None) -> Callable[[Size], Size]:
    """The size that a photo is to have, given its own."""
    return lambda size: contained(size, fixed) if fixed else fitted(size, pixels)


def _ready(path: Path, slot: str, pixels: int, fixed: Size | None) -> Picture | None:
    """A photo that is sent as it is, since it is already what should be sent."""
    ready = as_it_is(path, slot=slot, to=_within(pixels, fixed))
    if ready is None or (fixed and ready[1] != fixed):
        return None
    data, size = ready
    frame = Frame(width=size.width, height=size.height, left=0, top=0, right=size.width, bottom=size.height)
    return Picture(jpeg=data, size=size, frame=frame)


def _picture(image: Image.Image, fixed: Size | None, colour: tuple[int, int, int] = sheets.GROUND) -> Picture:
    image, frame = pad(image, fixed or Size(*image.size), colour=colour)
    return Picture(jpeg=to_jpeg(image), size=Size(*image.size), frame=frame)
