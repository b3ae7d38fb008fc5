"""Bring a cancel to its end: first the right to publish, then the processes, then the sessions, then the word."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..domain import run as runs
from ..domain.actor import supervisor
from ..domain.attempt import Attempt, DeathCertificate
from ..domain.failure import FailureCause
from ..domain.run import Evidence, Run, Transition
from ..domain.run_status import RunStatus
from .closed_ledger import closed_ledger
from .failpoints import failpoint
from .ports.fences import Fences
from .ports.launcher import JobState, Launcher
from .ports.publisher import Publisher
from .ports.run_log import OpenRun, RunLog
from .ports.sessions import Sessions, SessionState


class FinishCancel:
    """One try to bring a CANCELLING run to its end. Right with any number at once, and after a crash at any step.

    CANCELLED is said when the processes and the database sessions were seen gone. Where that cannot be seen, the run
    waits as CANCELLING for its run deadline at the latest, and its record then says what could not be verified.
    """

    def __init__(
        self,
        *,
        run_log: RunLog,
        launcher: Launcher,
        fences: Fences | None,
        publisher: Publisher | None,
        sessions: tuple[Sessions, ...] = (),
        unseen: tuple[str, ...] = (),
        patience: float = 60.0,
    ) -> None:
        """``unseen``: the databases whose sessions nobody can look for from here.

        ``patience``: seconds from the request until a supervisor that was told is killed, and until a database that
        does not answer is no longer waited for: longer than a heartbeat and the grace of a payload together.
        """
        self._run_log = run_log
        self._launcher = launcher
        self._fences = fences
        self._publisher = publisher
        self._sessions = sessions
        self._unseen = unseen
        self._patience = patience

    async def __call__(self, found: OpenRun, *, actor: str) -> Run | None:
        """The run at its end; None where it is not there yet.

        Raises :class:`DatabaseUnavailable` where the report database, and so the verdict, cannot be had.
        """
        run, attempt = found.run, found.attempt
        publications = await closed_ledger(self._fences, run, RunStatus.CANCELLED)
        failpoint("cancel.closed")
        unverified: list[str] = []
        if not publications:
            # What keeps the run from its end may be gone at the next pass, but after its deadline nobody waits.
            problems, final = await self._processes(found, attempt)
            if not final:
                return None
            unverified += problems
            failpoint("cancel.processes_gone")
            if attempt is not None:
                problems, final = await self._connections(found)
                if not final:
                    return None
                unverified += problems
            failpoint("cancel.sessions_gone")

        def step(now: Run, at: datetime) -> Transition:
            if publications:
                return runs.succeeded(now, actor=actor, at=at, evidence=Evidence.LEDGER)
            return runs.cancelled(now, actor=actor, at=at, **_words(now, attempt, unverified))

        after = await self._run_log.move(
            run.id,
            RunStatus.CANCELLING,
            step,
            attempt_id=attempt.id if attempt else None,
            certificate=_certificate(actor) if attempt and not publications else None,
        )
        failpoint("cancel.moved")
        if after is not None:
            await self._launcher.clean(run, attempt)
            if attempt is not None and self._publisher is not None:
                await self._publisher.discard(run.id)
        return after

    async def _processes(self, found: OpenRun, attempt: Attempt | None) -> tuple[list[str], bool]:
        """What could not be verified, and whether there is nothing more to wait for."""
        run = found.run
        sighting = await self._launcher.look(run, attempt)
        if attempt is None:
            if sighting.state is JobState.ALIVE:
                await self._launcher.stop(run, None)
            # What has not taken the run cannot take it any more; still, a pod that is there is not gone.
            problems = [f"its pods: {sighting.detail}"] if sighting.present else []
            return problems, not problems or self._late(found)
        if sighting.state is JobState.ALIVE:
            await self._launcher.stop(run, attempt)
            failpoint("cancel.told")
            if not (self._late(found) or found.lease_expired):
                return [], False  # it ends its payload gently, and itself
        if sighting.state is JobState.MISSING:
            if found.lease_expired or attempt.ended_at is not None:
                return [], True
        elif sighting.state is not JobState.UNKNOWN:
            # Also where its supervisor is gone already: what the payload had started may have outlived it.
            await self._launcher.clean(run, attempt)
            sighting = await self._launcher.look(run, attempt)
            if sighting.state is JobState.GONE:
                return [], True
            # A pod of a node that is away is there until the node is back, which may be never.
            return [f"its processes: {sighting.detail}"], found.run_deadline_passed
        told = attempt.certificate
        if attempt.ended_at is not None and told is not None and told.recorded_by == supervisor(attempt.id):
            return [], True  # its own supervisor said so, after it had seen the payload's end
        return [f"its processes: {sighting.detail}"], found.run_deadline_passed

    async def _connections(self, found: OpenRun) -> tuple[list[str], bool]:
        problems = [f"its sessions on the {name} database, which is not configured here" for name in self._unseen]
        for sessions in self._sessions:
            seen = await sessions.end(found.run.id)
            if seen.state is SessionState.GONE:
                continue
            problems.append(f"its sessions on the {seen.database} database: {seen.detail}")
            enough = found.run_deadline_passed or (seen.state is SessionState.UNVERIFIED and self._late(found))
            if not enough:
                return problems, False
        return problems, True

    def _late(self, found: OpenRun) -> bool:
        return (found.cancelling_for or 0.0) > self._patience


def _words(run: Run, attempt: Attempt | None, unverified: list[str]) -> dict[str, Any]:
    asked = run.message or "a cancel was asked for"
    if attempt is None and not unverified:
        return {"evidence": Evidence.NO_ATTEMPT, "message": f"{asked}; no attempt had taken it"}
    if unverified:
        message = f"{asked}; its right to publish is gone, but this could not be verified: {'; '.join(unverified)}"
        return {"evidence": Evidence.UNVERIFIED, "message": message}
    return {"evidence": Evidence.PROCESS_GONE, "message": f"{asked}; its processes and database sessions are gone"}


def _certificate(actor: str) -> DeathCertificate:
    return DeathCertificate(
        cause=FailureCause.FENCED, message="the run was cancelled, and what was left of it ended", recorded_by=actor
    )
