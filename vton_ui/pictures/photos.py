"""Any photo file → an upright sRGB picture under a pixel limit → JPEG bytes."""

from __future__ import annotations

import io
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pillow_heif
from PIL import Image, ImageCms

from vton_ui.errors import PhotoError
from vton_ui.models.spec import Size
from vton_ui.pictures import bounds, jpeg
from vton_ui.pictures.bounds import MAX_JPEG_PIXELS, MAX_PIXELS
from vton_ui.pictures.photo_errors import damaged, not_a_photo, too_heavy, too_many, unusual

MAX_BYTES = 30_000_000
MIN_SIDE = 256
"""Pixels; smaller photos have too little detail for the models."""
# Pillow opens MPO, the JPEG of many phones, through JPEG; it has no opener of that name.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF")
JPEG_QUALITY = 92

_JPEGS = ("JPEG", "MPO")
_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,),
    6: (Image.Transpose.ROTATE_270,),
    7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_90,),
}
_SIDEWAYS = (5, 6, 7, 8)
_SRGB = ImageCms.createProfile("sRGB")
_BAND_PIXELS = 4_000_000
"""Pixels of a large picture that are converted at once."""
_MIDDLE_GREY = {127, 128}
"""What libjpeg fills in for missing pixels; the first in CMYK."""
_NOISE = b"".join(bytes((*range(1, 255), 0xFF, restart)) for restart in range(0xD0, 0xD8)) * 2
"""Random pixel data with all restart markers, since a decoder may be waiting for any of them."""

pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
# Sizes are checked here, by format and with a helpful message; Pillow's own limit must not be lower.
Image.MAX_IMAGE_PIXELS = MAX_JPEG_PIXELS
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def measure(source: str | Path | bytes, *, slot: str) -> Size:
    """The upright size of a photo, from its header alone.

    Raises:
        PhotoError: As `read`, except for errors that only decoding shows.
    """
    with _opened(source, slot) as image:
        return _upright_size(image)


def unchanged(source: Path, *, slot: str, to: Callable[[Size], Size]) -> tuple[bytes, Size] | None:
    """A photo's own bytes and size, if it can be sent without any change; None if it cannot.

    It must be a JPEG that decodes to its end, is upright, has the wanted size, is not heavy for it, and holds nothing
    but the picture. Arguments and errors as `read`.
    """
    data = _bytes(source, slot)
    with _opened(data, slot) as image:
        size = Size(*image.size)
        if image.format != "JPEG" or image.mode != "RGB" or to(size) != size or len(data) > size.pixels / 2:
            return None
        if not _is_bare(data):
            return None
        # At 1/8 scale, whether it decodes to its end takes half the time to find out.
        _load(image, data, slot, Size(size.width // 8, size.height // 8))
    return data, size


def shows_in_browser(source: str | Path | bytes, *, slot: str) -> bool:
    """Whether every current browser can show the file. Errors as `measure`."""
    with _opened(source, slot) as image:
        return image.format not in ("HEIF", "TIFF")


def read(source: str | Path | bytes, *, slot: str, to: Callable[[Size], Size]) -> Image.Image:
    """A photo, upright, sRGB, 8 bits, transparency on white, scaled, and without metadata.

    Args:
        source: A file, or its bytes.
        slot: The slot it came from, for the message ("Person").
        to: The size to scale it to, given its upright size: see `fitted` and `contained`.

    Raises:
        PhotoError: It is missing, empty, no image, cut off, too large, too small or too much work.
    """
    data = _bytes(source, slot)
    with _opened(data, slot) as image:
        if image.format == "PNG":
            _load(image, data, slot)  # its EXIF orientation may come after its pixels
        turn = _orientation(image)
        upright = to(_upright_size(image))
        # Scaled first and turned afterwards, when there are fewer pixels.
        size = Size(upright.height, upright.width) if turn in _SIDEWAYS else upright
        # 2 % less is enough: a phone's 3024 × 4032 at 1/4 is 98.4 % of 768 × 1024, and enlarging by so little is as
        # sharp as reducing from 1/2, with a quarter of the pixels.
        _load(image, data, slot, Size(size.width * 49 // 50, size.height * 49 // 50))
        try:
            flat = _to_srgb(_reduced(image, size))
        except Exception as exc:  # Pillow's codecs may raise anything
            raise damaged(slot) from exc
    if flat.size != size:
        # Hamming takes half the time of Lanczos, at 45 dB PSNR even on a knitted jumper. Box: 3 ms less, but 41 dB.
        shrinks = size.width <= flat.width and size.height <= flat.height
        flat = flat.resize(size, Image.Resampling.HAMMING if shrinks else Image.Resampling.BICUBIC)
    for step in _TURNS.get(turn, ()):
        flat = flat.transpose(step)
    flat.info.clear()
    return flat


def to_jpeg(image: Image.Image) -> bytes:
    """JPEG bytes with full chroma, since a garment's colour edges are what the models copy, and no metadata."""
    # Into a real file: with a file object of Python's, Pillow would hold the interpreter's lock while encoding.
    with tempfile.TemporaryFile() as file:
        image.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)
        file.seek(0)
        return file.read()


@contextmanager
def _opened(source: str | Path | bytes, slot: str) -> Iterator[Image.Image]:
    """The photo, with its header read and its size checked, but not decoded."""
    data = _bytes(source, slot)
    try:
        bounds.check(data)
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except bounds.TooMuch as exc:
        raise too_many(exc.limit, slot, exc.pixels) from exc
    except bounds.TooHeavy as exc:
        raise unusual(slot) from exc
    except Image.DecompressionBombError as exc:
        raise too_many(MAX_PIXELS, slot) from exc
    except Exception as exc:  # Pillow's header parsers may raise anything
        raise not_a_photo(data[:512], slot) from exc
    with image:
        _check(image, slot)
        yield image


def _load(image: Image.Image, data: bytes, slot: str, size: Size | None = None) -> None:
    """Decode an opened photo: a JPEG at 1/2, 1/4 or 1/8 scale where that is not below `size`, others at full scale.

    Raises:
        PhotoError: It is damaged.
    """
    try:
        image.draft(None, size)
        image.load()
        whole = image.format not in _JPEGS or _is_whole(image, data)
    except MemoryError as exc:
        raise too_heavy(slot) from exc
    except Exception as exc:  # Pillow's codecs may raise anything
        raise damaged(slot) from exc
    if not whole:
        raise damaged(slot)


def _is_whole(image: Image.Image, data: bytes) -> bool:
    """Whether a decoded JPEG has all the pixels that its header promises; libjpeg fills missing ones with grey.

    If the last pixel is grey, noise is added after the file's pixel data: if it changes the picture, pixels are
    missing.
    """
    last = image.getpixel((image.width - 1, image.height - 1))
    if not _MIDDLE_GREY.issuperset(last if isinstance(last, tuple) else (last,)):
        return True
    end = jpeg.outline(data).first_end
    return _small(data) == _small(data[:end] + _NOISE + data[end:])


def _small(data: bytes) -> bytes:
    """The pixels of a JPEG at 1/8 scale."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        image.draft(None, (image.width // 8, image.height // 8))
        return image.tobytes()


def _check(image: Image.Image, slot: str) -> None:
    limit = MAX_JPEG_PIXELS if image.format in _JPEGS else MAX_PIXELS
    if image.width * image.height > limit:
        raise too_many(limit, slot, image.width * image.height)
    if min(image.size) < MIN_SIDE:
        raise PhotoError(
            f"The photo is {image.width} × {image.height} pixels, too small to work with.",
            f"Use one of at least {MIN_SIDE} pixels on each side.",
            slot=slot,
        )
    if image.mode == "F":  # such a file does not say which number is white
        raise PhotoError("The photo is made of fractional numbers.", "Save it as a JPEG.", slot=slot)


def _bytes(source: str | Path | bytes, slot: str) -> bytes:
    try:
        length = len(source) if isinstance(source, bytes) else Path(source).stat().st_size
        if length == 0:
            raise PhotoError("The file is empty.", "Upload the photo again.", slot=slot)
        if length > MAX_BYTES:
            raise PhotoError(
                f"The file has {length / 1e6:.1f} MB.",
                f"Use a photo of at most {MAX_BYTES // 1_000_000} MB; a JPEG is usually far smaller.",
                slot=slot,
            )
        return source if isinstance(source, bytes) else Path(source).read_bytes()
    except OSError as exc:
        raise PhotoError("The photo is no longer there.", "Upload it again.", slot=slot) from exc


def _is_bare(data: bytes) -> bool:
    """Whether a JPEG holds only its picture: no metadata, no profile, nothing after its end."""
    try:
        segments, pixels = jpeg.parts(data)
    except ValueError:
        return False
    kinds = {segment[1] for segment in segments}
    metadata = kinds & (jpeg.APPLICATIONS | {jpeg.COMMENT})
    return metadata <= {jpeg.APP0, jpeg.APP14} and pixels.find(jpeg.END) == len(pixels) - 2


def _orientation(image: Image.Image) -> int:
    if image.format == "TIFF":
        return 1  # Pillow turns these by itself
    if not bounds.exif_is_small(image.info.get("exif") or b""):
        return 1
    try:
        # Not the method of PNG's own class, which decodes the whole picture to look for EXIF behind it.
        return int(Image.Image.getexif(image).get(_ORIENTATION_TAG, 1))
    except Exception:  # broken metadata is no reason to refuse a photo
        return 1


def _upright_size(image: Image.Image) -> Size:
    turned = _orientation(image) in _SIDEWAYS
    return Size(image.height, image.width) if turned else Size(image.width, image.height)


def _reduced(image: Image.Image, size: Size) -> Image.Image:
    """The picture with 8 bits a channel, reduced by whole factors to at least twice the wanted size.

    Converting colours is cheaper on fewer pixels, and a large picture needs little memory band by band.
    """
    factor = max(1, min(image.width // size.width, image.height // size.height) // 2)
    rows = max(1, _BAND_PIXELS // image.width // factor) * factor
    if rows >= image.height:
        return _averaged(image, factor)
    small: Image.Image | None = None
    for top in range(0, image.height, rows):
        band = _averaged(image.crop((0, top, image.width, min(image.height, top + rows))), factor)
        if small is None:
            small = Image.new(band.mode, (band.width, -(-image.height // factor)))
            small.info = band.info
        small.paste(band, (0, top // factor))
    return small or image


def _averaged(image: Image.Image, factor: int) -> Image.Image:
    """Each square of `factor` × `factor` pixels as one, in a mode that can be averaged."""
    if image.mode.startswith("I"):  # 16 bits of grey; Pillow's own conversion would clip them
        if image.mode not in ("I", "I;16"):
            image = image.convert("I")
        image = image.point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        image = image if image.mode in ("LA", "RGBA") else image.convert("RGBA")
    elif image.mode not in ("L", "RGB", "CMYK", "YCbCr", "LAB"):
        image = image.convert("RGB")  # a profile applies to colours, not to palette indices
    return image.reduce(factor) if factor > 1 else image


def _to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.has_transparency_data:
        layer = image if image.mode == "RGBA" else image.convert("RGBA")
        flat = Image.new("RGBA", layer.size, "white")
        flat.alpha_composite(layer)
        image = flat.convert("RGB")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # a broken profile, or one for another kind of pixels: the plain conversion is the best guess
    return image if image.mode == "RGB" else image.convert("RGB")
