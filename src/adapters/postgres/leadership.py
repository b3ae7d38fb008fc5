"""Leases of names in RunLog."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, or_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from . import tables
from .engine import transact


class PostgresLeadership:
    """:class:`~kubescribe.application.ports.leadership.Leadership` over an engine of :func:`.engine.runlog_engine`."""

    def __init__(self, engine: AsyncEngine, *, statement_timeout: float = 5.0) -> None:
        self._engine = engine
        self._timeout = statement_timeout

    async def hold(self, name: str, holder: UUID, *, seconds: float) -> bool:
        """See the port."""
        leader, now = tables.leader.c, func.clock_timestamp()
        new = insert(tables.leader).values(name=name, holder=holder, lease_until=now + timedelta(seconds=seconds))
        statement = new.on_conflict_do_update(
            index_elements=[leader.name],
            set_={"holder": new.excluded.holder, "lease_until": new.excluded.lease_until},
            where=or_(leader.holder == holder, leader.lease_until <= now),
        )

        async def work(connection: AsyncConnection) -> bool:
            return (await connection.execute(statement)).rowcount == 1

        return await transact(self._engine, work, timeout=self._timeout)

    async def leave(self, name: str, holder: UUID) -> None:
        """See the port."""
        leader = tables.leader.c
        statement = delete(tables.leader).where(leader.name == name, leader.holder == holder)

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(statement)

        await transact(self._engine, work, timeout=self._timeout)
