"""The details of a run, for readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, TextClause, exists, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ...domain.attempt import Attempt
from ...domain.errors import RunNotFound
from ...domain.event import Event
from ...domain.log import LogChunk
from ...domain.note import Note
from ...domain.run_record import RunRecord
from ...domain.tenant import DEFAULT_TENANT, Tenant
from . import tables
from .engine import transact
from .rows import Row, attempt_from, chunk_from, event_from, note_from, run_from

T = TypeVar("T")


def _columns(table: Table) -> str:
    return ", ".join(f'{table.name}."{name}"' for name in table.c.keys())  # noqa: SIM118 - no dictionary


# As an array: joined without statistics, as after a restore, the notes of all runs are read.
_ATTEMPTS = "ARRAY(SELECT attempt.id FROM public.attempt WHERE attempt.run_id = run.id ORDER BY attempt.number)"
_NOTES = text(f"""
SELECT {_columns(tables.note)} FROM public.run JOIN public.note ON note.attempt_id = ANY({_ATTEMPTS})
WHERE run.id = :run_id AND run.tenant = :tenant ORDER BY array_position({_ATTEMPTS}, note.attempt_id), note.seq
""")  # noqa: S608 - our own names

# One statement sees one moment, and is one message there and back. The rows beside the run come without names, so that
# a migration may add columns to their tables at any time.
_RECORD = text(f"""
SELECT {_columns(tables.run)},
    ARRAY(SELECT ROW({_columns(tables.attempt)}) FROM public.attempt
          WHERE attempt.run_id = run.id ORDER BY attempt.number) AS its_attempts,
    ARRAY(SELECT ROW({_columns(tables.note)}) FROM public.note WHERE note.attempt_id = ANY({_ATTEMPTS})
          ORDER BY array_position({_ATTEMPTS}, note.attempt_id), note.seq) AS its_notes,
    ARRAY(SELECT ROW({_columns(tables.event)}) FROM public.event
          WHERE event.run_id = run.id AND event.tenant = run.tenant ORDER BY event.seq) AS its_events
FROM public.run WHERE run.id = :run_id AND run.tenant = :tenant
""")  # noqa: S608 - our own names


class PostgresRunHistory:
    """:class:`~kubescribe.application.ports.run_history.RunHistory` over an engine of :func:`.engine.runlog_engine`."""

    def __init__(self, engine: AsyncEngine, *, statement_timeout: float = 10.0) -> None:
        self._engine = engine
        self._timeout = statement_timeout

    async def record(self, run_id: UUID, *, tenant: Tenant = DEFAULT_TENANT) -> RunRecord:
        """See the port."""

        async def work(connection: AsyncConnection) -> RunRecord:
            values = {"run_id": run_id, "tenant": tenant}
            row = (await connection.execute(_RECORD, values)).mappings().first()
            if row is None:
                raise RunNotFound(run_id)
            return RunRecord(
                run=run_from(dict(row)),
                attempts=_each(row["its_attempts"], tables.attempt, attempt_from),
                notes=_each(row["its_notes"], tables.note, note_from),
                events=_each(row["its_events"], tables.event, event_from),
            )

        return await transact(self._engine, work, timeout=self._timeout)

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
        return await self._all(_NOTES.bindparams(run_id=run_id, tenant=tenant), note_from)

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

    async def _all(self, query: Select[Any] | TextClause, decode: Callable[[Row], T]) -> tuple[T, ...]:
        async def work(connection: AsyncConnection) -> tuple[T, ...]:
            return tuple(decode(dict(row)) for row in (await connection.execute(query)).mappings())

        return await transact(self._engine, work, timeout=self._timeout)


def _each(rows: Sequence[Sequence[Any]], table: Table, decode: Callable[[Row], T]) -> tuple[T, ...]:
    names = table.c.keys()
    return tuple(decode(dict(zip(names, row, strict=True))) for row in rows)


def _is_of(tenant: Tenant) -> ColumnElement[bool]:
    """Whether the attempt's run is the tenant's."""
    run = tables.run.c
    return exists().where(run.id == tables.attempt.c.run_id, run.tenant == tenant)
