"""What a request is run with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vton_ui.money.budget import Budget
from vton_ui.tryon.backend import Backend
from vton_ui.tryon.job_store import JobStore, job_store


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What a request is run with.

    Attributes:
        backend: Where its job runs.
        store: The folder of results.
        budget: The owner's, if the owner pays; else None.
        own_key: Whether the backend uses a key of the visitor's own, which is stored nowhere.
        visitor: Who sent the request, or empty: an upload of one visitor is not used for another.
        browser: The hash of the browser that may come back to what it orders; empty where there is none.
    """

    backend: Backend
    store: Path
    budget: Budget | None = None
    own_key: bool = False
    visitor: str = ""
    browser: str = ""

    @property
    def jobs(self) -> JobStore:
        """The store of submitted jobs."""
        return job_store(self.store)
