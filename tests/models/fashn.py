"""FASHN v1.6, as whoever adds a model would write it. The facts are fal's: https://fal.ai/models/fal-ai/fashn/tryon/v1.6"""

from decimal import Decimal

from vton_ui.models.shared import SEED, url_of
from vton_ui.models.spec import Answer, Choice, ModelSpec, PicturePrice

KINDS = (("auto", "Find out"), ("tops", "Top"), ("bottoms", "Bottom"), ("one-pieces", "Whole body"))
MODES = (("performance", "Quick"), ("balanced", "Balanced"), ("quality", "Best"))
FASHN = ModelSpec(
    name="fashn",
    title="FASHN v1.6",
    endpoint="fal-ai/fashn/tryon/v1.6",
    good_at="Text and patterns on one garment",
    takes="about 5–17 s",
    licence="Commercial use allowed, under fal's terms",
    licence_short="commercial use",
    max_garments=1,
    options=(
        Choice(name="category", label="What kind of garment?", choices=KINDS, default="auto"),
        Choice(name="mode", label="Speed or quality", choices=MODES, default="balanced"),
        SEED,
    ),
    person_pixels=lambda values: 864 * 1296,
    garment_pixels=lambda values: 864 * 1296,
    output_size=lambda values: None,
    caution=lambda values: None,
    # One request is one look, so num_samples stays 1: several looks are several requests, each with a seed of its own.
    arguments=lambda inputs: {"model_image": inputs.person, "garment_image": inputs.garment, **inputs.values},
    read=lambda output: Answer(url=url_of(output["images"][0])),
    price=PicturePrice(usd=Decimal("0.075")),
)
