"""What several models share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vton_ui.models.spec import Number

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


def url_of(image: Mapping[str, Any]) -> str:
    """The URL of a picture in an output. TypeError or KeyError if it has none."""
    url = image["url"]
    if not isinstance(url, str) or not url:
        raise TypeError("no URL")
    return url
