"""Every slot is in the ledger, and has one verdict: what ran, what was passed over, and what nobody did."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from tests.support.slot_world import HOUR, HOURLY, NOON, SlotWorld

from kubescribe.application.ports.schedules import ToldOfSchedule
from kubescribe.domain import run as runs
from kubescribe.domain.concurrency import Concurrency
from kubescribe.domain.errors import DatabaseUnavailable
from kubescribe.domain.failure import FailureCause, SkipReason
from kubescribe.domain.pause import PassedOver
from kubescribe.domain.pipeline import Pipeline
from kubescribe.domain.run import Evidence, Run
from kubescribe.domain.run_status import RunStatus
from kubescribe.domain.slot import Slot, SlotReason, SlotVerdict


@pytest.fixture
def here(loop: asyncio.Runner) -> SlotWorld:
    """Where there is no cluster."""
    return SlotWorld(loop, HOURLY)


@pytest.fixture
def there(loop: asyncio.Runner) -> SlotWorld:
    """On a cluster whose CronJob is as it is declared."""
    world = SlotWorld(loop, HOURLY, cluster=True)
    world.show()
    return world


def said(slot: Slot) -> tuple[SlotVerdict | None, SlotReason | None]:
    return slot.verdict, slot.reason


def missed(world: SlotWorld, hour: int = 13) -> Slot:
    """The slot, when everything has had its time."""
    world.watch()
    world.to(hour, 5)
    world.watch()
    assert world.slot(hour).verdict is not SlotVerdict.MISSED, "its window is open"
    world.to(hour, 7)
    world.watch()
    return world.slot(hour)


def test_two_days_are_planned_once(here: SlotWorld) -> None:
    here.watch()
    slots = here.all()
    assert [one.at for one in slots] == [NOON + timedelta(hours=hour) for hour in range(1, 49)]
    assert {(one.window_ends - one.at).total_seconds() for one in slots} == {300.0}
    assert all(one.verdict is None and one.expected for one in slots)
    here.watch()
    here.another().watch()
    assert here.all() == slots and here.words() == []


def test_the_ledger_goes_on_ahead(here: SlotWorld) -> None:
    for _ in range(30):
        here.watch()
        here.pass_time(HOUR)
    here.watch()
    ahead = max(one.at for one in here.all()) - here.database.now()
    assert timedelta(hours=46) < ahead <= timedelta(hours=48)
    assert len({one.logical for one in here.all()}) == len(here.all())


def test_another_schedule_takes_what_was_ahead(here: SlotWorld) -> None:
    here.watch()
    here.to(13, 1)
    here.declare(schedule="30 * * * *")
    here.watch()
    ahead = [one.at for one in here.all() if one.at > here.database.now()]
    assert {one.minute for one in ahead} == {30} and len(ahead) == 48
    assert here.slot(13).verdict is None, "what has come is not taken away"


def test_another_start_deadline_moves_the_windows(here: SlotWorld) -> None:
    here.watch()
    here.declare(start_deadline=60)
    here.watch()
    assert {(one.window_ends - one.at).total_seconds() for one in here.all()} == {60.0}


def test_a_pipeline_that_is_gone_is_not_expected(here: SlotWorld) -> None:
    here.declared["other"] = here.declared["flights"].__class__(Pipeline(name="other"))
    here.watch()
    here.to(13, 1)
    del here.declared["flights"]
    here.watch()
    assert [one.at.hour for one in here.all()] == [13]
    here.to(13, 10)
    here.watch()
    assert said(here.slot(13)) == (SlotVerdict.MISSED, SlotReason.NOT_KNOWN)


def test_a_process_without_pipelines_takes_nothing_away(here: SlotWorld) -> None:
    here.watch()
    del here.declared["flights"]
    here.begin()
    here.watch()
    assert len(here.all()) == 48


def test_a_run_in_time(here: SlotWorld) -> None:
    here.watch()
    here.to(13, 0, 2)
    run = here.run_of(13)
    here.watch()
    assert here.slot(13).verdict is None, "nothing has begun it"
    here.start(run)
    here.pass_time(40)
    here.watch()
    slot = here.slot(13)
    assert (slot.verdict, slot.reason, slot.late_by, slot.run_id) == (SlotVerdict.RAN, None, 2.0, run.id)
    assert here.words() == ["slot.ran"]
    here.to(14)
    here.watch()
    assert here.words() == ["slot.ran"]


def test_a_run_that_begins_late(here: SlotWorld) -> None:
    here.watch()
    here.to(13, 4)
    run = here.run_of(13)
    here.to(13, 5, 30)
    here.start(run)
    here.watch()
    slot = here.slot(13)
    assert (slot.verdict, slot.late_by, slot.run_id) == (SlotVerdict.LATE, 330.0, run.id)


def test_nobody_was_there(here: SlotWorld) -> None:
    slot = missed(here)
    assert said(slot) == (SlotVerdict.MISSED, SlotReason.CONTROLLER_AWAY)
    assert slot.detail is not None and "KubeScribe" in slot.detail
    assert not slot.told and here.words() == ["slot.missed"]


def test_a_verdict_comes_within_two_minutes(there: SlotWorld) -> None:
    assert there.cluster is not None
    there.watch()
    there.cluster.available = False
    there.to(13, 6, 59)
    there.watch()
    slot = there.slot(13)
    assert said(slot) == (SlotVerdict.MISSED, SlotReason.NOT_KNOWN)
    assert slot.detail is not None and "it was taken away" in slot.detail


def test_a_run_after_all(here: SlotWorld) -> None:
    missed(here)
    run = here.run_of(13)
    here.start(run)
    here.watch()
    slot = here.slot(13)
    assert (slot.verdict, slot.reason, slot.run_id) == (SlotVerdict.LATE, None, run.id)
    assert slot.late_by == 420.0
    assert here.words() == ["slot.missed", "slot.late"]
    here.watch()
    assert here.words() == ["slot.missed", "slot.late"]


def test_a_run_that_waits_for_hours(here: SlotWorld) -> None:
    here.watch()
    here.to(13, 1)
    run = here.run_of(13)
    here.to(13, 7)
    here.watch()
    slot = here.slot(13)
    assert (*said(slot), slot.run_id) == (SlotVerdict.MISSED, SlotReason.NOT_STARTED, run.id)
    here.to(15)
    here.watch()
    assert here.words()[:1] == ["slot.missed"]
    here.start(run)
    here.watch()
    assert here.slot(13).verdict is SlotVerdict.LATE and here.slot(13).late_by == 7200.0


def settle(world: SlotWorld, run: Run, step: Any) -> None:
    assert world.loop.run(world.run_log.move(run.id, RunStatus.PENDING, step)) is not None


@pytest.mark.parametrize(
    ("cause", "message", "reason"),
    [
        (FailureCause.IMAGE_PULL, "no such image", SlotReason.IMAGE),
        (FailureCause.QUOTA_EXCEEDED, "pods=0", SlotReason.QUOTA),
        (FailureCause.UNSCHEDULABLE, "no node", SlotReason.UNSCHEDULABLE),
        (FailureCause.CONFIG_ERROR, "its Job can make no pod: FailedCreate: denied", SlotReason.ADMISSION),
        (FailureCause.CONFIG_ERROR, "secret not found", SlotReason.NOT_LAUNCHED),
        (FailureCause.START_DEADLINE, "nobody took it", SlotReason.NOT_LAUNCHED),
    ],
)
def test_a_run_that_could_not_begin(here: SlotWorld, cause: FailureCause, message: str, reason: SlotReason) -> None:
    here.watch()
    here.to(13, 0, 5)
    run = here.run_of(13)

    def step(now: Run, at: Any) -> Any:
        return runs.failed(now, actor="reconciler", at=at, evidence=Evidence.NO_ATTEMPT, cause=cause, message=message)

    settle(here, run, step)
    here.watch()
    slot = here.slot(13)
    assert (*said(slot), slot.detail, slot.run_id) == (SlotVerdict.MISSED, reason, message, run.id)


@pytest.mark.parametrize("why", [SkipReason.CONCURRENCY, SkipReason.PAUSED, SkipReason.SUPERSEDED])
def test_a_run_that_was_skipped(here: SlotWorld, why: SkipReason) -> None:
    here.watch()
    here.to(13, 0, 5)
    run = here.run_of(13)

    def step(now: Run, at: Any) -> Any:
        evidence = Evidence.NO_ATTEMPT
        return runs.skipped(now, actor="reconciler", at=at, evidence=evidence, reason=why, message="it was so")

    settle(here, run, step)
    here.watch()
    assert (*said(here.slot(13)), here.slot(13).detail) == (SlotVerdict.SKIPPED, SlotReason(why), "it was so")


def test_a_run_that_is_superseded_at_its_end(here: SlotWorld) -> None:
    here.watch()
    here.to(13, 0, 5)
    run = here.run_of(13)
    here.start(run)
    here.pass_time(60)
    here.watch()
    assert here.slot(13).verdict is SlotVerdict.RAN
    here.pass_time(3 * HOUR)
    here.watch()

    def step(now: Run, at: Any) -> Any:
        why, evidence = SkipReason.SUPERSEDED, Evidence.LEDGER
        return runs.skipped(now, actor="attempt:1", at=at, evidence=evidence, reason=why, message="newer")

    assert here.loop.run(here.run_log.move(run.id, RunStatus.RUNNING, step)) is not None
    here.watch()
    assert said(here.slot(13)) == (SlotVerdict.SKIPPED, SlotReason.SUPERSEDED)


def test_a_cancel_before_it_began(here: SlotWorld) -> None:
    here.watch()
    here.to(13, 0, 5)
    run = here.run_of(13)

    def ask(now: Run, at: Any) -> Any:
        return runs.cancelling(now, actor="user:ann", at=at, reason="not today")

    def gone(now: Run, at: Any) -> Any:
        return runs.cancelled(now, actor="reconciler", at=at, evidence=Evidence.NO_ATTEMPT, message=now.message)

    settle(here, run, ask)
    assert here.loop.run(here.run_log.move(run.id, RunStatus.CANCELLING, gone)) is not None
    here.watch()
    slot = here.slot(13)
    assert said(slot) == (SlotVerdict.SKIPPED, SlotReason.CANCELLED) and "user:ann" in (slot.detail or "")


def test_a_pause_is_known_at_once(here: SlotWorld) -> None:
    here.watch()
    here.loop.run(here.pauses.pause("flights", actor="user:ann", reason="rates are wrong"))
    here.to(13, 0, 1)
    here.watch()
    slot = here.slot(13)
    assert said(slot) == (SlotVerdict.SKIPPED, SlotReason.PAUSED)
    assert "user:ann" in (slot.detail or "") and "rates are wrong" in (slot.detail or "")
    assert here.slot(14).verdict is None


def test_a_pause_that_came_and_went_unseen(here: SlotWorld) -> None:
    here.watch()
    here.to(12, 50)
    here.loop.run(here.pauses.pause("flights", actor="user:ann", reason="rates are wrong"))
    here.to(13, 2)
    here.loop.run(here.pauses.resume("flights", lambda *_: PassedOver(), actor="user:bob"))
    here.to(13, 3)
    here.watch()
    assert said(here.slot(13)) == (SlotVerdict.SKIPPED, SlotReason.PAUSED)
    assert "was paused" in (here.slot(13).detail or "")


def test_after_three_days_away_every_slot_is_there(here: SlotWorld) -> None:
    here.watch()
    here.pass_time(72 * HOUR + 600)
    here.begin()
    here.watch()
    past = [one for one in here.all() if one.at <= here.database.now()]
    assert len(past) == 72 and all(one.verdict is SlotVerdict.MISSED for one in past), "48 hours were planned before"
    assert max(one.at for one in here.all()) > here.database.now() + timedelta(hours=46)


def test_after_a_month_away_a_week_is_there(here: SlotWorld) -> None:
    here.watch()
    here.pass_time(30 * 24 * HOUR)
    here.begin()
    here.watch()
    newer = [one for one in here.all() if one.at > here.database.now() - timedelta(days=7)]
    assert len(newer) == 7 * 24 + 48 and len(here.all()) == 48 + len(newer)


def test_runs_of_an_absence_are_found(here: SlotWorld) -> None:
    here.watch()
    for hour in (14, 15):
        here.to(hour, 0, 3)
        here.start(here.run_of(hour))
    here.to(17)
    here.begin()
    here.watch()
    assert [here.slot(hour).verdict for hour in (13, 14, 15)] == [
        SlotVerdict.MISSED,
        SlotVerdict.RAN,
        SlotVerdict.RAN,
    ]


def test_a_run_that_nobody_expected_is_in_the_ledger(there: SlotWorld) -> None:
    there.watch()
    there.to(13, 30)
    run = there.run_of(12, 15)
    there.start(run)
    there.watch()
    there.pass_time(10)
    there.watch()
    slot = there.slot(12, 15)
    assert (slot.verdict, slot.late_by, slot.run_id) == (SlotVerdict.LATE, 4500.0, run.id)
    assert "not expected" in slot.logical


def test_a_run_that_comes_after_its_window_has_time_to_begin(there: SlotWorld) -> None:
    there.watch()
    there.to(13, 30)
    run = there.run_of(12, 15)
    there.watch()
    there.pass_time(5)
    there.watch()
    assert there.slot(12, 15).verdict is None, "its pod is being made"
    there.pass_time(60)
    there.watch()
    slot = there.slot(12, 15)
    assert (*said(slot), slot.run_id) == (SlotVerdict.MISSED, SlotReason.NOT_STARTED, run.id)


def test_a_run_that_nobody_expected_is_found_by_a_machine_that_slept(there: SlotWorld) -> None:
    there.watch()
    there.pass_time(HOUR, asleep=True)
    run = there.run_of(12, 30)  # there is no slot at half past
    there.start(run)
    there.pass_time(HOUR, asleep=True)
    there.watch()
    there.watch()
    assert there.slot(12, 30).run_id == run.id


def test_a_suspension_from_outside(there: SlotWorld) -> None:
    there.watch()
    there.show(suspended=True)
    slot = missed(there)
    assert said(slot) == (SlotVerdict.MISSED, SlotReason.SUSPENDED_OUTSIDE)


def test_a_suspension_that_has_ended_by_then(there: SlotWorld) -> None:
    there.watch()
    there.show(suspended=True)
    for minute in (58, 59):
        there.to(12, minute)
        there.watch()
    there.to(13, 0, 10)
    there.watch()
    there.show()
    assert said(missed(there)) == (SlotVerdict.MISSED, SlotReason.SUSPENDED_OUTSIDE)
    there.to(14, 7)
    there.watch()
    assert said(there.slot(14)) == (SlotVerdict.MISSED, SlotReason.CONTROLLER_AWAY)


@pytest.mark.parametrize(
    ("shown", "reason", "words"),
    [
        ({}, SlotReason.CONTROLLER_AWAY, "has fired nothing so far"),
        ({"last_fired_at": NOON}, SlotReason.CONTROLLER_AWAY, "2026-03-10 12:00:00"),
        ({"last_fired_at": NOON + timedelta(hours=1)}, SlotReason.NOT_KNOWN, "gone before anybody"),
        ({"last_fired_at": NOON + timedelta(hours=2)}, SlotReason.CONTROLLER_AWAY, "went on with"),
        ({"schedule": "5 * * * *"}, SlotReason.NOT_INSTALLED, "kubescribe drift"),
        ({"timezone": "Europe/Berlin"}, SlotReason.NOT_INSTALLED, "Europe/Berlin"),
        ({"created_at": NOON + timedelta(hours=1, minutes=1)}, SlotReason.NOT_INSTALLED, "was made after it"),
        ({"suspended": True, "ours": True}, SlotReason.CONTROLLER_AWAY, "a pause that had ended"),
    ],
)
def test_what_the_cluster_shows(there: SlotWorld, shown: dict[str, Any], reason: SlotReason, words: str) -> None:
    there.show(**shown)
    slot = missed(there)
    assert said(slot) == (SlotVerdict.MISSED, reason) and words in (slot.detail or "")


def test_no_cron_job(loop: asyncio.Runner) -> None:
    slot = missed(SlotWorld(loop, HOURLY, cluster=True))
    assert said(slot) == (SlotVerdict.MISSED, SlotReason.NOT_INSTALLED) and "manifests" in (slot.detail or "")


@pytest.mark.parametrize(
    ("event", "message", "verdict", "reason"),
    [
        ("JobAlreadyActive", "Not starting job", SlotVerdict.SKIPPED, SlotReason.CONCURRENCY),
        ("FailedCreate", "exceeded quota: jobs", SlotVerdict.MISSED, SlotReason.QUOTA),
        ("FailedCreate", "admission webhook denied", SlotVerdict.MISSED, SlotReason.ADMISSION),
        ("UnknownTimeZone", "unknown time zone", SlotVerdict.MISSED, SlotReason.NOT_INSTALLED),
        ("MissSchedule", "Missed scheduled time", SlotVerdict.MISSED, SlotReason.CONTROLLER_AWAY),
        ("SawCompletedJob", "Saw completed job", SlotVerdict.MISSED, SlotReason.CONTROLLER_AWAY),
    ],
)
def test_what_the_cluster_says(
    there: SlotWorld, event: str, message: str, verdict: SlotVerdict, reason: SlotReason
) -> None:
    assert there.cluster is not None
    old = ToldOfSchedule(since=NOON, at=NOON, reason="FailedCreate", message="exceeded quota: long ago")
    at, later = NOON + timedelta(hours=1, seconds=20), NOON + timedelta(hours=2)
    its = ToldOfSchedule(since=NOON, at=at, reason=event, message=message)
    another = ToldOfSchedule(since=later, at=later, reason="FailedCreate", message="exceeded quota: later")
    there.cluster.events["flights"] = (old, its, another)
    slot = missed(there)
    assert said(slot) == (verdict, reason)
    assert event == "SawCompletedJob" or slot.detail == message


@pytest.mark.parametrize("forbids", ["declared", "cron job"])
def test_another_run_was_at_work(there: SlotWorld, forbids: str) -> None:
    if forbids == "declared":
        there.declare(concurrency=Concurrency.FORBID)
    else:
        there.show(forbids=True)
    there.watch()
    hangs = there.run_of(12)
    there.start(hangs)
    slot = missed(there)
    assert said(slot) == (SlotVerdict.SKIPPED, SlotReason.CONCURRENCY) and str(hangs.id) in (slot.detail or "")


def test_where_they_may_work_side_by_side_a_run_at_work_explains_nothing(there: SlotWorld) -> None:
    there.start(there.run_of(12))
    assert said(missed(there)) == (SlotVerdict.MISSED, SlotReason.CONTROLLER_AWAY)


def test_a_cron_job_that_nobody_declares(loop: asyncio.Runner) -> None:
    world = SlotWorld(loop, cluster=True)
    world.show(schedule="30 * * * *", starting_deadline=None)
    world.watch()
    assert {one.at.minute for one in world.all()} == {30} and len(world.all()) == 48
    assert world.cluster is not None
    world.cluster.shown.clear()
    world.watch()
    assert world.all() == []


def test_a_cluster_that_is_away_takes_nothing_away(loop: asyncio.Runner) -> None:
    world = SlotWorld(loop, cluster=True)
    world.show()
    world.watch()
    assert world.cluster is not None
    world.cluster.available = False
    world.watch()
    assert len(world.all()) == 48


def test_a_zone_that_is_not_known_is_told(loop: asyncio.Runner) -> None:
    world = SlotWorld(loop, cluster=True)
    world.show(timezone="Nowhere/City")
    world.watch()
    assert world.all() == []
    (problem,) = world.problems
    assert "CronJob runs/flights" in problem and "Nowhere/City" in problem


def test_a_cron_job_of_every_so_often_counts_from_its_last(loop: asyncio.Runner) -> None:
    world = SlotWorld(loop, cluster=True)
    fired = NOON - timedelta(minutes=20)
    world.show(schedule="@every 90m", last_fired_at=fired)
    world.watch()
    first = world.all()[0].at
    assert first == fired + timedelta(minutes=90)
    world.pass_time(7 * HOUR)
    world.show(schedule="@every 90m", last_fired_at=fired + 4 * timedelta(minutes=90))
    world.watch()
    steps = {(after.at - before.at) for before, after in zip(world.all(), world.all()[1:], strict=False)}
    assert steps == {timedelta(minutes=90)}


def test_one_slot_a_second_is_kept_for_less_than_an_hour(loop: asyncio.Runner) -> None:
    world = SlotWorld(loop, msgspec.structs.replace(HOURLY, schedule="@every 1s", start_deadline=30))
    world.watch()
    assert len(world.all()) == 3000
    for _ in range(4):
        world.pass_time(600)
        world.watch()
    world.watch()
    ahead = [one for one in world.all() if one.at > world.database.now()]
    assert len(ahead) > 1000
    assert len({one.at for one in world.all()}) == len(world.all()) == (world.all()[-1].at - NOON).total_seconds() - 1


def test_both_moments_of_a_fold(loop: asyncio.Runner) -> None:
    nightly = msgspec.structs.replace(HOURLY, schedule="30 2 * * *", timezone="Europe/Berlin")
    world = SlotWorld(loop, nightly)
    world.to(12, day=24)
    world.jump((NOON.replace(month=10, day=24) - world.database.now()).total_seconds())
    world.begin()
    world.watch()
    first, second, _ = world.all()
    assert (first.oddity, first.expected, second.oddity, second.expected) == (None, True, "fold", False)
    world.pass_time((second.at - world.database.now()).total_seconds() + 400)
    world.watch()
    by_at = {one.at: one for one in world.all()}
    assert by_at[first.at].verdict is SlotVerdict.MISSED
    assert said(by_at[second.at]) == (SlotVerdict.SKIPPED, SlotReason.DST)
    assert "second time" in (by_at[second.at].detail or "")


def test_a_clock_that_was_set_back_opens_what_it_had_seen_go_by(here: SlotWorld) -> None:
    here.watch()
    here.jump(10 * HOUR)
    here.watch()
    assert here.slot(13).verdict is here.slot(21).verdict is SlotVerdict.MISSED
    here.jump(-9 * HOUR + 60)  # ten past one
    here.watch()
    assert here.slot(13).verdict is SlotVerdict.MISSED, "it is over"
    assert {here.slot(hour).verdict for hour in range(14, 22)} == {None}
    assert here.words().count("slot.reopened") == 8


def test_a_pass_that_is_cut_off_is_made_good(here: SlotWorld) -> None:
    here.watch()
    here.to(13, 7)
    here.database.available = False
    with pytest.raises(DatabaseUnavailable):
        here.watch()
    here.database.available = True
    here.watch()
    assert here.slot(13).verdict is SlotVerdict.MISSED and here.words() == ["slot.missed"]


def test_a_second_pass_changes_nothing(there: SlotWorld) -> None:
    missed(there)
    before = (there.all(), len(there.database.events))
    there.watch()
    there.another().watch()
    assert (there.all(), len(there.database.events)) == before


def test_every_so_often_goes_on_from_where_it_was(loop: asyncio.Runner) -> None:
    world = SlotWorld(loop, msgspec.structs.replace(HOURLY, schedule="@every 95m"))
    for _ in range(6):
        world.watch()
        world.pass_time(5 * HOUR + 77)
        world.begin()
    steps = {after.at - before.at for before, after in pairwise(world.all())}
    assert steps == {timedelta(minutes=95)}


def test_a_run_after_a_gap_is_not_the_run_of_what_was_jumped_over(loop: asyncio.Runner) -> None:
    twice = msgspec.structs.replace(HOURLY, schedule="0,30 2-3 * * *", timezone="Europe/Berlin")
    world = SlotWorld(loop, twice)
    world.to(12, day=28)
    world.begin()
    world.watch()
    at = NOON.replace(day=29, hour=1)
    jumped = [one for one in world.all() if one.oddity == "gap"]
    assert {(one.at, one.expected) for one in jumped} == {(at, False)} and len(jumped) == 2
    world.to(1, 0, 2, day=29)
    world.start(world.run_of(1, day=29))
    world.to(1, 6, day=29)
    world.watch()
    verdicts = Counter(said(one) for one in world.all() if one.at == at)
    assert verdicts == {(SlotVerdict.RAN, None): 1, (SlotVerdict.SKIPPED, SlotReason.DST): 2}
    before = world.words()
    world.watch()
    assert world.words() == before
