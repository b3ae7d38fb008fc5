"""Verdicts make incidents, by the rules of the domain, whoever keeps them; and people handle them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from kubescribe.application.ports.incidents import IncidentFilter, IncidentRecord, IncidentStep
from kubescribe.domain import incident_handling as handling
from kubescribe.domain.errors import IncidentNotFound, IncidentOver
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.incident import (
    QUIET,
    Incident,
    IncidentChange,
    IncidentTerms,
)
from kubescribe.domain.incident_handling import By
from kubescribe.domain.outcome import Outcome
from kubescribe.domain.run_mode import RunMode
from tests.support.builders import a_claim, failed, succeeded
from tests.support.runlogs import World

ALL = IncidentFilter(open=None)
HOUR = QUIET.total_seconds()


def end(
    world: World,
    outcome: Outcome | None = None,
    *,
    pipeline: str = "flights",
    tenant: str = "default",
    terms: IncidentTerms | None = None,
    mode: RunMode = RunMode.PUBLISH,
) -> UUID:
    claim = a_claim(
        world.ids.new(),
        world.ids.new(),
        pipeline=pipeline,
        tenant=tenant,
        mode=mode,
        incidents=terms or IncidentTerms(),
    )
    run = world.run(world.attempt_log.claim(claim)).run
    world.run(world.attempt_log.finish(claim.attempt_id, outcome or failed()))
    return run.id


def well(world: World, pipeline: str = "flights", terms: IncidentTerms | None = None) -> UUID:
    return end(world, succeeded(), pipeline=pipeline, terms=terms)


def incidents(world: World, which: IncidentFilter = ALL) -> list[Incident]:
    return list(world.run(world.incidents.find(which)))


def the_one(world: World) -> Incident:
    (one,) = incidents(world)
    return one


def kinds(world: World) -> list[str]:
    return [notice.kind.removeprefix("incident.") for notice in world.outbox()]


def events(world: World, incident_id: int = 1) -> list[tuple[str, str]]:
    record = world.run(world.incidents.get(incident_id))
    return [(event.kind, event.actor) for event in record.events]


def test_failures_in_a_row_are_one_incident(world: World) -> None:
    assert incidents(world) == []
    first, last = end(world), end(world, failed(FailureCause.OOM_KILLED))
    one = the_one(world)
    assert (one.id, one.pipeline, one.kind, one.status, one.count) == (1, "flights", "failing", "open", 2)
    assert (one.run_id, one.why, one.recovered_at, one.announced) == (last, "oom_killed", None, True)
    assert one.since == one.opened_at and one.last_at is not None and one.since is not None
    assert one.last_at > one.since
    assert [(notice.run_id, notice.incident_id) for notice in world.outbox()] == [(first, 1), (last, 1)]
    end_of_it = well(world)
    one = the_one(world)
    assert (one.status, one.recovered_by, one.count, one.announced) == ("recovered", end_of_it, 2, False)
    assert one.quiet_until is not None and one.recovered_at is not None and one.quiet_until - one.recovered_at == QUIET
    assert kinds(world) == ["opened", "grew", "recovered"]
    assert events(world) == [("incident.opened", "runlog"), ("incident.recovered", "runlog")]
    (opened, recovered) = world.run(world.incidents.get(1)).events
    assert opened.data == {"pipeline": "flights", "kind": "failing", "count": 1, "run": str(first), "why": "error"}
    assert (opened.before, opened.after) == ({"status": "pending"}, {"status": "open"})
    assert recovered.data == {"pipeline": "flights", "kind": "failing", "count": 2, "run": str(end_of_it)}


def test_rehearsals_and_runs_that_were_skipped_or_left_to_the_next_attempt_are_none(world: World) -> None:
    from kubescribe.domain.failure import SkipReason
    from kubescribe.domain.run_status import RunStatus

    end(world, mode=RunMode.REHEARSE)
    end(world, succeeded(status=RunStatus.SKIPPED, skip_reason=SkipReason.SUPERSEDED))
    end(world, failed(status=RunStatus.PENDING))
    assert incidents(world) == [] and world.outbox() == []


def test_as_many_in_a_row_as_the_pipeline_declares(world: World) -> None:
    terms = IncidentTerms(incident_after=2, recover_after=2)
    for outcome in (failed(), succeeded(), failed()):
        end(world, outcome, terms=terms)
    assert incidents(world) == [] and world.outbox() == []
    assert world.run(world.figures.figures("default")).failing == 1, "its newest verdict is a failure all the same"
    end(world, terms=terms)
    assert (the_one(world).count, kinds(world)) == (2, ["opened"])
    well(world, terms=terms)
    assert the_one(world).is_open and world.run(world.figures.figures("default")).failing == 0
    well(world, terms=terms)
    assert not the_one(world).is_open and kinds(world) == ["opened", "recovered"]


def test_what_a_pipeline_declares_now_is_what_counts(world: World) -> None:
    end(world, terms=IncidentTerms(incident_after=3))
    assert incidents(world) == []
    end(world)
    assert the_one(world).count == 2
    world.run(world.incidents.declare({"trains": IncidentTerms(incident_after=2), "boats": IncidentTerms()}))
    from tests.support.builders import a_run

    for pipeline in ("trains", "boats"):
        run = world.run(world.run_log.create(a_run(world.ids.new(), pipeline=pipeline)))
        world.run(world.run_log.move(run.id, run.status, _never_started))
    assert {one.pipeline for one in incidents(world)} == {"flights", "boats"}, "those that never began, too"
    world.run(world.incidents.declare({"trains": IncidentTerms()}))
    run = world.run(world.run_log.create(a_run(world.ids.new(), pipeline="trains")))
    world.run(world.run_log.move(run.id, run.status, _never_started))
    assert {one.pipeline for one in incidents(world)} == {"flights", "boats", "trains"}


def _never_started(run, at):  # type: ignore[no-untyped-def]
    from kubescribe.domain import run as steps
    from kubescribe.domain.run import Evidence

    return steps.failed(
        run, actor="r", at=at, evidence=Evidence.DEADLINE, cause=FailureCause.START_DEADLINE, message=None
    )


def test_what_comes_back_within_the_hour_is_told_when_it_is_over(world: World) -> None:
    end(world)
    well(world)
    end(world)
    one = the_one(world)
    assert (one.is_open, one.reopened, one.count, one.announced) == (True, 1, 2, False)
    assert world.run(world.incidents.tell_late()) == 0
    world.age(HOUR)
    assert [world.run(world.incidents.tell_late()) for _ in range(2)] == [1, 0]
    assert kinds(world) == ["opened", "recovered", "opened"] and the_one(world).announced
    assert [kind for kind, _ in events(world)] == ["incident.opened", "incident.recovered", "incident.reopened"]


def test_one_that_is_pending_is_nobodys_business(world: World) -> None:
    end(world, terms=IncidentTerms(incident_after=2))
    with pytest.raises(IncidentNotFound):
        world.run(world.incidents.get(1))
    with pytest.raises(IncidentNotFound):
        world.run(world.incidents.handle(1, acknowledge))
    assert world.run(world.incidents.tell_late()) == 0


def test_pages_are_by_number_and_of_one_tenant(world: World) -> None:
    for name in ("a", "b", "c", "d"):
        end(world, pipeline=name)
    well(world, "b")
    end(world, pipeline="x", tenant="other")

    def found(which: IncidentFilter, **page: int) -> list[tuple[int, str]]:
        return [(one.id, one.pipeline) for one in world.run(world.incidents.find(which, **page))]

    assert found(ALL) == [(4, "d"), (3, "c"), (2, "b"), (1, "a")]
    assert found(IncidentFilter()) == [(4, "d"), (3, "c"), (1, "a")]
    assert found(IncidentFilter(open=False)) == [(2, "b")]
    assert found(ALL, limit=2, before=4) == [(3, "c"), (2, "b")]
    assert found(IncidentFilter(open=None, pipeline="b")) == [(2, "b")]
    assert found(ALL, before=2**70) == found(ALL)
    assert found(IncidentFilter(tenant="other")) == [(1, "x")], "numbers say nothing of how many others have"
    for number in (0, -1, 5, 2**70):
        with pytest.raises(IncidentNotFound):
            world.run(world.incidents.get(number))
    assert world.run(world.incidents.get(1, tenant="other")).incident.pipeline == "x"
    assert len(world.run(world.incidents.get(1, tenant="other")).events) == 1


BY = By(actor="user:ann", at=datetime(2020, 1, 1, tzinfo=UTC), method="cli", reason="on it")


def by(at: datetime) -> By:
    return msgspec.structs.replace(BY, at=at)


def acknowledge(record: IncidentRecord, at: datetime) -> IncidentChange | None:
    return handling.acknowledged(record.incident, by(at))


def test_people_handle_it_and_it_is_on_record(world: World) -> None:
    end(world)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    steps: list[IncidentStep] = [
        acknowledge,
        acknowledge,
        lambda record, at: handling.snoozed(record.incident, by(at), until=until),
        lambda record, at: handling.assigned(record.incident, by(at), to="the night shift"),
        lambda record, at: handling.noted(record.incident, by(at), text="the disk is full"),
    ]
    after = [world.run(world.incidents.handle(1, step)) for step in steps][-1]
    record = world.run(world.incidents.get(1))
    assert record.incident == after
    assert (after.acknowledged_by, after.snoozed_until, after.assigned_to) == ("user:ann", until, "the night shift")
    assert [event.kind.removeprefix("incident.") for event in record.events] == [
        *("opened", "acknowledged", "snoozed", "assigned", "noted")
    ]
    note = record.events[-1]
    assert (note.actor, note.method, note.reason, note.subject) == ("user:ann", "cli", "the disk is full", "incident:1")
    end(world)
    assert the_one(world).acknowledged_by == "user:ann", "growing does not take away who looks after it"
    well(world)
    with pytest.raises(IncidentOver):
        world.run(world.incidents.handle(1, lambda record, at: handling.assigned(record.incident, by(at), to=None)))
    assert the_one(world).assigned_to == "the night shift"


def test_hostile_words_are_kept(world: World) -> None:
    end(world)
    after = world.run(
        world.incidents.handle(
            1, lambda record, at: handling.assigned(record.incident, by(at), to="a\0b\ud800" + "x" * 100_000)
        )
    )
    assert after == world.run(world.incidents.get(1)).incident
    assert after.assigned_to is not None and len(after.assigned_to) < 70_000


def test_many_at_once_are_one_incident(world: World) -> None:
    claims = [a_claim(world.ids.new(), world.ids.new()) for _ in range(12)]
    logs = [world.attempt_log, *(world.another() for _ in range(3))]
    for claim in claims:
        world.run(world.attempt_log.claim(claim))

    async def race() -> None:
        await asyncio.gather(
            *(logs[place % 4].finish(claim.attempt_id, failed()) for place, claim in enumerate(claims))
        )

    world.run(race())
    assert the_one(world).count == 12 and sorted(kinds(world)) == ["grew"] * 11 + ["opened"]
