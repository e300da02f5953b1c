"""What was submitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from vton_ui.pictures.framing import Frame

LOST_SECONDS = 600.0
"""How long after submitting a missing answer counts as lost: no request of ours takes longer to go out."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A submitted request, and what is needed to finish it; small enough to keep in a browser.

    Attributes:
        id: Our own id, which it has before fal knows of it.
        request_id: fal's id; empty until fal has answered.
        cost_usd: The estimate, in dollars; None where the price is unknown.
        started_at: When the visitor clicked, in seconds since 1970.
        ordered_at: Just before it was submitted, in seconds since 1970.
        photo_url: The person's photo at fal, an address that no two visitors share; empty where unknown.
        frame: Where the photo is in the picture; None where that is no longer known.
        own_key: Whether it was paid with a key of the visitor's own.
        private: Whether fal was told to store no record of it, so that a lost answer cannot be recovered.
        reservation: Its row in the ledger, where there is one.
    """

    id: str
    model: str
    endpoint: str
    request_id: str
    seed: int | None
    prompt: str | None
    cost_usd: str | None
    started_at: float
    ordered_at: float
    photo_url: str
    frame: Frame | None
    sandbox: bool
    own_key: bool
    private: bool
    reservation: str | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Job:
        """From `to_dict`. TypeError or KeyError if it is something else."""
        frame = data["frame"]
        return cls(**{**data, "frame": Frame(**frame) if frame else None})
