"""Cancelled means gone, and a cancel that was accepted is never lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from tests.support.builders import a_claim, a_run, failed, succeeded

from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.fences import MemoryFences
from kubescribe.adapters.memory.launcher import MemoryLauncher
from kubescribe.adapters.memory.publisher import MemoryPublisher
from kubescribe.adapters.memory.report_database import MemoryReportDatabase
from kubescribe.adapters.memory.run_history import MemoryRunHistory
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.adapters.memory.sessions import MemorySessions
from kubescribe.application import failpoints
from kubescribe.application.cancel_run import CancelRun
from kubescribe.application.failpoints import FailpointError
from kubescribe.application.finish_cancel import FinishCancel
from kubescribe.application.ports.launcher import JobState
from kubescribe.application.reconcile_runs import Reconciled, ReconcileRuns
from kubescribe.domain.attempt import DeathCertificate
from kubescribe.domain.errors import CancelRefused, DatabaseUnavailable, Fenced, RunClosed, RunNotFound
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.report import Publication
from kubescribe.domain.run import Evidence, Run
from kubescribe.domain.run_status import RunStatus

RUN, FIRST, SECOND = UUID(int=1), UUID(int=11), UUID(int=12)
PATIENCE, HOUR = 60.0, 3600.0
STEPS = (
    "cancel.asked",
    "reconcile.closed",
    "reconcile.looked_up",
    "cancel.closed",
    "cancel.processes_gone",
    "cancel.sessions_gone",
    "cancel.moved",
)


class World:
    def __init__(self, loop: asyncio.Runner) -> None:
        self.loop = loop
        self.database, self.reports = MemoryRunLogDatabase(), MemoryReportDatabase()
        self.log, self.run_log = MemoryAttemptLog(self.database), MemoryRunLog(self.database)
        self.fences, self.launcher = MemoryFences(self.reports), MemoryLauncher()
        self.production, self.report = MemorySessions(), MemorySessions("report")
        self.assemble()

    def assemble(self, **changes: Any) -> None:
        ports: dict[str, Any] = {"run_log": self.run_log, "launcher": self.launcher}
        reports: dict[str, Any] = {"fences": self.fences, "publisher": MemoryPublisher(self.reports)}
        finish = FinishCancel(
            **ports, **reports, **{"sessions": (self.production, self.report), "patience": PATIENCE, **changes}
        )
        self.cancel_run = CancelRun(**ports, history=MemoryRunHistory(self.database), finish=finish)
        self.reconcile_runs = ReconcileRuns(**ports, **reports, finish_cancel=finish)

    def pending(self) -> None:
        self.loop.run(self.run_log.create(a_run(RUN), start_deadline=300))

    def running(self, attempt_id: UUID = FIRST) -> None:
        fence = self.loop.run(self.fences.take(RUN, attempt_id))
        self.loop.run(self.log.claim(a_claim(RUN, attempt_id, fence=fence, run_deadline=HOUR)))

    def cancel(self, **how: Any) -> Run:
        return self.loop.run(self.cancel_run(RUN, **{"actor": "user:ann", "reason": "wrong day", **how}))

    def reconcile(self) -> Reconciled:
        return self.loop.run(self.reconcile_runs())

    def supervisor_ends(self, **outcome: Any) -> None:
        """As a supervisor that was told does: payload gone, end on record, process gone."""
        self.loop.run(self.log.finish(FIRST, failed(FailureCause.FENCED, "the run was cancelled", **outcome)))
        self.launcher.end(FIRST)

    def publish(self) -> None:
        row = Publication(report="delays", run_id=RUN, version=1, rows=1, checksum="", fingerprint="", actor="a",
                          published_at=datetime.now(UTC))  # fmt: skip
        self.reports.ledger.append(row)

    @property
    def run(self) -> Run:
        return self.database.runs[RUN]

    def kinds(self) -> list[str]:
        return [event.kind for event in self.database.events]


@pytest.fixture
def world(loop: asyncio.Runner) -> World:
    return World(loop)


def test_a_run_that_nobody_has_taken_is_cancelled_at_once(world: World) -> None:
    world.pending()
    run = world.cancel()
    assert (run.status, run.evidence) == (RunStatus.CANCELLED, Evidence.NO_ATTEMPT)
    assert run.message == "cancelled by user:ann: wrong day; no attempt had taken it"
    assert world.kinds() == ["run.created", "run.cancelling", "run.cancelled"]
    assert world.database.events[1].actor == "user:ann" and world.database.events[1].data["reason"] == "wrong day"
    assert world.database.outbox == [], "nobody has to be told of what somebody wanted"
    with pytest.raises(RunClosed):
        world.loop.run(world.fences.take(RUN, FIRST))
    with pytest.raises(RunClosed):
        world.loop.run(world.log.claim(a_claim(RUN, FIRST)))


def test_a_running_one_is_told_and_cancelled_when_it_was_seen_gone(world: World) -> None:
    world.running()
    run = world.cancel()
    assert (run.status, run.message) == (RunStatus.CANCELLING, "cancelled by user:ann: wrong day")
    assert world.launcher.stopped == [RUN]
    assert world.reconcile().changed == (), "it is still there"
    assert world.launcher.cleaned == [], "and has its time to end gently"
    world.supervisor_ends()
    world.reconcile()
    assert (world.run.status, world.run.evidence) == (RunStatus.CANCELLED, Evidence.PROCESS_GONE)
    assert world.run.message == "cancelled by user:ann: wrong day; its processes and database sessions are gone"
    certificate = world.database.attempts[FIRST].certificate
    assert certificate is not None and certificate.message == "the run was cancelled", "the attempt's own word stays"


def test_one_that_does_not_end_is_killed_when_its_time_is_over(world: World) -> None:
    world.running()
    world.cancel()
    world.database.advance(PATIENCE + 1)
    world.loop.run(world.log.beat(_beat()))
    world.reconcile()
    assert world.launcher.cleaned[0] == FIRST
    assert world.run.status is RunStatus.CANCELLED
    assert world.database.attempts[FIRST].ended_at is not None
    certificate = world.database.attempts[FIRST].certificate
    assert certificate is not None and certificate.recorded_by == "reconciler"


def test_one_that_is_silent_is_not_waited_for(world: World) -> None:
    world.running()
    world.database.advance(59)
    world.cancel()
    world.database.advance(2)  # the lease is over
    world.reconcile()
    assert world.run.status is RunStatus.CANCELLED


def test_sessions_that_are_left_are_ended_first(world: World) -> None:
    world.running()
    world.production.open[RUN] = 2
    world.production.may_end = False
    world.cancel()
    world.supervisor_ends()
    for _ in range(2):
        world.reconcile()
        assert world.run.status is RunStatus.CANCELLING, "two sessions are still there"
    world.production.may_end = True
    world.reconcile()
    assert world.run.status is RunStatus.CANCELLED and not world.production.open


def test_sessions_that_cannot_be_looked_for_are_said_to_be_unverified(world: World) -> None:
    world.running()
    world.report.available = False
    world.cancel()
    world.supervisor_ends()
    world.reconcile()
    assert world.run.status is RunStatus.CANCELLING, "it may be back in a moment"
    world.database.advance(PATIENCE + 1)
    world.reconcile()
    assert (world.run.status, world.run.evidence) == (RunStatus.CANCELLED, Evidence.UNVERIFIED)
    assert world.run.message is not None
    assert "could not be verified: its sessions on the report database: it was taken away" in world.run.message


def test_databases_that_are_not_configured_are_named(world: World) -> None:
    world.assemble(sessions=(world.report,), unseen=("production",))
    world.running()
    world.cancel()
    world.supervisor_ends()
    world.reconcile()
    assert world.run.evidence is Evidence.UNVERIFIED
    assert world.run.message is not None and "its sessions on the production database" in world.run.message


def test_nothing_stays_cancelling_beyond_its_deadline(world: World) -> None:
    world.running()
    world.production.open[RUN] = 1
    world.production.may_end = False
    world.cancel()
    world.launcher.end(FIRST, JobState.UNKNOWN)
    world.database.advance(HOUR - 1)
    world.reconcile()
    assert world.run.status is RunStatus.CANCELLING
    world.database.advance(2)
    world.reconcile()
    assert (world.run.status, world.run.evidence) == (RunStatus.CANCELLED, Evidence.UNVERIFIED)
    assert world.run.message is not None
    assert "its processes: its supervisor is unknown" in world.run.message and "could not be ended" in world.run.message


def test_out_of_sight_its_own_supervisors_word_is_enough(world: World) -> None:
    world.running()
    world.cancel()
    own = DeathCertificate(cause=FailureCause.FENCED, message="cancelled", recorded_by=f"attempt:{FIRST}")
    world.loop.run(world.log.finish(FIRST, failed(certificate=own)))
    world.launcher.end(FIRST, JobState.UNKNOWN)
    world.reconcile()
    assert (world.run.status, world.run.evidence) == (RunStatus.CANCELLED, Evidence.PROCESS_GONE)


def test_what_was_published_before_the_fence_closed_has_succeeded(world: World) -> None:
    world.running()
    world.cancel()
    world.publish()
    world.reconcile()
    assert (world.run.status, world.run.evidence) == (RunStatus.SUCCEEDED, Evidence.LEDGER)
    assert world.run.message is not None and world.run.message.startswith("the cancel came too late")


def test_its_own_supervisor_may_say_that_it_came_too_late(world: World) -> None:
    world.running()
    world.cancel()
    world.loop.run(world.log.finish(FIRST, succeeded(published=True)))
    assert world.run.status is RunStatus.SUCCEEDED
    assert world.run.message is not None and "the cancel came too late" in world.run.message


def test_after_the_cancel_nothing_can_be_published(world: World) -> None:
    from kubescribe.application.ports.publisher import PublishRequest

    world.running()
    fence = world.database.attempts[FIRST].fence or 0
    world.cancel()
    world.reconcile()
    request = PublishRequest(run_id=RUN, attempt_id=FIRST, fence=fence, actor="a")
    staged: Any = (object(),)
    with pytest.raises(Fenced):
        world.loop.run(MemoryPublisher(world.reports).publish(request, staged))


@pytest.mark.parametrize("between", [RunStatus.UNCERTAIN, RunStatus.PENDING])
def test_in_any_open_state(between: RunStatus, world: World) -> None:
    world.running()
    world.loop.run(world.log.finish(FIRST, failed(status=between)))
    assert world.cancel().status is RunStatus.CANCELLING
    world.launcher.end(FIRST)
    world.reconcile()
    assert world.run.status is RunStatus.CANCELLED


def test_asked_again_it_is_the_same_cancel(world: World) -> None:
    world.running()
    first = world.cancel()
    assert world.cancel(actor="user:bob", reason="me too") == first
    assert world.kinds().count("run.cancelling") == 1


def test_a_run_that_has_ended_is_a_conflict(world: World) -> None:
    world.running()
    world.loop.run(world.log.finish(FIRST, succeeded()))
    with pytest.raises(CancelRefused, match="succeeded") as caught:
        world.cancel()
    assert (caught.value.run_id, caught.value.status) == (RUN, "succeeded")


def test_another_tenants_run_is_not_there(world: World) -> None:
    world.pending()
    with pytest.raises(RunNotFound):
        world.cancel(tenant="other")
    assert world.run.status is RunStatus.PENDING


def test_a_report_database_that_is_away_delays_the_end_alone(world: World) -> None:
    world.pending()
    world.reports.available = False
    assert world.cancel().status is RunStatus.CANCELLING
    assert len(world.reconcile().problems) == 1
    world.reports.available = True
    world.reconcile()
    assert world.run.status is RunStatus.CANCELLED


def test_a_runlog_that_is_away_has_accepted_nothing(world: World) -> None:
    world.pending()
    world.database.available = False
    with pytest.raises(DatabaseUnavailable):
        world.cancel()
    world.database.available = True
    assert world.run.status is RunStatus.PENDING


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("state", ["pending", "running"])
def test_whatever_step_it_dies_at_the_next_pass_brings_it_to_its_end(state: str, step: str, world: World) -> None:
    getattr(world, state)()
    world.production.open[RUN] = 1
    world.launcher.end(FIRST)
    with failpoints.armed(f"{step}=raise"):
        try:
            world.cancel()
            world.reconcile()
        except FailpointError:
            pass
        except AssertionError as error:
            raise AssertionError(f"{step} broke something") from error
    if world.run.status is not RunStatus.CANCELLED:
        assert world.run.status is RunStatus.CANCELLING
    world.reconcile()
    assert world.run.status is RunStatus.CANCELLED
    assert world.kinds().count("run.cancelled") == 1
    assert state == "pending" or not world.production.open


def test_a_cancel_and_an_attempt_at_once_end_cancelled_or_taken_first(world: World) -> None:
    world.pending()

    async def at_once() -> None:
        async def attempt() -> None:
            try:
                fence = await world.fences.take(RUN, FIRST)
                await asyncio.sleep(0)
                await world.log.claim(a_claim(RUN, FIRST, fence=fence))
            except RunClosed:
                return

        await asyncio.gather(attempt(), world.cancel_run(RUN, actor="user:ann"))

    world.loop.run(at_once())
    world.launcher.end(FIRST)
    world.reconcile()
    assert world.run.status is RunStatus.CANCELLED


def _beat() -> Any:
    from kubescribe.application.ports.attempt_log import Beat

    return Beat(attempt_id=FIRST, lease=600.0)
