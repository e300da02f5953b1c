"""Why a photo cannot be used, and what to do: the errors that `photos` and its workers raise."""

from __future__ import annotations

import codecs

from vton_ui.errors import PhotoError

KINDS = "JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP or TIFF"
_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8", b"II*\0", b"MM\0*")
_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis")


def damaged(slot: str) -> PhotoError:
    """The file cannot be decoded to its end."""
    return PhotoError(
        "The photo cannot be read to its end; it may be cut off or damaged.",
        "Upload it again, or save it as a new JPEG.",
        slot=slot,
    )


def too_heavy(slot: str) -> PhotoError:
    """Decoding takes more time or memory than one photo may take."""
    return PhotoError("The photo takes too long to read.", "Save it as a smaller JPEG and upload that.", slot=slot)


def unusual(slot: str) -> PhotoError:
    """The file is built so that decoding is far more work than its picture."""
    return PhotoError(
        "The file is built in an unusual way that takes too long to read.",
        "Save the photo as a new JPEG and upload that.",
        slot=slot,
    )


def not_a_photo(head: bytes, slot: str) -> PhotoError:
    """The file is no photo, or a damaged one; `head` is its first 512 bytes."""
    start = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if start.startswith(b"<svg") or (start.startswith((b"<?xml", b"<!--", b"<!doctype")) and b"svg" in start):
        return PhotoError("An SVG is a drawing, not a photo.", "Save it as PNG and upload that.", slot=slot)
    if head.startswith(_STARTS) or (head[4:8] == b"ftyp" and head[8:12] in _BRANDS):
        return damaged(slot)
    return PhotoError("This file is not a photo we can read.", f"Use a {KINDS} file.", slot=slot)


def too_many(limit: int, slot: str, pixels: int = 0) -> PhotoError:
    """The photo has more pixels than `limit`; `pixels` is 0 if nobody knows how many."""
    size = f"{pixels / 1e6:.1f} megapixels" if pixels else "too many pixels"
    return PhotoError(f"The photo has {size}.", f"Use one of at most {limit // 1_000_000} megapixels.", slot=slot)
