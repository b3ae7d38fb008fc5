"""RunLog as it is completed from outside."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import any_, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ...application.certifying import certified, may_be_replaced
from ...domain.attempt import Attempt
from ...domain.run_status import OPEN
from ...domain.storable import storable
from . import tables
from .engine import transact
from .rows import attempt_from, attempt_row
from .steps import lock_run


class PostgresJobLog:
    """:class:`~kubescribe.application.ports.job_log.JobLog` over an engine of :func:`.engine.runlog_engine`."""

    def __init__(self, engine: AsyncEngine, *, statement_timeout: float = 10.0) -> None:
        self._engine = engine
        self._timeout = statement_timeout

    async def unknown(self, run_ids: Collection[UUID]) -> frozenset[UUID]:
        """See the port."""
        run = tables.run.c
        return frozenset(run_ids) - await self._ids(select(run.id).where(run.id == any_(_array(run_ids))))

    async def settled(self, run_ids: Collection[UUID]) -> frozenset[UUID]:
        """See the port."""
        run = tables.run.c
        return await self._ids(
            select(run.id).where(run.id == any_(_array(run_ids)), run.status.not_in([str(one) for one in OPEN]))
        )

    async def unfinished(self, attempt_ids: Collection[UUID]) -> frozenset[UUID]:
        """See the port."""
        if not attempt_ids:
            return frozenset()
        query = select(tables.attempt).where(tables.attempt.c.id == any_(_array(attempt_ids)))

        async def work(connection: AsyncConnection) -> frozenset[UUID]:
            known = [attempt_from(dict(row)) for row in (await connection.execute(query)).mappings()]
            return frozenset(attempt_ids) - {one.id for one in known if not may_be_replaced(one)}

        return await transact(self._engine, work, timeout=self._timeout)

    async def certify(self, attempt: Attempt) -> bool:
        """See the port."""
        attempt = storable(attempt)
        its = tables.attempt.c

        async def work(connection: AsyncConnection) -> bool:
            run, _ = await lock_run(connection, attempt.run_id)
            query = select(tables.attempt).where(its.id == attempt.id).with_for_update()
            row = (await connection.execute(query)).mappings().first()
            known = None if row is None else attempt_from(dict(row))
            if known is not None and not may_be_replaced(known):
                return False
            newest = select(func.max(its.number)).where(its.run_id == run.id)
            number = ((await connection.execute(newest)).scalar_one() or 0) + 1
            values = attempt_row(certified(run, known, attempt, number=number), 0.0)
            if known is None:
                await connection.execute(insert(tables.attempt).values(values))
            else:
                changed = {name: values[name] for name in ("ended_at", "certificate")}
                await connection.execute(update(tables.attempt).where(its.id == attempt.id).values(changed))
            return True

        return await transact(self._engine, work, timeout=self._timeout)

    async def _ids(self, query: Any) -> frozenset[UUID]:
        async def work(connection: AsyncConnection) -> frozenset[UUID]:
            return frozenset(UUID(int=row.id.int) for row in await connection.execute(query))

        return await transact(self._engine, work, timeout=self._timeout)


def _array(ids: Collection[UUID]) -> Any:
    """One parameter, however many there are."""
    from sqlalchemy import Uuid, bindparam
    from sqlalchemy.dialects.postgresql import ARRAY

    return bindparam(None, list(ids), type_=ARRAY(Uuid))
