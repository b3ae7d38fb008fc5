"""RunLog for everybody but the supervisor, in memory."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from ...application.claims import moment
from ...application.ports.run_log import OpenRun, RunFilter, RunPage, Step
from ...domain.attempt import DeathCertificate
from ...domain.errors import RunNotFound
from ...domain.event import Event
from ...domain.launch import Launch
from ...domain.run import Run, created
from ...domain.run_status import RunStatus
from ...domain.storable import seconds, storable
from ...domain.tenant import DEFAULT_TENANT, Tenant
from .database import MemoryRunLogDatabase


class MemoryRunLog:
    """:class:`~kubescribe.application.ports.run_log.RunLog` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database

    async def create(self, run: Run, *, start_deadline: float | None = None) -> Run:
        """See the port."""
        run, database = storable(run), self._database
        with database.transaction():
            now = database.now()
            deadline = None if start_deadline is None else now + timedelta(seconds=seconds(start_deadline))
            step = created(msgspec.structs.replace(run, created_at=now, start_deadline_at=deadline))
            if run.id not in database.runs:
                database.write(step)
            return database.runs[run.id]

    async def get(self, run_id: UUID, *, tenant: Tenant | None = DEFAULT_TENANT) -> Run:
        """See the port."""
        with self._database.transaction():
            run = self._get(run_id)
            if tenant not in (None, run.tenant):
                raise RunNotFound(run_id)
            return run

    async def find(self, which: RunFilter, *, limit: int = 50, before: tuple[datetime, UUID] | None = None) -> RunPage:
        """See the port."""
        limit, which = max(1, limit), storable(which)  # as what it is compared with was kept
        with self._database.transaction():
            runs = sorted(self._database.runs.values(), key=_key, reverse=True)
        runs = [run for run in runs if _fits(run, which) and (before is None or _key(run) < before)]
        return RunPage(runs=tuple(runs[:limit]), next=_key(runs[limit - 1]) if len(runs) > limit else None)

    async def matching(self, prefix: str, *, tenant: Tenant = DEFAULT_TENANT, limit: int = 5) -> tuple[UUID, ...]:
        """See the port."""
        digits = prefix.replace("-", "").lower()
        if not re.fullmatch("[0-9a-f]{1,32}", digits):
            return ()
        with self._database.transaction():
            ids = [run.id for run in self._database.runs.values() if run.tenant == tenant]
        begin = sorted(run_id for run_id in ids if run_id.hex.startswith(digits))
        end = sorted((run_id for run_id in ids if run_id.hex.endswith(digits)), key=lambda run_id: run_id.hex[::-1])
        return tuple(dict.fromkeys(begin + end))[:limit]

    async def open_runs(self) -> tuple[OpenRun, ...]:
        """See the port."""
        with self._database.transaction():
            runs = sorted((run for run in self._database.runs.values() if not run.status.terminal), key=_key)
            return tuple(self._open(run) for run in runs)

    async def move(
        self,
        run_id: UUID,
        expected: RunStatus,
        step: Step,
        *,
        attempt_id: UUID | None = None,
        certificate: DeathCertificate | None = None,
    ) -> Run | None:
        """See the port."""
        if certificate is not None and attempt_id is None:
            raise ValueError("a certificate needs the attempt that it is for")
        database = self._database
        with database.transaction():
            run = self._get(run_id)
            if run.status is not expected or attempt_id not in (None, run.attempt_id):
                return None
            at = moment(run, database.now())
            transition = storable(step(run, at))
            if attempt_id is not None and certificate is not None:
                database.end_attempt(attempt_id, at, storable(certificate))
            database.write(transition)
            return transition.after

    async def record(self, event: Event) -> None:
        """See the port."""
        with self._database.transaction():
            self._database.record(msgspec.structs.replace(storable(event), at=self._database.now()))

    async def record_once(self, event: Event, *, identity: str) -> bool:
        """See the port."""

        def same(other: Event) -> bool:
            names = (other.tenant, other.subject, other.kind) == (event.tenant, event.subject, event.kind)
            return names and other.data.get(identity) == event.data[identity]

        with self._database.transaction():
            if any(same(other) for other in self._database.events):
                return False
            self._database.record(msgspec.structs.replace(storable(event), at=self._database.now()))
            return True

    def _get(self, run_id: UUID) -> Run:
        run = self._database.runs.get(run_id)
        if run is None:
            raise RunNotFound(run_id)
        return run

    def _open(self, run: Run) -> OpenRun:
        database, now = self._database, self._database.now()
        attempt = None if run.attempt_id is None else database.attempts[run.attempt_id]
        late = run.start_deadline_at is not None and run.start_deadline_at < now
        never_started = (
            run.status in (RunStatus.PENDING, RunStatus.UNCERTAIN)
            and run.started_at is None
            and run.launch is not Launch.DUE  # while it waits in the queue nobody is late
        )
        return OpenRun(
            run=run,
            attempt=attempt,
            lease_expired=attempt is not None
            and attempt.ended_at is None
            and attempt.lease_until < now
            # A database that was away must not make its attempts look dead.
            and database.up_since + timedelta(seconds=database.leases[attempt.id]) < now,
            cancelling_for=None if run.cancel_asked_at is None else (now - run.cancel_asked_at).total_seconds(),
            run_deadline_passed=run.run_deadline_at is not None and run.run_deadline_at < now,
            start_deadline_passed=never_started and late,
            launch_late=run.status is RunStatus.PENDING and run.launch is Launch.DUE and late,
        )


def _key(run: Run) -> tuple[datetime, UUID]:
    return run.created_at, run.id


def _fits(run: Run, which: RunFilter) -> bool:
    return (
        which.tenant == run.tenant
        and which.pipeline in (None, run.pipeline)
        and (which.statuses is None or run.status in which.statuses)
        and which.trigger in (None, run.trigger)
        and which.actor in (None, run.actor)
        and (which.created_from is None or which.created_from <= run.created_at)
        and (which.created_until is None or run.created_at < which.created_until)
        and (which.parameters is None or _contains(run.parameters, which.parameters))
        and which.retry_of in (None, run.retry_of)
        and which.mode in (None, run.mode)
    )


def _contains(value: Any, part: Any) -> bool:
    """As PostgreSQL's ``@>`` on jsonb."""
    if isinstance(value, dict) and isinstance(part, dict):
        return all(name in value and _contains(value[name], one) for name, one in part.items())
    if isinstance(value, list) and isinstance(part, list):
        return all(any(_contains(mine, one) for mine in value) for one in part)
    # True == 1 in Python, and in JSON it is not.
    return bool(isinstance(value, bool) is isinstance(part, bool) and value == part)
