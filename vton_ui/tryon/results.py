"""Finished pictures: cut back to the photo, with their provenance inside, kept on disk."""

from __future__ import annotations

import io
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from PIL import Image, ImageStat

from vton_ui.errors import Filtered, ResultLost
from vton_ui.models.spec import Answer, Size, Value
from vton_ui.money.pricing import total_of
from vton_ui.pictures.framing import Frame, unpad
from vton_ui.pictures.provenance import encoded, facts_in, marked

_BLACK = 8
"""No channel of an all-black picture is brighter, of 255."""
_PLAIN = 0.25
"""Bytes for each pixel that a PNG of one colour never has, and a photo always."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """A kept picture: its file, its size in pixels, and the facts about how it was made."""

    path: Path
    size: Size
    facts: Mapping[str, Value]


def cost_of(results: Iterable[Result]) -> Decimal | None:
    """What pictures cost together, in dollars; None where the price of one is unknown."""
    costs = (result.facts["cost_usd"] for result in results)
    return total_of(None if cost is None else Decimal(str(cost)) for cost in costs)


def keep(picture: bytes, answer: Answer, facts: Mapping[str, Value], frame: Frame | None, store: Path) -> Result:
    """Check a picture, cut its padding off, write its provenance into it, and save it under an unguessable name.

    Args:
        answer: What the model said about it.
        facts: How it was made; the model's own seed wins, where it gave one.
        frame: Where the photo is in the picture; None: the picture is left whole.

    Raises:
        Filtered: It was flagged as unsafe, or is all black.
        ResultLost: The bytes are no picture, or cannot be saved.
    """
    request_id = str(facts["request_id"])
    if answer.flagged:
        raise _filtered("fal's safety checker flagged the picture.", request_id)
    facts = {**facts, "seed": facts["seed"] if answer.seed is None else answer.seed}
    try:
        image, black = _opened(picture)
        cut = unpad(image, frame) if frame else image
        file = marked(picture, image, facts) if cut is image else encoded(cut, image.format or "", facts)
    except Exception as exc:  # Pillow raises whatever its codecs raise
        raise lost("The picture arrived damaged.", request_id) from exc
    if black:
        raise _filtered("The picture came back all black, which is how a safety checker hides one.", request_id)
    path = store / secrets.token_urlsafe(16) / f"try-on-{facts['model']}-{facts['seed']}.{_suffix(image)}"
    try:
        path.parent.mkdir(parents=True)
        path.write_bytes(file)
    except OSError as exc:
        raise lost("The picture is made, but this server has no room to keep it.", request_id) from exc
    return Result(path=path, size=Size(*cut.size), facts=facts)


def kept_result(path: Path) -> Result | None:
    """A kept picture with the facts inside it; None if it is gone."""
    try:
        with Image.open(path) as image:
            return Result(path=path, size=Size(*image.size), facts=facts_in(image))
    except (OSError, ValueError, KeyError):
        return None


def discard(path: Path, store: Path) -> None:
    """Delete a result, if it is still there. ValueError if it is not a result of this store."""
    folder = path.parent.resolve()
    if folder.parent != store.resolve():
        raise ValueError("not in the store")
    shutil.rmtree(folder, ignore_errors=True)


def delete_expired(store: Path, hours: float) -> None:
    """Delete the results that are older than so many hours."""
    for folder in store.iterdir() if store.is_dir() else ():
        with suppress(FileNotFoundError):  # another process, or its visitor, has deleted it
            if time.time() - folder.stat().st_mtime > hours * 3600:
                shutil.rmtree(folder, ignore_errors=True)


def lost(cause: str, request_id: str) -> ResultLost:
    """The error for a picture that fal has, and we do not."""
    return ResultLost(cause, "Fetch the request again by its id; that costs nothing.", request_id=request_id)


def _filtered(cause: str, request_id: str) -> Filtered:
    return Filtered(cause, "It is often a false alarm: try another seed, or other photos.", request_id=request_id)


def _opened(picture: bytes) -> tuple[Image.Image, bool]:
    """A picture that arrived whole, and whether it is all black; decoded only where its size does not tell.

    Raises whatever Pillow raises for a file that is damaged or not a picture.
    """
    image, preview = (Image.open(io.BytesIO(picture), formats=("JPEG", "PNG", "WEBP")) for _ in range(2))
    if image.format == "PNG" and len(picture) > image.width * image.height * _PLAIN:
        preview.verify()  # the checksums of all its parts
        return image, False
    # At 1/8 scale for a JPEG, which averages, so a black preview is checked again at full size.
    preview.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))
    return image, _is_black(preview) and _is_black(image)


def _is_black(image: Image.Image) -> bool:
    colours = image if image.mode == "RGB" else image.convert("RGB")
    return max(brightest for _, brightest in ImageStat.Stat(colours).extrema) < _BLACK


def _suffix(image: Image.Image) -> str:
    return "jpg" if image.format == "JPEG" else "png"
