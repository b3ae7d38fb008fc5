"""What may be relied on by whoever measures or waits."""

from __future__ import annotations

import asyncio

import pytest

from kubescribe.adapters.memory.clock import MemoryClock
from kubescribe.adapters.system.clock import SystemClock
from kubescribe.application.ports.clock import Clock


@pytest.fixture(params=[MemoryClock, SystemClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_never_goes_back(clock: Clock) -> None:
    times = [clock.monotonic() for _ in range(1000)]
    assert times == sorted(times)


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.0005, 0.02])
def test_sleeps_at_least_as_long_as_asked(clock: Clock, loop: asyncio.Runner, seconds: float) -> None:
    before = clock.monotonic()
    loop.run(clock.sleep(seconds))
    assert clock.monotonic() - before >= max(0.0, seconds)


def test_others_go_on_meanwhile(clock: Clock, loop: asyncio.Runner) -> None:
    went_on = asyncio.Event()

    async def other() -> None:
        went_on.set()

    async def both() -> bool:
        task = asyncio.create_task(other())
        await clock.sleep(0.001)
        was = went_on.is_set()
        await task
        return was

    assert loop.run(both())


def test_the_manual_one_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="does not go back"):
        MemoryClock().advance(-1)
