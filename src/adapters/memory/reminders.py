"""Notices that time makes due, in memory."""

from __future__ import annotations

from datetime import datetime, timedelta

from ...application.ports.reminders import WeekOf
from ...domain.event import Notice
from ...domain.incident import Incident
from ...domain.notify_rules import REPEATED, SUMMARY
from ...domain.tenant import Tenant
from .database import MemoryNotice, MemoryRunLogDatabase


class MemoryReminders:
    """:class:`~kubescribe.application.ports.reminders.Reminders` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database

    async def remind(self, tenant: Tenant, *, every: float) -> int:
        """See the port."""
        with self._database.transaction():
            now = self._database.now()
            due = [
                one for one in self._database.incidents.values() if one.tenant == tenant and self._due(one, now, every)
            ]
            for one in due:
                self._database.reminded[tenant, one.id] = now
                notice = Notice(
                    run_id=one.run_id, kind=REPEATED, pipeline=one.pipeline, tenant=tenant, incident_id=one.id
                )
                self._write(notice, one.since, one.count)
        return len(due)

    async def summarise(self, tenant: Tenant, week_of: WeekOf) -> bool:
        """See the port."""
        with self._database.transaction():
            week = week_of(self._database.now())
            if week is None or (tenant, week) in self._database.summaries:
                return False
            self._database.summaries.add((tenant, week))
            self._write(Notice(kind=SUMMARY, pipeline="", tenant=tenant), None, 1)
        return True

    def _due(self, one: Incident, now: datetime, every: float) -> bool:
        if not one.is_open or not one.announced or one.acknowledged_at is not None or one.opened_at is None:
            return False
        # What came back in its quiet hour was told of when that was over.
        first = max(one.opened_at, one.quiet_until or one.opened_at)
        told = max(first, self._database.reminded.get((one.tenant, one.id), first))
        if one.snoozed_until is not None and one.snoozed_until > told:
            return now >= one.snoozed_until
        return now >= told + timedelta(seconds=every)

    def _write(self, notice: Notice, since: datetime | None, failures: int) -> None:
        notices = self._database.notices
        notices.append(
            MemoryNotice(
                id=len(notices) + 1, notice=notice, created_at=self._database.now(), since=since, failures=failures
            )
        )
