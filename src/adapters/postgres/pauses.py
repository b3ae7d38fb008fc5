"""Which pipelines are paused, in RunLog."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ...application.ports.pauses import Count, Resumed
from ...domain.errors import NotPaused, PauseRefused
from ...domain.event import Event
from ...domain.pause import Pause, paused_event, resumed_event
from ...domain.storable import storable
from ...domain.tenant import DEFAULT_TENANT, Tenant
from . import tables
from .engine import transact
from .rows import event_row
from .steps import NOW

_PAUSE = tables.pipeline_pause.c


class PostgresPauses:
    """:class:`~kubescribe.application.ports.pauses.Pauses` over an engine of :func:`.engine.runlog_engine`."""

    def __init__(self, engine: AsyncEngine, *, statement_timeout: float = 10.0) -> None:
        self._engine = engine
        self._timeout = statement_timeout

    async def pause(
        self,
        pipeline: str,
        *,
        actor: str,
        reason: str | None = None,
        until: datetime | None = None,
        tenant: Tenant = DEFAULT_TENANT,
        method: str | None = None,
    ) -> Pause:
        """See the port."""

        async def work(connection: AsyncConnection) -> Pause:
            await connection.execute(select(_turn(tenant, pipeline)))  # a pause that is not there cannot be locked
            now: datetime = (await connection.execute(select(NOW))).scalar_one()
            if until is not None and until <= now:
                raise PauseRefused(pipeline, until)
            asked = storable(
                Pause(tenant=tenant, pipeline=pipeline, actor=actor, reason=reason, since=now, until=until)
            )
            its = (_PAUSE.tenant == asked.tenant, _PAUSE.pipeline == asked.pipeline)
            held = (await connection.execute(select(tables.pipeline_pause).where(*its))).mappings().first()
            new = insert(tables.pipeline_pause).values({name: getattr(asked, name) for name in Pause.__struct_fields__})
            changed = {name: new.excluded[name] for name in ("actor", "reason", "until")}
            # One whose end has passed holds on from its beginning: its slots are not on record yet.
            statement = new.on_conflict_do_update(index_elements=[_PAUSE.tenant, _PAUSE.pipeline], set_=changed)
            row = (await connection.execute(statement.returning(tables.pipeline_pause))).mappings().one()
            before = None if held is None else _pause(held)
            await _tell(connection, paused_event(asked, now, before=before, method=method))
            return _pause(row)

        return await transact(self._engine, work, timeout=self._timeout)

    async def resume(
        self,
        pipeline: str,
        count: Count,
        *,
        actor: str,
        reason: str | None = None,
        tenant: Tenant = DEFAULT_TENANT,
        method: str | None = None,
    ) -> Resumed:
        """See the port."""

        async def work(connection: AsyncConnection) -> Resumed:
            await connection.execute(select(_turn(tenant, pipeline)))
            now: datetime = (await connection.execute(select(NOW))).scalar_one()
            its = (_PAUSE.tenant == tenant, _PAUSE.pipeline == pipeline)
            statement = delete(tables.pipeline_pause).where(*its).returning(tables.pipeline_pause)
            row = (await connection.execute(statement)).mappings().first()
            if row is None:
                raise NotPaused(pipeline)
            pause = _pause(row)
            slots = count(pause, now)
            event = resumed_event(pause, slots, actor=actor, reason=reason, at=now, method=method)
            await _tell(connection, event)
            return Resumed(pause=pause, passed_over=slots)

        return await transact(self._engine, work, timeout=self._timeout)

    async def current(self, pipeline: str, *, tenant: Tenant = DEFAULT_TENANT) -> Pause | None:
        """See the port."""
        query = select(tables.pipeline_pause).where(_PAUSE.tenant == tenant, _PAUSE.pipeline == pipeline, _holds())
        return next(iter(await self._all(query)), None)

    async def holding(self, *, tenant: Tenant = DEFAULT_TENANT) -> tuple[Pause, ...]:
        """See the port."""
        query = select(tables.pipeline_pause).where(_PAUSE.tenant == tenant, _holds())
        return await self._all(query.order_by(_PAUSE.pipeline.collate("C")))

    async def over(self) -> tuple[Pause, ...]:
        """See the port."""
        query = select(tables.pipeline_pause).where(_PAUSE.until <= func.clock_timestamp())
        return await self._all(query.order_by(_PAUSE.until))

    async def _all(self, query: Select[Any]) -> tuple[Pause, ...]:
        async def work(connection: AsyncConnection) -> tuple[Pause, ...]:
            return tuple(_pause(row) for row in (await connection.execute(query)).mappings())

        return await transact(self._engine, work, timeout=self._timeout)


def _turn(tenant: Tenant, pipeline: str) -> ColumnElement[Any]:
    """Until the transaction ends nobody else pauses or resumes this one."""
    return func.pg_advisory_xact_lock(func.hashtextextended(f"kubescribe.pause:{tenant}/{pipeline}", 0))


def _holds() -> ColumnElement[bool]:
    return or_(_PAUSE.until.is_(None), _PAUSE.until > func.clock_timestamp())


def _pause(row: Mapping[Any, Any]) -> Pause:
    return Pause(**{name: row[name] for name in Pause.__struct_fields__})


async def _tell(connection: AsyncConnection, event: Event) -> None:
    await connection.execute(tables.event.insert().values(event_row(storable(event))))
