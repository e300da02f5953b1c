"""What a visitor does with a look, by its name."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from vton_ui.ui.components.actions import Action, read_action
from vton_ui.ui.page_input import PageValues
from vton_ui.ui.render import Updates
from vton_ui.ui.tab import Tab, Tabs

Quick = Callable[[PageValues, Action, gr.Request], Awaitable[Updates]]
"""Changes the page, or stops something."""
Run = Callable[[Tab, Action], AsyncGenerator[Updates, None]]
"""Orders or follows something."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Dispatch:
    """The actions on looks, by name."""

    tabs: Tabs
    quick: Mapping[str, Quick]
    runs: Mapping[str, Run]

    async def act(self, values: dict[Component, Any], event: gr.EventData, request: gr.Request) -> Updates:
        """Do what is asked for, if it is known and its looks are this browser's."""
        action = read_action(event)
        updates = Updates()
        if action is not None and action.name in self.quick:
            updates = await self.quick[action.name](values, action, request)
        return updates or {self.tabs.page.failure: gr.skip()}  # Gradio takes an empty dict for a value

    async def run(
        self, values: dict[Component, Any], event: gr.EventData, request: gr.Request
    ) -> AsyncGenerator[Updates, None]:
        """The same for what streams."""
        tab, action = await self.tabs.of(values, request), read_action(event)
        yield tab.show()  # also where nothing follows: from an empty stream Gradio makes empty values
        if action is None or action.name not in self.runs or tab.board.is_repeated(action.name, *action.ids):
            return
        async with aclosing(self.runs[action.name](tab, action)) as updates:
            async for update in updates:
                yield update
