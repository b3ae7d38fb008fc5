"""Pausing and resuming: one pause for a pipeline, its events, and the slots that it has let go by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubescribe.adapters.memory.pauses import MemoryPauses
from kubescribe.adapters.postgres.pauses import PostgresPauses
from kubescribe.application.ports.pauses import Pauses, Resumed
from kubescribe.application.resume_pipeline import ResumePipeline
from kubescribe.domain.errors import NotPaused, PauseRefused, PipelineNotFound
from kubescribe.domain.pause import MOST_SLOTS, PassedOver, Pause, passed_over
from kubescribe.domain.pipeline import Pipeline
from kubescribe.domain.schedule import Schedule
from tests.support.builders import LONG_AGO, a_claim
from tests.support.runlogs import MemoryWorld, PostgresWorld, World

HOURLY = Pipeline(name="flights", schedule="0 * * * *")
HOUR = 3600.0


@pytest.fixture
def pauses(world: World) -> Pauses:
    if isinstance(world, MemoryWorld):
        return MemoryPauses(world.database)
    assert isinstance(world, PostgresWorld)
    return PostgresPauses(world.engine)


def pause(world: World, pauses: Pauses, pipeline: str = "flights", **how: Any) -> Pause:
    return world.run(pauses.pause(pipeline, **{"actor": "user:ann", "reason": "rates are wrong", **how}))


def resume(world: World, pauses: Pauses, pipeline: Pipeline = HOURLY, **how: Any) -> Resumed:
    return world.run(ResumePipeline(pauses=pauses)(pipeline, **{"actor": "user:bob", **how}))


def asked(world: World) -> list[tuple[str | None, str | None, dict[str, Any] | None, dict[str, Any] | None]]:
    """How and why, what was before, and what is after."""
    if isinstance(world, MemoryWorld):
        return [(one.method, one.reason, one.before, one.after) for one in world.database.events]
    assert isinstance(world, PostgresWorld)
    return world.ask("SELECT method, reason, before, after FROM event ORDER BY seq")


def events(world: World) -> list[tuple[str, str, str, dict[str, Any]]]:
    if isinstance(world, MemoryWorld):
        return [(one.subject, one.kind, one.actor, one.data) for one in world.database.events]
    assert isinstance(world, PostgresWorld)
    return world.ask("SELECT subject, kind, actor, data FROM event ORDER BY seq")


def test_it_holds_until_somebody_resumes(world: World, pauses: Pauses) -> None:
    assert world.run(pauses.current("flights")) is None
    paused = pause(world, pauses)
    assert (paused.actor, paused.reason, paused.until) == ("user:ann", "rates are wrong", None)
    assert world.run(pauses.current("flights")) == paused
    assert world.run(pauses.current("flight")) is None
    assert world.run(pauses.holding()) == (paused,)
    assert world.run(pauses.over()) == ()
    assert resume(world, pauses, reason="they are right").pause == paused
    assert world.run(pauses.current("flights")) is None
    first, second = events(world)
    assert first[:3] == ("pipeline:flights", "pipeline.paused", "user:ann") and first[3]["reason"] == "rates are wrong"
    assert second[:3] == ("pipeline:flights", "pipeline.resumed", "user:bob")
    assert (second[3]["reason"], second[3]["paused_by"]) == ("they are right", "user:ann")


def test_its_events_say_how_why_and_what_changed(world: World, pauses: Pauses) -> None:
    end = datetime.now(UTC) + timedelta(hours=3)
    pause(world, pauses, method="cli")
    pause(world, pauses, method="POST /x", reason="for longer", until=end)
    resume(world, pauses, method="cli", reason="they are right")
    off: dict[str, Any] = {"paused": False, "until": None, "reason": None}
    first: dict[str, Any] = {"paused": True, "until": None, "reason": "rates are wrong"}
    second = {"paused": True, "until": end.isoformat(), "reason": "for longer"}
    assert asked(world) == [
        ("cli", "rates are wrong", off, first),
        ("POST /x", "for longer", first, second),
        ("cli", "they are right", second, off),
    ]


def test_paused_again_it_goes_on_from_its_beginning(world: World, pauses: Pauses) -> None:
    first = pause(world, pauses)
    world.age(HOUR)
    second = pause(world, pauses, actor="user:bob", reason="still")
    assert second.since < first.since + timedelta(seconds=1), "the slots since then are not on record yet"
    assert (second.actor, second.reason) == ("user:bob", "still")
    assert len(world.run(pauses.holding())) == 1


def test_its_own_end_ends_it(world: World, pauses: Pauses) -> None:
    end = datetime.now(UTC) + timedelta(hours=3)
    pause(world, pauses, until=end)
    world.age(4 * HOUR)
    assert world.run(pauses.current("flights")) is None and world.run(pauses.holding()) == ()
    (over,) = world.run(pauses.over())
    assert over.pipeline == "flights"

    def declared(name: str) -> Pipeline:
        assert name == "flights"
        return HOURLY

    resumer = ResumePipeline(pauses=pauses)
    (done,) = world.run(resumer.ended(declared))
    assert len(done.passed_over.slots) == 3, "and not the one after its end"
    assert world.run(pauses.over()) == () == world.run(resumer.ended(declared))
    assert events(world)[-1][2] == "reconciler"


def test_of_a_pipeline_that_is_gone_there_are_no_slots(world: World, pauses: Pauses) -> None:
    pause(world, pauses, until=datetime.now(UTC) + timedelta(hours=1))
    world.age(2 * HOUR)

    def declared(name: str) -> Pipeline:
        raise PipelineNotFound(name, (), 0)

    (done,) = world.run(ResumePipeline(pauses=pauses).ended(declared))
    assert done.passed_over == PassedOver()


def test_the_slots_that_went_by_are_on_record(world: World, pauses: Pauses) -> None:
    pause(world, pauses)
    world.age(5 * HOUR)
    resumed = resume(world, pauses)
    slots = resumed.passed_over.slots
    assert len(slots) == 5 and not resumed.passed_over.more
    assert all(slot.minute == slot.second == 0 for slot in slots) and list(slots) == sorted(slots)
    assert events(world)[-1][3]["passed_over"] == [slot.isoformat() for slot in slots]


def test_what_is_not_paused_cannot_be_resumed(world: World, pauses: Pauses) -> None:
    with pytest.raises(NotPaused, match="flights is not paused"):
        resume(world, pauses)
    assert events(world) == []


def test_an_end_in_the_past_is_refused(world: World, pauses: Pauses) -> None:
    with pytest.raises(PauseRefused):
        pause(world, pauses, until=datetime.now(UTC) - timedelta(seconds=1))
    assert world.run(pauses.current("flights")) is None and events(world) == []


def test_each_tenant_has_its_own(world: World, pauses: Pauses) -> None:
    ours = pause(world, pauses)
    assert world.run(pauses.current("flights", tenant="other")) is None
    with pytest.raises(NotPaused):
        resume(world, pauses, tenant="other")
    theirs = pause(world, pauses, tenant="other")
    assert world.run(pauses.holding(tenant="other")) == (theirs,)
    assert world.run(pauses.holding()) == (ours,)


def test_an_attempt_is_told_of_it_unless_its_run_has_begun(world: World, pauses: Pauses) -> None:
    run_id = world.ids.new()

    def told(pipeline: str = "flights", tenant: str = "default") -> Pause | None:
        return world.run(world.attempt_log.paused(run_id, pipeline, tenant=tenant))

    assert told() is None
    paused = pause(world, pauses, until=datetime.now(UTC) + timedelta(hours=1))
    assert told() == paused
    assert told("trains") is told(tenant="other") is told("a\0b") is None
    world.run(world.attempt_log.claim(a_claim(run_id, world.ids.new())))
    assert told() is None, "a second attempt goes on with what the first one began"
    run_id = world.ids.new()
    world.age(2 * HOUR)
    assert told() is None


def test_so_many_slots_that_not_all_are_listed() -> None:
    paused = Pause(pipeline="flights", actor="a", since=LONG_AGO)
    found = passed_over(paused, Schedule("* * * * *"), LONG_AGO + timedelta(days=30))
    assert len(found.slots) == MOST_SLOTS and found.more
    assert passed_over(paused, None, LONG_AGO + timedelta(days=30)) == PassedOver()
