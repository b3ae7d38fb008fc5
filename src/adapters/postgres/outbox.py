"""What is due to be told, with asyncpg alone: an idle look every few seconds has to cost next to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg

from ...application.failpoints import failpoint
from ...application.ports.outbox import OutboxStanding, Recipients
from ...domain.delivery import PLAN_WITHIN, Delivery, DeliveryStatus
from ...domain.storable import storable
from .session import Session

_BATCH = 1000

_PLAN = """
WITH due AS (
    SELECT id, pipeline, kind FROM public.outbox WHERE tenant = $1 AND status = 'due'
    ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED
), planned AS ( -- one that has grown is on record, and no message
    INSERT INTO public.delivery (tenant, notice_id, channel, address, pipeline)
    SELECT $1, due.id, recipient.channel, recipient.address, due.pipeline
    FROM due CROSS JOIN unnest($2::text[], $3::text[]) AS recipient (channel, address)
    WHERE due.kind <> 'incident.grew'
    ORDER BY due.id
    ON CONFLICT DO NOTHING
)
UPDATE public.outbox SET status = 'planned' FROM due WHERE outbox.id = due.id
"""
_EXPIRE = """
UPDATE public.outbox SET status = 'expired'
WHERE tenant = $1 AND status = 'due' AND created_at < clock_timestamp() - make_interval(secs => $2)
"""
_FIELDS = """
delivery.id, notice_id, kind, run_id, incident_id, delivery.pipeline, channel, address, outbox.created_at, since,
failures, delivery.status, attempts, error,
extract(epoch FROM clock_timestamp() - outbox.created_at)::double precision AS age
"""
# The one before it to the same address about the same pipeline has to be settled: a recovery never comes first.
_TAKE = f"""
UPDATE public.delivery SET attempts = attempts + 1, next_at = clock_timestamp() + make_interval(secs => $3)
FROM public.outbox
WHERE outbox.id = notice_id AND delivery.id = (
    SELECT next.id FROM public.delivery AS next
    WHERE next.tenant = $1 AND next.channel = $2 AND next.status = 'due' AND next.next_at <= clock_timestamp()
      AND NOT EXISTS (
        SELECT FROM public.delivery AS earlier
        WHERE earlier.tenant = $1 AND earlier.channel = $2 AND earlier.status = 'due'
          AND earlier.address = next.address AND earlier.pipeline = next.pipeline
          AND earlier.notice_id < next.notice_id)
    ORDER BY next.notice_id, next.id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING {_FIELDS}
"""  # noqa: S608 - our own names
_SETTLE = """
UPDATE public.delivery
SET status = $3, error = $4, next_at = clock_timestamp() + make_interval(secs => $5),
    settled_at = CASE WHEN $3 = 'due' THEN NULL ELSE clock_timestamp() END
WHERE id = $1 AND status = 'due' AND (attempts = $2 OR $3 = 'sent')
"""
_DEAD = f"""
SELECT {_FIELDS} FROM public.delivery JOIN public.outbox ON outbox.id = notice_id
WHERE delivery.tenant = $1 AND delivery.status = 'dead' ORDER BY delivery.id DESC LIMIT $2
"""  # noqa: S608
_REVIVE = """
WITH revived AS (
    UPDATE public.delivery SET status = 'due', attempts = 0, settled_at = NULL, next_at = clock_timestamp()
    WHERE tenant = $1 AND status = 'dead' RETURNING notice_id
), renewed AS (
    UPDATE public.outbox SET created_at = clock_timestamp() WHERE id IN (SELECT notice_id FROM revived)
)
SELECT count(*) FROM revived
"""
_STANDING = """
SELECT (SELECT count(*) FROM (SELECT FROM public.outbox WHERE tenant = $1 AND status = 'due' LIMIT 10000) AS few)
         + (SELECT count(*) FROM (SELECT FROM public.delivery WHERE tenant = $1 AND status = 'due' LIMIT 10000) AS few)
         AS due,
       (SELECT count(*) FROM (SELECT FROM public.delivery WHERE tenant = $1 AND status = 'dead' LIMIT 10000) AS few)
         AS dead,
       coalesce(extract(epoch FROM clock_timestamp() - least(
           (SELECT min(created_at) FROM (SELECT created_at FROM public.outbox WHERE tenant = $1 AND status = 'due'
                                         ORDER BY id LIMIT 100) AS oldest),
           (SELECT min(created_at) FROM (SELECT outbox.created_at FROM public.delivery
                                         JOIN public.outbox ON outbox.id = notice_id
                                         WHERE delivery.tenant = $1 AND delivery.status = 'due'
                                         ORDER BY notice_id LIMIT 100) AS oldest))), 0)::double precision AS age
"""


class PostgresOutbox:
    """:class:`~kubescribe.application.ports.outbox.Outbox` over one connection, for one event loop."""

    def __init__(
        self, address: Mapping[str, Any], *, connect_timeout: float = 5.0, statement_timeout: float = 10.0
    ) -> None:
        """``address`` is what :func:`asyncpg.connect` takes."""
        self._session = Session(address, connect_timeout=connect_timeout, statement_timeout=statement_timeout)

    async def close(self) -> None:
        """Give the connection back."""
        await self._session.close()

    async def plan(self, tenant: str, recipients: Recipients) -> int:
        """See the port."""
        channels, addresses = [one[0] for one in recipients], [one[1] for one in recipients]

        async def work(connection: asyncpg.Connection) -> int:
            await connection.execute(_EXPIRE, tenant, PLAN_WITHIN)
            if not recipients:
                return 0
            tag = await connection.execute(_PLAN, tenant, channels, addresses, _BATCH)
            failpoint("outbox.planned")
            return int(tag.removeprefix("UPDATE "))

        return await self._session.run(work)

    async def take(self, tenant: str, channel: str, *, lease: float) -> Delivery | None:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> Delivery | None:
            row = await connection.fetchrow(_TAKE, tenant, channel, lease)
            return None if row is None else _delivery(row)

        return await self._session.run(work)

    async def settle(self, delivery: Delivery) -> bool:
        """See the port."""
        kept = storable(delivery)

        async def work(connection: asyncpg.Connection) -> bool:
            tag = await connection.execute(
                _SETTLE, kept.id, kept.attempts, str(kept.status), kept.error, kept.wait or 0.0
            )
            return bool(tag == "UPDATE 1")

        return await self._session.run(work)

    async def dead(self, tenant: str, *, limit: int = 100) -> tuple[Delivery, ...]:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> tuple[Delivery, ...]:
            return tuple(_delivery(row) for row in await connection.fetch(_DEAD, tenant, limit))

        return await self._session.run(work)

    async def revive(self, tenant: str) -> int:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> int:
            revived: Any = await connection.fetchval(_REVIVE, tenant)
            return int(revived)

        return await self._session.run(work)

    async def standing(self, tenant: str) -> OutboxStanding:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> OutboxStanding:
            row: Any = await connection.fetchrow(_STANDING, tenant)
            return OutboxStanding(due=row["due"], age=max(0.0, row["age"]), dead=row["dead"])

        return await self._session.run(work)


def _delivery(row: Mapping[str, Any]) -> Delivery:
    values = {name: row[name] for name in Delivery.__struct_fields__ if name != "wait"}
    run_id = None if row["run_id"] is None else UUID(int=row["run_id"].int)
    return Delivery(**{**values, "run_id": run_id, "status": DeliveryStatus(row["status"])})
