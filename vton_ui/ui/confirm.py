"""Asks once before a plan is ordered that costs more than the owner set."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vton_ui.studio import Studio
from vton_ui.tryon.plan_price import PlanPrice
from vton_ui.ui.page import Page
from vton_ui.ui.page_input import PageInput, PageValues
from vton_ui.ui.plan_words import question
from vton_ui.ui.render import Updates


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the visitor was asked. The server keeps it: an answer is checked against it, whatever the browser says.

    Attributes:
        digest: Of the input, and of what it costs.
        changed: The options that the click changed, a new seed for instance.
    """

    digest: str
    changed: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Confirm:
    """The question on one page of one studio."""

    page: Page
    studio: Studio

    def ask(
        self, page_input: PageInput, price: PlanPrice, changed: Mapping[str, Any], answered: Question | None
    ) -> Updates | None:
        """The question; None where the plan costs too little to ask, or where just this has been answered."""
        digest = _digest(page_input, price)
        costly = price.counted(self.studio.unknown_price_usd) > self.studio.confirm_usd
        if self.studio.backend_for(page_input.key).sandbox or not costly or (answered and answered.digest == digest):
            return None
        return {self.page.confirm: question(price), self.page.asked: Question(digest=digest, changed=changed)}

    def asked(self, values: PageValues) -> Question | None:
        """What is asked on the page now."""
        known = values[self.page.asked]
        return known if isinstance(known, Question) else None

    def outdated(self, values: PageValues, page_input: PageInput, price: PlanPrice) -> bool:
        """Whether something else is asked on the page than what stands on it."""
        known = self.asked(values)
        return known is not None and known.digest != _digest(page_input, price)

    @property
    def withdrawn(self) -> Updates:
        """The page without a question."""
        return {self.page.confirm: "", self.page.asked: None}


def _digest(page_input: PageInput, price: PlanPrice) -> str:
    """What tells one input from another: a new seed is no difference, a new price is one."""
    models = [model.name for model in page_input.models]
    rest = [value for name, value in vars(page_input).items() if name not in ("models", "left_out")]
    return hashlib.sha256(repr([models, rest, price.estimates]).encode()).hexdigest()
