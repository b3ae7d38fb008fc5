"""Work that is done again and again."""

from __future__ import annotations

import asyncio
import logging

import pytest

from kubescribe.application.keep_doing import KeepDoing
from kubescribe.application.metrics import Registry
from kubescribe.domain.errors import DatabaseUnavailable


class Ticking:
    """A clock whose sleeps end at once, and the work with them after so many."""

    def __init__(self, ends_after: int) -> None:
        self.now, self.pauses, self._left = 0.0, list[float](), ends_after

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        self._left -= 1
        if not self._left:
            raise asyncio.CancelledError


def go(answers: list[Exception | None], clock: Ticking, registry: Registry) -> KeepDoing:
    left = list(answers)

    async def work() -> None:
        answer = left.pop(0) if left else None
        if answer is not None:
            raise answer

    loop = KeepDoing("seal", work, every=1.0, clock=clock, registry=registry)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(loop())
    return loop


def test_it_goes_on_every_second() -> None:
    clock = Ticking(5)
    go([], clock, Registry())
    assert clock.pauses == [1.0] * 5


def test_a_failure_is_logged_counted_and_waited_out(caplog: pytest.LogCaptureFixture) -> None:
    clock, registry = Ticking(11), Registry()
    away, defect = DatabaseUnavailable("RunLog", "it is away"), RuntimeError("a defect")
    with caplog.at_level(logging.WARNING):
        loop = go([None, *[away] * 8, defect], clock, registry)
    assert clock.pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0, 1.0]
    assert 'kubescribe_loop_failures_total{loop="seal"} 9' in registry.text()
    assert caplog.records[0].getMessage() == f"seal: {away}" and caplog.records[0].exc_info is None
    assert caplog.records[-1].exc_info is not None
    loop.told()
    assert 'kubescribe_loop_age_seconds{loop="seal"} 1\n' in registry.text()
