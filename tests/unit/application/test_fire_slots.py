"""The local scheduler: what is due is started once, whatever clocks, crashes and other processes do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from tests.support.slot_world import HOUR, HOURLY, NOON, SlotWorld

from kubescribe.application import failpoints
from kubescribe.application.authoring.parameters import Parameter
from kubescribe.application.failpoints import FailpointError
from kubescribe.domain.actor import SCHEDULE
from kubescribe.domain.catch_up import CatchUp
from kubescribe.domain.dst_policy import Gap
from kubescribe.domain.errors import DatabaseUnavailable
from kubescribe.domain.run import Trigger
from kubescribe.domain.slot import SlotReason, SlotVerdict


@pytest.fixture
def world(loop: asyncio.Runner) -> SlotWorld:
    return SlotWorld(loop, HOURLY)


def test_it_starts_what_is_due_once(world: SlotWorld) -> None:
    world.watch()
    assert world.fire() == []
    world.to(13, 0, 1)
    (run_id,) = world.fire()
    run = world.database.runs[run_id]
    assert (run.trigger, run.actor, run.slot) == (Trigger.SCHEDULE, SCHEDULE, NOON + timedelta(hours=1))
    assert world.launcher.launched == [run_id] and run_id == world.slot(13).id
    assert world.fire() == []
    world.start(run_id)
    world.pass_time(60)
    world.watch()
    assert world.slot(13).verdict is SlotVerdict.RAN and world.fire() == []
    world.to(14)
    assert len(world.fire()) == 1


def test_two_processes_at_once_start_it_once(world: SlotWorld) -> None:
    world.watch()
    world.to(13)
    one, two = world.slots.due(), world.slots.due()
    due, also = world.loop.run(one), world.loop.run(two)
    assert due == also and len(due) == 1
    another = world.another()

    async def start() -> None:
        await asyncio.gather(world._fire._start(due[0]), another._fire._start(also[0]))

    world.loop.run(start())
    assert len(world.database.runs) == 1
    assert len(world.launcher.launched) + len(another.launcher.launched) == 1


@pytest.mark.parametrize("step", ["trigger.accepted", "launch.started", "launch.told", "slots.fired"])
def test_a_crash_at_any_step(world: SlotWorld, step: str) -> None:
    world.watch()
    world.to(13)
    with failpoints.armed(f"{step}=raise"), pytest.raises(FailpointError):
        world.fire()
    world.fire()
    world.another().fire()
    assert len(world.database.runs) == 1


def test_a_machine_that_slept_starts_what_is_open_still(world: SlotWorld) -> None:
    world.watch()
    world.pass_time(3 * HOUR + 60, asleep=True)
    assert [world.database.runs[one].slot for one in world.fire()] == [NOON + timedelta(hours=3)]
    world.watch()
    assert [world.slot(hour).verdict for hour in (13, 14)] == [SlotVerdict.MISSED, SlotVerdict.MISSED]


def test_clock_jumps_start_nothing_twice(world: SlotWorld) -> None:
    fired = []
    for jump in (0, 2 * HOUR, -2 * HOUR, 26 * HOUR, -26 * HOUR, 0, 0):
        world.jump(jump)
        world.watch()
        fired += world.fire()
        world.pass_time(HOUR)
        world.watch()
        fired += world.fire()
    slots = [world.database.runs[one].slot for one in fired]
    assert len(slots) == len(set(slots))
    for hour in range(20, 23):  # back to where time goes on, they come as ever
        world.watch()
        world.to(hour, 0, 30)
        world.watch()
        fired += world.fire()
    assert {world.database.runs[one].slot for one in fired} >= {NOON + timedelta(hours=hour) for hour in (8, 9, 10)}
    assert len(fired) == len(set(fired))


def test_a_clock_that_was_a_year_ahead_for_a_while(world: SlotWorld) -> None:
    world.declare(schedule="*/5 * * * *")
    world.watch()
    world.jump(365 * 24 * HOUR)
    for _ in range(5):
        world.watch()
    assert len(world.all(verdicts=(SlotVerdict.MISSED,))) > 1000
    world.jump(-365 * 24 * HOUR)
    world.watch()
    assert world.all(verdicts=(SlotVerdict.MISSED,)) == [], "none of them has come"
    world.watch()
    for day in range(11, 15):
        world.to(13, 0, 1, day=day)
        world.watch()
        assert [world.database.runs[one].slot for one in world.fire()] == [NOON.replace(day=day, hour=13)]


def test_what_is_paused_is_not_started(world: SlotWorld) -> None:
    world.watch()
    world.loop.run(world.pauses.pause("flights", actor="user:ann"))
    world.to(13)
    assert world.fire() == []


def test_one_whose_parameters_nobody_gives_is_missed_and_says_why(world: SlotWorld) -> None:
    world.declared["flights"] = msgspec.structs.replace(world.declared["flights"], parameters=(Parameter("day", int),))
    world.watch()
    world.to(13)
    assert world.fire() == []
    slot = world.slot(13)
    assert (slot.verdict, slot.reason) == (SlotVerdict.MISSED, SlotReason.NOT_LAUNCHED)
    assert "day" in (slot.detail or "")


def test_what_is_not_declared_here_is_left_to_who_declares_it(world: SlotWorld) -> None:
    world.watch()
    world.to(13)
    another = SlotWorld(world.loop, database=world.database)
    assert another.fire() == [] and world.slot(13).verdict is None
    assert len(world.fire()) == 1


def test_runlog_away_is_not_the_slots_end(world: SlotWorld) -> None:
    world.watch()
    world.to(13)
    world.database.available = False
    with pytest.raises(DatabaseUnavailable):
        world.fire()
    world.database.available = True
    assert len(world.fire()) == 1


def test_on_a_cluster_only_gaps_are_started_here(loop: asyncio.Runner) -> None:
    nightly = msgspec.structs.replace(HOURLY, schedule="30 2 * * *", timezone="Europe/Berlin", gap=Gap.RUN_AFTER)
    world = SlotWorld(loop, nightly)
    world.to(12, day=28)
    world.begin()
    world.watch()
    (gap,) = (one for one in world.all() if one.oddity == "gap")
    assert gap.expected and gap.at == NOON.replace(day=29, hour=1)
    world.pass_time((gap.at - world.database.now()).total_seconds() + 1)
    (run,) = world.fire(gaps=True)
    assert world.database.runs[run].slot == gap.at
    world.to(0, 30, 1, day=30)
    assert world.fire(gaps=True) == [] and len(world.fire()) == 1


def missed_a_few(world: SlotWorld, hours: int = 5) -> None:
    world.watch()
    world.pass_time(hours * HOUR + 600)
    world.begin()
    world.watch(catch_up=True)


def caught_up(world: SlotWorld) -> list[int]:
    return sorted(run.slot.hour for run in world.database.runs.values() if run.slot is not None)


def test_without_a_word_nothing_is_made_good(world: SlotWorld) -> None:
    missed_a_few(world)
    assert caught_up(world) == []


def test_the_latest_is_made_good(world: SlotWorld) -> None:
    world.declare(catch_up=CatchUp.LATEST)
    missed_a_few(world)
    assert caught_up(world) == [17]
    (run,) = world.database.runs.values()
    assert run.reason is not None and "catches up" in run.reason
    world.begin()
    world.watch(catch_up=True)
    assert caught_up(world) == [17]
    world.start(run)
    world.watch()
    assert world.slot(17).verdict is SlotVerdict.LATE and world.slot(16).verdict is SlotVerdict.MISSED


def test_where_a_later_slot_ran_the_latest_needs_nothing(world: SlotWorld) -> None:
    world.declare(catch_up=CatchUp.LATEST)
    world.watch()
    world.to(14, 0, 1)
    world.start(world.run_of(14))
    world.to(14, 7)
    world.begin()
    world.watch(catch_up=True)
    assert world.slot(13).verdict is SlotVerdict.MISSED and caught_up(world) == [14]


def test_so_many_are_made_good(world: SlotWorld) -> None:
    world.declare(catch_up=CatchUp.ALL, catch_up_limit=3)
    missed_a_few(world)
    assert caught_up(world) == [15, 16, 17]
    assert [world.database.runs[one].slot for one in world.launcher.launched] == [
        NOON + timedelta(hours=hour) for hour in (3, 4, 5)
    ], "the oldest first"
    world.begin()
    world.another().watch(catch_up=True)
    world.watch(catch_up=True)
    assert caught_up(world) == [15, 16, 17]


def test_what_somebody_holds_is_not_made_good(loop: asyncio.Runner) -> None:
    world = SlotWorld(loop, msgspec.structs.replace(HOURLY, catch_up=CatchUp.ALL, catch_up_limit=9), cluster=True)
    world.show(suspended=True)
    missed_a_few(world)
    assert caught_up(world) == []
    world.show()
    world.to(19, 7)
    world.loop.run(world.pauses.pause("flights", actor="user:ann"))
    world.watch(catch_up=True)
    assert caught_up(world) == []


def test_a_crash_between_verdict_and_start_is_made_good(world: SlotWorld) -> None:
    world.declare(catch_up=CatchUp.LATEST)
    world.watch()
    world.to(13, 7)
    world.watch()  # and here it died
    world.begin()
    world.watch(catch_up=True)
    assert caught_up(world) == [13]


def test_one_that_has_a_run_is_not_made_good(world: SlotWorld) -> None:
    world.declare(catch_up=CatchUp.LATEST)
    world.watch()
    world.to(13, 1)
    run = world.run_of(13)  # of a cluster, say, which did not get it to begin
    world.to(13, 7)
    world.watch(catch_up=True)
    assert (world.slot(13).reason, world.slot(13).run_id) == (SlotReason.NOT_STARTED, run.id)
    assert list(world.database.runs) == [run.id]


def test_what_was_made_good_is_of_those_so_many(world: SlotWorld) -> None:
    world.declare(catch_up=CatchUp.ALL, catch_up_limit=3)
    missed_a_few(world)
    for run_id in list(world.launcher.launched):
        world.start(run_id)
    world.watch(catch_up=True)
    assert world.slot(15).verdict is SlotVerdict.LATE
    world.another().watch(catch_up=True)
    assert caught_up(world) == [15, 16, 17], "each beginning of a process would go three slots further back"


def test_the_latest_of_a_night_that_shows_its_time_twice(loop: asyncio.Runner) -> None:
    nightly = msgspec.structs.replace(HOURLY, schedule="30 2 * * *", timezone="Europe/Berlin", catch_up=CatchUp.LATEST)
    world = SlotWorld(loop, nightly)
    world.pass_time((datetime(2026, 10, 24, 12, tzinfo=UTC) - NOON).total_seconds())
    world.begin()
    world.watch()
    world.pass_time(24 * HOUR)
    world.watch(catch_up=True)
    first, second = (one for one in world.all() if one.logical.startswith("2026-10-25"))
    assert (first.verdict, second.verdict) == (SlotVerdict.MISSED, SlotVerdict.SKIPPED)
    assert [run.slot for run in world.database.runs.values()] == [first.at]


def test_what_could_not_be_made_good_at_once_is_with_the_next_look(world: SlotWorld) -> None:
    world.declare(catch_up=CatchUp.LATEST)
    world.watch(catch_up=True)
    world.to(13, 7)
    passed = world.watch()
    world.database.available = False
    with pytest.raises(DatabaseUnavailable):
        world.loop.run(world._catch_up(passed))
    world.database.available = True
    world.watch(catch_up=True)
    assert caught_up(world) == [13]


def test_what_another_process_left_behind_is_made_good(world: SlotWorld) -> None:
    world.declare(catch_up=CatchUp.LATEST)
    world.watch(catch_up=True)
    another = world.another()
    another.watch(catch_up=True)
    world.to(13, 7)
    another.watch()  # it leads now, and here it died
    world.watch(catch_up=True)
    assert caught_up(world) == [13]
