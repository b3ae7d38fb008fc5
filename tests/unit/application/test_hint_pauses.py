"""RunLog's pauses, shown to the cluster."""

from __future__ import annotations

import asyncio

import pytest

from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.pauses import MemoryPauses
from kubescribe.adapters.memory.schedules import MemorySchedules
from kubescribe.application.hint_pauses import HintPauses
from kubescribe.application.ports.schedules import SeenSchedule
from kubescribe.domain.pause import PassedOver


def seen(*, suspended: bool = False, ours: bool = False, fires: bool = True) -> SeenSchedule:
    return SeenSchedule(
        namespace="runs",
        name="sales",
        tenant="default",
        pipeline="sales",
        suspended=suspended,
        ours=ours,
        fires=fires,
    )


HELD = seen(suspended=True, ours=True)


@pytest.mark.parametrize(
    ("paused", "before", "after"),
    [
        (True, seen(), HELD),
        (True, HELD, HELD),
        (True, seen(ours=True), HELD),  # somebody has resumed it on the cluster: that is a drift, and no resume
        (True, seen(suspended=True), seen(suspended=True)),  # others hold it already, and will go on
        (False, HELD, seen()),
        (False, seen(), seen()),
        (False, seen(suspended=True), seen(suspended=True)),
        (True, seen(suspended=True, fires=False), seen(suspended=True, fires=False)),
        (False, seen(suspended=True, ours=True, fires=False), seen(suspended=True, ours=True, fires=False)),
    ],
)
def test_what_is_paused_is_held_and_what_others_hold_stays(
    paused: bool, before: SeenSchedule, after: SeenSchedule, loop: asyncio.Runner
) -> None:
    pauses, schedules = MemoryPauses(MemoryRunLogDatabase()), MemorySchedules()
    schedules.show(before)
    loop.run(pauses.pause("other", actor="user:ann"))
    if paused:
        loop.run(pauses.pause("sales", actor="user:ann"))
    hint = HintPauses(pauses=pauses, schedules=schedules)
    assert loop.run(hint()) == (before != after)
    assert schedules.shown["sales"] == after
    assert loop.run(hint()) == 0, "a second look changes nothing"


def test_a_pause_that_is_over_lets_it_fire_again(loop: asyncio.Runner) -> None:
    pauses, schedules = MemoryPauses(MemoryRunLogDatabase()), MemorySchedules()
    schedules.show(seen())
    hint = HintPauses(pauses=pauses, schedules=schedules)
    loop.run(pauses.pause("sales", actor="user:ann"))
    loop.run(hint())
    loop.run(pauses.resume("sales", lambda pause, now: PassedOver(), actor="user:ann"))
    assert loop.run(hint()) == 1
    assert schedules.shown["sales"] == seen()
