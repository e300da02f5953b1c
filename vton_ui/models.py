"""The models, as data. A new one is added here and nowhere else.

The facts are fal's own pages of the two endpoints:
https://fal.ai/models/fal-ai/cat-vton/api and https://fal.ai/models/fal-ai/flux-pro/v1/vto/api
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from vton_ui.spec import (
    Answer,
    Choice,
    Flag,
    Inputs,
    MegapixelPrice,
    ModelSpec,
    Number,
    Size,
    Text,
    Values,
)

SEED = Number(
    name="seed",
    label="Seed",
    hint="The same seed and photos give the same picture.",
    minimum=0,
    maximum=2**31 - 1,
    default=None,
    placeholder="a new one each time",
    expert=True,
)

CAT_SIZES = {
    "portrait_4_3": Size(768, 1024),
    "portrait_16_9": Size(576, 1024),
    "square_hd": Size(1024, 1024),
    "square": Size(512, 512),
    "landscape_4_3": Size(1024, 768),
    "landscape_16_9": Size(1024, 576),
}


def _cat_custom(values: Values) -> bool:
    return values["image_size"] == "custom" or bool(values["width"] or values["height"])


def _cat_size(values: Values) -> Size:
    if _cat_custom(values):
        return Size(int(values["width"] or 768), int(values["height"] or 1024))
    return CAT_SIZES[str(values["image_size"])]


def _cat_caution(values: Values) -> str | None:
    if _cat_size(values) == CAT_SIZES["portrait_4_3"]:
        return None
    return "CatVTON was made for 768 × 1024. Other shapes often come out poor, and custom ones sometimes black."


def _cat_arguments(inputs: Inputs) -> dict[str, Any]:
    values = inputs.values
    size = _cat_size(values)
    return {
        "human_image_url": inputs.person,
        "garment_image_url": inputs.garment,
        "cloth_type": values["cloth_type"],
        "image_size": size._asdict() if _cat_custom(values) else values["image_size"],
        "num_inference_steps": values["num_inference_steps"],
        "guidance_scale": values["guidance_scale"],
        "seed": values["seed"],
    }


def _url(image: Mapping[str, Any]) -> str:
    """Where a picture of an output is; a picture without an address is none."""
    url = image["url"]
    if not isinstance(url, str) or not url:
        raise TypeError("no URL")
    return url


def _cat_read(output: Mapping[str, Any]) -> Answer:
    return Answer(url=_url(output["image"]))


CAT_VTON = ModelSpec(
    name="cat-vton",
    title="CatVTON",
    endpoint="fal-ai/cat-vton",
    good_at="One garment, with a choice of where it goes",
    takes="usually under a minute",
    licence="Research only: CC BY-NC-SA 4.0, no commercial use",
    licence_short="research only",
    max_garments=1,
    options=(
        Choice(
            name="cloth_type",
            label="What kind of garment?",
            hint="fal calls these upper, lower, overall, inner and outer.",
            choices=(
                ("upper", "Top"),
                ("lower", "Bottom"),
                ("overall", "Whole body"),
                ("inner", "Under a jacket"),
                ("outer", "Over a top"),
            ),
            default="upper",
        ),
        Choice(
            name="image_size",
            label="Shape of the picture",
            hint="Your photo is padded to this shape and cut back afterwards; nothing is cropped.",
            choices=(
                ("portrait_4_3", "Portrait 3:4 (recommended)"),
                ("portrait_16_9", "Portrait 9:16"),
                ("square_hd", "Square, large"),
                ("square", "Square, small"),
                ("landscape_4_3", "Landscape 4:3"),
                ("landscape_16_9", "Landscape 16:9"),
                ("custom", "Custom"),
            ),
            default="portrait_4_3",
        ),
        Number(
            name="width",
            label="Width",
            hint="Pixels",
            minimum=256,
            maximum=2048,
            default=None,
            placeholder="768",
            only_if=("image_size", ("custom",)),
        ),
        Number(
            name="height",
            label="Height",
            hint="Pixels",
            minimum=256,
            maximum=2048,
            default=None,
            placeholder="1024",
            only_if=("image_size", ("custom",)),
        ),
        Number(
            name="num_inference_steps",
            label="Steps",
            hint="More steps take longer and draw finer detail.",
            minimum=1,
            maximum=50,
            default=30,
            expert=True,
        ),
        Number(
            name="guidance_scale",
            label="Guidance",
            hint="How closely to follow the garment. High values oversaturate the colours.",
            minimum=0,
            maximum=20,
            step=0.1,
            default=2.5,
            expert=True,
        ),
        SEED,
    ),
    person_pixels=lambda values: _cat_size(values).pixels,
    garment_pixels=lambda values: _cat_size(values).pixels,
    output_size=_cat_size,
    caution=_cat_caution,
    arguments=_cat_arguments,
    read=_cat_read,
    price=None,
)

FLUX_KEEP = "The person of image 1, maintaining exactly their face and pose, wearing"
"""How Black Forest Labs begins the prompts that work best."""


def flux_prompt(description: str, garment_count: int) -> str:
    """The prompt for a description of the garments: one piece a line, or separated by semicolons."""
    pieces = [_with_article(piece) for piece in re.split(r"[\n;]+", description) if piece.strip(" .,")]
    if garment_count == 1:
        return f"{FLUX_KEEP} {' and '.join(pieces) or 'the garments'} of image 2."
    if not pieces:
        return f"{FLUX_KEEP} the {garment_count} garments of image 2."
    link = ":" if len(pieces) >= garment_count else ", among them"
    return f"{FLUX_KEEP} the {garment_count} garments of image 2{link} {', '.join(pieces)}."


def _with_article(piece: str) -> str:
    words = piece.strip(" .,")
    return "the " + re.sub(r"^(the|an|a)\s+", "", words, flags=re.IGNORECASE)


def _flux_arguments(inputs: Inputs) -> dict[str, Any]:
    values = inputs.values
    return {
        "prompt": values["prompt"] or flux_prompt(str(values["description"]), inputs.garment_count),
        "human_image_url": inputs.person,
        "garment_image_url": inputs.garment,
        "num_inference_steps": values["num_inference_steps"],
        "seed": values["seed"],
        "sync_mode": values["sync_mode"],
        "output_format": values["output_format"],
    }


def _flux_read(output: Mapping[str, Any]) -> Answer:
    flagged = any(output.get("has_nsfw_concepts") or ())
    try:
        url = _url(output["images"][0])
    except (KeyError, IndexError, TypeError):
        if not flagged:
            raise
        url = ""  # held back altogether
    return Answer(url=url, seed=output.get("seed"), flagged=flagged)


FLUX_VTO = ModelSpec(
    name="flux-vto",
    title="FLUX Virtual Try-On",
    endpoint="fal-ai/flux-pro/v1/vto",
    good_at="Whole outfits of up to six pieces, quick and sharp",
    takes="about 8–18 s",
    licence="Commercial use allowed, under fal's terms",
    licence_short="commercial use",
    max_garments=6,
    options=(
        Text(
            name="description",
            label="Describe the garment (optional)",
            hint="Its kind, its fit, any text on it. One line for each garment.",
            placeholder="the oversized tee",
            lines=2,
            max_length=600,
        ),
        Flag(
            name="full_size",
            label="Full 2 MP (costs more)",
            hint="Sends your photo at up to 2 megapixels instead of 1, and gets a result as large.",
            expert=True,
        ),
        Text(
            name="prompt",
            label="Whole prompt",
            hint="Replaces the prompt that is built from the description.",
            placeholder=flux_prompt("the oversized tee", 1),
            lines=3,
            max_length=2000,
            expert=True,
        ),
        Number(
            name="num_inference_steps",
            label="Steps",
            hint="4 is best; fewer are quicker.",
            minimum=1,
            maximum=4,
            default=4,
            expert=True,
        ),
        SEED,
        Choice(
            name="output_format",
            label="File format",
            hint="PNG is larger and keeps every pixel as it is.",
            choices=(("jpeg", "JPEG"), ("png", "PNG")),
            default="jpeg",
            expert=True,
        ),
        Flag(
            name="sync_mode",
            label="Keep it out of fal's history",
            hint="fal answers with the picture itself and stores none (fal calls this sync_mode).",
            expert=True,
        ),
    ),
    # fal allows 2 MP and recommends less than 1. Round decimal millions are safe under either reading of "MP".
    person_pixels=lambda values: 2_000_000 if values["full_size"] else 1_000_000,
    garment_pixels=lambda values: 500_000,
    output_size=lambda values: None,
    caution=lambda values: None,
    arguments=_flux_arguments,
    read=_flux_read,
    price=MegapixelPrice(first_input=Decimal("0.0375"), extra_input=Decimal("0.005"), output=Decimal("0.005")),
)

MODELS = {model.name: model for model in (FLUX_VTO, CAT_VTON)}
