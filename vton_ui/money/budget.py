"""The Budget protocol, and its adapter to the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from vton_ui.money.ledger import Costs, Ledger


class Budget(Protocol):
    """The owner's money: a reservation counts against the caps until it is released."""

    async def reserve(self, looks: Sequence[Costs]) -> None:
        """Reserve money for all these looks or for none, each try under its name. OverBudget if a cap is reached."""

    async def accept(self, reservation: str, request_id: str) -> None:
        """fal has accepted the job."""

    async def settle(self, reservation: str) -> None:
        """The money is spent."""

    async def release(self, reservation: str) -> None:
        """fal does not charge for the job."""

    async def unsettled(self, since: float, before: float) -> list[str]:
        """All visitors' reservations between two times (seconds since 1970) that are neither settled nor released."""


@dataclass(frozen=True, kw_only=True)
class LedgerBudget:
    """The Budget protocol on a ledger, for one visitor; the ledger is called off the event loop."""

    ledger: Ledger
    visitor: str

    async def reserve(self, looks: Sequence[Costs]) -> None:
        await asyncio.to_thread(self.ledger.reserve_all, self.visitor, looks)

    async def accept(self, reservation: str, request_id: str) -> None:
        await asyncio.to_thread(self.ledger.accept, reservation, request_id)

    async def settle(self, reservation: str) -> None:
        await asyncio.to_thread(self.ledger.settle, reservation)

    async def release(self, reservation: str) -> None:
        await asyncio.to_thread(self.ledger.release, reservation)

    async def unsettled(self, since: float, before: float) -> list[str]:
        return await asyncio.to_thread(self.ledger.unsettled, since, before)
