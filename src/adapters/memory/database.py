"""The state behind the in-memory RunLog, with a clock that can be moved and a switch that takes it away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from ...domain.attempt import Attempt, DeathCertificate
from ...domain.errors import DatabaseUnavailable
from ...domain.event import Event, Notice
from ...domain.log import LogChunk
from ...domain.note import Note
from ...domain.run import Run, Transition
from ...domain.storable import storable


class MemoryRunLogDatabase:
    """What PostgreSQL is to the real RunLog: tables, transactions one at a time, and *the* clock.

    Safe for several threads, each with its own event loop. The clock stands still at ``now`` until it is moved
    by ``advance``; without ``now`` it is the system's, plus what it was advanced by. While ``available`` is
    False every transaction raises :class:`DatabaseUnavailable` and changes nothing.
    """

    def __init__(self, now: datetime | None = None) -> None:
        self.available = True
        self.runs: dict[UUID, Run] = {}
        self.attempts: dict[UUID, Attempt] = {}
        self.leases: dict[UUID, float] = {}
        self.events: list[Event] = []
        self.notes: dict[tuple[UUID, int], Note] = {}
        self.chunks: dict[tuple[UUID, int], LogChunk] = {}
        self.outbox: list[Notice] = []
        self._still = now
        self._advanced = timedelta()
        self._turn = threading.RLock()
        self.up_since = self.now() - timedelta(days=1)

    def now(self) -> datetime:
        """The database's clock."""
        return (self._still or datetime.now(UTC)) + self._advanced

    def advance(self, seconds: float) -> None:
        """Let time pass; below 0 it is a clock that was set back."""
        self._advanced += timedelta(seconds=seconds)

    def restart(self) -> None:
        """The database was away until just now: what it holds stays, and it is up for no time at all."""
        self.up_since = self.now()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One at a time. Decisions come before writes, so an error in here has written nothing."""
        with self._turn:
            if not self.available:
                raise DatabaseUnavailable("RunLog", "it was taken away")
            yield

    def write(self, step: Transition) -> None:
        """A transition's three parts."""
        self.runs[step.after.id] = step.after
        self.record(storable(step.event))
        if step.notice is not None:
            self.outbox.append(step.notice)

    def record(self, event: Event) -> None:
        """Write an event, with its number."""
        self.events.append(msgspec.structs.replace(event, seq=len(self.events) + 1))

    def end_attempt(self, attempt_id: UUID, at: datetime, certificate: DeathCertificate) -> None:
        """End the attempt unless it has ended, and give it the certificate unless it has one of its own."""
        attempt = self.attempts[attempt_id]
        if attempt.certificate is not None and attempt.certificate.provisional:
            attempt = msgspec.structs.replace(attempt, ended_at=None, certificate=None)
        self.attempts[attempt_id] = msgspec.structs.replace(
            attempt,
            ended_at=attempt.ended_at or max(at, attempt.started_at),
            certificate=attempt.certificate or certificate,
        )
