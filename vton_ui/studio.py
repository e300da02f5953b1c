"""What the page and the API are handed: the models, who runs them, who pays, and where results go."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from vton_ui.models.spec import ModelSpec
from vton_ui.money.budget import Budget
from vton_ui.quota import FreeWork, UploadQuota
from vton_ui.session_uploads import SessionUploads
from vton_ui.tryon.backend import Backend
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.job_store import JobStore, job_store


@dataclass(frozen=True, kw_only=True)
class Studio:
    """One running server; attributes that are not listed here are those of `Settings`.

    Attributes:
        models: The registry, the default model first.
        backend_for: The backend for a visitor's own key; for None, the server's. KeyRefused if it is no key.
        budget_for: The owner's budget for a visitor (see ui.visitor).
        store: The folder of results.
        examples: The folder of example pictures, with `people` and `garments` in it.
        secret: What signs what browsers keep.
        free: How much free work each visitor may have done.
        uploaded: How much each visitor may upload.
        session_uploads: Which uploads are whose.
    """

    models: Mapping[str, ModelSpec]
    backend_for: Callable[[str | None], Backend]
    budget_for: Callable[[str], Budget]
    store: Path
    keep_hours: float
    examples: Path
    secret: bytes
    proxies: int = 0
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    parallel: int
    confirm_usd: Decimal
    unknown_price_usd: Decimal
    free: FreeWork
    uploaded: UploadQuota
    session_uploads: SessionUploads = field(default_factory=SessionUploads)

    @property
    def default_model(self) -> ModelSpec:
        """The model that is chosen at first."""
        return next(iter(self.models.values()))

    @property
    def jobs(self) -> JobStore:
        """What was ordered."""
        return job_store(self.store)

    @property
    def sandbox(self) -> bool:
        """Whether a visitor without a key gets drafts."""
        return self.backend_for(None).sandbox

    def context(self, key: str | None, visitor: str, browser: str = "") -> RunContext:
        """What a visitor's try-on is done with. KeyRefused if the key is none.

        Args:
            key: The visitor's own key.
            visitor: Who pays, see ui.visitor.
            browser: The secret name of the browser that may come back to what it orders; empty: none.
        """
        backend = self.backend_for(key)
        owner_pays = not key and not backend.sandbox
        return RunContext(
            backend=backend,
            store=self.store,
            budget=self.budget_for(visitor) if owner_pays else None,
            own_key=bool(key),
            visitor=visitor,
            browser=self.browser_hash(browser),
        )

    def browser_hash(self, browser: str) -> str:
        """A browser's secret name as the job store knows it; empty for none."""
        return hmac.digest(self.secret, f"browser {browser}".encode(), "sha256").hex() if browser else ""
