"""Runs a plan of twelve looks, eight at once, in a process that a test kills: `python -m … ADDRESSES PORT FOLDER`.

ADDRESSES is `FakeFal.addresses()` as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import fal_client.client

from tests.fake_fal.server import FakeFal
from tests.fault_table import World
from tests.tryon.test_plan_run import planned, remembered_by_browser, stops_of
from vton_ui.tryon.plan_run import run

AT_ONCE = 8


async def main(world: World) -> None:
    """Follow the plan until somebody kills this process."""
    plan = planned(world, 4, variations=3, values={"seed": 7})
    async for _ in run(plan, world.context, stops_of(plan), parallel=AT_ONCE):
        pass


if __name__ == "__main__":
    for name, address in json.loads(sys.argv[1]).items():
        setattr(fal_client.client, name, address)
    elsewhere = FakeFal(port=int(sys.argv[2]))  # played by the process of the test
    asyncio.run(main(remembered_by_browser(World(elsewhere, Path(sys.argv[3])))))
