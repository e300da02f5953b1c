"""Writes into a finished picture how it was made, and that AI was involved.

Where possible the marks are inserted before the pixels and all other bytes stay: encoding a PNG again takes ten times
as long, and a JPEG loses quality.

PNG's chunks: https://www.w3.org/TR/png-3/; XMP in both:
https://github.com/adobe/XMP-Toolkit-SDK/blob/main/docs/XMPSpecificationPart3.pdf
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Iterator, Mapping

from PIL import Image

from vton_ui.models.spec import Value
from vton_ui.pictures import jpeg

_DESCRIPTION, _SOFTWARE = 0x010E, 0x0131
_AI_MADE = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    b"Iptc4xmpExt:DigitalSourceType="
    b'"http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
"""IPTC's mark for a photo altered by a generative model, which viewers and search engines read."""

_EXIF = b"Exif\0\0"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT_CHUNKS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"pHYs"}
"""The chunks that affect how a picture looks. Others are dropped: texts, and signatures that no longer match."""


def marked(picture: bytes, image: Image.Image, facts: Mapping[str, Value]) -> bytes:
    """A picture's file with the marks.

    Args:
        picture: The file as received: a JPEG or a PNG, or another format, which becomes a PNG.
        image: The same, decoded.
        facts: How it was made.
    """
    splice = {"JPEG": _into_jpeg, "PNG": _into_png}.get(image.format or "")
    if splice and image.mode == "RGB" and "transparency" not in image.info:
        try:
            return splice(picture, facts)
        except (ValueError, struct.error):
            pass  # a structure that Pillow accepts and we do not
    return encoded(image, image.format or "", facts)


def encoded(image: Image.Image, format: str, facts: Mapping[str, Value]) -> bytes:
    """A picture encoded with the marks: a JPEG if `format` is one, else a PNG."""
    buffer = io.BytesIO()
    if format == "JPEG":
        image.convert("RGB").save(buffer, "JPEG", quality=95, subsampling=0)
        return _into_jpeg(buffer.getvalue(), facts)
    # Run lengths at the lowest level: no larger for photos than the default, and written in a third of the time.
    image.convert("RGB").save(buffer, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    return _into_png(buffer.getvalue(), facts)


def facts_in(image: Image.Image) -> dict[str, Value]:
    """How a picture of ours was made. KeyError or ValueError if it has no marks."""
    facts = json.loads(image.getexif()[_DESCRIPTION])
    if not isinstance(facts, dict):
        raise ValueError("no facts")
    return facts


def _into_png(png: bytes, facts: Mapping[str, Value]) -> bytes:
    chunks = _chunks(png)
    name, header = next(chunks)
    if name != b"IHDR":
        raise ValueError("no header")
    marks = [_chunk(b"eXIf", _exif(facts).removeprefix(_EXIF))]
    if not facts["sandbox"]:
        marks.append(_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + _AI_MADE))
    kept = (chunk for name, chunk in chunks if name in _KEPT_CHUNKS)
    return b"".join([_SIGNATURE, header, *marks, *kept])


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG, each with its name, to its end."""
    at, name = len(_SIGNATURE), b""
    while name != b"IEND":
        length, name = struct.unpack_from(">I4s", png, at)
        end = at + 12 + length
        if end > len(png):
            raise ValueError("cut off")
        yield name, png[at:end]
        at = end


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _into_jpeg(data: bytes, facts: Mapping[str, Value]) -> bytes:
    segments, pixels = jpeg.parts(data)
    marks = [jpeg.segment(jpeg.APP1, _exif(facts))]
    if not facts["sandbox"]:
        marks.append(jpeg.segment(jpeg.APP1, b"http://ns.adobe.com/xap/1.0/\0" + _AI_MADE))
    # By the standards, JFIF's segment is the first and EXIF's the next.
    jfif = [segment for segment in segments if segment[1] == jpeg.APP0]
    rest = [segment for segment in segments if segment[1] != jpeg.APP0 and _is_kept(segment)]
    return b"".join([data[:2], *jfif, *marks, *rest, pixels])


def _is_kept(segment: bytes) -> bool:
    """Whether a segment affects how the picture looks; others are dropped."""
    kind = segment[1]
    if kind == jpeg.APP2:
        return segment[4:].startswith(b"ICC_PROFILE\0")
    return kind == jpeg.APP14 or kind not in jpeg.APPLICATIONS | {jpeg.COMMENT}


def _exif(facts: Mapping[str, Value]) -> bytes:
    exif = Image.Exif()
    exif[_SOFTWARE] = "vton-ui"
    exif[_DESCRIPTION] = json.dumps(dict(facts))
    data = exif.tobytes()
    return data if data.startswith(_EXIF) else _EXIF + data
