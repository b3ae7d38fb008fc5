"""Promises get one verdict each; a broken one is an incident in the transaction of its verdict."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from kubescribe.application.ports.incidents import IncidentFilter
from kubescribe.application.ports.promises import Held, Standing
from kubescribe.domain.incident import Incident, IncidentKind
from kubescribe.domain.promise import Attainment, Judgement, Promise
from kubescribe.domain.run_mode import RunMode
from kubescribe.domain.run_status import RunStatus
from tests.support.builders import a_claim, failed, succeeded
from tests.support.runlogs import World

FINISH, RUNS = IncidentKind.FINISH_BY, IncidentKind.RUN_AT_MOST
DAY = date(2026, 3, 1)
KEY: Held = ("flights", FINISH)


def hold(world: World, *kinds: IncidentKind, pipeline: str = "flights", tenant: str = "default") -> Standing:
    return world.run(world.promises.hold(tenant, {pipeline: kinds}))


def a_promise(subject: str, **changes: Any) -> Promise:
    return msgspec.structs.replace(Promise(pipeline="flights", kind=FINISH, subject=subject), **changes)


def verdict(subject: str, kept: bool | None, **changes: Any) -> Judgement:
    why = "it was not kept" if kept is False else None
    return Judgement(promise=a_promise(subject, **changes), kept=kept, day=DAY, why=why)


def settle(world: World, *judged: Judgement, mended: tuple[Held, ...] = ()) -> tuple[Judgement, ...]:
    made = [one.promise for one in judged]
    return world.run(world.promises.settle("default", made=made, judged=judged, mended=mended, looked={}))


def incidents(world: World) -> tuple[Incident, ...]:
    return world.run(world.incidents.find(IncidentFilter(open=None)))


def kinds(world: World) -> list[str]:
    return [notice.kind.removeprefix("incident.") for notice in world.outbox()]


def test_a_promise_is_held_from_when_it_was_first_made(world: World) -> None:
    first = hold(world, FINISH)
    assert first.held[KEY].since == first.held[KEY].looked_at <= first.now
    world.age(100)
    later = hold(world, FINISH, RUNS)
    assert set(later.held) == {KEY, ("flights", RUNS)}
    assert later.held[KEY].since < later.held["flights", RUNS].since
    at = later.now
    world.run(world.promises.settle("default", made=(), judged=(), mended=(), looked={KEY: at}))
    assert hold(world, FINISH, RUNS).held[KEY].looked_at == at
    earlier = at - timedelta(seconds=50)
    world.run(world.promises.settle("default", made=(), judged=(), mended=(), looked={KEY: earlier}))
    assert hold(world, FINISH, RUNS).held[KEY].looked_at == at, "a pass that was slow takes nothing back"
    ahead = first.now + timedelta(days=300)
    for looked in (ahead, at):
        world.run(world.promises.settle("default", made=(), judged=(), mended=(), looked={KEY: looked}))
        assert hold(world, FINISH, RUNS).held[KEY].looked_at == looked, "but a clock that was ahead is not believed"
    assert hold(world, tenant="other").held == {}


def test_what_is_open_is_listed_by_when_it_is_due(world: World) -> None:
    now = hold(world, FINISH).now
    promises = [
        a_promise("no run yet", due_at=None, run_id=world.ids.new()),
        a_promise("second", due_at=now - timedelta(hours=1)),
        a_promise("first", due_at=now - timedelta(hours=2)),
        a_promise("to come", due_at=now + timedelta(hours=1)),
    ]
    for _ in range(2):
        world.run(world.promises.settle("default", made=promises, judged=(), mended=(), looked={}))
    assert hold(world, FINISH).open == (promises[2], promises[1], promises[0])
    assert hold(world, FINISH, tenant="other").open == ()
    settle(world, verdict("broken", False))
    assert [one.subject for one in hold(world, FINISH).open][2] == "to come", "what would end the incident is looked at"
    early = a_promise("of a run", kind=RUNS, due_at=now + timedelta(hours=3))
    world.run(world.promises.settle("default", made=[early], judged=(), mended=(), looked={}))
    assert early in hold(world, FINISH, RUNS).open


def test_a_broken_promise_is_an_incident_and_has_one_verdict(world: World) -> None:
    hold(world, FINISH)
    run_id = world.ids.new()
    (given,) = settle(world, verdict("one", False, run_id=run_id))
    assert given.promise.subject == "one"
    assert settle(world, verdict("one", False)) == () == settle(world, verdict("one", True))
    (incident,) = incidents(world)
    assert (incident.kind, incident.why, incident.count, incident.run_id) == (FINISH, "it was not kept", 1, run_id)
    assert hold(world, FINISH).broken == {KEY}
    settle(world, verdict("two", False))
    settle(world, verdict("three", True), mended=(KEY,))
    (incident,) = incidents(world)
    assert (incident.is_open, incident.count, incident.recovered_by) == (False, 2, None)
    assert kinds(world) == ["opened", "grew", "recovered"]
    assert hold(world, FINISH).broken == frozenset() and hold(world, FINISH).open == ()


def test_what_is_none_any_more_counts_for_nothing(world: World) -> None:
    hold(world, FINISH)
    assert len(settle(world, verdict("one", None), verdict("two", True), verdict("three", False))) == 3
    told = world.run(world.promises.attainment("default", "flights", since=DAY))
    assert told == (Attainment(kind=FINISH, day=DAY, kept=1, promised=2),)
    assert world.run(world.promises.attainment("default", "flights", since=DAY + timedelta(days=1))) == ()
    assert world.run(world.promises.attainment("other", "flights", since=DAY)) == ()
    assert settle(world, verdict("two", None)) == (), "what was counted stays counted"


def test_a_promise_that_is_made_no_more_goes_and_its_incident_ends(world: World) -> None:
    hold(world, FINISH, RUNS)
    now = hold(world, FINISH, RUNS).now
    world.run(world.promises.settle("default", made=[a_promise("x", due_at=now)], judged=(), mended=(), looked={}))
    settle(world, verdict("one", False), verdict("two", False, kind=RUNS))
    assert hold(world, pipeline="another").held == {}
    assert len(hold(world, FINISH, RUNS).broken) == 2, "of pipelines that are not named nothing is said"
    assert hold(world, RUNS).broken == {("flights", RUNS)}
    assert sorted(one.status for one in incidents(world)) == ["open", "recovered"]
    assert hold(world, FINISH, RUNS).open == ()


def run_of(world: World, *, slot: datetime | None = None, well: bool | None = True, **changes: Any) -> Any:
    claim = a_claim(world.ids.new(), world.ids.new(), slot=slot, **changes)
    world.run(world.attempt_log.claim(claim))
    if well is not None:
        world.run(world.attempt_log.finish(claim.attempt_id, succeeded() if well else failed()))
    return world.run(world.run_log.get(claim.run_id, tenant=None))


def test_a_slot_is_done_by_the_first_success_of_it_or_a_later_one(world: World) -> None:
    slot = hold(world, FINISH).now.replace(microsecond=0)
    before, hour = slot - timedelta(hours=1), timedelta(hours=1)

    def done(*slots: datetime, pipeline: str = "flights") -> tuple[datetime | None, ...]:
        return world.run(world.promises.done("default", [(pipeline, one) for one in slots]))

    run_of(world, slot=slot, well=False)
    run_of(world, slot=slot, mode=RunMode.REHEARSE)
    run_of(world, slot=slot, tenant="other")
    run_of(world, slot=slot, pipeline="trains")
    run_of(world)
    assert done() == () and done(slot) == (None,)
    first = run_of(world, slot=slot)
    run_of(world, slot=slot + hour)
    assert done(slot, before, slot + 2 * hour) == (first.finished_at, first.finished_at, None)


def test_runs_are_those_since_a_moment_and_those_that_are_named(world: World) -> None:
    old = run_of(world, well=None)
    run_of(world, mode=RunMode.REHEARSE)
    run_of(world, tenant="other")
    world.age(1000)
    now = hold(world, RUNS).now
    new, other = run_of(world), run_of(world, pipeline="trains")
    since = now - timedelta(seconds=10)
    found = {one.id: one for one in world.run(world.promises.runs("default", {"flights": since}, []))}
    assert set(found) == {new.id}
    times = found[new.id]
    assert (times.status, times.started_at, times.finished_at) == (
        RunStatus.SUCCEEDED,
        new.started_at,
        new.finished_at,
    )
    found = {one.id: one for one in world.run(world.promises.runs("default", {"trains": since}, [old.id, new.id]))}
    assert set(found) == {old.id, new.id, other.id}
    assert (found[old.id].status, found[old.id].finished_at) == (RunStatus.RUNNING, None)
    assert world.run(world.promises.runs("other", {}, [old.id])) == ()


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 100_000])
def test_any_reason_can_be_kept(world: World, text: str) -> None:
    hold(world, FINISH)
    one = msgspec.structs.replace(verdict("one", False), why=text)
    assert len(settle(world, one)) == 1
    assert len(incidents(world)[0].why or "") <= 500


def test_two_passes_at_once_give_one_verdict(world: World) -> None:
    hold(world, FINISH)
    judged = [verdict(f"slot {number}", number % 2 == 0) for number in range(10)]
    made = [one.promise for one in judged]
    books = [world.promises, world.another_book()]

    async def race() -> list[tuple[Judgement, ...]]:
        return list(
            await asyncio.gather(
                *(book.settle("default", made=made, judged=judged, mended=(), looked={}) for book in books)
            )
        )

    given = world.run(race())
    assert sum(map(len, given)) == 10
    assert world.run(world.promises.attainment("default", "flights", since=DAY))[0].promised == 10
    assert incidents(world)[0].count == 5
