"""What time makes due is told once: an incident that is still there, a week that is over."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from kubescribe.application.ports.incidents import IncidentRecord
from kubescribe.application.ports.run_log import RunFilter
from kubescribe.domain import incident_handling as handling
from kubescribe.domain.figures import LONGEST
from kubescribe.domain.incident import QUIET, IncidentChange
from kubescribe.domain.incident_handling import By
from kubescribe.domain.run_mode import RunMode
from kubescribe.domain.week_summary import PipelineWeek
from tests.support.builders import a_claim, failed, succeeded
from tests.support.runlogs import World

EVERY = 1000.0


def end(world: World, pipeline: str = "flights", *, well: bool = False, mode: RunMode = RunMode.PUBLISH) -> None:
    claim = a_claim(world.ids.new(), world.ids.new(), pipeline=pipeline, mode=mode)
    world.run(world.attempt_log.claim(claim))
    world.run(world.attempt_log.finish(claim.attempt_id, succeeded() if well else failed()))


def remind(world: World, tenant: str = "default") -> int:
    return world.run(world.reminders.remind(tenant, every=EVERY))


def kinds(world: World) -> list[str]:
    return [notice.kind for notice in world.outbox()]


def test_what_is_still_there_is_told_again(world: World) -> None:
    assert remind(world) == 0
    end(world)
    assert remind(world) == 0
    world.age(EVERY - 10)
    assert remind(world) == 0
    world.age(11)
    assert (remind(world), remind(world), remind(world, "other")) == (1, 0, 0)
    world.age(EVERY + 1)
    assert remind(world) == 1
    assert kinds(world) == ["incident.opened", "incident.repeated", "incident.repeated"]
    first, again = world.outbox()[0], world.outbox()[1]
    assert (again.incident_id, again.run_id, again.pipeline) == (first.incident_id, first.run_id, "flights")
    end(world, well=True)
    world.age(10 * EVERY)
    assert remind(world) == 0 and kinds(world)[-1] == "incident.recovered"


def test_who_looks_after_it_is_left_in_peace(world: World) -> None:
    end(world)

    def step(record: IncidentRecord, now: datetime) -> IncidentChange | None:
        return handling.acknowledged(record.incident, By(actor="user:ann", at=now))

    world.run(world.incidents.handle(1, step))
    world.age(10 * EVERY)
    assert remind(world) == 0


def test_what_is_put_off_is_told_when_its_time_has_come(world: World) -> None:
    end(world)

    def step(record: IncidentRecord, now: datetime) -> IncidentChange | None:
        return handling.snoozed(record.incident, By(actor="user:ann", at=now), until=now + timedelta(seconds=5000))

    world.run(world.incidents.handle(1, step))
    world.age(4900)
    assert remind(world) == 0
    world.age(200)
    assert (remind(world), remind(world)) == (1, 0)
    world.age(EVERY + 1)
    assert remind(world) == 1, "afterwards it is as it was"


def test_what_was_told_late_is_told_again_a_while_after_that(world: World) -> None:
    """It came back in its quiet hour, and was told of when that was over."""
    end(world)
    end(world, well=True)
    end(world)
    world.age(QUIET.total_seconds() - 100)
    assert (world.run(world.incidents.tell_late()), remind(world)) == (0, 0)
    world.age(101)
    assert (world.run(world.incidents.tell_late()), remind(world)) == (1, 0)
    world.age(EVERY - 50)
    assert remind(world) == 0
    world.age(51)
    assert remind(world) == 1
    assert kinds(world) == ["incident.opened", "incident.recovered", "incident.opened", "incident.repeated"]


def test_a_week_is_noticed_once(world: World) -> None:
    seen: list[datetime] = []

    def week(now: datetime) -> str | None:
        seen.append(now)
        return "2026-11-23"

    async def race() -> list[bool]:
        return list(await asyncio.gather(*(world.reminders.summarise("default", week) for _ in range(5))))

    assert sorted(world.run(race())) == [False] * 4 + [True]
    assert world.run(world.reminders.summarise("other", week)) is True
    assert world.run(world.reminders.summarise("default", lambda _: "2026-11-30")) is True
    assert world.run(world.reminders.summarise("default", lambda _: None)) is False
    assert all(now.tzinfo is not None for now in seen)
    notices = world.outbox()
    assert [(one.kind, one.pipeline, one.tenant) for one in notices] == [
        ("summary.weekly", "", "default"),
        ("summary.weekly", "", "other"),
        ("summary.weekly", "", "default"),
    ]


def test_the_runs_of_a_time_are_counted_by_pipeline(world: World) -> None:
    end(world)
    end(world, well=True)
    world.age(3600)
    end(world)
    end(world)
    end(world, well=True)
    end(world, "stock", well=True)
    end(world, "stock", mode=RunMode.REHEARSE)
    newest = world.run(world.run_log.find(RunFilter(), limit=1)).runs[0]
    now = newest.created_at + timedelta(minutes=5)
    counted = world.run(world.figures.between("default", now - timedelta(minutes=30), now))
    assert counted == (
        PipelineWeek(pipeline="flights", runs=3, failed=2, succeeded=1),
        PipelineWeek(pipeline="stock", runs=1, failed=0, succeeded=1),
    )
    long_ago = now - timedelta(seconds=min(LONGEST, 1e8))
    assert world.run(world.figures.between("default", long_ago, now))[0].runs == 5
    assert world.run(world.figures.between("other", long_ago, now)) == ()
