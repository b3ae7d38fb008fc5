"""What one tenant has, no other tenant sees: a run of another tenant is as good as none."""

from __future__ import annotations

import pytest

from kubescribe.application.ports.run_log import RunFilter
from kubescribe.domain.errors import RunMismatch, RunNotFound
from kubescribe.domain.log import LogChunk, LogLine
from kubescribe.domain.note import Note, NoteKind
from kubescribe.domain.run import Run
from tests.support.builders import a_claim, a_run, failed
from tests.support.runlogs import World

# Names that share beginnings and ends: who compares by a prefix, a suffix or a pattern mixes them up.
TENANTS = ("default", "defaul", "default-2", "efault", "d.fault".replace(".", "-"), "2-default")


def a_failed_run(world: World, tenant: str) -> Run:
    attempt_id = world.ids.new()
    run = world.run(world.attempt_log.claim(a_claim(world.ids.new(), attempt_id, tenant=tenant))).run
    world.run(world.attempt_log.note((Note(attempt_id=attempt_id, seq=1, kind=NoteKind.NOTE, data={}),)))
    chunk = LogChunk(attempt_id=attempt_id, seq=1, lines=(LogLine(0.1, "out", tenant),))
    world.run(world.attempt_log.log(chunk))
    return world.run(world.attempt_log.finish(attempt_id, failed())) or run


def test_every_look_is_at_one_tenant(world: World) -> None:
    runs = {tenant: a_failed_run(world, tenant) for tenant in TENANTS}
    for tenant, run in runs.items():
        assert world.run(world.run_log.find(RunFilter(tenant=tenant))).runs == (run,)
        assert world.run(world.run_log.matching(run.id.hex, tenant=tenant)) == (run.id,)
        for other in TENANTS:
            seen = other == tenant
            if seen:
                assert world.run(world.run_log.get(run.id, tenant=other)) == run
            else:
                with pytest.raises(RunNotFound):
                    world.run(world.run_log.get(run.id, tenant=other))
            assert bool(world.run(world.run_log.matching(run.id.hex, tenant=other))) is seen
            assert bool(world.run(world.history.attempts(run.id, tenant=other))) is seen
            assert bool(world.run(world.history.events(run.id, tenant=other))) is seen
            assert bool(world.run(world.history.notes(run.id, tenant=other))) is seen
            assert run.attempt_id is not None
            assert bool(world.run(world.history.output(run.attempt_id, tenant=other))) is seen
        events = world.run(world.history.events(run.id, tenant=tenant))
        assert {event.tenant for event in events} == {tenant}
    assert {notice.run_id: notice.tenant for notice in world.outbox()} == {run.id: name for name, run in runs.items()}


def test_who_says_nothing_means_the_default_tenant(world: World) -> None:
    run, other = a_failed_run(world, "default"), a_failed_run(world, "other")
    assert world.run(world.run_log.find(RunFilter())).runs == (run,)
    assert world.run(world.run_log.get(run.id)) == run
    with pytest.raises(RunNotFound):
        world.run(world.run_log.get(other.id))
    assert world.run(world.run_log.get(other.id, tenant=None)) == other


def test_the_passes_of_the_reconciler_see_all_tenants(world: World) -> None:
    runs = [world.run(world.run_log.create(a_run(world.ids.new(), tenant=tenant))) for tenant in ("one", "two")]
    assert {found.run.id for found in world.run(world.run_log.open_runs())} == {run.id for run in runs}


def test_an_attempt_of_another_tenant_cannot_take_the_run(world: World) -> None:
    run = world.run(world.run_log.create(a_run(world.ids.new(), tenant="one")))
    with pytest.raises(RunMismatch, match="is not one of tenant two"):
        world.run(world.attempt_log.claim(a_claim(run.id, world.ids.new(), tenant="two")))
    assert world.run(world.run_log.get(run.id, tenant="one")) == run
