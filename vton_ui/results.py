"""Finished pictures: cut back to the photo, marked with how they were made, and kept."""

from __future__ import annotations

import io
import json
import secrets
import shutil
import threading
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageStat, PngImagePlugin

from vton_ui.errors import Cost, Filtered, ResultLost
from vton_ui.photos import Frame, unpad
from vton_ui.spec import Answer, Size, Value

SWEEP_SECONDS = 600
_BLACK = 8
"""No channel of an all-black picture is brighter, of 255."""

_DESCRIPTION, _SOFTWARE = 0x010E, 0x0131

_AI_MADE = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    b"Iptc4xmpExt:DigitalSourceType="
    b'"http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
"""IPTC's mark for a photo altered by a generative model, which viewers and search engines read."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """A kept picture: its file, its size in pixels, and the facts of its making."""

    path: Path
    size: Size
    facts: Mapping[str, Value]


def keep(picture: bytes, answer: Answer, facts: Mapping[str, Value], frame: Frame | None, store: Path) -> Result:
    """Check a picture, cut its padding off, write its provenance into it, and save it under a name of its own.

    Args:
        picture: The bytes as they came.
        answer: What the model said about it.
        facts: How it was made; the seed is replaced by the model's own word, where it gave one.
        frame: Where the photo lies in the picture; None: it is left whole.
        store: The folder of all results.

    Raises:
        Filtered: It was flagged as unsafe, or is all black.
        ResultLost: The bytes are no picture, or cannot be saved.
    """
    request_id = str(facts["request_id"])
    if answer.flagged:
        raise _filtered("fal's safety checker flagged the picture.", request_id)
    try:
        image: Image.Image = Image.open(io.BytesIO(picture), formats=("JPEG", "PNG", "WEBP"))
        image.load()
    except Exception as exc:  # Pillow raises whatever its codecs raise
        raise ResultLost(
            "The picture arrived damaged.",
            "Fetch the request again by its id; that costs nothing.",
            request_id=request_id,
        ) from exc
    if _is_black(image):
        raise _filtered("The picture came back all black, which is how a safety checker hides one.", request_id)
    cut = unpad(image, frame) if frame else image
    facts = {**facts, "seed": facts["seed"] if answer.seed is None else answer.seed}
    path = store / secrets.token_urlsafe(16) / f"try-on-{facts['model']}-{facts['seed']}.{_suffix(image)}"
    try:
        path.parent.mkdir(parents=True)
        _save(cut, image.format or "", path, facts, untouched=cut is image)
    except OSError as exc:
        raise ResultLost(
            "The picture is made, but this server has no room to keep it.",
            "Fetch the request again by its id; that costs nothing.",
            request_id=request_id,
        ) from exc
    return Result(path=path, size=Size(*cut.size), facts=facts)


def discard(path: Path) -> None:
    """Delete a result; one that is gone already is no matter."""
    shutil.rmtree(path.parent, ignore_errors=True)


def sweep(store: Path, hours: float) -> None:
    """Delete the results that are older than so many hours."""
    for folder in store.iterdir() if store.is_dir() else ():
        with suppress(FileNotFoundError):  # another sweep, or its visitor, was quicker
            if time.time() - folder.stat().st_mtime > hours * 3600:
                shutil.rmtree(folder, ignore_errors=True)


def keep_swept(store: Path, hours: float) -> None:
    """Sweep now and every ten minutes, as long as the process lives."""

    def sweep_on() -> None:
        while True:
            sweep(store, hours)
            time.sleep(SWEEP_SECONDS)

    threading.Thread(target=sweep_on, name="sweep", daemon=True).start()


def _filtered(cause: str, request_id: str) -> Filtered:
    return Filtered(
        cause,
        "It is often a false alarm: try another seed, or other photos.",
        cost=Cost.MAYBE,
        request_id=request_id,
    )


def _is_black(image: Image.Image) -> bool:
    return max(ImageStat.Stat(image.convert("RGB")).extrema, key=lambda low_high: low_high[1])[1] < _BLACK


def _suffix(image: Image.Image) -> str:
    return "jpg" if image.format == "JPEG" else "png"


def _save(image: Image.Image, kind: str, path: Path, facts: Mapping[str, Value], *, untouched: bool) -> None:
    exif = Image.Exif()
    exif[_SOFTWARE] = "vton-ui"
    exif[_DESCRIPTION] = json.dumps(dict(facts))
    marks: dict[str, Any] = {"exif": exif} if facts["sandbox"] else {"exif": exif, "xmp": _AI_MADE}
    if kind != "JPEG":
        texts = PngImagePlugin.PngInfo()
        if "xmp" in marks:
            texts.add_itxt("XML:com.adobe.xmp", _AI_MADE.decode())
        # Run lengths at the lowest level: no larger for photos than the default, and written in a third of the time.
        quick = {"compress_level": 1, "compress_type": zlib.Z_RLE}
        image.convert("RGB").save(path, "PNG", exif=exif, pnginfo=texts, **quick)
    elif untouched:
        # The model's own quantisation tables: writing the marks costs the picture nothing visible.
        image.save(path, "JPEG", quality="keep", **marks)
    else:
        image.convert("RGB").save(path, "JPEG", quality=95, subsampling=0, **marks)
