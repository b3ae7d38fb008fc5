"""Every finding about a run that nobody works on, the order of a verdict, and reconcilers in each other's way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.support.builders import a_claim, a_run, failed

from kubescribe.adapters.memory.attempt_log import MemoryAttemptLog
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.fences import MemoryFences
from kubescribe.adapters.memory.launcher import MemoryLauncher
from kubescribe.adapters.memory.publisher import MemoryPublisher
from kubescribe.adapters.memory.report_database import MemoryReportDatabase
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.application.ports.launcher import JobState, Sighting
from kubescribe.application.reconcile_runs import Reconciled, ReconcileRuns
from kubescribe.domain import run as steps
from kubescribe.domain.attempt import DeathCertificate
from kubescribe.domain.errors import DatabaseRefused, DatabaseUnavailable, KubescribeError, RunClosed
from kubescribe.domain.failure import FailureCause
from kubescribe.domain.report import Publication
from kubescribe.domain.run import Evidence, Run
from kubescribe.domain.run_status import RunStatus

RUN, FIRST, SECOND = UUID(int=1), UUID(int=11), UUID(int=12)
HOUR = 3600.0


class Watched:
    """A port whose calls are written down; each lets other tasks go on, and may be made to fail."""

    def __init__(self, port: Any, world: World) -> None:
        self._port, self._world = port, world

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(0)
            await self._world.before(name)
            return await getattr(self._port, name)(*args, **kwargs)

        return call


class Crash(BaseException):
    """The reconciler was killed."""


class World:
    """A run, its attempt, and what is to be seen of them."""

    def __init__(self, loop: asyncio.Runner) -> None:
        self.loop = loop
        self.database = MemoryRunLogDatabase()
        self.reports = MemoryReportDatabase()
        self.log, self.run_log = MemoryAttemptLog(self.database), MemoryRunLog(self.database)
        self.fences, self.publisher = MemoryFences(self.reports), MemoryPublisher(self.reports)
        self.launcher = MemoryLauncher()
        self.calls: list[str] = []
        self.crash_at: int | None = None
        self.on: dict[str, Callable[[], Any]] = {}

    async def before(self, name: str) -> None:
        self.calls.append(name)
        if len(self.calls) == self.crash_at:
            raise Crash
        hook = self.on.pop(name, None)
        if hook is not None:
            await hook()

    def reconciler(self, *, report_database: bool = True) -> ReconcileRuns:
        watched: dict[str, Any] = {
            "run_log": Watched(self.run_log, self),
            "launcher": Watched(self.launcher, self),
            "fences": Watched(self.fences, self) if report_database else None,
            "publisher": Watched(self.publisher, self) if report_database else None,
        }
        return ReconcileRuns(**watched)

    def reconcile(self, **how: bool) -> Reconciled:
        return self.loop.run(self.reconciler(**how)())

    def create(self, *, start_deadline: float | None = None) -> None:
        self.loop.run(self.run_log.create(a_run(RUN), start_deadline=start_deadline))

    async def claim(self, attempt_id: UUID = FIRST, *, may_publish: bool = True, deadline: float = HOUR) -> None:
        fence = await self.fences.take(RUN, attempt_id) if may_publish else None
        claim = a_claim(RUN, attempt_id, fence=fence, may_publish=may_publish, lease=60.0, run_deadline=deadline)
        await self.log.claim(claim)

    def claimed(self, attempt_id: UUID = FIRST, **how: Any) -> None:
        self.loop.run(self.claim(attempt_id, **how))

    def move(self, step: Any) -> None:
        run = self.run
        assert self.loop.run(self.run_log.move(RUN, run.status, step)) is not None

    async def publish(self) -> None:
        """The attempt reaches its commit point, if its fence still lets it."""
        fence = self.reports.fences[RUN]
        if fence.closed_as is not None or fence.attempt_id is None:
            return
        now = datetime.now(UTC)
        row = Publication(
            report="delays", run_id=RUN, version=1, rows=1, checksum="", fingerprint="", actor="a", published_at=now
        )
        self.reports.ledger.append(row)

    @property
    def run(self) -> Run:
        return self.database.runs[RUN]

    def kinds(self) -> list[str]:
        return [event.kind for event in self.database.events]


@pytest.fixture
def world(loop: asyncio.Runner) -> World:
    return World(loop)


# -- what may be found --------------------------------------------------------------------------------------------


def waits_too_long(world: World) -> None:
    world.create(start_deadline=300)
    world.database.advance(301)


def is_gone(world: World) -> None:
    world.claimed()
    world.launcher.end(FIRST)


def machine_restarted(world: World) -> None:
    world.claimed()
    world.launcher.end(FIRST, machine_restarted=True)


def gone_between_attempts(world: World) -> None:
    world.claimed()
    world.loop.run(world.log.finish(FIRST, failed(FailureCause.SIGNAL, "by SIGKILL", status=RunStatus.PENDING)))
    world.launcher.end(FIRST)


def silent_past_its_deadline(world: World) -> None:
    world.claimed()
    world.database.advance(HOUR + 1)


def waits_past_its_deadline(world: World) -> None:
    world.claimed()
    world.loop.run(world.log.finish(FIRST, failed(status=RunStatus.PENDING)))
    world.database.advance(HOUR + 1)


def silent(world: World) -> None:
    world.claimed()
    world.database.advance(61)


def silent_and_out_of_sight(world: World) -> None:
    silent(world)
    world.launcher.end(FIRST, JobState.UNKNOWN)


def uncertain_and_gone(world: World) -> None:
    silent_and_out_of_sight(world)
    world.reconcile()
    assert world.run.status is RunStatus.UNCERTAIN
    world.launcher.end(FIRST)
    world.calls.clear()


def asked_to_cancel(world: World) -> None:
    world.claimed()
    world.move(lambda run, at: steps.cancelling(run, actor="user:ann", at=at, reason=None))


def to_be_cancelled(world: World) -> None:
    """Its supervisor was told a minute ago, and is still there."""
    asked_to_cancel(world)
    world.database.advance(61)


def to_be_cancelled_and_gone(world: World) -> None:
    asked_to_cancel(world)
    world.launcher.end(FIRST)


def to_be_cancelled_before_its_start(world: World) -> None:
    world.create()
    world.move(lambda run, at: steps.cancelling(run, actor="user:ann", at=at, reason=None))


Finding = Callable[[World], None]
FINDINGS: list[tuple[Finding, str, str | None, str | None, str]] = [
    # what is found, and the run's status, cause, evidence, and a part of the message afterwards
    (waits_too_long, "failed", "start_deadline", "deadline", "no attempt took it"),
    (is_gone, "lost", "unknown", "process_gone", "nothing says why"),
    (machine_restarted, "failed", "node_lost", "process_gone", "machine was restarted"),
    (gone_between_attempts, "failed", "signal", "process_gone", "by SIGKILL"),
    (silent_past_its_deadline, "failed", "run_deadline", "deadline", "run deadline has passed"),
    (waits_past_its_deadline, "failed", "run_deadline", "deadline", "run deadline has passed"),
    (silent, "pending", "lease_expired", None, "did not renew its lease"),
    (silent_and_out_of_sight, "uncertain", None, None, "its lease is over"),
    (uncertain_and_gone, "lost", "unknown", "process_gone", "nothing says why"),
    (to_be_cancelled, "cancelled", None, "process_gone", "its processes and database sessions are gone"),
    (to_be_cancelled_and_gone, "cancelled", None, "process_gone", "its processes and database sessions are gone"),
    (to_be_cancelled_before_its_start, "cancelled", None, "no_attempt", "no attempt had taken it"),
]
NAMES = [row[0].__name__ for row in FINDINGS]
JUDGED = [row[0] for row in FINDINGS if row[1] in ("failed", "lost", "cancelled")]
COULD_PUBLISH = [one for one in JUDGED if one not in (waits_too_long, to_be_cancelled_before_its_start)]


@pytest.mark.parametrize(("found", "status", "cause", "evidence", "says"), FINDINGS, ids=NAMES)
def test_a_finding(
    world: World, found: Finding, status: str, cause: str | None, evidence: str | None, says: str
) -> None:
    found(world)
    done = world.reconcile()
    run = world.run
    standing = (f"run {RUN} has no verdict yet: {run.message}",) if status == "uncertain" else ()
    assert done == Reconciled((run,), standing)
    assert (run.status, run.cause, run.evidence) == (status, cause, evidence)
    assert run.message is not None and says in run.message
    assert world.database.events[-1].actor == "reconciler"
    notices = ["incident.opened"] if status in ("failed", "lost") else []
    assert [notice.kind for notice in world.database.outbox] == notices
    # A second pass finds nothing more to do.
    before = list(world.database.events)
    assert world.reconcile() == Reconciled((), standing)
    assert world.database.events == before


@pytest.mark.parametrize("found", [*COULD_PUBLISH, silent], ids=lambda found: found.__name__)
def test_the_ledger_has_the_last_word(world: World, found: Finding) -> None:
    found(world)
    world.loop.run(world.publish())
    world.reconcile()
    assert (world.run.status, world.run.evidence, world.run.cause) == (RunStatus.SUCCEEDED, Evidence.LEDGER, None)
    assert world.database.outbox == []


@pytest.mark.parametrize("found", JUDGED, ids=lambda found: found.__name__)
def test_no_verdict_before_the_fence_is_closed_and_the_ledger_read(world: World, found: Finding) -> None:
    found(world)
    world.calls.clear()
    world.reconcile()
    order = world.calls
    if "close" in order:  # else no attempt could ever have published
        assert order.index("close") < order.index("publications") < order.index("move")
    assert "look" not in order or order.index("look") < order.index("move")
    assert ("close" in order) is world.run.may_publish
    if "discard" in order:
        assert order.index("move") < order.index("discard")
    if world.run.status is not RunStatus.CANCELLED and "clean" in order:
        assert order.index("move") < order.index("clean")  # until then what is there is evidence


def test_cancelled_means_gone(world: World) -> None:
    asked_to_cancel(world)
    world.calls.clear()
    world.reconcile()
    assert world.calls == ["open_runs", "close", "publications", "look", "stop", "unpublished"]
    assert world.run.status is RunStatus.CANCELLING, "it was told, and ends by itself"
    world.database.advance(61)
    world.calls.clear()
    world.reconcile()
    assert world.calls[:7] == ["open_runs", "close", "publications", "look", "stop", "clean", "look"]
    assert world.calls.index("move") == 7


def test_what_is_not_seen_gone_is_not_cancelled(world: World) -> None:
    to_be_cancelled(world)
    world.launcher.end(FIRST, JobState.UNKNOWN)
    world.on["clean"] = lambda: asyncio.sleep(0)

    async def clean(run: Any, attempt: Any) -> None:
        """It is on another machine: nothing to be done from here."""

    world.launcher.clean = clean  # type: ignore[method-assign]
    assert world.reconcile() == Reconciled()
    assert world.run.status is RunStatus.CANCELLING


# -- what is left alone -------------------------------------------------------------------------------------------


def waits(world: World) -> None:
    world.create(start_deadline=300)
    world.database.advance(299)


def works(world: World) -> None:
    world.claimed()
    world.database.advance(59)


def works_past_its_deadline(world: World) -> None:
    """Its supervisor beats: it enforces the deadline itself."""
    world.claimed(deadline=10.0)
    world.database.advance(30)


def works_out_of_sight(world: World) -> None:
    world.claimed()
    world.launcher.end(FIRST, JobState.UNKNOWN)


def between_two_attempts(world: World) -> None:
    world.claimed()
    world.loop.run(world.log.finish(FIRST, failed(status=RunStatus.PENDING)))
    world.database.advance(120)


def database_was_away(world: World) -> None:
    silent(world)
    world.database.restart()


@pytest.mark.parametrize(
    "found",
    [waits, works, works_past_its_deadline, works_out_of_sight, between_two_attempts, database_was_away],
    ids=lambda found: found.__name__,
)
def test_left_alone(world: World, found: Finding) -> None:
    found(world)
    before = list(world.database.events)
    assert world.reconcile() == Reconciled()
    assert world.database.events == before
    assert world.reports.fences.get(RUN) is None or world.reports.fences[RUN].closed_as is None
    assert world.launcher.cleaned == []


# -- what is away -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("found", [*[one for one in COULD_PUBLISH if "cancelled" not in one.__name__], silent])
@pytest.mark.parametrize("configured", [True, False])
def test_without_the_ledger_there_is_no_verdict(world: World, found: Finding, configured: bool) -> None:
    found(world)
    world.reports.available = not configured
    world.reconcile(report_database=configured)
    assert world.run.status is RunStatus.UNCERTAIN
    assert world.launcher.cleaned == []
    world.reconcile(report_database=configured)
    world.reports.available = True
    world.reconcile()
    assert world.run.status in (RunStatus.FAILED, RunStatus.LOST, RunStatus.PENDING)


def test_a_start_deadline_that_passed_while_the_ledger_was_away_is_judged_afterwards(world: World) -> None:
    waits_too_long(world)
    world.reports.available = False
    for _ in range(2):
        done = world.reconcile()
        assert world.run.status is RunStatus.UNCERTAIN
        assert len(done.problems) == 1 and "report database" in done.problems[0]
    world.reports.available = True
    assert world.reconcile() == Reconciled((world.run,), ())
    assert (world.run.status, world.run.cause) == (RunStatus.FAILED, FailureCause.START_DEADLINE)


def test_what_another_reconciler_judges_meanwhile_is_no_problem(world: World) -> None:
    uncertain_and_gone(world)

    async def another() -> None:
        await world.reconciler()()

    world.on["move"] = another
    assert world.reconcile() == Reconciled()
    assert world.run.status is RunStatus.LOST


def test_a_cancel_waits_for_the_ledger_as_well(world: World) -> None:
    to_be_cancelled(world)
    world.reports.available = False
    done = world.reconcile()
    assert world.run.status is RunStatus.CANCELLING
    assert len(done.problems) == 1 and "report database" in done.problems[0]
    world.reports.available = True
    assert [run.status for run in world.reconcile().changed] == [RunStatus.CANCELLED]


def test_a_run_that_cannot_publish_needs_no_report_database(world: World) -> None:
    world.claimed(may_publish=False)
    world.launcher.end(FIRST)
    world.reports.available = False
    world.reconcile()
    assert world.run.status is RunStatus.LOST
    assert "close" not in world.calls


def test_runlog_away_is_an_error(world: World) -> None:
    world.database.available = False
    with pytest.raises(DatabaseUnavailable):
        world.reconcile()


@pytest.mark.parametrize("error", [RunClosed(RUN, "odd"), PermissionError("odd")], ids=["ours", "any"])
def test_one_that_raises_does_not_stop_the_others(world: World, error: Exception) -> None:
    is_gone(world)
    other = UUID(int=2)
    world.loop.run(world.log.claim(a_claim(other, UUID(int=21), may_publish=False)))
    world.launcher.end(UUID(int=21))

    async def odd() -> None:
        raise error

    world.on["look"] = odd
    done = world.reconcile()
    assert [run.id for run in done.changed] == [other]
    assert len(done.problems) == 1 and str(RUN) in done.problems[0] and "odd" in done.problems[0]
    assert ("PermissionError" in done.problems[0]) is isinstance(error, PermissionError)


@pytest.mark.parametrize(
    "error", [DatabaseRefused("report", "must be owner of table", "own it"), DatabaseUnavailable("report", "locked")]
)
def test_what_cannot_be_dropped_keeps_no_other_from_being_dropped(world: World, error: KubescribeError) -> None:
    runs = [UUID(int=number) for number in (21, 22, 23)]
    dropped: list[UUID] = []

    async def unpublished() -> tuple[UUID, ...]:
        return (UUID(int=20), *runs)  # of the first there is no record yet

    async def discard(run_id: UUID, attempt_id: UUID | None = None) -> None:
        if run_id == runs[0]:
            raise error
        dropped.append(run_id)

    for run_id in runs:
        attempt_id = UUID(int=run_id.int + 100)
        world.loop.run(world.log.claim(a_claim(run_id, attempt_id)))
        world.loop.run(world.log.finish(attempt_id, failed()))
    world.publisher.unpublished = unpublished  # type: ignore[method-assign]
    world.publisher.discard = discard  # type: ignore[method-assign]
    assert world.reconcile() == Reconciled()
    assert dropped == runs[1:]


# -- races --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["look", "close", "publications", "move"])
def test_an_attempt_that_publishes_meanwhile(world: World, when: str) -> None:
    is_gone(world)
    world.on[when] = world.publish
    world.reconcile()
    published = bool(world.reports.ledger)
    assert published is (when in ("look", "close"))  # afterwards its fence does not let it
    assert (world.run.status is RunStatus.SUCCEEDED) is published


@pytest.mark.parametrize("when", ["look", "move"])
@pytest.mark.parametrize("found", [is_gone, silent, silent_and_out_of_sight], ids=lambda found: found.__name__)
def test_an_attempt_that_takes_over_meanwhile_is_not_judged(world: World, found: Finding, when: str) -> None:
    found(world)

    async def take_over() -> None:
        # It may have been fenced off already, and then never comes this far.
        await world.log.claim(a_claim(RUN, SECOND, fence=99))

    world.on[when] = take_over
    assert world.reconcile().changed == ()
    assert (world.run.status, world.run.attempt_id) == (RunStatus.RUNNING, SECOND)
    assert SECOND not in world.launcher.cleaned
    assert world.database.attempts[SECOND].certificate is None


def test_giving_up_an_attempt_without_a_fence_leaves_the_one_that_takes_over_its_own(world: World) -> None:
    world.claimed()
    world.loop.run(world.log.finish(FIRST, failed(status=RunStatus.PENDING)))
    world.loop.run(world.log.claim(a_claim(RUN, SECOND, may_publish=False)))
    world.database.advance(61)
    third = UUID(int=13)
    world.on["raise_"] = lambda: world.claim(third)
    assert world.reconcile().changed == ()
    assert world.reports.fences[RUN].attempt_id == third


@pytest.mark.parametrize("found", [row[0] for row in FINDINGS], ids=NAMES)
@pytest.mark.parametrize("count", [2, 5])
def test_many_at_once_make_one_verdict(world: World, found: Finding, count: int) -> None:
    found(world)
    before = sum(event.run_id is not None for event in world.database.events)

    async def all_of_them() -> list[Reconciled]:
        return await asyncio.gather(*(world.reconciler()() for _ in range(count)))

    done = world.loop.run(all_of_them())
    assert sum(event.run_id is not None for event in world.database.events) == before + 1
    assert sum(len(one.changed) for one in done) == 1
    assert len(world.database.outbox) <= 1


@pytest.mark.parametrize("found", [row[0] for row in FINDINGS], ids=NAMES)
def test_a_crash_at_any_step_leaves_the_rest_to_the_next(loop: asyncio.Runner, found: Finding) -> None:
    undisturbed = World(loop)
    found(undisturbed)
    undisturbed.calls.clear()
    undisturbed.reconcile()
    for step in range(1, len(undisturbed.calls) + 1):
        world = World(loop)
        found(world)
        world.calls.clear()
        world.crash_at = step
        with pytest.raises(Crash):
            world.reconcile()
        world.reconcile()
        assert world.run.status is undisturbed.run.status
        assert world.kinds() == undisturbed.kinds()
        assert len(world.database.outbox) == len(undisturbed.database.outbox)


# -- what a cluster shows -----------------------------------------------------------------------------------------


def shows(world: World, **seen: Any) -> None:
    """What is to be seen of the run from now on."""
    sighting = Sighting(**{"state": JobState.ALIVE, "detail": "its pod waits", **seen})

    async def look(run: Any, attempt: Any) -> Sighting:
        return sighting

    world.launcher.look = look  # type: ignore[method-assign]


def test_k14_a_cancel_waits_for_a_pod_that_has_not_taken_the_run(world: World) -> None:
    to_be_cancelled_before_its_start(world)
    shows(world, present=True)
    world.reconcile()
    assert world.run.status is RunStatus.CANCELLING
    assert world.launcher.stopped == [RUN]
    shows(world, state=JobState.GONE, detail="its Job was deleted")
    world.reconcile()
    assert (world.run.status, world.run.evidence) == (RunStatus.CANCELLED, Evidence.NO_ATTEMPT)


def test_i5_a_pod_that_stays_keeps_no_cancel_waiting_for_ever_and_the_record_says_so(world: World) -> None:
    to_be_cancelled_before_its_start(world)
    shows(world, present=True)
    world.database.advance(61)
    world.reconcile()
    assert (world.run.status, world.run.evidence) == (RunStatus.CANCELLED, Evidence.UNVERIFIED)
    assert "its pod waits" in (world.run.message or "")


def test_k14_a_job_that_somebody_deletes_is_a_cancel(world: World) -> None:
    world.claimed()
    shows(world, state=JobState.GONE, detail="its Job was deleted on the cluster", deleted=True)
    world.reconcile()
    assert world.run.status is RunStatus.CANCELLED
    asked = next(event for event in world.database.events if event.kind == "run.cancelling")
    assert asked.actor == "cluster"


def test_k14_unless_it_had_published_by_then(world: World) -> None:
    world.claimed()
    world.loop.run(world.publish())
    shows(world, state=JobState.GONE, detail="its Job was deleted on the cluster", deleted=True)
    world.reconcile()
    assert (world.run.status, world.run.evidence) == (RunStatus.SUCCEEDED, Evidence.LEDGER)


def test_what_is_followed_elsewhere_gets_no_verdict_here(world: World) -> None:
    world.claimed(may_publish=False)
    shows(world, state=JobState.GONE, detail="its Job is complete", ended_well=True, supervised=False, followed=True)
    assert world.reconcile() == Reconciled()
    assert world.run.status is RunStatus.RUNNING


def test_k17_between_two_pods_the_run_waits_and_nothing_is_cleared_away(world: World) -> None:
    world.claimed()
    attempt = world.database.attempts[FIRST]
    death = DeathCertificate(cause=FailureCause.OOM_KILLED, message="over its limit")
    world.database.attempts[FIRST] = msgspec.structs.replace(attempt, ended_at=attempt.started_at, certificate=death)
    shows(world)
    world.reconcile()
    assert (world.run.status, world.run.cause) == (RunStatus.PENDING, FailureCause.OOM_KILLED)
    assert world.launcher.cleaned == []


def test_k6_what_can_never_start_has_its_verdict_after_its_fence_is_closed(world: World) -> None:
    world.create(start_deadline=300)
    shows(world, hopeless=True, certificate=DeathCertificate(cause=FailureCause.IMAGE_PULL, message="no such image"))
    world.reconcile()
    assert (world.run.status, world.run.cause) == (RunStatus.FAILED, FailureCause.IMAGE_PULL)
    assert world.calls.index("close") < world.calls.index("move") < world.calls.index("clean")
    with pytest.raises(RunClosed):
        world.claimed()
