"""CatVTON. The facts are fal's: https://fal.ai/models/fal-ai/cat-vton/api"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vton_ui.models.shared import SEED, url_of
from vton_ui.models.spec import Answer, Choice, Inputs, ModelSpec, Number, Size, Values

_SIZES = {
    "portrait_4_3": Size(768, 1024),
    "portrait_16_9": Size(576, 1024),
    "square_hd": Size(1024, 1024),
    "square": Size(512, 512),
    "landscape_4_3": Size(1024, 768),
    "landscape_16_9": Size(1024, 576),
}


def _custom(values: Values) -> bool:
    return values["image_size"] == "custom" or bool(values["width"] or values["height"])


def _size(values: Values) -> Size:
    if _custom(values):
        return Size(int(values["width"] or 768), int(values["height"] or 1024))
    return _SIZES[str(values["image_size"])]


def _caution(values: Values) -> str | None:
    if _size(values) == _SIZES["portrait_4_3"]:
        return None
    return "CatVTON was made for 768 × 1024. Other shapes often come out poor, and custom ones sometimes black."


def _arguments(inputs: Inputs) -> dict[str, Any]:
    values = inputs.values
    size = _size(values)
    return {
        "human_image_url": inputs.person,
        "garment_image_url": inputs.garment,
        "cloth_type": values["cloth_type"],
        "image_size": size._asdict() if _custom(values) else values["image_size"],
        "num_inference_steps": values["num_inference_steps"],
        "guidance_scale": values["guidance_scale"],
        "seed": values["seed"],
    }


def _read(output: Mapping[str, Any]) -> Answer:
    return Answer(url=url_of(output["image"]))


CAT_VTON = ModelSpec(
    name="cat-vton",
    title="CatVTON",
    endpoint="fal-ai/cat-vton",
    good_at="One garment at a time, with a choice of where it goes",
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
    person_pixels=lambda values: _size(values).pixels,
    garment_pixels=lambda values: _size(values).pixels,
    output_size=_size,
    caution=_caution,
    arguments=_arguments,
    read=_read,
    price=None,
    # It scales by itself, and its price does not depend on the size of what is sent.
    unscaled_pixels=2_000_000,
)
