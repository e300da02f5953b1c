"""FLUX Virtual Try-On. The facts are fal's: https://fal.ai/models/fal-ai/flux-pro/v1/vto/api"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from vton_ui.models.shared import SEED, url_of
from vton_ui.models.spec import Answer, Choice, Flag, Inputs, MegapixelPrice, ModelSpec, Number, Text

_PROMPT_START = "The person of image 1, maintaining exactly their face and pose, wearing"
"""How Black Forest Labs begins the prompts that work best."""


def flux_prompt(description: str, garment_count: int) -> str:
    """The prompt for a description of the garments, with one piece per line or between semicolons."""
    pieces = [_with_article(piece) for piece in re.split(r"[\n;]+", description) if piece.strip(" .,")]
    if garment_count == 1:
        return f"{_PROMPT_START} {' and '.join(pieces) or 'the garments'} of image 2."
    if not pieces:
        return f"{_PROMPT_START} the {garment_count} garments of image 2."
    link = ":" if len(pieces) >= garment_count else ", among them"
    return f"{_PROMPT_START} the {garment_count} garments of image 2{link} {', '.join(pieces)}."


def _with_article(piece: str) -> str:
    words = piece.strip(" .,")
    return "the " + re.sub(r"^(the|an|a)\s+", "", words, flags=re.IGNORECASE)


def _arguments(inputs: Inputs) -> dict[str, Any]:
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


def _read(output: Mapping[str, Any]) -> Answer:
    flagged = any(output.get("has_nsfw_concepts") or ())
    try:
        url = url_of(output["images"][0])
    except (KeyError, IndexError, TypeError):
        if not flagged:
            raise
        url = ""  # a flagged picture may be withheld
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
    arguments=_arguments,
    read=_read,
    price=MegapixelPrice(first_input=Decimal("0.0375"), extra_input=Decimal("0.005"), output=Decimal("0.005")),
)
