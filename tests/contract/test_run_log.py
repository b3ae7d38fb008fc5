"""What everybody but the supervisor may rely on."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from kubescribe.application.ports.run_log import RunFilter
from kubescribe.domain import run as steps
from kubescribe.domain.attempt import DeathCertificate
from kubescribe.domain.errors import IllegalTransition, RunNotFound
from kubescribe.domain.event import Event, Notice
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.run import Evidence, Run, Transition, Trigger
from kubescribe.domain.run_status import OPEN, RunStatus
from tests.support.builders import LONG_AGO, a_claim, a_run, failed, succeeded
from tests.support.runlogs import World


def accepted(world: World, **changes: Any) -> Run:
    return world.run(world.run_log.create(a_run(world.ids.new(), **changes)))


def running(world: World, **changes: Any) -> Run:
    return world.run(world.attempt_log.claim(a_claim(world.ids.new(), world.ids.new(), **changes))).run


def fail(run: Run, at: Any) -> Transition:
    return steps.failed(
        run, actor="r", at=at, evidence=Evidence.DEADLINE, cause=FailureCause.RUN_DEADLINE, message="too long"
    )


def lose(run: Run, at: Any) -> Transition:
    return steps.lost(run, actor="r", at=at, evidence=Evidence.PROCESS_GONE, message="gone")


def doubt(run: Run, at: Any) -> Transition:
    return steps.uncertain(run, actor="r", at=at, why="the report database is away")


class TestCreate:
    def test_accepts_a_run_by_the_databases_clock(self, world: World) -> None:
        told = a_run(
            world.ids.new(),
            trigger=Trigger.RETRY,
            retry_of=world.ids.new(),
            slot=LONG_AGO,
            reason="again",
            code_version="c1",
            may_publish=False,
            parameters={"deep": [1, 2.5, None, True, {"x": "ü"}], "big": 2**70, "huge": 1e300, "tiny": 5e-324},
        )
        run = world.run(world.run_log.create(told, start_deadline=60))
        assert run.created_at > LONG_AGO + timedelta(days=365)
        assert run.start_deadline_at == run.created_at + timedelta(seconds=60)
        assert msgspec.structs.replace(run, created_at=told.created_at, start_deadline_at=None) == told
        kept = world.run(world.run_log.get(run.id))
        assert kept == run
        assert repr(kept.parameters["huge"]) == "1e+300"
        (event,) = world.run(world.history.events(run.id))
        assert (event.kind, event.actor, event.at, event.subject) == (
            "run.created",
            "user:ann",
            run.created_at,
            f"run:{run.id}",
        )
        assert event.data["trigger"] == "retry"

    def test_told_again_changes_nothing(self, world: World) -> None:
        run = accepted(world)
        assert world.run(world.run_log.create(a_run(run.id, pipeline="other"), start_deadline=5)) == run
        assert len(world.run(world.history.events(run.id))) == 1

    def test_of_what_is_running_already_gives_it_as_it_is(self, world: World) -> None:
        run = running(world)
        assert world.run(world.run_log.create(a_run(run.id))) == run

    def test_accepts_only_what_is_pending(self, world: World) -> None:
        with pytest.raises(IllegalTransition):
            accepted(world, status=RunStatus.RUNNING)


def test_an_unknown_run_is_not_found(world: World) -> None:
    unknown = world.ids.new()
    with pytest.raises(RunNotFound, match=str(unknown)):
        world.run(world.run_log.get(unknown))
    with pytest.raises(RunNotFound):
        world.run(world.run_log.move(unknown, RunStatus.PENDING, fail))


class TestFind:
    def test_pages_newest_first_without_gaps_or_repeats(self, world: World) -> None:
        runs = [accepted(world) for _ in range(7)]
        found: list[Run] = []
        before, pages = None, 0
        while True:
            page = world.run(world.run_log.find(RunFilter(), limit=3, before=before))
            found += page.runs
            pages += 1
            accepted(world)  # what comes meanwhile is no part of older pages
            if page.next is None:
                break
            assert page.next == (page.runs[-1].created_at, page.runs[-1].id)
            before = page.next
        assert [run.id for run in found] == [run.id for run in reversed(runs)]
        assert pages == 3

    def test_the_last_page_may_be_full(self, world: World) -> None:
        for _ in range(3):
            accepted(world)
        assert world.run(world.run_log.find(RunFilter(), limit=3)).next is None

    def test_by_pipeline_and_status(self, world: World) -> None:
        waiting, other = accepted(world), accepted(world, pipeline="trains")
        working = running(world)
        done = running(world)
        world.run(world.attempt_log.finish(done.attempt_id or UUID(int=0), succeeded()))

        def ids(**which: Any) -> list[UUID]:
            return [run.id for run in world.run(world.run_log.find(RunFilter(**which))).runs]

        assert ids(pipeline="trains") == [other.id]
        assert ids(pipeline="flights") == [done.id, working.id, waiting.id]
        assert ids(pipeline="ships") == []
        assert ids(statuses=(RunStatus.PENDING,)) == [other.id, waiting.id]
        assert ids(statuses=OPEN, pipeline="flights") == [working.id, waiting.id]
        assert ids(statuses=(RunStatus.SUCCEEDED, RunStatus.RUNNING)) == [done.id, working.id]
        assert ids(statuses=()) == []

    def test_no_limit_is_one(self, world: World) -> None:
        runs = [accepted(world) for _ in range(2)]
        assert world.run(world.run_log.find(RunFilter(), limit=0)).runs == (runs[1],)


class TestMatching:
    def test_by_beginning_or_end_with_dashes_or_without(self, world: World) -> None:
        one = UUID("0192aaaa-bbbb-7ccc-8ddd-eeeeeeeeee01")
        two = UUID("0192aaaa-bbbb-7ccc-8ddd-eeeeeeeeff02")
        three = UUID("ff020000-0000-7000-8000-000000000000")
        for run_id in (one, two, three):
            world.run(world.run_log.create(a_run(run_id)))

        def ids(prefix: str, **limit: int) -> tuple[UUID, ...]:
            return world.run(world.run_log.matching(prefix, limit=limit.get("limit", 5)))

        assert ids("0192aaaa") == ids("0192AAAA-b") == ids("0192aaaabbbb7") == (one, two)
        assert ids("0192", limit=1) == (one,)
        assert ids("e01") == ids("8ddd-eeeeeeeeee01") == ids("8dddeeeeeeeeee01") == ids("-eeeeeeeeee01") == (one,)
        assert ids("ff02") == (three, two)
        assert ids(str(two)) == ids(two.hex) == (two,)
        assert ids("") == ids("-") == ids("xyz") == ids("%") == ids("01923") == ids(two.hex + "0") == ()


class TestOpenRuns:
    def test_oldest_first_with_the_newest_attempt(self, world: World) -> None:
        waiting = accepted(world)
        working = running(world)
        world.run(world.attempt_log.claim(a_claim(working.id, world.ids.new())))
        done = running(world)
        world.run(world.attempt_log.finish(done.attempt_id or UUID(int=0), failed()))
        first, second = world.run(world.run_log.open_runs())
        assert first.run == waiting and first.attempt is None
        assert second.run == world.run(world.run_log.get(working.id))
        assert second.attempt == world.run(world.history.attempts(working.id))[-1]
        for found in (first, second):
            assert not (found.lease_expired or found.run_deadline_passed or found.start_deadline_passed)

    def test_says_that_a_lease_is_over(self, world: World) -> None:
        run = running(world, lease=0.01)
        running(world, lease=1000)
        world.age(10)
        assert {found.run.id for found in world.run(world.run_log.open_runs()) if found.lease_expired} == {run.id}

    def test_not_of_an_attempt_that_has_ended(self, world: World) -> None:
        run = running(world, lease=0)
        world.run(world.attempt_log.finish(run.attempt_id or UUID(int=0), failed(status=RunStatus.PENDING)))
        world.age(10)
        (found,) = world.run(world.run_log.open_runs())
        assert found.attempt is not None and not found.lease_expired

    def test_not_while_the_database_is_up_for_less_than_the_lease(self, world: World) -> None:
        running(world, lease=10 * 86_400)
        world.age(11 * 86_400)
        (found,) = world.run(world.run_log.open_runs())
        assert found.attempt is not None and not found.lease_expired

    def test_says_that_a_deadline_has_passed(self, world: World) -> None:
        late = running(world, run_deadline=5)
        world.run(world.run_log.create(a_run(world.ids.new()), start_deadline=1000))
        waiting = world.run(world.run_log.create(a_run(world.ids.new()), start_deadline=5))
        # has been RUNNING already: the start deadline is behind it
        again = world.run(world.run_log.create(a_run(world.ids.new()), start_deadline=5))
        world.run(world.attempt_log.claim(a_claim(again.id, world.ids.new(), run_deadline=1000)))
        world.run(
            world.attempt_log.finish(
                world.run(world.run_log.get(again.id)).attempt_id or UUID(int=0), failed(status=RunStatus.PENDING)
            )
        )
        world.age(10)
        found = world.run(world.run_log.open_runs())
        assert [one.run.id for one in found if one.run_deadline_passed] == [late.id]
        assert [one.run.id for one in found if one.start_deadline_passed] == [waiting.id]

    def test_a_start_deadline_stays_passed_while_the_verdict_is_uncertain(self, world: World) -> None:
        waiting = world.run(world.run_log.create(a_run(world.ids.new()), start_deadline=5))
        working = running(world)
        for run in (waiting, working):
            assert world.run(world.run_log.move(run.id, run.status, doubt))
        world.age(10)
        found = world.run(world.run_log.open_runs())
        assert [one.run.id for one in found if one.start_deadline_passed] == [waiting.id]


class TestMove:
    def test_makes_the_step_with_its_event_and_notice(self, world: World) -> None:
        run = running(world)
        moved = world.run(world.run_log.move(run.id, RunStatus.RUNNING, fail))
        assert moved == world.run(world.run_log.get(run.id))
        assert moved is not None and (moved.status, moved.cause) == ("failed", FailureCause.RUN_DEADLINE)
        assert moved.finished_at is not None and moved.started_at is not None and moved.finished_at > moved.started_at
        *_, event = world.run(world.history.events(run.id))
        assert (event.kind, event.actor, event.at) == ("run.failed", "r", moved.finished_at)
        assert world.outbox() == [Notice(run_id=run.id, kind="incident.opened", pipeline="flights", incident_id=1)]

    def test_not_if_the_run_is_elsewhere(self, world: World) -> None:
        run = running(world)
        before = world.run(world.history.events(run.id))
        assert world.run(world.run_log.move(run.id, RunStatus.UNCERTAIN, fail)) is None
        assert world.run(world.run_log.move(run.id, RunStatus.RUNNING, fail, attempt_id=world.ids.new())) is None
        assert world.run(world.run_log.get(run.id)) == run
        assert world.run(world.history.events(run.id)) == before
        assert world.outbox() == []

    def test_one_verdict_is_the_last(self, world: World) -> None:
        run = running(world)
        moved = world.run(world.run_log.move(run.id, RunStatus.RUNNING, fail))
        assert world.run(world.run_log.move(run.id, RunStatus.RUNNING, lose)) is None
        with pytest.raises(IllegalTransition):
            world.run(world.run_log.move(run.id, RunStatus.FAILED, lose))
        assert world.run(world.run_log.get(run.id)) == moved
        assert len(world.outbox()) == 1

    def test_ends_the_attempt_once(self, world: World) -> None:
        run = running(world)
        for status, step, cause in (
            (RunStatus.RUNNING, doubt, FailureCause.LEASE_EXPIRED),
            (RunStatus.UNCERTAIN, lose, FailureCause.NODE_LOST),
        ):
            certificate = DeathCertificate(cause=cause, recorded_by="r")
            moved = world.run(
                world.run_log.move(run.id, status, step, attempt_id=run.attempt_id, certificate=certificate)
            )
            assert moved is not None
        (attempt,) = world.run(world.history.attempts(run.id))
        assert attempt.certificate == DeathCertificate(cause=FailureCause.LEASE_EXPIRED, recorded_by="r")
        assert attempt.ended_at is not None and attempt.ended_at >= attempt.started_at
        assert world.outbox() == [Notice(run_id=run.id, kind="incident.opened", pipeline="flights", incident_id=1)]

    def test_a_lost_race_leaves_the_attempt_alone(self, world: World) -> None:
        run = running(world)
        gone = DeathCertificate(cause=FailureCause.LEASE_EXPIRED)
        move = world.run_log.move(run.id, RunStatus.PENDING, lose, attempt_id=run.attempt_id, certificate=gone)
        assert world.run(move) is None
        (attempt,) = world.run(world.history.attempts(run.id))
        assert (attempt.certificate, attempt.ended_at) == (None, None)

    def test_an_illegal_step_changes_nothing(self, world: World) -> None:
        run = running(world)
        gone = DeathCertificate(cause=FailureCause.LEASE_EXPIRED)

        def cancel(run: Run, at: Any) -> Transition:
            return steps.cancelled(run, actor="r", at=at, evidence=Evidence.EXIT, message=None)

        with pytest.raises(IllegalTransition):
            world.run(
                world.run_log.move(run.id, RunStatus.RUNNING, cancel, attempt_id=run.attempt_id, certificate=gone)
            )
        assert world.run(world.run_log.get(run.id)) == run
        assert world.run(world.history.attempts(run.id))[0].certificate is None

    def test_a_certificate_needs_its_attempt(self, world: World) -> None:
        run = running(world)
        with pytest.raises(ValueError, match="attempt"):
            world.run(world.run_log.move(run.id, RunStatus.RUNNING, fail, certificate=DeathCertificate()))

    def test_is_given_a_clock_that_never_precedes_the_run(self, world: World) -> None:
        run = running(world)
        world.age(-3600)  # as seen after a fail-over to a server whose clock is an hour behind
        moved = world.run(world.run_log.move(run.id, RunStatus.RUNNING, fail))
        assert moved is not None and moved.finished_at == moved.started_at
        *_, event = world.run(world.history.events(run.id))
        assert event.at == moved.finished_at


def test_records_events_of_no_run_by_the_databases_clock(world: World) -> None:
    run = accepted(world)
    told = Event(
        subject="report:delays", kind="report.rolled_back", actor="user:ann", at=LONG_AGO, run_id=run.id, data={"to": 3}
    )
    world.run(world.run_log.record(told))
    world.run(world.run_log.record(msgspec.structs.replace(told, run_id=None)))
    first, second = world.run(world.history.events(run.id))
    assert second.at > first.at or second.at - first.at == timedelta()
    assert second == msgspec.structs.replace(told, at=second.at, seq=second.seq)
    assert second.seq is not None and first.seq is not None and second.seq > first.seq


def test_an_event_is_recorded_once_whoever_writes_it(world: World) -> None:
    def told(name: str, **more: Any) -> Event:
        return Event(
            subject="report:a", kind="report.rolled_back", actor="me", at=LONG_AGO, data={"rollback": name}, **more
        )

    async def at_once() -> list[bool]:
        writers = (world.run_log.record_once(told("one"), identity="rollback") for _ in range(8))
        return await asyncio.gather(*writers)

    assert sorted(world.run(at_once())) == [False] * 7 + [True]
    assert world.run(world.run_log.record_once(told("two"), identity="rollback"))
    assert world.run(world.run_log.record_once(told("one", tenant="other"), identity="rollback"))
    assert not world.run(world.run_log.record_once(told("one"), identity="rollback"))
