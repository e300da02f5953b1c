"""What workers do with photos: the two pictures that are sent, and what the page shows. CPU work only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from vton_ui.errors import PhotoError
from vton_ui.models.spec import Size
from vton_ui.pictures import sheet as sheets
from vton_ui.pictures.cutting import Box, cropped, cut_out, guess_kind
from vton_ui.pictures.framing import Frame, contained, edge_colour, fitted, pad
from vton_ui.pictures.photos import MIN_SIDE, read, shows_in_browser, to_jpeg, unchanged

BROWSER_PIXELS = 2_000_000
"""Pixels kept of a photo whose format browsers cannot show, and which is therefore converted on arrival."""


CROPPED_PIXELS, GUESS_PIXELS = 8_000_000, 250_000
"""Pixels decoded of a photo that is cropped, however small the part; and of one whose kind is only guessed."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A garment's photo, cropped and cut out.

    Attributes:
        jpeg: The picture that is used; None where that is the photo itself.
        kind: The cloth type that its outline suggests.
        refused: Whether it was to be cut out, and its ground is not plain enough.
    """

    jpeg: bytes | None
    kind: str
    refused: bool = False


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture as it is sent; `frame` says where the photo lies in it."""

    jpeg: bytes
    size: Size
    frame: Frame


def prepare_person(path: Path, pixels: int, output: Size | None, unscaled: int = 0) -> Picture:
    """The person's picture: fitted into `pixels`, or padded to `output`.

    Args:
        pixels: The most pixels it may have.
        output: The size it must have, if the model has an output size of its own.
        unscaled: Up to so many pixels, a photo that already has the shape of `output` keeps its own size.

    Raises:
        PhotoError: The photo cannot be used.
    """
    ready = _ready(path, "Person", pixels, output, unscaled)
    if ready:
        return ready
    image = read(path, slot="Person", to=_target(pixels, output))
    if output in (None, image.size):
        return _picture(image, output)
    # Padded in the colour of the photo's edge: a hard white or black bar would draw the model's attention.
    return _picture(image, output, edge_colour(image))


def prepare_garment(
    garments: Sequence[tuple[Path, str]],
    pixels: int,
    output: Size | None,
    unscaled: int = 0,
    layout: str = sheets.LAYOUT.default,
) -> Picture:
    """The picture of one garment, or the sheet of several, by the same rules. `garments` are (photo, slot's name)."""
    ready = _ready(*garments[0], pixels, output, unscaled) if len(garments) == 1 else None
    if ready:
        return ready
    return _picture(sheet(garments, pixels, output, layout), output, sheets.GROUND)


def sheet(
    garments: Sequence[tuple[Path, str]], pixels: int, output: Size | None = None, layout: str = sheets.LAYOUT.default
) -> Image.Image:
    """What the model sees of the garments, before any padding."""
    sheets.grid(len(garments))
    if len(garments) == 1:
        path, slot = garments[0]
        return read(path, slot=slot, to=_target(pixels, output))
    # Each piece is trimmed after this, so it may need more pixels now than its cell has.
    images = [read(path, slot=slot, to=lambda size: fitted(size, 2 * pixels)) for path, slot in garments]
    return sheets.sheet(images, pixels=pixels, layout=layout)


def sheet_jpeg(garments: Sequence[tuple[Path, str]], pixels: int, layout: str = sheets.LAYOUT.default) -> bytes:
    """The sheet as a JPEG, to show."""
    return to_jpeg(sheet(garments, pixels, layout=layout))


def cut_garment(path: Path, slot: str, crop: Box | None, cut: bool) -> Cut:
    """A garment's photo cropped and cut out, and what it shows.

    Raises:
        PhotoError: The photo cannot be used, or too little of it is left.
    """
    if crop is None and not cut:
        return Cut(jpeg=None, kind=guess_kind(read(path, slot=slot, to=lambda size: fitted(size, GUESS_PIXELS))))
    share = (crop[2] - crop[0]) * (crop[3] - crop[1]) if crop else 1
    decoded = min(CROPPED_PIXELS, round(BROWSER_PIXELS / share))
    part = read(path, slot=slot, to=lambda size: fitted(size, decoded))
    if crop:
        part = cropped(part, crop)
        if min(part.size) < MIN_SIDE:
            raise PhotoError(
                f"The crop is too small: {part.width} × {part.height} pixels.",
                f"Crop less of it away: {MIN_SIDE} pixels on each side are needed.",
                slot=slot,
            )
    white = cut_out(part) if cut else None
    used = white or part
    return Cut(
        jpeg=to_jpeg(used) if used is white or crop else None, kind=guess_kind(part), refused=cut and white is None
    )


def browser_jpeg(path: Path, slot: str) -> bytes | None:
    """A photo as a JPEG, where browsers cannot show its format (HEIC, TIFF). PhotoError if it cannot be used."""
    if shows_in_browser(path, slot=slot):
        return None
    return to_jpeg(read(path, slot=slot, to=lambda size: fitted(size, BROWSER_PIXELS)))


def _target(pixels: int, output: Size | None) -> Callable[[Size], Size]:
    """The size that a photo is scaled to, given its own."""
    return lambda size: contained(size, output) if output else fitted(size, pixels)


def _ready(path: Path, slot: str, pixels: int, output: Size | None, unscaled: int) -> Picture | None:
    """A photo that is sent as it is, since nothing would be gained by changing it."""

    def target(size: Size) -> Size:
        scaled = _target(pixels, output)(size)
        # A small photo is still enlarged here, so that all results are made from pictures of full size.
        keeps = scaled == output and size.pixels <= unscaled and size.width >= scaled.width
        return size if keeps and size.height >= scaled.height else scaled

    ready = unchanged(path, slot=slot, to=target)
    if ready is None or (output and contained(ready[1], output) != output):
        return None
    data, size = ready
    frame = Frame(width=size.width, height=size.height, left=0, top=0, right=size.width, bottom=size.height)
    return Picture(jpeg=data, size=size, frame=frame)


def _picture(image: Image.Image, output: Size | None, colour: tuple[int, int, int] = sheets.GROUND) -> Picture:
    image, frame = pad(image, output or Size(*image.size), colour=colour)
    return Picture(jpeg=to_jpeg(image), size=Size(*image.size), frame=frame)
