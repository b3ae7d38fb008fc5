"""Give every run that nobody works on its verdict, in the order that makes it safe (DESIGN section 4)."""

from __future__ import annotations

import contextlib
from datetime import datetime

import msgspec

from ..domain import run as runs
from ..domain.actor import CLUSTER, RECONCILER
from ..domain.attempt import Attempt, DeathCertificate
from ..domain.errors import DatabaseRefused, DatabaseUnavailable, KubescribeError, RunNotFound
from ..domain.failure import FailureCause
from ..domain.launch import Launch
from ..domain.report import Publication
from ..domain.run import Evidence, Run, Transition
from ..domain.run_mode import RunMode
from ..domain.run_status import RunStatus
from .closed_ledger import closed_ledger
from .failpoints import failpoint
from .findings import Finding, finding_of, is_to_be_launched_again, step_of
from .finish_cancel import FinishCancel
from .launch_run import LaunchRun
from .ports.fences import Fences
from .ports.launcher import JobState, Launcher, Sighting
from .ports.publisher import Publisher
from .ports.run_log import OpenRun, RunLog, Step


class Reconciled(msgspec.Struct, frozen=True):
    """What a pass did, for people."""

    changed: tuple[Run, ...] = ()
    problems: tuple[str, ...] = ()
    """A sentence for each run that could not be judged, those included that stay UNCERTAIN."""


class _Queue:
    """Runs whose launch is due, during one pass."""

    full = False
    """There was no room for one of them, nor is there for the others: the next pass begins with the oldest again."""


class ReconcileRuns:
    """One pass over the open runs. Right with any number of them at once, and after a crash at any step.

    The order of a verdict: look for the processes; close the fence; then, in a later statement, look for the
    ledger row; then compare and set the verdict with its event and outbox row; only then clear away. A step that
    cannot be taken leaves the run UNCERTAIN for the next pass.
    """

    def __init__(
        self,
        *,
        run_log: RunLog,
        launcher: Launcher,
        fences: Fences | None,
        publisher: Publisher | None,
        launch: LaunchRun | None = None,
        finish_cancel: FinishCancel | None = None,
    ) -> None:
        """``fences`` and ``publisher``: None where no report database is configured. ``launch`` None: launches none.

        ``finish_cancel`` None: with the same ports, and without a look at database sessions.
        """
        self._launch = launch
        self._finish_cancel = finish_cancel or FinishCancel(
            run_log=run_log, launcher=launcher, fences=fences, publisher=publisher
        )
        self._run_log = run_log
        self._launcher = launcher
        self._fences = fences
        self._publisher = publisher

    async def __call__(self) -> Reconciled:
        """Look at every open run once; one that raises does not stop the others."""
        changed, problems, queue = [], [], _Queue()
        for found in await self._run_log.open_runs():
            try:
                after = await self._settle(found, queue)
                now = after
                if now is None and found.run.status is RunStatus.UNCERTAIN:
                    now = await self._run_log.get(found.run.id, tenant=None)  # another reconciler may have judged it
            except KubescribeError as error:
                problems.append(f"run {found.run.id}: {error}")
                continue
            except Exception as error:  # a defect at one run: the others wait for their verdicts all the same
                problems.append(f"run {found.run.id}: {type(error).__name__}: {error}")
                continue
            if after is not None:
                changed.append(after)
            if now is not None and now.status is RunStatus.UNCERTAIN:
                problems.append(f"run {now.id} has no verdict yet: {now.message}")
        await self._clear_away()
        return Reconciled(tuple(changed), tuple(problems))

    async def _settle(self, found: OpenRun, queue: _Queue) -> Run | None:
        run, attempt = found.run, found.attempt
        if run.status is RunStatus.PENDING and run.launch is Launch.DUE:
            return None if queue.full else await self._launched(found, queue)
        if run.status is RunStatus.CANCELLING:
            return await self._finish_cancel(found, actor=RECONCILER)
        sighting = await self._launcher.look(run, attempt)
        failpoint("reconcile.looked")
        if is_to_be_launched_again(found, sighting):
            return await self._launched(found, queue)
        if sighting.deleted:
            return await self._cancelled(found, sighting)
        if sighting.followed and not found.run_deadline_passed:
            return None
        finding = finding_of(found, sighting)
        if finding is not None:
            return await self._verdict(run, attempt, finding)
        if _has_to_wait_for_the_next(found, sighting):
            return await self._released(found)
        if found.lease_expired and run.status in (RunStatus.RUNNING, RunStatus.UNCERTAIN):
            if sighting.state is JobState.ALIVE and attempt is not None:
                return await self._give_up(run, attempt, sighting)
            return await self._uncertain(run, f"its lease is over, and {sighting.detail}")
        return None

    async def _launched(self, found: OpenRun, queue: _Queue) -> Run | None:
        """Launch what was accepted, and not launched; what waits in the queue is no news."""
        if self._launch is None:
            return None
        after, queue.full = await self._launch(found.run, actor=RECONCILER, late=found.launch_late)
        return after if after.status is not found.run.status else None

    async def _cancelled(self, found: OpenRun, sighting: Sighting) -> Run | None:
        """Somebody has deleted its Job: that is a cancel, however it was asked for."""
        run = found.run

        def step(now: Run, at: datetime) -> Transition:
            return runs.cancelling(now, actor=CLUSTER, at=at, reason=sighting.detail)

        asked = await self._run_log.move(run.id, run.status, step)
        if asked is None:
            return None
        now = msgspec.structs.replace(found, run=asked, cancelling_for=0.0)
        return await self._finish_cancel(now, actor=RECONCILER) or asked

    async def _released(self, found: OpenRun) -> Run | None:
        """Its attempt has ended, and its Job makes another one."""
        run, attempt = found.run, found.attempt
        known = attempt.certificate if attempt is not None else None
        cause = (known.cause if known is not None else None) or FailureCause.UNKNOWN
        message = known.message if known is not None else None

        def step(now: Run, at: datetime) -> Transition:
            return runs.released(now, actor=RECONCILER, at=at, cause=cause, message=message)

        return await self._run_log.move(run.id, run.status, step, attempt_id=run.attempt_id)

    async def _verdict(self, run: Run, attempt: Attempt | None, finding: Finding) -> Run | None:
        try:
            publications = await closed_ledger(self._fences, run, finding.status)
        except DatabaseUnavailable as away:
            return await self._uncertain(run, f"{finding.message}; {away}")
        return await self._move(run, attempt, step_of(finding, publications), finding)

    async def _give_up(self, run: Run, attempt: Attempt, sighting: Sighting) -> Run | None:
        """The attempt is silent, its supervisor there: it may not publish any more, and the run waits for another."""
        message = f"it did not renew its lease in time, though {sighting.detail}"
        publications: tuple[Publication, ...] = ()
        if run.may_publish:
            try:
                if self._fences is None:
                    raise DatabaseUnavailable("report", "REPORT_DB_URL is not set here")
                await self._fences.raise_(run.id, attempt.id, attempt.fence)
                failpoint("reconcile.raised")
                publications = await self._fences.publications(run.id)
            except DatabaseUnavailable as away:
                return await self._uncertain(run, f"{message}; {away}")

        def step(now: Run, at: datetime) -> Transition:
            if publications:
                return runs.succeeded(now, actor=RECONCILER, at=at, evidence=Evidence.LEDGER)
            return runs.released(now, actor=RECONCILER, at=at, cause=FailureCause.LEASE_EXPIRED, message=message)

        certificate = DeathCertificate(
            cause=None if publications else FailureCause.LEASE_EXPIRED, message=message, recorded_by=RECONCILER
        )
        return await self._run_log.move(run.id, run.status, step, attempt_id=attempt.id, certificate=certificate)

    async def _uncertain(self, run: Run, why: str) -> Run | None:
        if run.status is RunStatus.UNCERTAIN:
            return None

        def step(now: Run, at: datetime) -> Transition:
            return runs.uncertain(now, actor=RECONCILER, at=at, why=why)

        # A new attempt that took the run meanwhile is not silent, and nothing is uncertain about it.
        return await self._run_log.move(run.id, run.status, step, attempt_id=run.attempt_id)

    async def _move(self, run: Run, attempt: Attempt | None, step: Step, finding: Finding) -> Run | None:
        certificate = finding.certificate or DeathCertificate(cause=finding.cause, message=finding.message)
        certificate = msgspec.structs.replace(certificate, recorded_by=RECONCILER)
        after = await self._run_log.move(
            run.id,
            run.status,
            step,
            attempt_id=attempt.id if attempt else None,
            certificate=certificate if attempt else None,
        )
        failpoint("reconcile.moved")
        if after is not None:
            await self._clean(run, attempt)
        return after

    async def _clean(self, run: Run, attempt: Attempt | None) -> None:
        """Only after the verdict: until then what is there is evidence."""
        if attempt is not None or run.launch is not Launch.DUE:
            await self._launcher.clean(run, attempt)
        may_have_staged = run.may_publish or run.mode is RunMode.REHEARSE
        if self._publisher is not None and may_have_staged and run.attempts:
            await self._publisher.discard(run.id)

    async def _clear_away(self) -> None:
        """Drop what runs have staged that are over, and whose supervisors did not come to it themselves."""
        if self._publisher is None:
            return
        try:
            left = await self._publisher.unpublished()
        except (DatabaseUnavailable, DatabaseRefused):
            return  # no verdict waits for it: the next pass does
        for run_id in left:
            # RunNotFound: its record may be on its way, in a spool. What cannot be dropped keeps no other from it.
            with contextlib.suppress(RunNotFound, DatabaseUnavailable, DatabaseRefused):
                if (await self._run_log.get(run_id, tenant=None)).status.terminal:
                    await self._publisher.discard(run_id)


def _has_to_wait_for_the_next(found: OpenRun, sighting: Sighting) -> bool:
    """Whether its attempt is known to have ended, and what makes attempts is still there."""
    ended = found.attempt is not None and found.attempt.ended_at is not None
    return ended and found.run.status is RunStatus.RUNNING and sighting.state is JobState.ALIVE
