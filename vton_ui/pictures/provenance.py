"""A finished picture as a file that says how it was made, and that AI had a hand in it.

Where the bytes that came can stay, they stay, to the last one, and the marks are put in front of the pixels: encoding
a PNG again takes ten times as long, and a JPEG loses by it.

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
_SEEN = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"pHYs"}
"""The chunks that a picture's looks depend on; no other is kept, be it a text or a signature that no longer fits."""


def marked(picture: bytes, image: Image.Image, facts: Mapping[str, Value]) -> bytes:
    """A picture's file with the marks.

    Args:
        picture: The file as it came: a JPEG or a PNG, or another kind, which becomes a PNG.
        image: The same, decoded.
        facts: How it was made.
    """
    splice = {"JPEG": _into_jpeg, "PNG": _into_png}.get(image.format or "")
    if splice and image.mode == "RGB" and "transparency" not in image.info:
        try:
            return splice(picture, facts)
        except (ValueError, struct.error):
            pass  # put together in a way that Pillow puts up with and we do not
    return encoded(image, image.format or "", facts)


def encoded(image: Image.Image, format: str, facts: Mapping[str, Value]) -> bytes:
    """A picture as a file with the marks: a JPEG if it came as one, and else a PNG."""
    buffer = io.BytesIO()
    if format == "JPEG":
        image.convert("RGB").save(buffer, "JPEG", quality=95, subsampling=0)
        return _into_jpeg(buffer.getvalue(), facts)
    # Run lengths at the lowest level: no larger for photos than the default, and written in a third of the time.
    image.convert("RGB").save(buffer, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    return _into_png(buffer.getvalue(), facts)


def facts_in(image: Image.Image) -> dict[str, Value]:
    """How a picture of ours was made. KeyError or ValueError if it does not say."""
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
    kept = (chunk for name, chunk in chunks if name in _SEEN)
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
    # JFIF wants its own segment to be the first, and EXIF the next.
    jfif = [segment for segment in segments if segment[1] == jpeg.APP0]
    rest = [segment for segment in segments if segment[1] != jpeg.APP0 and _is_seen(segment)]
    return b"".join([data[:2], *jfif, *marks, *rest, pixels])


def _is_seen(segment: bytes) -> bool:
    """Whether a picture's looks depend on a segment; no other is kept."""
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
