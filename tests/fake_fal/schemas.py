"""What fal's models accept and answer, as data: strict checks, fal's shape of errors, and stand-in pictures.

The endpoints follow fal's own pages. Where a page is silent (the range of CatVTON's steps and guidance,
the largest custom size) the limit here is the narrow one, so that the app never leans on fal's leniency.
"""

from __future__ import annotations

import base64
import binascii
import io
import math
import random
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from PIL import Image

CAT_VTON = "fal-ai/cat-vton"
FLUX_VTO = "fal-ai/flux-pro/v1/vto"
FASHN = "fal-ai/fashn/tryon/v1.6"

MEGAPIXEL = 1024 * 1024
MIN_SIDE = 64
MAX_FILE_BYTES = 30 * 1024 * 1024
FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
PRESETS = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
MODEL_STATUS = {
    "internal_server_error": 500,
    "downstream_service_unavailable": 500,
    "generation_timeout": 504,
    "downstream_service_error": 400,
}

Failure = tuple[int, dict[str, Any]]
Fetch = Callable[[str], "bytes | None"]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One input field: its type, whether it must be there, and its range."""

    kind: Literal["string", "integer", "number", "boolean", "image", "size"]
    required: bool = False
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    max_pixels: int | None = None


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One model: its fields, which of them hold the two pictures, and how it answers.

    A test that brings a third model adds one of these to `FakeFal.endpoints`.
    """

    fields: Mapping[str, Field]
    person: str = "human_image_url"
    garment: str = "garment_image_url"
    output: Literal["image", "images", "files"] = "image"
    """One picture; a list beside facts on its making; or a list and nothing else, of `num_samples` pictures."""
    progress: Literal["step", "tqdm"] = "step"
    default_steps: int = 4


ENDPOINTS: dict[str, Endpoint] = {
    CAT_VTON: Endpoint(
        fields={
            "human_image_url": Field(kind="image", required=True),
            "garment_image_url": Field(kind="image", required=True),
            "cloth_type": Field(kind="string", required=True, choices=("upper", "lower", "overall", "inner", "outer")),
            "image_size": Field(kind="size", choices=tuple(PRESETS), minimum=1, maximum=4096),
            "num_inference_steps": Field(kind="integer", minimum=1, maximum=50),
            "guidance_scale": Field(kind="number", minimum=0, maximum=20),
            "seed": Field(kind="integer"),
        },
        progress="tqdm",
        default_steps=30,
    ),
    FLUX_VTO: Endpoint(
        fields={
            "prompt": Field(kind="string", required=True),
            "human_image_url": Field(kind="image", required=True, max_pixels=2 * MEGAPIXEL),
            "garment_image_url": Field(kind="image", required=True, max_pixels=MEGAPIXEL),
            "num_inference_steps": Field(kind="integer", minimum=1, maximum=4),
            "seed": Field(kind="integer"),
            "sync_mode": Field(kind="boolean"),
            "output_format": Field(kind="string", choices=("jpeg", "png")),
        },
        output="images",
    ),
    FASHN: Endpoint(
        fields={
            "model_image": Field(kind="image", required=True),
            "garment_image": Field(kind="image", required=True),
            "category": Field(kind="string", choices=("tops", "bottoms", "one-pieces", "auto")),
            "mode": Field(kind="string", choices=("performance", "balanced", "quality")),
            "garment_photo_type": Field(kind="string", choices=("auto", "model", "flat-lay")),
            "moderation_level": Field(kind="string", choices=("none", "permissive", "conservative")),
            "segmentation_free": Field(kind="boolean"),
            "seed": Field(kind="integer"),
            "num_samples": Field(kind="integer", minimum=1, maximum=4),
            "sync_mode": Field(kind="boolean"),
            "output_format": Field(kind="string", choices=("png", "jpeg")),
        },
        person="model_image",
        garment="garment_image",
        output="files",
    ),
}


# Errors


def error_entry(
    loc: list[str | int], type: str, msg: str, ctx: dict[str, Any] | None = None, value: Any = None
) -> dict[str, Any]:
    """One entry of a model error's `detail`."""
    entry = {
        "loc": loc,
        "msg": msg,
        "type": type,
        "url": f"https://docs.fal.ai/errors/#{type}",
        "input": value,
    }
    return entry if ctx is None else {**entry, "ctx": ctx}


def model_error(
    type: str,
    msg: str,
    ctx: dict[str, Any] | None = None,
    *,
    field: str | None = None,
    status: int | None = None,
) -> Failure:
    """What a model answers when it fails: ready for `FakeFal.next_error`.

    Args:
        field: the input field it blames; the whole body if None.
        status: the HTTP status; by default fal's own for this type.
    """
    loc: list[str | int] = ["body"] if field is None else ["body", field]
    return status or MODEL_STATUS.get(type, 422), {"detail": [error_entry(loc, type, msg, ctx)]}


def platform_error(status: int, error_type: str, text: str) -> Failure:
    """What fal itself answers when a job fails outside the model: ready for `FakeFal.next_error`."""
    return status, {"detail": text, "error_type": error_type}


# Checks


def problems(endpoint: Endpoint, arguments: Mapping[str, Any], fetch: Fetch) -> list[dict[str, Any]]:
    """Everything fal would hold against these arguments; pictures are looked at only if the rest is right.

    Args:
        fetch: the bytes behind a URL, or None if it leads nowhere.
    """
    return list(_field_problems(endpoint, arguments)) or list(_image_problems(endpoint, arguments, fetch))


def _field_problems(endpoint: Endpoint, arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, field in endpoint.fields.items():
        if name in arguments:
            yield from _value_problems(["body", name], field, arguments[name])
        elif field.required:
            yield error_entry(["body", name], "missing", "Field required", value=dict(arguments))
    for name in sorted(arguments.keys() - endpoint.fields.keys()):
        msg = "Extra inputs are not permitted"
        yield error_entry(["body", name], "extra_forbidden", msg, value=arguments[name])


def _value_problems(loc: list[str | int], field: Field, value: Any) -> Iterator[dict[str, Any]]:
    if field.kind == "size" and isinstance(value, dict):
        yield from _size_problems(loc, field, value)
        return
    wanted, type = _TYPES[field.kind]
    # To Python a boolean is an integer; to fal it is not
    right = isinstance(value, bool) if field.kind == "boolean" else not isinstance(value, bool)
    if not (right and isinstance(value, wanted)):
        yield error_entry(loc, type, f"Input should be a valid {field.kind}", value=value)
    elif field.choices and value not in field.choices:
        msg = f"Input should be one of: {', '.join(field.choices)}"
        yield error_entry(loc, "one_of", msg, {"expected": list(field.choices)}, value)
    elif field.kind in ("integer", "number"):
        yield from _range_problems(loc, field, value)


def _range_problems(loc: list[str | int], field: Field, value: Any) -> Iterator[dict[str, Any]]:
    if field.minimum is not None and value < field.minimum:
        msg = f"Input should be greater than or equal to {field.minimum}"
        yield error_entry(loc, "greater_than_equal", msg, {"ge": field.minimum}, value)
    if field.maximum is not None and value > field.maximum:
        msg = f"Input should be less than or equal to {field.maximum}"
        yield error_entry(loc, "less_than_equal", msg, {"le": field.maximum}, value)


_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "string_type"),
    "image": ((str,), "string_type"),
    "size": ((str,), "string_type"),
    "integer": ((int,), "int_type"),
    "number": ((int, float), "float_type"),
    "boolean": ((bool,), "bool_type"),
}


def _size_problems(loc: list[str | int], field: Field, size: dict[str, Any]) -> Iterator[dict[str, Any]]:
    side = Field(kind="integer", minimum=field.minimum, maximum=field.maximum)
    for name, value in size.items():
        if name in ("width", "height"):
            yield from _value_problems([*loc, name], side, value)
        else:
            yield error_entry([*loc, name], "extra_forbidden", "Extra inputs are not permitted", value=value)


def _image_problems(endpoint: Endpoint, arguments: Mapping[str, Any], fetch: Fetch) -> Iterator[dict[str, Any]]:
    for name, field in endpoint.fields.items():
        if field.kind == "image" and name in arguments:
            problem = _image_problem(field, arguments[name], fetch)
            if problem is not None:
                type, msg, ctx = problem
                yield error_entry(["body", name], type, msg, ctx, arguments[name])


def _image_problem(field: Field, url: str, fetch: Fetch) -> tuple[str, str, dict[str, Any] | None] | None:
    data = image_bytes(url, fetch)
    if data is None:
        return (
            "file_download_error",
            "Failed to download the file. Please check that the URL is accessible.",
            None,
        )
    if len(data) > MAX_FILE_BYTES:
        return "file_too_large", "File size exceeds the maximum allowed size.", {"max_size": MAX_FILE_BYTES}
    seen = _look(data)
    if seen is None or _wrong_mime(url, seen[0]):
        return "image_load_error", "Failed to load the image. Please ensure that it is not corrupted.", None
    format, width, height = seen
    if format not in FORMATS:
        return "unsupported_image_format", "Unsupported image format.", {"supported_formats": sorted(FORMATS)}
    if min(width, height) < MIN_SIDE:
        return "image_too_small", "Image is too small.", {"min_width": MIN_SIDE, "min_height": MIN_SIDE}
    if field.max_pixels is not None and width * height > field.max_pixels:
        side = math.isqrt(field.max_pixels)
        return "image_too_large", "Image is too large.", {"max_width": side, "max_height": side}
    return None


def image_bytes(url: str, fetch: Fetch) -> bytes | None:
    """The bytes behind a URL or inside a data URI; None if there are none."""
    if not url.startswith("data:"):
        return fetch(url)
    head, comma, payload = url.partition(",")
    try:
        return base64.b64decode(payload, validate=True) if comma and head.endswith(";base64") else None
    except binascii.Error:
        return None


def _wrong_mime(url: str, format: str) -> bool:
    return url.startswith("data:") and url[len("data:") :].partition(";")[0] != FORMATS.get(format)


@lru_cache(maxsize=64)
def _look(data: bytes) -> tuple[str, int, int] | None:
    """The format and size of a picture, decoded to its last row; None if it cannot be decoded."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return image.format or "", image.width, image.height
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError):
        return None


# Results


@dataclass(frozen=True, kw_only=True)
class Picture:
    data: bytes
    content_type: str
    width: int
    height: int


def picture(endpoint: Endpoint, arguments: Mapping[str, Any], fetch: Fetch, black: bool) -> Picture:
    """The stand-in result for arguments that have passed `problems`."""
    person = image_bytes(arguments[endpoint.person], fetch) or b""
    garment = image_bytes(arguments[endpoint.garment], fetch) or b""
    size = output_size(arguments.get("image_size", "portrait_4_3"))
    default = {"image": "png", "images": "jpeg", "files": "png"}[endpoint.output]
    format = str(arguments.get("output_format", default)).upper()
    return render(person, garment, size if "image_size" in endpoint.fields else None, format, black)


def output_size(image_size: str | Mapping[str, int]) -> tuple[int, int]:
    if isinstance(image_size, str):
        return PRESETS[image_size]
    return image_size.get("width", 512), image_size.get("height", 512)


@lru_cache(maxsize=64)
def render(person: bytes, garment: bytes, size: tuple[int, int] | None, format: str, black: bool) -> Picture:
    """The person, stretched to `size`, with the middle third tinted in the garment's mean colour.

    Stretched and not cropped, and read without its EXIF turn: a photo that was not prepared looks wrong.
    """
    image = Image.open(io.BytesIO(person)).convert("RGB")
    image = image.resize(size) if size else image
    box = (image.width // 3, image.height // 3, image.width * 2 // 3, image.height * 2 // 3)
    image.paste(Image.blend(image.crop(box), Image.new("RGB", _size_of(box), mean_colour(garment)), 0.5), box)
    if black:
        image = Image.new("RGB", image.size)
    buffer = io.BytesIO()
    image.save(buffer, format, **({"quality": 92} if format == "JPEG" else {"compress_level": 1}))
    return Picture(data=buffer.getvalue(), content_type=FORMATS[format], width=image.width, height=image.height)


def _size_of(box: tuple[int, int, int, int]) -> tuple[int, int]:
    return box[2] - box[0], box[3] - box[1]


def mean_colour(data: bytes) -> tuple[int, int, int]:
    image = Image.open(io.BytesIO(data)).convert("RGB").resize((1, 1), Image.Resampling.BOX)
    red, green, blue = image.tobytes()
    return red, green, blue


def result_body(
    endpoint: Endpoint, arguments: Mapping[str, Any], result: Picture, url: str, seconds: float, unsafe: bool
) -> dict[str, Any]:
    """The body of a finished job, its picture stored at `url`."""
    image = {"url": url, "content_type": result.content_type, "file_name": url.rpartition("/")[2]}
    file = {**image, "file_size": len(result.data), "width": result.width, "height": result.height}
    if endpoint.output == "image":
        return {"image": file}
    if arguments.get("sync_mode"):
        url = f"data:{result.content_type};base64,{base64.b64encode(result.data).decode()}"
    if endpoint.output == "files":
        return {"images": [{**file, "url": url}] * arguments.get("num_samples", 1)}
    return {
        "images": [{"url": url, "content_type": result.content_type}],
        "timings": {"inference": seconds},
        "seed": arguments.get("seed", random.getrandbits(32)),
        "has_nsfw_concepts": [unsafe],
        "prompt": arguments.get("prompt", ""),
    }


def progress_line(endpoint: Endpoint, step: int, total: int, seconds: float) -> str:
    """What the model prints after a step: a plain line, or a progress bar as tqdm draws it."""
    if endpoint.progress == "step":
        return f"Step {step}/{total}"
    bar = "█" * (10 * step // total)
    left = seconds * (total - step) / step
    rate = step / seconds if seconds else 0.0
    times = f"{_clock(seconds)}<{_clock(left)}, {rate:5.2f}it/s"
    return f"{100 * step // total:3d}%|{bar:<10}| {step}/{total} [{times}]"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"
