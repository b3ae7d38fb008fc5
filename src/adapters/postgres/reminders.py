"""Notices that time makes due, with asyncpg alone, as the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg

from ...application.failpoints import failpoint
from ...application.ports.reminders import WeekOf
from ...domain.notify_rules import REPEATED, SUMMARY
from ...domain.tenant import Tenant
from .session import Session

# Taken first: what the next statement sees of another's reminders is all of them.
_TURN = "SELECT pg_try_advisory_xact_lock(723608, hashtext($1))"
_REMIND = f"""
WITH due AS MATERIALIZED (
    SELECT incident.* FROM public.incident
    LEFT JOIN public.reminder ON reminder.tenant = incident.tenant AND reminder.incident_id = incident.id
    -- What came back in its quiet hour was told of when that was over.
    CROSS JOIN LATERAL (SELECT greatest(opened_at, quiet_until, reminder.at) AS told) AS last
    WHERE incident.tenant = $1 AND incident.status = 'open' AND announced AND acknowledged_at IS NULL
      AND clock_timestamp() >= CASE WHEN snoozed_until > told THEN snoozed_until
                               ELSE told + make_interval(secs => $2) END
    FOR UPDATE OF incident SKIP LOCKED
), noted AS (
    INSERT INTO public.reminder (tenant, incident_id, at) SELECT tenant, id, clock_timestamp() FROM due
    ON CONFLICT (tenant, incident_id) DO UPDATE SET at = excluded.at
)
INSERT INTO public.outbox (tenant, run_id, kind, pipeline, since, failures, incident_id)
SELECT tenant, run_id, '{REPEATED}', pipeline, since, count, id FROM due ORDER BY id
"""  # noqa: S608 - our own names
_WEEK = "INSERT INTO public.week_summary (tenant, week) VALUES ($1, $2) ON CONFLICT DO NOTHING"
_SUMMARY = f"INSERT INTO public.outbox (tenant, kind, pipeline) VALUES ($1, '{SUMMARY}', '')"  # noqa: S608


class PostgresReminders:
    """:class:`~kubescribe.application.ports.reminders.Reminders` over one connection, for one event loop."""

    def __init__(
        self, address: Mapping[str, Any], *, connect_timeout: float = 5.0, statement_timeout: float = 10.0
    ) -> None:
        """``address`` is what :func:`asyncpg.connect` takes."""
        self._session = Session(address, connect_timeout=connect_timeout, statement_timeout=statement_timeout)

    async def close(self) -> None:
        """Give the connection back."""
        await self._session.close()

    async def remind(self, tenant: Tenant, *, every: float) -> int:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> int:
            if not await connection.fetchval(_TURN, tenant):
                return 0
            tag = await connection.execute(_REMIND, tenant, every)
            failpoint("reminders.written")
            return int(tag.rpartition(" ")[2])

        return await self._session.run(work)

    async def summarise(self, tenant: Tenant, week_of: WeekOf) -> bool:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> bool:
            now: Any = await connection.fetchval("SELECT clock_timestamp()")
            week = week_of(now)
            if week is None or await connection.execute(_WEEK, tenant, week) != "INSERT 0 1":
                return False
            failpoint("reminders.written")
            await connection.execute(_SUMMARY, tenant)
            return True

        return await self._session.run(work)
