"""A visitor's hand in the owner's budget: the ledger, off the event loop."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from vton_ui.money.ledger import Ledger


class Budget(Protocol):
    """The owner's money: what is set aside for a job counts against the caps until it is given back."""

    async def reserve(self, name: str, cost_usd: str | None) -> None:
        """Set money aside under a name; None is an unknown price. OverBudget if a cap is reached."""
        ...

    async def accept(self, reservation: str, request_id: str) -> None:
        """fal took the job."""
        ...

    async def settle(self, reservation: str) -> None:
        """It is spent."""
        ...

    async def release(self, reservation: str) -> None:
        """fal does not charge it."""
        ...

    async def unsettled(self, since: float, before: float) -> list[str]:
        """All visitors' reservations of a span of time, in seconds since 1970, whose end is open."""
        ...


@dataclass(frozen=True, kw_only=True)
class LedgerBudget:
    """The Budget protocol on a ledger, for one visitor."""

    ledger: Ledger
    visitor: str

    async def reserve(self, name: str, cost_usd: str | None) -> None:
        """See Budget."""
        cost = None if cost_usd is None else Decimal(cost_usd)
        await asyncio.to_thread(self.ledger.reserve, self.visitor, cost, name)

    async def accept(self, reservation: str, request_id: str) -> None:
        """See Budget."""
        await asyncio.to_thread(self.ledger.accept, reservation, request_id)

    async def settle(self, reservation: str) -> None:
        """See Budget."""
        await asyncio.to_thread(self.ledger.settle, reservation)

    async def release(self, reservation: str) -> None:
        """See Budget."""
        await asyncio.to_thread(self.ledger.release, reservation)

    async def unsettled(self, since: float, before: float) -> list[str]:
        """See Budget."""
        return await asyncio.to_thread(self.ledger.unsettled, since, before)
