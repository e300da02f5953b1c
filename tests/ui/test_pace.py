"""In which order, and how fast, requests are let in."""

from __future__ import annotations

import asyncio
import time

import pytest

from vton_ui.ui.web import pace
from vton_ui.ui.web.pace import Admission


async def a_few_rounds() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_alone_there_is_no_line() -> None:
    """Who comes first goes in without the loop doing anything else before."""
    turn = Admission().turn()
    with pytest.raises(StopIteration):
        turn.send(None)


async def test_in_the_order_of_the_calls() -> None:
    """First come, first served."""
    line, seen = Admission(), list[int]()

    async def come(number: int) -> None:
        await line.turn()
        seen.append(number)

    await asyncio.gather(*map(come, range(20)))
    assert seen == list(range(20))


async def test_the_next_waits_for_a_breath(monkeypatch: pytest.MonkeyPatch) -> None:
    """One at a time, however often the loop goes round; and the line moves on by itself."""
    monkeypatch.setattr(pace, "PAUSE", 0.2)
    line = Admission()
    await line.turn()
    second = asyncio.create_task(line.turn())
    await a_few_rounds()
    assert not second.done()
    await asyncio.wait_for(second, 5)


@pytest.mark.parametrize(("patience", "lets_in"), [(60.0, False), (0.1, True)], ids=["waits", "has waited enough"])
async def test_a_loop_behind_with_its_work(monkeypatch: pytest.MonkeyPatch, patience: float, lets_in: bool) -> None:
    """The next waits until the loop has caught up, but not for ever."""
    monkeypatch.setattr(pace, "MAX_WAIT", patience)
    line, busy = Admission(), True

    async def work() -> None:
        while busy:
            time.sleep(0.02)  # noqa: ASYNC251 – it is to hold the loop up
            await asyncio.sleep(0)

    working = asyncio.create_task(work())
    await line.turn()
    second = asyncio.create_task(line.turn())
    await asyncio.wait({second}, timeout=0.5)
    assert second.done() is lets_in
    busy = False
    await working
    await asyncio.wait_for(second, 5)


async def test_who_leaves_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one who waits nor one whose turn it was."""
    monkeypatch.setattr(pace, "PAUSE", 0.05)
    line = Admission()
    first, second, third = (asyncio.create_task(line.turn()) for _ in range(3))
    await a_few_rounds()
    assert first.done()
    second.cancel()
    await asyncio.wait_for(third, 5)
    assert second.cancelled()
