"""The registry: what is sent to each endpoint, key by key, and what is read from its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.fake_fal.schemas import ENDPOINTS
from vton_ui.models import CAT_VTON, FLUX_VTO, MODELS
from vton_ui.models.flux_vto import flux_prompt
from vton_ui.models.options import complete
from vton_ui.models.spec import Answer, Choice, Flag, Inputs, ModelSpec, Number, Size, Text

PERSON, GARMENT = "https://v3.fal.media/person.jpg", "https://v3.fal.media/garment.jpg"

by_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def sent(model: ModelSpec, given: Mapping[str, Any], garments: int = 1) -> dict[str, Any]:
    values = complete(model, given)
    return model.arguments(Inputs(person=PERSON, garment=GARMENT, garment_count=garments, values=values))


def test_cat_vton_least() -> None:
    """CatVTON with nothing set but the seed that is always chosen."""
    assert sent(CAT_VTON, {"seed": 42}) == {
        "human_image_url": PERSON,
        "garment_image_url": GARMENT,
        "cloth_type": "upper",
        "image_size": "portrait_4_3",
        "num_inference_steps": 30,
        "guidance_scale": 2.5,
        "seed": 42,
    }


def test_cat_vton_all() -> None:
    """CatVTON with everything set."""
    given = {
        "cloth_type": "outer",
        "image_size": "custom",
        "width": 600,
        "height": 800,
        "num_inference_steps": 50,
        "guidance_scale": 0,
        "seed": 0,
    }
    assert sent(CAT_VTON, given) == {
        "human_image_url": PERSON,
        "garment_image_url": GARMENT,
        "cloth_type": "outer",
        "image_size": {"width": 600, "height": 800},
        "num_inference_steps": 50,
        "guidance_scale": 0.0,
        "seed": 0,
    }


def test_flux_least() -> None:
    """FLUX with nothing set but the seed: the prompt is built."""
    assert sent(FLUX_VTO, {"seed": 42}) == {
        "prompt": "The person of image 1, maintaining exactly their face and pose, wearing the garments of image 2.",
        "human_image_url": PERSON,
        "garment_image_url": GARMENT,
        "num_inference_steps": 4,
        "seed": 42,
        "sync_mode": False,
        "output_format": "jpeg",
    }


def test_flux_all() -> None:
    """FLUX with everything set: an expert's prompt goes out as it was written, whatever the description."""
    given = {
        "description": "the red tee",
        "prompt": "A studio shot.",
        "full_size": True,
        "num_inference_steps": 1,
        "seed": 0,
        "sync_mode": True,
        "output_format": "png",
    }
    assert sent(FLUX_VTO, given, garments=3) == {
        "prompt": "A studio shot.",
        "human_image_url": PERSON,
        "garment_image_url": GARMENT,
        "num_inference_steps": 1,
        "seed": 0,
        "sync_mode": True,
        "output_format": "png",
    }


@pytest.mark.parametrize(
    ("description", "count", "wearing"),
    [
        ("", 1, "the garments of image 2."),
        (" ; \n.", 1, "the garments of image 2."),
        ("oversized tee", 1, "the oversized tee of image 2."),
        ("The oversized tee.", 1, "the oversized tee of image 2."),
        ("an orange parka", 1, "the orange parka of image 2."),
        ("anorak", 1, "the anorak of image 2."),
        ("a tee; jeans", 1, "the tee and the jeans of image 2."),
        ("", 3, "the 3 garments of image 2."),
        ("tee\njeans", 2, "the 2 garments of image 2: the tee, the jeans."),
        ("tee; the jeans, 7/8 length", 2, "the 2 garments of image 2: the tee, the jeans, 7/8 length."),
        ("tee\n\n jeans \n", 3, "the 3 garments of image 2, among them the tee, the jeans."),
    ],
)
def test_flux_prompt(description: str, count: int, wearing: str) -> None:
    """The prompt names the described pieces and no others, and their number."""
    start = "The person of image 1, maintaining exactly their face and pose, wearing "
    assert flux_prompt(description, count) == start + wearing


@by_model
def test_whole_schema(model: ModelSpec) -> None:
    """The arguments are exactly the endpoint's fields; none is null."""
    arguments = sent(model, {"seed": 1})
    assert arguments.keys() == ENDPOINTS[model.endpoint].fields.keys()
    assert None not in arguments.values()


@by_model
def test_ranges_are_the_schemas(model: ModelSpec) -> None:
    """An option that is a field of the endpoint has the field's range and choices."""
    fields = ENDPOINTS[model.endpoint].fields
    for option in model.options:
        field = fields.get(option.name)
        if field is None:
            continue
        if isinstance(option, Number) and option.name != "seed":
            assert (option.minimum, option.maximum) == (field.minimum, field.maximum)
        if isinstance(option, Choice):
            assert {value for value, _ in option.choices} - {"custom"} == set(field.choices)
        assert isinstance(option, Flag) == (field.kind == "boolean")
        assert isinstance(option, Text) <= (field.kind == "string")


@by_model
def test_facts(model: ModelSpec) -> None:
    """Every model has its texts, and each of its options a label."""
    assert MODELS[model.name] is model
    assert all((model.title, model.good_at, model.takes, model.licence, model.licence_short))
    labels = [option.label for option in model.options]
    assert len(set(labels)) == len(labels)
    assert all(labels)
    assert isinstance(complete(model, {}), dict)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Size(768, 1024)),
        ({"image_size": "portrait_4_3"}, Size(768, 1024)),
        ({"image_size": "portrait_16_9"}, Size(576, 1024)),
        ({"image_size": "square_hd"}, Size(1024, 1024)),
        ({"image_size": "square"}, Size(512, 512)),
        ({"image_size": "landscape_4_3"}, Size(1024, 768)),
        ({"image_size": "landscape_16_9"}, Size(1024, 576)),
        ({"image_size": "custom", "width": 600, "height": 700}, Size(600, 700)),
        ({"width": 600, "height": 700}, Size(600, 700)),
        ({"image_size": "custom"}, Size(768, 1024)),
    ],
    ids=str,
)
def test_cat_size(given: dict[str, Any], expected: Size) -> None:
    """The person is padded to the very size that is asked for; other sizes than the model's own are warned of."""
    values = complete(CAT_VTON, given)
    assert CAT_VTON.output_size(values) == expected
    assert CAT_VTON.person_pixels(values) == CAT_VTON.garment_pixels(values) == expected.pixels
    assert (CAT_VTON.caution(values) is None) == (expected == (768, 1024))
    asked = sent(CAT_VTON, given)["image_size"]
    if isinstance(asked, dict):
        assert asked == {"width": expected.width, "height": expected.height}


@pytest.mark.parametrize(("full_size", "pixels"), [(False, 1_000_000), (True, 2_000_000)])
def test_flux_limits(full_size: bool, pixels: int) -> None:
    """FLUX gets a megapixel of the person, two on request, and half a one of garments."""
    values = complete(FLUX_VTO, {"full_size": full_size})
    assert (FLUX_VTO.person_pixels(values), FLUX_VTO.garment_pixels(values)) == (pixels, 500_000)
    assert FLUX_VTO.output_size(values) is None


URL = "https://v3.fal.media/files/a/b.png"


@pytest.mark.parametrize(
    ("model", "output", "expected"),
    [
        (CAT_VTON, {"image": {"url": URL, "width": 768}}, Answer(url=URL)),
        (
            FLUX_VTO,
            {"images": [{"url": URL}], "seed": 7, "has_nsfw_concepts": [False], "prompt": "", "timings": {}},
            Answer(url=URL, seed=7),
        ),
        (FLUX_VTO, {"images": [{"url": URL}], "has_nsfw_concepts": [True]}, Answer(url=URL, flagged=True)),
        (FLUX_VTO, {"images": [{"url": URL}]}, Answer(url=URL)),
        (FLUX_VTO, {"images": [{"url": URL}], "has_nsfw_concepts": None}, Answer(url=URL)),
    ],
    ids=["CatVTON", "FLUX", "flagged", "least", "null"],
)
def test_read(model: ModelSpec, output: Mapping[str, Any], expected: Answer) -> None:
    """The answer's picture, seed and flag are found."""
    assert model.read(output) == expected


@by_model
@pytest.mark.parametrize(
    "output",
    [
        {},
        {"image": None, "images": None},
        {"image": {}, "images": []},
        {"image": {"url": None}, "images": [{"url": None}]},
        {"image": {"url": ""}, "images": [{"url": ""}]},
        {"image": "", "images": [""]},
        {"image": [URL], "images": {"0": URL}},
    ],
    ids=str,
)
def test_read_no_picture(model: ModelSpec, output: Mapping[str, Any]) -> None:
    """An answer without a picture raises one of three errors, whatever its shape."""
    with pytest.raises((KeyError, IndexError, TypeError)):
        model.read(output)
