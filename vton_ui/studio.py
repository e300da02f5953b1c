"""What the page and the API are handed: the models, who runs them, and where results go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vton_ui.job import Backend
from vton_ui.spec import ModelSpec


@dataclass(frozen=True, kw_only=True)
class Studio:
    """One running server.

    Attributes:
        models: The registry, the default model first.
        backend_for: The backend for a visitor's own key; for None, the server's. KeyRefused if it is no key.
        store: The folder of results.
        examples: The folder of example pictures, with `people` and `garments` in it.
    """

    models: Mapping[str, ModelSpec]
    backend_for: Callable[[str | None], Backend]
    store: Path
    examples: Path

    @property
    def default_model(self) -> ModelSpec:
        """The model that is chosen at first."""
        return next(iter(self.models.values()))

    @property
    def sandbox(self) -> bool:
        """Whether a visitor without a key gets drafts."""
        return self.backend_for(None).sandbox
