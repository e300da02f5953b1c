"""What several models have in common."""

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
    """Where a picture of an output is; a picture without an address is none."""
    url = image["url"]
    if not isinstance(url, str) or not url:
        raise TypeError("no URL")
    return url
