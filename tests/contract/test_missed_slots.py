"""Missed slots are their pipeline's incident, each told once."""

from __future__ import annotations

from datetime import timedelta

from kubescribe.application.ports.incidents import IncidentFilter
from kubescribe.application.ports.slots import Decision, Planned, PlanSource, SlotFilter, SlotPlan
from kubescribe.domain.incident import Incident
from kubescribe.domain.slot import Slot, SlotReason, SlotState, SlotVerdict, slot_id
from tests.support.runlogs import World

ALL = IncidentFilter(open=None)


def incidents(world: World) -> list[Incident]:
    return list(world.run(world.incidents.find(ALL)))


def the_one(world: World) -> Incident:
    (one,) = incidents(world)
    return one


def kinds(world: World) -> list[str]:
    return [notice.kind.removeprefix("incident.") for notice in world.outbox()]


def slot_of(world: World, hours: float, verdict: SlotState, *, pipeline: str = "flights") -> Slot:
    now = world.run(world.slots.plans()).now
    at = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=hours)
    key = slot_id("default", pipeline, at.isoformat())
    slot = Slot(id=key, pipeline=pipeline, logical=at.isoformat(), at=at, window_ends=at + timedelta(minutes=1))
    plan = SlotPlan(tenant="default", pipeline=pipeline, source=PlanSource.DECLARED, rule="x", planned_until=at)
    world.run(world.slots.plan([Planned(plan=plan, slots=(slot,))]))
    world.run(world.slots.decide([Decision(slot=slot, after=verdict)]))
    return slot


MISSED = SlotState(verdict=SlotVerdict.MISSED, reason=SlotReason.QUOTA, detail="pods are 10 of 10")
SKIPPED = SlotState(verdict=SlotVerdict.SKIPPED, reason=SlotReason.PAUSED)
RAN = SlotState(verdict=SlotVerdict.RAN, late_by=1.0)


def test_missed_slots_are_told_once_and_end_with_the_next_that_runs(world: World) -> None:
    assert world.run(world.incidents.tell_missed()) == 0
    slot_of(world, -9, RAN)
    first = slot_of(world, -8, MISSED)
    assert [world.run(world.incidents.tell_missed()) for _ in range(2)] == [1, 0]
    (kept,) = world.run(world.slots.find(SlotFilter(verdicts=(SlotVerdict.MISSED,)))).slots
    assert kept.told
    one = the_one(world)
    assert (one.kind, one.count, one.is_open) == ("missed", 1, True)
    assert one.why == f"slot {first.at:%Y-%m-%d %H:%M} UTC was missed: quota; pods are 10 of 10"
    slot_of(world, -7, MISSED)
    slot_of(world, -6, SKIPPED)
    slot_of(world, -6, MISSED, pipeline="trains")
    assert world.run(world.incidents.tell_missed()) == 2
    assert [(one.pipeline, one.count, one.is_open) for one in incidents(world)] == [
        ("trains", 1, True),
        ("flights", 2, True),
    ]
    slot_of(world, -5, RAN)
    assert world.run(world.incidents.tell_missed()) == 0
    assert [one.is_open for one in incidents(world)] == [True, False]
    assert kinds(world) == ["opened", "grew", "opened", "recovered"]
    # Which slots are told is decided in the order of their time; a run that comes to the newest after all ends it, too.
    (late,) = world.run(world.slots.find(SlotFilter(pipeline="trains"))).slots
    after = SlotState(verdict=SlotVerdict.LATE, late_by=3600.0)
    world.run(world.slots.decide([Decision(slot=late, after=after)]))
    world.run(world.incidents.tell_missed())
    assert [one.is_open for one in incidents(world)] == [False, False]


def test_only_so_many_missed_slots_are_told_at_once(world: World) -> None:
    for hours in range(-5, 0):
        slot_of(world, hours, MISSED)
    assert [world.run(world.incidents.tell_missed(limit=2)) for _ in range(4)] == [2, 2, 1, 0]
    assert the_one(world).count == 5


def test_where_no_slot_is_expected_any_more_none_is_missed(world: World) -> None:
    slot_of(world, -8, MISSED)
    slot_of(world, -8, MISSED, pipeline="trains")
    world.run(world.incidents.tell_missed())
    world.run(world.slots.plan([], gone=[("default", "flights")]))
    world.run(world.incidents.tell_missed())
    assert {one.pipeline: one.is_open for one in incidents(world)} == {"flights": False, "trains": True}
    assert kinds(world) == ["opened", "opened", "recovered"]
