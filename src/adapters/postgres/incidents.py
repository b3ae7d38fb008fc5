"""Incidents, in RunLog. How they open, grow and end is in its triggers (migration 0008)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Boolean, Select, bindparam, delete, literal_column, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ...application.ports.incidents import EVENTS, IncidentFilter, IncidentRecord, IncidentStep
from ...domain.errors import IncidentNotFound
from ...domain.incident import Incident, IncidentStatus, IncidentTerms, subject
from ...domain.storable import storable
from ...domain.tenant import DEFAULT_TENANT, Tenant
from . import tables
from .engine import transact
from .rows import event_from, event_row, incident_from
from .steps import NOW

_INCIDENT = tables.incident.c
_TERMS = tables.incident_terms.c
_BY_PEOPLE = ("acknowledged_at", "acknowledged_by", "snoozed_until", "assigned_to")
# Written out, so that the planner sees that the partial index on open ones serves.
_IS_OPEN = literal_column("incident.status = 'open'", Boolean)
_TELL_MISSED = text("SELECT public.slots_told(:most)")
_LARGEST = 2**63 - 1


class PostgresIncidents:
    """:class:`~kubescribe.application.ports.incidents.Incidents` over an engine of :func:`.engine.runlog_engine`."""

    def __init__(self, engine: AsyncEngine, *, statement_timeout: float = 10.0) -> None:
        self._engine = engine
        self._timeout = statement_timeout

    async def find(self, which: IncidentFilter, *, limit: int = 50, before: int | None = None) -> tuple[Incident, ...]:
        """See the port."""
        query = find_query(storable(which), max(1, limit), before)

        async def work(connection: AsyncConnection) -> tuple[Incident, ...]:
            return tuple(incident_from(dict(row)) for row in (await connection.execute(query)).mappings())

        return await transact(self._engine, work, timeout=self._timeout)

    async def get(self, incident_id: int, *, tenant: Tenant = DEFAULT_TENANT) -> IncidentRecord:
        """See the port."""
        return await transact(
            self._engine, lambda connection: _record(connection, incident_id, tenant), timeout=self._timeout
        )

    async def handle(self, incident_id: int, step: IncidentStep, *, tenant: Tenant = DEFAULT_TENANT) -> Incident:
        """See the port."""

        async def work(connection: AsyncConnection) -> Incident:
            record = await _record(connection, incident_id, tenant, held=True)
            now: datetime = (await connection.execute(select(NOW))).scalar_one()
            change = step(record, now)
            if change is None:
                return record.incident
            after, event = storable(change.after), storable(change.event)
            await connection.execute(
                update(tables.incident)
                .where(_INCIDENT.tenant == tenant, _INCIDENT.id == incident_id)
                .values({name: getattr(after, name) for name in _BY_PEOPLE})
            )
            if event is not None:
                await connection.execute(tables.event.insert().values(event_row(event)))
            return after

        return await transact(self._engine, work, timeout=self._timeout)

    async def tell_late(self) -> int:
        """See the port."""

        async def work(connection: AsyncConnection) -> int:
            told: int = (await connection.execute(text("SELECT public.incidents_told_late()"))).scalar_one()
            return told

        return await transact(self._engine, work, timeout=self._timeout)

    async def tell_missed(self, *, limit: int = 500) -> int:
        """See the port."""

        async def work(connection: AsyncConnection) -> int:
            told: int = (await connection.execute(_TELL_MISSED, {"most": limit})).scalar_one()
            return told

        return await transact(self._engine, work, timeout=self._timeout)

    async def declare(self, terms: Mapping[str, IncidentTerms], *, tenant: Tenant = DEFAULT_TENANT) -> None:
        """See the port."""
        usual = [pipeline for pipeline, one in terms.items() if one == IncidentTerms()]
        others = [
            {"tenant": tenant, "pipeline": pipeline, **{name: getattr(one, name) for name in one.__struct_fields__}}
            for pipeline, one in sorted(terms.items())
            if one != IncidentTerms()
        ]
        new = insert(tables.incident_terms)
        keep = new.on_conflict_do_update(
            index_elements=[_TERMS.tenant, _TERMS.pipeline],
            set_={name: new.excluded[name] for name in IncidentTerms.__struct_fields__},
            where=tuple_(_TERMS.incident_after, _TERMS.recover_after)
            != tuple_(new.excluded.incident_after, new.excluded.recover_after),
        )

        async def work(connection: AsyncConnection) -> None:
            if usual:
                await connection.execute(
                    delete(tables.incident_terms).where(_TERMS.tenant == tenant, _TERMS.pipeline.in_(usual))
                )
            if others:
                await connection.execute(keep.values(others))

        await transact(self._engine, work, timeout=self._timeout)


def find_query(which: IncidentFilter, limit: int, before: int | None) -> Select[tuple[object, ...]]:
    """The query of a page."""
    query = select(tables.incident).where(_INCIDENT.tenant == which.tenant)
    if which.open:
        query = query.where(_IS_OPEN)
    elif which.open is False:
        query = query.where(_INCIDENT.status == str(IncidentStatus.RECOVERED))
    else:
        query = query.where(_INCIDENT.status != str(IncidentStatus.PENDING))
    if which.pipeline is not None:
        query = query.where(_INCIDENT.pipeline == which.pipeline)
    if before is not None:
        query = query.where(_INCIDENT.id < bindparam("before", min(before, _LARGEST), unique=True))
    return query.order_by(_INCIDENT.id.desc()).limit(limit)


async def _record(
    connection: AsyncConnection, incident_id: int, tenant: Tenant, *, held: bool = False
) -> IncidentRecord:
    if not 0 < incident_id <= _LARGEST:
        raise IncidentNotFound(incident_id)
    query = select(tables.incident).where(
        _INCIDENT.tenant == tenant, _INCIDENT.id == incident_id, _INCIDENT.status != str(IncidentStatus.PENDING)
    )
    row = (await connection.execute(query.with_for_update() if held else query)).mappings().first()
    if row is None:
        raise IncidentNotFound(incident_id)
    event = tables.event.c
    about = (
        select(tables.event)
        .where(event.tenant == tenant, event.subject == subject(incident_id), event.run_id.is_(None))
        .order_by(event.seq.desc())
        .limit(EVENTS)
    )
    events = [event_from(dict(one)) for one in (await connection.execute(about)).mappings()]
    return IncidentRecord(incident=incident_from(dict(row)), events=tuple(reversed(events)))
