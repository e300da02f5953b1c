"""Streams of events: several side by side, and one whose consumer is cancelled or leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest

from vton_ui.errors import AppFault, Cost, JobFailed
from vton_ui.tryon import streams
from vton_ui.tryon.events import Cancelling, Event, Failed, Preparing, Uploading, Waiting
from vton_ui.tryon.streams import Turns, in_background, merged


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    """No task is left behind."""
    yield
    assert not streams.running


class Job:
    """A stream of events that a test holds up, and what became of it."""

    def __init__(self, *events: Event, error: Exception | None = None, until: asyncio.Event | None = None) -> None:
        self.events, self.error, self.until = events, error, until
        self.produced: list[Event] = []
        self.ended = ""

    async def run(self) -> AsyncGenerator[Event, None]:
        try:
            for event in self.events:
                self.produced.append(event)
                yield event
            if self.until:
                await self.until.wait()
                yield Cancelling()
            if self.error:
                raise self.error
            self.ended = "done"
        except BaseException as exc:
            self.ended = type(exc).__name__
            raise


# Several


async def test_merged_side_by_side() -> None:
    """A stream that waits does not delay another."""
    first_goes_on = asyncio.Event()
    slow, quick = Job(Preparing(), until=first_goes_on), Job(Preparing(), Uploading())
    seen = []
    async for name, event in merged({"slow": slow.run(), "quick": quick.run()}):
        seen.append((name, event))
        if event == Uploading():
            first_goes_on.set()
    assert seen.index(("quick", Uploading())) < seen.index(("slow", Cancelling()))
    assert (slow.ended, quick.ended, len(seen)) == ("done", "done", 4)


async def test_one_failure_ends_nothing_else() -> None:
    """An error is an event, the last one of its stream."""
    error = JobFailed("It failed.", "Try again.")
    jobs = {"bad": Job(Preparing(), error=error), "good": Job(Preparing(), Uploading(), Waiting(position=0, seconds=0))}
    seen = [pair async for pair in merged({name: job.run() for name, job in jobs.items()})]
    assert [event for name, event in seen if name == "bad"] == [Preparing(), Failed(error=error)]
    assert [event for name, event in seen if name == "good"] == list(jobs["good"].events)


async def test_a_fault_of_the_app_is_a_failure() -> None:
    """An unexpected exception ends nothing else either, and is not called free."""
    fault = ZeroDivisionError()
    [(name, event)] = [pair async for pair in merged({"bad": Job(error=fault).run()})]
    assert isinstance(event, Failed)
    assert isinstance(event.error, AppFault)
    assert (name, event.error.cost, event.error.__cause__) == ("bad", Cost.MAYBE, fault)


async def test_merged_waits_for_its_consumer() -> None:
    """The next event is not made before the last one is handled: a job is remembered before it is submitted."""
    job = Job(Preparing(), Uploading())
    async with aclosing(merged({"one": job.run()})) as events:
        await anext(events)
        await asyncio.sleep(0.01)
        assert job.produced == [Preparing()]


@pytest.mark.parametrize("how", ["closed", "cancelled"])
async def test_merged_closes_its_streams(how: str) -> None:
    """However the consumer leaves, no stream stays open."""
    jobs = [Job(Preparing(), until=asyncio.Event()) for _ in range(3)]

    async def take() -> None:
        seen = 0
        async with aclosing(merged({str(index): job.run() for index, job in enumerate(jobs)})) as events:
            async for _ in events:
                seen += 1
                if how == "closed" and seen == 3:
                    return

    task = asyncio.create_task(take())
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait({task})
    assert all(job.ended in ("CancelledError", "GeneratorExit") for job in jobs)


async def test_nothing_to_merge() -> None:
    """No streams, no events."""
    assert [pair async for pair in merged({})] == []


# In the background


async def test_events_pass_through() -> None:
    """The events and the error are those of the stream."""
    error = JobFailed("It failed.", "Try again.")
    events = in_background(Job(Preparing(), Uploading(), error=error).run(), lambda: None)
    assert [await anext(events), await anext(events)] == [Preparing(), Uploading()]
    with pytest.raises(JobFailed) as caught:
        await anext(events)
    assert caught.value is error


async def test_a_cancelled_consumer_stops_the_job() -> None:
    """The consumer is let go at once, `stop` is set, and the stream is taken to its end."""
    stop = asyncio.Event()
    job = Job(Preparing(), until=stop)

    async def take() -> None:
        async for _ in in_background(job.run(), stop.set):
            pass

    task = asyncio.create_task(take())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stop.is_set()
    await asyncio.wait(streams.running)
    assert job.ended == "done"


async def test_a_job_that_fails_in_the_background_is_no_error_there() -> None:
    """Nobody is left to receive the events."""
    stop = asyncio.Event()
    job = Job(until=stop, error=JobFailed("It failed.", "Try again."))
    task = asyncio.ensure_future(anext(in_background(job.run(), stop.set)))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait({task})
    [rest] = streams.running
    await rest
    assert job.ended == "JobFailed"


async def test_a_consumer_that_closes_stops_nothing() -> None:
    """A closed tab ends the following, and does not cancel."""
    stop = asyncio.Event()
    job = Job(Preparing(), until=stop)
    async with aclosing(in_background(job.run(), stop.set)) as events:
        await anext(events)
    assert not stop.is_set()
    assert job.ended == "GeneratorExit"


async def test_background_waits_for_its_consumer() -> None:
    """The next event is not made before the last one is handled."""
    job = Job(Preparing(), Uploading())
    async with aclosing(in_background(job.run(), lambda: None)) as events:
        await anext(events)
        await asyncio.sleep(0.01)
        assert job.produced == [Preparing()]


# In turns


async def test_turns() -> None:
    """So many at once, the others in their order; who is cancelled while waiting is passed over."""
    turns = Turns(2)
    waiting = {name: turns.wait(name) for name in "abcde"}
    assert [name for name, turn in waiting.items() if turn.done()] == ["a", "b"]
    waiting["c"].cancel()
    turns.leave("a")
    assert waiting["d"].done()
    turns.leave("c")
    assert not waiting["e"].done()
    turns.leave("a")
    assert not waiting["e"].done()
    turns.leave("b")
    assert waiting["e"].done()
