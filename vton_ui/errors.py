"""The tree of errors that a visitor may see: cause, cure, cost.

VtonError                what happened, what to do, what it cost
├── InputError           a photo or a setting cannot be used; nothing was sent
│   ├── PhotoError       a photo, named by its slot
│   ├── GarmentsError    too few or too many garments for the model
│   └── OptionError      a setting outside its range, named by its option
├── OverBudget           a cap that the owner set is reached; nothing was sent
├── RateLimited          more free calls, or more bytes, than a visitor may have in this time
├── DiskFull             the server has no room for more files
├── AppFault             a fault of this app, which its log describes
└── FalError             fal, or the connection to it, failed
    ├── KeyRefused       fal does not know the key, or has locked its account
    ├── Unreachable      no connection was made: nothing was sent
    ├── SubmitUnclear    fal may have accepted the job; it was not sent again
    ├── JobFailed        fal accepted the job, and it failed
    │   └── JobCancelled it was cancelled before it was done
    ├── Filtered         fal's safety checker held the picture back
    └── ResultLost       the job is done and its picture cannot be fetched
"""

from __future__ import annotations

from enum import Enum
from functools import partial
from typing import Any


class Cost(Enum):
    """What a failure cost."""

    NOTHING = "Nothing was charged."
    MAYBE = "fal may have charged for this."
    CHARGED = "fal has charged for this."


class VtonError(Exception):
    """A failure that a visitor can understand and do something about.

    Args:
        cause: What happened, one plain sentence.
        cure: What to do about it, one plain sentence.
        slot: The slot or option it concerns, in the visitor's words ("Garment 2").
        cost: What it may have cost.
        request_id: fal's id of the job, where there is one.
    """

    default_cost = Cost.NOTHING

    def __init__(
        self,
        cause: str,
        cure: str,
        *,
        slot: str | None = None,
        cost: Cost | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(cause)
        self.cause = cause
        self.cure = cure
        self.slot = slot
        self.cost = cost or self.default_cost
        self.request_id = request_id

    def __reduce__(self) -> tuple[Any, ...]:
        """An exception is pickled by its `args` alone, unless it says otherwise."""
        again = partial(type(self), slot=self.slot, cost=self.cost, request_id=self.request_id)
        return again, (self.cause, self.cure)

    def __str__(self) -> str:
        """The whole error in one line, as a script sees it."""
        parts = [f"{self.slot}: {self.cause}" if self.slot else self.cause, self.cure, self.cost.value]
        if self.request_id:
            parts.append(f"Request id: {self.request_id}.")
        return " ".join(parts)


class InputError(VtonError):
    """A photo or a setting cannot be used; nothing was sent."""


class PhotoError(InputError):
    """A photo is missing, unreadable, too large or too small."""


class GarmentsError(InputError):
    """There are too few or too many garments for the model."""


class OptionError(InputError):
    """A setting is outside its range or unknown."""


class OverBudget(VtonError):
    """A cap that the owner set is reached; nothing was sent."""


class RateLimited(VtonError):
    """More free calls, or more bytes, than a visitor may have in this time."""


class DiskFull(VtonError):
    """The server has no room for more files."""


class AppFault(VtonError):
    """A fault of this app, which its log describes; a job that was submitted may still be had."""

    default_cost = Cost.MAYBE


class FalError(VtonError):
    """fal, or the connection to it, failed."""


class KeyRefused(FalError):
    """fal does not know the key, or has locked its account."""


class Unreachable(FalError):
    """No connection could be made; nothing was sent."""


class SubmitUnclear(FalError):
    """fal's answer to a submitted job was lost, so fal may have accepted it; it is never sent twice."""

    default_cost = Cost.MAYBE


class JobFailed(FalError):
    """fal accepted the job, and it failed."""


class JobCancelled(JobFailed):
    """The job was cancelled before it was done."""


class Filtered(FalError):
    """fal's safety checker held the picture back."""

    default_cost = Cost.MAYBE


class ResultLost(FalError):
    """The job is done, and its picture cannot be fetched."""

    default_cost = Cost.CHARGED


MAY_STILL_BE_HAD = (SubmitUnclear, ResultLost, KeyRefused, AppFault)
"""Errors after which a submitted job may still end in a picture."""
