"""The ledger of slots: each is made once, has one verdict, and every verdict has its event."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from kubescribe.adapters.memory.pauses import MemoryPauses
from kubescribe.adapters.postgres.pauses import PostgresPauses
from kubescribe.application.ports.pauses import Pauses
from kubescribe.application.ports.slots import (
    Decision,
    OpenSlot,
    Planned,
    PlanSource,
    SlotFilter,
    SlotPlan,
)
from kubescribe.application.resume_pipeline import ResumePipeline
from kubescribe.domain.failure import SkipReason
from kubescribe.domain.pipeline import Pipeline
from kubescribe.domain.run import Evidence, skipped
from kubescribe.domain.run_mode import RunMode
from kubescribe.domain.run_status import RunStatus
from kubescribe.domain.slot import Slot, SlotReason, SlotState, SlotVerdict, slot_id
from tests.support.builders import a_claim, a_run, succeeded
from tests.support.runlogs import MemoryWorld, PostgresWorld, World

RAN = SlotState(verdict=SlotVerdict.RAN, late_by=1.5)
MISSED = SlotState(verdict=SlotVerdict.MISSED, reason=SlotReason.NOT_KNOWN, detail="nobody knows")


@pytest.fixture
def pauses(world: World) -> Pauses:
    if isinstance(world, MemoryWorld):
        return MemoryPauses(world.database)
    assert isinstance(world, PostgresWorld)
    return PostgresPauses(world.engine)


def now(world: World) -> datetime:
    return world.run(world.slots.plans()).now


def a_slot(world: World, seconds: float, *, pipeline: str = "flights", window: float = 60.0, **how: Any) -> Slot:
    """A slot so many seconds from now."""
    at = now(world) + timedelta(seconds=seconds)
    tenant, logical = how.get("tenant", "default"), how.get("logical", at.isoformat())
    values = {"window_ends": at + timedelta(seconds=window), "logical": logical, **how}
    return Slot(id=slot_id(tenant, pipeline, logical), pipeline=pipeline, at=at, **values)


def plan_of(
    slots: tuple[Slot, ...],
    *,
    pipeline: str = "flights",
    tenant: str = "default",
    rule: str = "hourly",
    anew: bool = False,
) -> Planned:
    until = max((one.at for one in slots), default=datetime(2020, 1, 1, tzinfo=UTC))
    source = PlanSource.DECLARED
    plan = SlotPlan(tenant=tenant, pipeline=pipeline, source=source, rule=rule, planned_until=until)
    return Planned(plan=plan, slots=slots, anew=anew)


def add(world: World, *slots: Slot, **how: Any) -> int:
    pipeline = slots[0].pipeline if slots else "flights"
    tenant = slots[0].tenant if slots else "default"
    return world.run(world.slots.plan([plan_of(slots, pipeline=pipeline, tenant=tenant, **how)]))


def all_of(world: World, **which: Any) -> tuple[Slot, ...]:
    return world.run(world.slots.find(SlotFilter(**which), limit=1000)).slots


def decide(world: World, slot: Slot, after: SlotState) -> tuple[Slot, ...]:
    return world.run(world.slots.decide([Decision(slot=slot, after=after)]))


def opened(world: World) -> tuple[OpenSlot, ...]:
    return world.run(world.slots.open()).slots


def a_run_of(world: World, slot: Slot, **changes: Any) -> UUID:
    run = a_run(world.ids.new(), pipeline=slot.pipeline, tenant=slot.tenant, slot=slot.at, **changes)
    return world.run(world.run_log.create(run)).id


def begin(world: World, run_id: UUID, slot: Slot) -> UUID:
    claim = a_claim(run_id, world.ids.new(), pipeline=slot.pipeline, tenant=slot.tenant, slot=slot.at)
    attempt = world.run(world.attempt_log.claim(claim)).run.attempt_id
    assert attempt is not None
    return attempt


def events(world: World) -> list[tuple[str, str, str, dict[str, Any], Any, Any]]:
    if isinstance(world, MemoryWorld):
        told = [(one.subject, one.kind, one.actor, one.data, one.before, one.after) for one in world.database.events]
        return [one for one in told if one[1].startswith("slot.")]
    assert isinstance(world, PostgresWorld)
    query = "SELECT subject, kind, actor, data, before, after FROM event WHERE kind LIKE 'slot.%' ORDER BY seq"
    return world.ask(query)


def test_a_slot_is_made_once(world: World) -> None:
    slot = a_slot(world, 600, oddity="gap", expected=False)
    assert (add(world, slot), add(world, slot)) == (1, 0)
    again = msgspec.structs.replace(slot, id=world.ids.new(), at=slot.at + timedelta(hours=1))
    assert add(world, again) == 0, "its key is what makes it one, not the moment and not the id"
    assert all_of(world) == (slot,)
    known = world.run(world.slots.plans()).plans[("default", "flights")]
    assert (known.rule, known.source, known.planned_until) == ("hourly", PlanSource.DECLARED, again.at)
    assert events(world) == []


def test_what_is_decided_is_not_made_anew(world: World) -> None:
    slot = a_slot(world, -10)
    add(world, slot)
    (decided,) = decide(world, slot, RAN)
    add(world, slot, anew=True)
    assert all_of(world) == (decided,)


def test_another_rule_takes_what_is_ahead_and_undecided(world: World) -> None:
    past, kept, dropped, decided = (a_slot(world, seconds) for seconds in (-10, 600, 700, 800))
    other = a_slot(world, 700, pipeline="other")
    theirs = a_slot(world, 700, tenant="other")
    add(world, past, kept, dropped, decided)
    add(world, other)
    add(world, theirs)
    decide(world, decided, RAN)
    new, changed = a_slot(world, 900), msgspec.structs.replace(kept, window_ends=kept.window_ends + timedelta(hours=1))
    assert add(world, changed, new, anew=True, rule="other") == 2
    assert changed in all_of(world) and kept not in all_of(world)
    left = {one.id for one in all_of(world)} | {one.id for one in all_of(world, tenant="other")}
    assert left == {past.id, kept.id, decided.id, new.id, other.id, theirs.id}
    assert world.run(world.slots.plans()).plans[("default", "flights")].rule == "other"


def test_a_pipeline_that_is_gone_leaves_its_past(world: World) -> None:
    past, ahead = a_slot(world, -10), a_slot(world, 600)
    other = a_slot(world, 600, pipeline="other")
    add(world, past, ahead)
    add(world, other)
    world.run(world.slots.plan([], gone=[("default", "flights")]))
    assert {one.id for one in all_of(world)} == {past.id, other.id}
    assert world.run(world.slots.plans()).plans.keys() == {("default", "other")}


def test_nothing_to_plan_and_nothing_to_decide(world: World) -> None:
    assert world.run(world.slots.plan([])) == 0
    assert world.run(world.slots.decide([])) == ()
    assert add(world) == 0


def test_those_whose_time_has_come_are_open(world: World) -> None:
    later, first, second = a_slot(world, 600), a_slot(world, -100, window=10), a_slot(world, -50)
    add(world, later, second, first)
    found = opened(world)
    assert [one.slot for one in found] == [first, second]
    assert all(one.run is None and one.paused is None and one.beside is None for one in found)
    assert abs((world.run(world.slots.open()).now - now(world)).total_seconds()) < 30
    assert [one.slot for one in world.run(world.slots.open(limit=1)).slots] == [first]
    decide(world, first, MISSED)
    assert [one.slot for one in opened(world)] == [second]


def test_an_open_slot_has_its_run(world: World) -> None:
    slot = a_slot(world, -100)
    add(world, slot)
    a_run_of(world, slot, mode=RunMode.REHEARSE)
    a_run_of(world, msgspec.structs.replace(slot, pipeline="other"))
    a_run_of(world, msgspec.structs.replace(slot, tenant="other"))
    a_run_of(world, msgspec.structs.replace(slot, at=slot.at + timedelta(seconds=1)))
    assert opened(world)[0].run is None
    waits = a_run_of(world, slot)
    run = opened(world)[0].run
    assert run is not None and (run.id, run.status, run.started_at) == (waits, RunStatus.PENDING, None)
    works = a_run_of(world, slot)
    begin(world, works, slot)
    a_run_of(world, slot)
    run = opened(world)[0].run
    assert run is not None and (run.id, run.status) == (works, RunStatus.RUNNING), "the one that has begun"
    assert run.started_at is not None


def test_a_pause_at_its_time_is_known_while_it_holds(world: World, pauses: Pauses) -> None:
    before = a_slot(world, -100)
    world.run(pauses.pause("flights", actor="user:ann", reason="rates are wrong"))
    world.age(50)
    slot = a_slot(world, -10)
    other = a_slot(world, -10, pipeline="other")
    add(world, msgspec.structs.replace(before, at=before.at - timedelta(seconds=50)), slot)
    add(world, other)
    first, second, third = sorted(opened(world), key=lambda one: (one.slot.pipeline, one.slot.at))
    assert (first.paused, third.paused) == (None, None)
    assert second.paused is not None and "by user:ann" in second.paused and "rates are wrong" in second.paused


def test_a_pause_that_has_ended_is_known(world: World, pauses: Pauses) -> None:
    world.run(pauses.pause("flights", actor="user:ann", reason="rates are wrong"))
    world.age(50)
    during, flights = a_slot(world, -10), Pipeline(name="flights", schedule="0 * * * *")
    world.run(ResumePipeline(pauses=pauses)(flights, actor="user:bob"))
    add(world, during, a_slot(world, -3000))
    earlier, found = opened(world)
    assert earlier.paused is None
    assert found.paused is not None and "was paused" in found.paused
    assert "by user:ann" in found.paused and "rates are wrong" in found.paused
    world.age(3000)
    after = a_slot(world, -10)
    add(world, after)
    assert opened(world)[-1].slot == after and opened(world)[-1].paused is None


def test_a_pause_holds_no_longer_than_until_its_end(world: World, pauses: Pauses) -> None:
    """Whoever resumes it may have been away when its end came."""
    end = now(world) + timedelta(seconds=0.5)
    world.run(pauses.pause("flights", actor="user:ann", until=end))
    while now(world) <= end + timedelta(seconds=0.1):
        if isinstance(world, MemoryWorld):
            world.database.advance(0.1)
    early, at_its_end = (
        msgspec.structs.replace(a_slot(world, 0, logical=word), at=at)
        for word, at in (("early", end - timedelta(seconds=0.05)), ("at its end", end))
    )
    add(world, early, at_its_end)
    assert [one.paused is None for one in opened(world)] == [False, True]
    world.run(ResumePipeline(pauses=pauses)(Pipeline(name="flights"), actor="reconciler"))
    first, second = opened(world)
    assert second.paused is None
    assert first.paused is not None and f"to {end:%Y-%m-%d %H:%M} UTC by user:ann" in first.paused


def test_a_run_beside_that_worked_through_the_window(world: World) -> None:
    earlier = a_slot(world, -1000)
    works = a_run_of(world, earlier)
    attempt = begin(world, works, earlier)
    world.age(500)
    closed, still_open = a_slot(world, -100, window=50), a_slot(world, -40)
    add(world, closed, still_open)
    first, second = opened(world)
    assert (first.beside, second.beside) == (works, None), "only where the window has closed"
    world.run(world.attempt_log.finish(attempt, succeeded()))
    assert opened(world)[0].beside == works, "it ended after the window did"
    world.age(500)
    add(world, a_slot(world, -100, window=50))
    assert opened(world)[-1].beside is None


def test_a_verdict_is_written_once_with_its_event(world: World) -> None:
    slot = a_slot(world, -100)
    add(world, slot)
    state = msgspec.structs.replace(RAN, run_id=world.ids.new())
    (decided,) = decide(world, slot, state)
    assert (decided.verdict, decided.late_by, decided.run_id) == (SlotVerdict.RAN, 1.5, state.run_id)
    assert decided.decided_at is not None and not decided.told
    assert decide(world, slot, MISSED) == (), "it is not as it was read any more"
    assert all_of(world) == (decided,)
    ((subject, kind, actor, data, before, after),) = events(world)
    assert (subject, kind, actor, before) == ("pipeline:flights", "slot.ran", "reconciler", None)
    assert data["slot"] == slot.at.isoformat() and data["logical"] == slot.logical
    assert after["verdict"] == "ran" and after["run_id"] == str(state.run_id)


def test_a_verdict_may_change(world: World) -> None:
    slot = a_slot(world, -100)
    add(world, slot)
    (missed,) = decide(world, slot, MISSED)
    (late,) = decide(world, missed, SlotState(verdict=SlotVerdict.LATE, late_by=300.0))
    assert (late.verdict, late.reason, late.detail) == (SlotVerdict.LATE, None, None)
    assert [one[1] for one in events(world)] == ["slot.missed", "slot.late"]
    assert events(world)[1][4]["verdict"] == "missed"
    (again,) = decide(world, late, SlotState(verdict=None))
    assert (again.verdict, again.decided_at) == (None, None)
    assert events(world)[2][1] == "slot.reopened"


def test_one_that_was_not_expected_is_added(world: World) -> None:
    slot = a_slot(world, -100)
    assert decide(world, slot, RAN) == ()
    assert all_of(world) == () and events(world) == []
    assert [world.run(world.slots.plan([], strays=[slot])) for _ in range(2)] == [1, 0]
    assert all_of(world) == (slot,) and world.run(world.slots.plans()).plans == {}


def test_of_two_watchers_at_once_one_decides(world: World) -> None:
    slots = [a_slot(world, -100 - number) for number in range(20)]
    add(world, *slots)
    ledgers = [world.another_ledger() for _ in range(4)]

    async def race() -> list[int]:
        said = [Decision(slot=slot, after=MISSED) for slot in slots]
        return [len(one) for one in await asyncio.gather(*(ledger.decide(said) for ledger in ledgers))]

    assert sorted(world.run(race())) == [0, 0, 0, 20]
    assert len(events(world)) == 20


def test_what_two_processes_plan_at_once_is_there_once(world: World) -> None:
    slots = tuple(a_slot(world, 100 + number) for number in range(20))
    ledgers = [world.another_ledger() for _ in range(4)]

    async def race() -> int:
        return sum(await asyncio.gather(*(ledger.plan([plan_of(slots)]) for ledger in ledgers)))

    assert world.run(race()) == 20
    assert all_of(world) == slots


def test_a_run_that_comes_is_seen(world: World) -> None:
    slot, start = a_slot(world, -100), 5.0
    assert world.run(world.slots.come(start)) == ()
    stray = a_run_of(world, slot)
    (found,) = world.run(world.slots.come(start))
    assert (found.slot, found.run.id, found.at, found.pipeline) == (None, stray, slot.at, "flights")
    add(world, slot)
    assert world.run(world.slots.come(start)) == (), "it is open, and looked after"
    (missed,) = decide(world, slot, MISSED)
    (found,) = world.run(world.slots.come(start))
    assert found.slot == missed
    assert world.run(world.slots.come(0.0)) == ()
    decide(world, missed, RAN)
    assert world.run(world.slots.come(start)) == ()


def test_a_run_that_was_waited_for_is_seen_whenever_it_was_made(world: World) -> None:
    slot = a_slot(world, -1000)
    add(world, slot)
    run_id = a_run_of(world, slot)
    state = SlotState(verdict=SlotVerdict.MISSED, reason=SlotReason.NOT_STARTED, detail="it waits", run_id=run_id)
    (missed,) = decide(world, slot, state)
    (found,) = world.run(world.slots.come(0.0))
    assert (found.slot, found.run.id) == (missed, run_id)


def test_a_run_that_is_skipped_at_its_end_is_seen(world: World) -> None:
    slot = a_slot(world, -1000)
    add(world, slot)
    run_id = a_run_of(world, slot)
    decide(world, slot, msgspec.structs.replace(RAN, run_id=run_id))
    assert world.run(world.slots.come(60.0)) == ()

    def step(run: Any, at: datetime) -> Any:
        why, evidence = SkipReason.SUPERSEDED, Evidence.NO_ATTEMPT
        return skipped(run, actor="reconciler", at=at, reason=why, message="a newer slot", evidence=evidence)

    assert world.run(world.run_log.move(run_id, RunStatus.PENDING, step)) is not None
    (found,) = world.run(world.slots.come(60.0))
    assert found.run.status is RunStatus.SKIPPED and found.slot is not None


def test_what_is_due(world: World, pauses: Pauses) -> None:
    due, later, over = a_slot(world, -10), a_slot(world, 600), a_slot(world, -100, window=50)
    unasked, decided, runs = a_slot(world, -11, expected=False), a_slot(world, -12), a_slot(world, -13, window=30)
    paused = a_slot(world, -14, pipeline="paused")
    add(world, due, later, over, unasked, decided, runs)
    add(world, paused)
    decide(world, decided, MISSED)
    a_run_of(world, runs)
    assert world.run(world.slots.due()) == (paused, due)
    assert world.run(world.slots.due(limit=1)) == (paused,)
    world.run(pauses.pause("paused", actor="user:ann"))
    world.age(20)
    again = a_slot(world, -1, pipeline="paused")
    add(world, again)
    assert [one.pipeline for one in world.run(world.slots.due())] == ["paused", "flights"], (
        "it was due before the pause"
    )


def test_what_is_due_of_others_takes_no_place(world: World) -> None:
    others = [a_slot(world, -20 - number, tenant="other") for number in range(3)]
    usual = [a_slot(world, -20 - number) for number in range(3)]
    gap = a_slot(world, -10, oddity="gap")
    add(world, *others)
    add(world, *usual, gap)
    assert world.run(world.slots.due("default", gaps=True, limit=2)) == (gap,)
    assert {one.tenant for one in world.run(world.slots.due("default", limit=3))} == {"default"}
    assert world.run(world.slots.due("other", gaps=True)) == ()


def test_pages(world: World) -> None:
    slots = [a_slot(world, 10 * number, pipeline=f"p{number % 2}") for number in range(-5, 5)]
    slots.append(msgspec.structs.replace(slots[-1], id=world.ids.new(), pipeline="same moment"))
    for one in slots:
        add(world, one)
    add(world, a_slot(world, 0, tenant="other"))
    slots.sort(key=lambda one: (one.at, one.id))
    for newest_first in (False, True):
        wanted = slots[::-1] if newest_first else slots
        found: list[Slot] = []
        after = None
        while True:
            which = SlotFilter(newest_first=newest_first)
            page = world.run(world.slots.find(which, limit=3, after=after))
            found += page.slots
            after = page.next
            if after is None:
                break
            assert len(page.slots) == 3
        assert found == wanted
    (decided,) = decide(world, slots[0], MISSED)
    assert all_of(world, verdicts=(SlotVerdict.MISSED,)) == (decided,)
    assert all_of(world, verdicts=()) == ()
    assert all_of(world, pipeline="p1") == tuple(
        decided if one.id == decided.id else one for one in slots if one.pipeline == "p1"
    )
    assert all_of(world, since=slots[3].at, until=slots[6].at) == tuple(slots[3:6])


def test_the_agenda_of_another_tenant_is_none_of_ours(world: World) -> None:
    mine, theirs = a_slot(world, -10), a_slot(world, -10, tenant="other")
    add(world, mine)
    add(world, theirs)
    assert all_of(world) == (mine,) and all_of(world, tenant="other") == (theirs,)
