"""The supervisor's RunLog in memory."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec

from ...application.claims import (
    answer,
    asks_for_its_turn,
    belated,
    check_same,
    displaced,
    displacing,
    filed,
    is_at_work,
    is_before,
    moment,
    new_run,
    passed_over,
    taken,
)
from ...application.ports.attempt_log import Beat, Claim, Claimed, Pulse
from ...domain.attempt import Attempt
from ...domain.conclusion import concluded
from ...domain.concurrency import Concurrency
from ...domain.errors import AttemptNotFound, PipelineBusy, RunMismatch
from ...domain.log import LogChunk
from ...domain.note import Note
from ...domain.outcome import Outcome
from ...domain.pause import Pause
from ...domain.run import Run, Transition
from ...domain.run_status import RunStatus
from ...domain.storable import seconds, storable
from ...domain.tenant import Tenant
from .database import MemoryRunLogDatabase

_HELD = (RunStatus.RUNNING, RunStatus.UNCERTAIN, RunStatus.CANCELLING)


class MemoryAttemptLog:
    """:class:`~kubescribe.application.ports.attempt_log.AttemptLog` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database

    async def close(self) -> None:
        """There is nothing to give back."""

    async def recall(self, run_id: UUID) -> Run | None:
        """See the port."""
        with self._database.transaction():
            return self._database.runs.get(run_id)

    async def paused(self, run_id: UUID, pipeline: str, *, tenant: Tenant) -> Pause | None:
        """See the port."""
        with self._database.transaction():
            return None if self._attempts_of(run_id) else self._database.pause_of(tenant, pipeline)

    async def claim(self, claim: Claim, *, ago: float = 0.0) -> Claimed:
        """See the port."""
        claim, database = storable(claim), self._database
        with database.transaction():
            now = database.now()
            made = None
            if (run := database.runs.get(claim.run_id)) is None:
                made = new_run(claim, now - timedelta(seconds=seconds(ago)))
                run = made.after
            check_same(run, claim)
            known = database.attempts.get(claim.attempt_id)
            if known is not None:
                if known.run_id != run.id:
                    raise RunMismatch(run.id, f"attempt {known.id} belongs to run {known.run_id}")
                return answer(run, known, now)
            newest = None if run.attempt_id is None else database.attempts[run.attempt_id]
            number = 1 + max((attempt.number for attempt in self._attempts_of(run.id)), default=0)
            why = belated(run, newest, claim, now=now, ago=ago)
            if why is not None:
                run, attempt = filed(run, claim, why, number=number, now=now, ago=ago)
                self._add(attempt, claim)
                database.runs[run.id] = run
                return answer(run, attempt, now)
            if asks_for_its_turn(run, claim, ago):
                self._wait_for_turn(run, made, claim)
            at = moment(run, now, ago)
            step, attempt = taken(run, claim, number=number, at=at, now=now)
            if made is not None:
                database.write(made)
            for earlier in self._attempts_of(run.id):
                if earlier.ended_at is None:
                    database.end_attempt(earlier.id, at, displaced(claim, attempt.number))
            self._add(attempt, claim)
            database.write(step)
            database.incident_terms[run.tenant, run.pipeline] = claim.incidents
            return answer(step.after, attempt, now)

    async def beat(self, beat: Beat) -> Pulse:
        """See the port."""
        beat, database = storable(beat), self._database
        with database.transaction():
            attempt = self._attempt(beat.attempt_id)
            run = database.runs[attempt.run_id]
            if attempt.ended_at is None:
                lease = seconds(beat.lease)
                told = {
                    name: getattr(beat, name)
                    for name in ("progress", "progress_text", "memory", "cpu_seconds")
                    if getattr(beat, name) is not None
                }
                until = database.now() + timedelta(seconds=lease)
                database.attempts[attempt.id] = msgspec.structs.replace(attempt, lease_until=until, **told)
                database.leases[attempt.id] = lease
            current = attempt.ended_at is None and run.attempt_id == attempt.id and run.status in _HELD
            return Pulse(current=current, cancel_asked=run.status is RunStatus.CANCELLING)

    async def note(self, notes: tuple[Note, ...], *, ago: float = 0.0) -> None:
        """See the port."""
        database = self._database
        if not notes:
            return
        with database.transaction():
            at = database.now() - timedelta(seconds=seconds(ago))
            for note in notes:
                self._attempt(note.attempt_id)
            for note in storable(notes):
                database.notes.setdefault((note.attempt_id, note.seq), msgspec.structs.replace(note, at=at))
                run = database.runs[self._attempt(note.attempt_id).run_id]
                database.tell(run.tenant, run.id)

    async def log(self, chunk: LogChunk, *, forget: tuple[int, int] | None = None) -> None:
        """See the port."""
        chunk, database = storable(chunk), self._database
        with database.transaction():
            run = database.runs[self._attempt(chunk.attempt_id).run_id]
            database.chunks.setdefault((chunk.attempt_id, chunk.seq), chunk)
            database.tell(run.tenant, run.id)
            if forget is not None:
                for key in [key for key in database.chunks if key[0] == chunk.attempt_id]:
                    if forget[0] <= key[1] <= forget[1]:
                        del database.chunks[key]

    async def finish(self, attempt_id: UUID, outcome: Outcome, *, ago: float = 0.0) -> Run:
        """See the port."""
        outcome, database = storable(outcome), self._database
        with database.transaction():
            attempt = self._attempt(attempt_id)
            run = database.runs[attempt.run_id]
            at = max(moment(run, database.now(), ago), attempt.started_at)
            step = concluded(run, attempt_id, outcome, at=at)
            database.end_attempt(attempt_id, at, outcome.certificate)
            if step is None:
                return run
            database.write(step)
            return step.after

    def _wait_for_turn(self, run: Run, made: Transition | None, claim: Claim) -> None:
        database, now = self._database, self._database.now()
        its = [one for one in database.runs.values() if (one.tenant, one.pipeline) == (run.tenant, run.pipeline)]
        forbid = claim.concurrency is Concurrency.FORBID
        before = [one for one in its if one.id != run.id and (is_at_work(one) if forbid else is_before(one, run, now))]
        if not before:
            return
        others = tuple(one.id for one in before)
        if made is not None:
            database.write(made)
        if forbid:
            database.write(passed_over(run, others, now))
        elif claim.concurrency is Concurrency.REPLACE:
            for one in filter(is_at_work, before):
                if (step := displacing(one, run, now)) is not None:
                    database.write(step)
        raise PipelineBusy(run.id, others, skipped=forbid)

    def _attempt(self, attempt_id: UUID) -> Attempt:
        attempt = self._database.attempts.get(attempt_id)
        if attempt is None:
            raise AttemptNotFound(attempt_id)
        return attempt

    def _add(self, attempt: Attempt, claim: Claim) -> None:
        self._database.attempts[attempt.id] = attempt
        self._database.leases[attempt.id] = seconds(claim.lease)

    def _attempts_of(self, run_id: UUID) -> list[Attempt]:
        return [attempt for attempt in self._database.attempts.values() if attempt.run_id == run_id]
