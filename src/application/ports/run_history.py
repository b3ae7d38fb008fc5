"""What RunLog keeps of a run and beside it: attempts, events, notes, output."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from ...domain.attempt import Attempt
from ...domain.event import Event
from ...domain.log import LogChunk
from ...domain.note import Note
from ...domain.run_record import RunRecord
from ...domain.tenant import DEFAULT_TENANT, Tenant


class RunHistory(Protocol):
    """The details of a run, for readers. An unknown run has none, and neither has one of another tenant.

    Raises ``DatabaseUnavailable``.
    """

    async def record(self, run_id: UUID, *, tenant: Tenant = DEFAULT_TENANT) -> RunRecord:
        """The run with its attempts, notes and events as they were at one moment; raises ``RunNotFound``."""
        ...

    async def attempts(self, run_id: UUID, *, tenant: Tenant = DEFAULT_TENANT) -> tuple[Attempt, ...]:
        """All attempts, the first one first."""
        ...

    async def events(
        self, run_id: UUID, *, after: int = 0, limit: int | None = None, tenant: Tenant = DEFAULT_TENANT
    ) -> tuple[Event, ...]:
        """Events with a ``seq`` above ``after``, at most ``limit`` of them, in the order of writing."""
        ...

    async def notes(self, run_id: UUID, *, tenant: Tenant = DEFAULT_TENANT) -> tuple[Note, ...]:
        """All notes, by attempt and then in the attempt's order."""
        ...

    async def output(
        self,
        attempt_id: UUID,
        *,
        after: int = 0,
        until: int | None = None,
        limit: int | None = None,
        tenant: Tenant = DEFAULT_TENANT,
    ) -> tuple[LogChunk, ...]:
        """The chunks of an attempt with ``after < seq <= until``, at most ``limit`` of them, in order."""
        ...
