"""What was submitted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from vton_ui.pictures.framing import Frame
from vton_ui.tryon.look_source import LookSource

LOST_SECONDS = 600.0
"""How long after submitting a missing answer counts as lost: no request of ours takes longer to go out."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a job is in its plan, decided before it is submitted.

    Attributes:
        id: The job's id, and the name of its reservation.
        plan: The plan's id.
        item: The item's id within the plan.
        label: What its look is called on screen.
        step: What it puts on, if the look takes several steps.
    """

    id: str
    plan: str = ""
    item: str = ""
    label: str = ""
    step: str = ""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A submitted request, and what is needed to finish it; small enough to keep in a browser.

    Attributes:
        id: Our own id, which it has before fal knows of it.
        request_id: fal's id; empty until fal has answered.
        cost_usd: The estimate, in dollars; None where the price is unknown.
        started_at: When the visitor clicked, in seconds since 1970.
        submitted_at: Just before it was submitted, in seconds since 1970.
        photo_url: The person's photo at fal, an address that no two visitors share; empty where unknown.
        frame: Where the photo is in the picture; None where that is no longer known.
        own_key: Whether it was paid with a key of the visitor's own.
        private: Whether fal was told to store no record of it, so that a lost answer cannot be recovered.
        reservation: Its row in the ledger, where there is one.
        garment_url: The garment's picture at fal; looks of one click may differ in nothing else.
        plan: The click that it belongs to; empty where it came alone, as are `item`, `label` and `step` (see Part).
        source: What its look is made from, until there is a picture, which keeps it from then on.
    """

    id: str
    model: str
    endpoint: str
    request_id: str
    seed: int | None
    prompt: str | None
    cost_usd: str | None
    started_at: float
    submitted_at: float
    photo_url: str
    frame: Frame | None
    sandbox: bool
    own_key: bool
    private: bool
    reservation: str | None
    garment_url: str = ""
    plan: str = ""
    item: str = ""
    label: str = ""
    step: str = ""
    source: LookSource | None = None

    @property
    def can_be_found(self) -> bool:
        """Whether it makes sense to come back to it: fal's answer is known, or its loss is young."""
        return bool(self.request_id) or time.time() - self.submitted_at < LOST_SECONDS

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(replace(self, source=None)), "source": self.source.to_dict() if self.source else None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Job:
        """From `to_dict`. TypeError or KeyError if it is something else."""
        frame, source = data["frame"], data.get("source")
        others = {name: value for name, value in data.items() if name != "ordered_at"}
        others["submitted_at"] = data["ordered_at"] if "ordered_at" in data else data["submitted_at"]  # its name before
        others["frame"] = Frame(**frame) if frame else None
        others["source"] = LookSource.from_dict(source) if source else None
        return cls(**others)
