"""The details of a run, for readers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ...domain.attempt import Attempt
from ...domain.event import Event
from ...domain.log import LogChunk
from ...domain.note import Note
from ...domain.tenant import DEFAULT_TENANT, Tenant
from . import tables
from .engine import transact
from .rows import Row, attempt_from, chunk_from, event_from, note_from

T = TypeVar("T")


class PostgresRunHistory:
    """:class:`~kubescribe.application.ports.run_history.RunHistory` over an engine of :func:`.engine.runlog_engine`."""

    def __init__(self, engine: AsyncEngine, *, statement_timeout: float = 10.0) -> None:
        self._engine = engine
        self._timeout = statement_timeout

    async def attempts(self, run_id: UUID, *, tenant: Tenant = DEFAULT_TENANT) -> tuple[Attempt, ...]:
        """See the port."""
        attempt = tables.attempt.c
        query = select(tables.attempt).where(attempt.run_id == run_id, _is_of(tenant)).order_by(attempt.number)
        return await self._all(query, attempt_from)

    async def events(
        self, run_id: UUID, *, after: int = 0, limit: int | None = None, tenant: Tenant = DEFAULT_TENANT
    ) -> tuple[Event, ...]:
        """See the port."""
        event = tables.event.c
        query = select(tables.event).where(event.run_id == run_id, event.tenant == tenant, event.seq > after)
        return await self._all(query.order_by(event.seq).limit(limit), event_from)

    async def notes(self, run_id: UUID, *, tenant: Tenant = DEFAULT_TENANT) -> tuple[Note, ...]:
        """See the port."""
        attempt, note = tables.attempt.c, tables.note.c
        query = (
            select(tables.note)
            .join_from(tables.note, tables.attempt, note.attempt_id == attempt.id)
            .where(attempt.run_id == run_id, _is_of(tenant))
            .order_by(attempt.number, note.seq)
        )
        return await self._all(query, note_from)

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
        chunk = tables.log_chunk.c
        its = exists().where(tables.attempt.c.id == attempt_id, _is_of(tenant))
        query = select(tables.log_chunk).where(chunk.attempt_id == attempt_id, chunk.seq > after, its)
        if until is not None:
            query = query.where(chunk.seq <= until)
        query = query.order_by(chunk.seq).limit(limit)
        return await self._all(query, chunk_from)

    async def _all(self, query: Select[Any], decode: Callable[[Row], T]) -> tuple[T, ...]:
        async def work(connection: AsyncConnection) -> tuple[T, ...]:
            return tuple(decode(dict(row)) for row in (await connection.execute(query)).mappings())

        return await transact(self._engine, work, timeout=self._timeout)


def _is_of(tenant: Tenant) -> ColumnElement[bool]:
    """Whether the attempt's run is the tenant's."""
    run = tables.run.c
    return exists().where(run.id == tables.attempt.c.run_id, run.tenant == tenant)
