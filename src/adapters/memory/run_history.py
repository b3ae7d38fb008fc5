"""The details of a run, in memory."""

from __future__ import annotations

from uuid import UUID

from ...domain.attempt import Attempt
from ...domain.event import Event
from ...domain.log import LogChunk
from ...domain.note import Note
from .database import MemoryRunLogDatabase


class MemoryRunHistory:
    """:class:`~kubescribe.application.ports.run_history.RunHistory` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database

    async def attempts(self, run_id: UUID) -> tuple[Attempt, ...]:
        """See the port."""
        with self._database.transaction():
            found = [attempt for attempt in self._database.attempts.values() if attempt.run_id == run_id]
        return tuple(sorted(found, key=lambda attempt: attempt.number))

    async def events(self, run_id: UUID) -> tuple[Event, ...]:
        """See the port."""
        with self._database.transaction():
            return tuple(event for event in self._database.events if event.run_id == run_id)

    async def notes(self, run_id: UUID) -> tuple[Note, ...]:
        """See the port."""
        attempts = await self.attempts(run_id)
        with self._database.transaction():
            notes = sorted(self._database.notes.values(), key=lambda note: note.seq)
        return tuple(note for attempt in attempts for note in notes if note.attempt_id == attempt.id)

    async def output(self, attempt_id: UUID, *, after: int = 0) -> tuple[LogChunk, ...]:
        """See the port."""
        with self._database.transaction():
            chunks = sorted(self._database.chunks.values(), key=lambda chunk: chunk.seq)
        return tuple(chunk for chunk in chunks if chunk.attempt_id == attempt_id and chunk.seq > after)
