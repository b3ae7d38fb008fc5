"""Incidents, in memory."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ...application.ports.incidents import EVENTS, IncidentFilter, IncidentRecord, IncidentStep
from ...domain.errors import IncidentNotFound
from ...domain.incident import (
    Incident,
    IncidentKind,
    IncidentStatus,
    IncidentTerms,
    Trouble,
    mended,
    missed_slot,
    subject,
    told_late,
)
from ...domain.slot import SlotVerdict
from ...domain.storable import storable
from ...domain.tenant import DEFAULT_TENANT, Tenant
from .database import MemoryRunLogDatabase


class MemoryIncidents:
    """:class:`~kubescribe.application.ports.incidents.Incidents` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database

    async def find(self, which: IncidentFilter, *, limit: int = 50, before: int | None = None) -> tuple[Incident, ...]:
        """See the port."""
        which = storable(which)
        with self._database.transaction():
            found = [
                one
                for one in self._database.incidents.values()
                if one.status is not IncidentStatus.PENDING
                and one.tenant == which.tenant
                and which.open in (None, one.is_open)
                and which.pipeline in (None, one.pipeline)
                and (before is None or one.id < before)
            ]
        return tuple(sorted(found, key=lambda one: one.id, reverse=True)[: max(1, limit)])

    async def get(self, incident_id: int, *, tenant: Tenant = DEFAULT_TENANT) -> IncidentRecord:
        """See the port."""
        with self._database.transaction():
            return self._record(incident_id, tenant)

    async def handle(self, incident_id: int, step: IncidentStep, *, tenant: Tenant = DEFAULT_TENANT) -> Incident:
        """See the port."""
        with self._database.transaction():
            record = self._record(incident_id, tenant)
            change = step(record, self._database.now())
            if change is None:
                return record.incident
            change = storable(change)
            self._database.take(change)
            return change.after

    async def tell_late(self) -> int:
        """See the port."""
        with self._database.transaction():
            now = self._database.now()
            late = [told_late(one, now) for one in self._database.incidents.values()]
            for change in late:
                self._database.take(change)
        return sum(change is not None for change in late)

    async def tell_missed(self, *, limit: int = 500) -> int:
        """See the port."""
        database = self._database
        with database.transaction():
            slots = sorted(database.slots.values(), key=lambda one: (one.tenant, one.at, one.id))
            missed = [one for one in slots if one.verdict is SlotVerdict.MISSED and not one.told][:limit]
            for slot in missed:
                database.slots[slot.id] = msgspec.structs.replace(slot, told=True)
                database.trouble(
                    Trouble(
                        tenant=slot.tenant,
                        pipeline=slot.pipeline,
                        kind=IncidentKind.MISSED,
                        at=database.now(),
                        why=missed_slot(slot),
                        run_id=slot.run_id,
                    )
                )
            for one in [one for one in database.incidents.values() if one.is_open and one.kind is IncidentKind.MISSED]:
                decided = [
                    slot
                    for slot in slots
                    if (slot.tenant, slot.pipeline) == (one.tenant, one.pipeline)
                    and slot.verdict not in (None, SlotVerdict.SKIPPED)
                ]
                if decided and decided[-1].verdict is not SlotVerdict.MISSED:
                    database.take(mended(one, at=database.now(), run_id=decided[-1].run_id))
                elif (one.tenant, one.pipeline) not in database.slot_plans:
                    database.take(mended(one, at=database.now()))
        return len(missed)

    async def declare(self, terms: Mapping[str, IncidentTerms], *, tenant: Tenant = DEFAULT_TENANT) -> None:
        """See the port."""
        with self._database.transaction():
            for pipeline, one in terms.items():
                self._database.incident_terms[tenant, pipeline] = one

    def _record(self, incident_id: int, tenant: Tenant) -> IncidentRecord:
        incident = self._database.incidents.get((tenant, incident_id))
        if incident is None or incident.status is IncidentStatus.PENDING:
            raise IncidentNotFound(incident_id)
        about = (tenant, subject(incident_id))
        events = [event for event in self._database.events if (event.tenant, event.subject) == about]
        return IncidentRecord(incident=incident, events=tuple(events[-EVENTS:]))
