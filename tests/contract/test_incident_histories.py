"""Whatever happens, what is kept is what the functions of the domain say, step by step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kubescribe.application.ports.incidents import IncidentFilter
from kubescribe.domain.incident import (
    Incident,
    IncidentChange,
    IncidentKind,
    IncidentStatus,
    IncidentTerms,
    Trouble,
    mended,
    told_late,
    troubled,
)
from kubescribe.domain.outcome import Outcome
from tests.support.builders import a_claim, failed, succeeded
from tests.support.runlogs import World


def end(world: World, outcome: Outcome, *, pipeline: str, terms: IncidentTerms) -> None:
    claim = a_claim(world.ids.new(), world.ids.new(), pipeline=pipeline, incidents=terms)
    world.run(world.attempt_log.claim(claim))
    world.run(world.attempt_log.finish(claim.attempt_id, outcome))


def incidents(world: World, which: IncidentFilter) -> list[Incident]:
    return list(world.run(world.incidents.find(which)))


STEPS = st.lists(
    st.tuples(st.sampled_from(["bad", "bad", "good", "good", "look"]), st.sampled_from([0, 0, 1000, 3500, 3700])),
    min_size=1,
    max_size=14,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(STEPS, st.integers(1, 3), st.integers(1, 2))
@example([(what, 0) for what in ("bad", "bad", "good", "bad", "good", "bad", "bad", "bad", "good")], 2, 1)
@example([("bad", 0), ("bad", 0), ("good", 0), ("bad", 3500), ("bad", 1000), ("good", 0), ("good", 0)], 2, 2)
@example([("bad", 0), ("good", 0), ("bad", 0), ("look", 3700), ("bad", 0), ("good", 0), ("bad", 0)], 1, 1)
def test_every_history_is_the_domains(
    world: World, steps: list[tuple[str, int]], incident_after: int, recover_after: int
) -> None:
    """The triggers do what the functions of the domain say, step by step."""
    pipeline = f"p{world.ids.new()}"
    terms = IncidentTerms(incident_after=incident_after, recover_after=recover_after)
    world.run(world.incidents.tell_late())
    told_before, rows, now = len(world.outbox()), list[Incident](), datetime(2026, 1, 1, tzinfo=UTC)
    told: list[str] = []

    def take(change: IncidentChange | None) -> None:
        if change is not None:
            rows[:] = [row for row in rows if row.id != change.after.id] + [change.after]
            told.extend([change.notice.kind] if change.notice else [])

    for what, wait in steps:
        world.age(wait)
        now += timedelta(seconds=wait + 1)
        newest = rows[-1] if rows else None
        if what == "look":
            world.run(world.incidents.tell_late())
            take(None if newest is None else told_late(newest, now))
        else:
            end(world, failed() if what == "bad" else succeeded(), pipeline=pipeline, terms=terms)
        if what == "bad":
            trouble = Trouble(pipeline=pipeline, kind=IncidentKind.FAILING, at=now)
            take(troubled(newest, trouble, number=len(rows) + 1, incident_after=incident_after))
        elif what == "good":
            take(mended(newest, at=now, recover_after=recover_after))

    def figures(one: Incident) -> tuple[object, ...]:
        times = (one.since, one.bad_since, one.recovered_at, one.quiet_until, one.opened_at)
        return (one.status, one.count, one.bad, one.good, one.reopened, one.announced, *(at is None for at in times))

    kept = sorted(incidents(world, IncidentFilter(open=None, pipeline=pipeline)), key=lambda one: one.id)
    shown = [row for row in rows if row.status is not IncidentStatus.PENDING]
    assert [figures(one) for one in kept] == [figures(one) for one in shown]
    assert [notice.kind for notice in world.outbox()[told_before:] if notice.pipeline == pipeline] == told
