"""The details of a run, in memory."""

from __future__ import annotations

from uuid import UUID

from ...domain.attempt import Attempt
from ...domain.errors import RunNotFound
from ...domain.event import Event
from ...domain.log import LogChunk
from ...domain.note import Note
from ...domain.run_record import RunRecord
from ...domain.tenant import DEFAULT_TENANT, Tenant
from .database import MemoryRunLogDatabase


class MemoryRunHistory:
    """:class:`~kubescribe.application.ports.run_history.RunHistory` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database

    async def record(self, run_id: UUID, *, tenant: Tenant = DEFAULT_TENANT) -> RunRecord:
        """See the port."""
        with self._database.transaction():
            run = self._database.runs.get(run_id)
            if run is None or run.tenant != tenant:
                raise RunNotFound(run_id)
            return RunRecord(
                run=run,
                attempts=await self.attempts(run_id, tenant=tenant),
                notes=await self.notes(run_id, tenant=tenant),
                events=await self.events(run_id, tenant=tenant),
            )

    async def attempts(self, run_id: UUID, *, tenant: Tenant = DEFAULT_TENANT) -> tuple[Attempt, ...]:
        """See the port."""
        with self._database.transaction():
            run = self._database.runs.get(run_id)
            if run is None or run.tenant != tenant:
                return ()
            found = [attempt for attempt in self._database.attempts.values() if attempt.run_id == run_id]
        return tuple(sorted(found, key=lambda attempt: attempt.number))

    async def events(
        self, run_id: UUID, *, after: int = 0, limit: int | None = None, tenant: Tenant = DEFAULT_TENANT
    ) -> tuple[Event, ...]:
        """See the port."""
        with self._database.transaction():
            its = [event for event in self._database.events if (event.run_id, event.tenant) == (run_id, tenant)]
        return tuple(event for event in its if (event.seq or 0) > after)[:limit]

    async def notes(self, run_id: UUID, *, tenant: Tenant = DEFAULT_TENANT) -> tuple[Note, ...]:
        """See the port."""
        attempts = await self.attempts(run_id, tenant=tenant)
        with self._database.transaction():
            notes = sorted(self._database.notes.values(), key=lambda note: note.seq)
        return tuple(note for attempt in attempts for note in notes if note.attempt_id == attempt.id)

    async def output(
        self,
        attempt_id: UUID,
        *,
        after: int = 0,
        until: int | None = None,
        limit: int | None = None,
        tenant: Tenant = DEFAULT_TENANT,
    ) -> tuple[LogChunk, ...]:
        """See the port."""
        with self._database.transaction():
            attempt = self._database.attempts.get(attempt_id)
            if attempt is None or self._database.runs[attempt.run_id].tenant != tenant:
                return ()
            chunks = sorted(self._database.chunks.values(), key=lambda chunk: chunk.seq)
        its = (chunk for chunk in chunks if chunk.attempt_id == attempt_id)
        return tuple(chunk for chunk in its if after < chunk.seq and (until is None or chunk.seq <= until))[:limit]
