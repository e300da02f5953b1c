"""The environment and .env → Settings. The environment wins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the owner of the server decides.

    Attributes:
        fal_key: FAL_KEY, the key that pays for visitors without one of their own; None: the sandbox.
        data_dir: VTON_DATA_DIR, where results are kept.
        fal_api_url: FAL_API_URL, fal's platform API (prices).
    """

    fal_key: str | None = field(default=None, repr=False)
    data_dir: Path = Path("data")
    fal_api_url: str = "https://api.fal.ai"


def load(environment: Mapping[str, str] | None = None, dotenv: Path = Path(".env")) -> Settings:
    """The settings of this server.

    Args:
        environment: Variables; the process's own if None.
        dotenv: A file of further variables, which the environment overrides.
    """
    given = {**dotenv_values(dotenv), **(os.environ if environment is None else environment)}
    known = {name: value.strip() for name, value in given.items() if value and value.strip()}
    return Settings(
        fal_key=known.get("FAL_KEY"),
        data_dir=Path(known.get("VTON_DATA_DIR", Settings.data_dir)).resolve(),
        fal_api_url=known.get("FAL_API_URL", Settings.fal_api_url).rstrip("/"),
    )
