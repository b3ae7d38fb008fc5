"""Accepting runs that are to be launched."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Delete, bindparam, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from ...application.ports.run_requests import Accepted
from ...domain.errors import KeyReused
from ...domain.launch import Launch
from ...domain.request_key import KEPT, RequestKey
from ...domain.run import MESSAGE_LIMIT, Run, created
from ...domain.run_status import RunStatus
from ...domain.storable import seconds, storable, storable_text
from . import tables
from .engine import transact
from .rows import run_from
from .steps import NOW, get_run, write_step

_CLEARED_AT_ONCE = 10
"""Old keys that go with each new one: more than come, so that none are left in the end."""


def _new_key() -> ReturningInsert[Any]:
    """Take a key, or find that it is taken: no row comes back."""
    keys, mine = tables.request_key.c, insert(tables.request_key)
    new = mine.excluded
    # Waits for whoever is writing the same key: its row is seen, or it has been rolled back.
    return mine.on_conflict_do_update(
        index_elements=[keys.tenant, keys.key],
        set_={"digest": new.digest, "run_id": new.run_id, "created_at": new.created_at},
        where=keys.created_at < _EXPIRED,
    ).returning(keys.run_id)


def _clear_old() -> Delete:
    """Drop some keys that nobody can use any more, and that nobody else is dropping."""
    keys = tables.request_key.c
    old = (
        select(keys.tenant, keys.key)
        .where(keys.created_at < _EXPIRED)
        .order_by(keys.created_at)
        .limit(_CLEARED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    # Rows that are locked here are looked for once: as a subquery the planner might look again.
    gone = old.cte("gone").prefix_with("MATERIALIZED")
    return delete(tables.request_key).where(tuple_(keys.tenant, keys.key).in_(select(gone.c.tenant, gone.c.key)))


def _due(values: Mapping[str, Any]) -> ReturningUpdate[Any]:
    """Change a run whose launch is due."""
    run = tables.run.c
    its = (run.id == bindparam("its_id"), run.status == str(RunStatus.PENDING), run.launch == str(Launch.DUE))
    return update(tables.run).where(*its).values(values).returning(tables.run)


# Made once: put together for each request, they cost more than it takes the server to carry them out.
_EXPIRED = bindparam("expired", type_=tables.request_key.c.created_at.type)
_NEW_KEY = _new_key()
_CLEAR_OLD = _clear_old()
_PATIENCE = tables.run.c.start_deadline_at - tables.run.c.created_at
_STARTED = _due({"launch": str(Launch.STARTED), "message": None, "start_deadline_at": NOW + _PATIENCE})
_WAITS = _due({"message": bindparam("why")})


class PostgresRunRequests:
    """:class:`~kubescribe.application.ports.run_requests.RunRequests` over :func:`.engine.runlog_engine`."""

    def __init__(self, engine: AsyncEngine, *, statement_timeout: float = 10.0) -> None:
        self._engine = engine
        self._timeout = statement_timeout

    async def accept(
        self,
        run: Run,
        *,
        key: RequestKey | None = None,
        start_deadline: float | None = None,
        facts: Mapping[str, Any] | None = None,
        method: str | None = None,
    ) -> Accepted:
        """See the port."""
        run = storable(run)

        async def work(connection: AsyncConnection) -> Accepted:
            now: datetime = (await connection.execute(select(NOW))).scalar_one()
            if key is not None and (known := await _taken(connection, run, key, now)) is not None:
                return Accepted(await get_run(connection, known, run.tenant), False)
            deadline = None if start_deadline is None else now + timedelta(seconds=seconds(start_deadline))
            due = msgspec.structs.replace(run, created_at=now, start_deadline_at=deadline, launch=Launch.DUE)
            if await write_step(connection, created(due, facts, method)):
                return Accepted(due, True)
            return Accepted(await get_run(connection, run.id, run.tenant), False)

        return await transact(self._engine, work, timeout=self._timeout)

    async def launched(self, run_id: UUID) -> Run:
        """See the port."""
        return await self._change_due(_STARTED, run_id)

    async def waiting(self, run_id: UUID, why: str) -> Run:
        """See the port."""
        return await self._change_due(_WAITS, run_id, why=storable_text(why, MESSAGE_LIMIT))

    async def _change_due(self, statement: ReturningUpdate[Any], run_id: UUID, **values: str) -> Run:
        async def work(connection: AsyncConnection) -> Run:
            row = (await connection.execute(statement, {"its_id": run_id, **values})).mappings().first()
            return await get_run(connection, run_id, None) if row is None else run_from(dict(row))

        return await transact(self._engine, work, timeout=self._timeout)


async def _taken(connection: AsyncConnection, run: Run, key: RequestKey, now: datetime) -> UUID | None:
    """The run that has the key already; None: the key is this run's from now on. Raises :class:`KeyReused`."""
    expired = {"expired": now - KEPT}
    mine = {"tenant": run.tenant, "key": key.key, "digest": key.digest, "run_id": run.id, "created_at": now}
    if (await connection.execute(_NEW_KEY, mine | expired)).first() is not None:
        await connection.execute(_CLEAR_OLD, expired)
        return None
    keys = tables.request_key.c
    query = select(keys.digest, keys.run_id).where(keys.tenant == run.tenant, keys.key == key.key)
    digest, run_id = (await connection.execute(query)).one()
    run_id = UUID(int=run_id.int)
    if digest != key.digest:
        raise KeyReused(key.key, run_id)
    return run_id
