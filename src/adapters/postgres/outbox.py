"""What is due to be told, with asyncpg alone: an idle look every few seconds has to cost next to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg

from ...application.failpoints import failpoint
from ...application.ports.outbox import OutboxStanding, Route
from ...domain.collecting import Collecting, Message
from ...domain.delivery import PLAN_WITHIN, Delivery, DeliveryStatus
from ...domain.notify_rules import DueNotice
from ...domain.storable import storable
from . import outbox_sql as sql
from .session import Session


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

    async def plan(self, tenant: str, route: Route | None) -> int:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> int:
            await connection.execute(sql.EXPIRE, tenant, PLAN_WITHIN)
            if route is None or not await connection.fetchval(sql.TURN, tenant):
                return 0
            notices = [DueNotice(**row) for row in await connection.fetch(sql.DUE, tenant, sql.BATCH)]
            if not notices:
                return 0
            told = [(notice.id, one) for notice in notices for one in route(notice)]
            ids = [number for number, _ in told]
            channels, addresses = [one.channel for _, one in told], [one.address for _, one in told]
            await connection.execute(sql.MAILBOXES, tenant, channels, addresses)
            await connection.execute(sql.PLAN, tenant, ids, channels, addresses, [one.wait for _, one in told])
            await connection.execute(sql.PLANNED, [notice.id for notice in notices], ids)
            failpoint("outbox.planned")
            return len(notices)

        return await self._session.run(work)

    async def take(self, tenant: str, channel: str, *, lease: float, collecting: Collecting) -> Message | None:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> Message | None:
            head = await connection.fetchval(sql.AGAIN, tenant, channel, lease)
            if head is None:
                head = await _form(connection, tenant, channel, lease, collecting)
            if head is None:
                return None
            failpoint("outbox.taken")
            told = tuple(_delivery(row) for row in await connection.fetch(sql.MESSAGE, head))
            return Message(next(one for one in told if one.id == head), told)

        return await self._session.run(work)

    async def settle(self, delivery: Delivery) -> bool:
        """See the port."""
        kept = storable(delivery)

        async def work(connection: asyncpg.Connection) -> bool:
            tag = await connection.execute(
                sql.SETTLE, kept.id, kept.attempts, str(kept.status), kept.error, kept.wait or 0.0, kept.down
            )
            if tag != "UPDATE 1":
                return False
            failpoint("outbox.settled")
            if kept.status is not DeliveryStatus.DUE:
                await connection.execute(sql.SETTLE_ALL, kept.id)
            return True

        return await self._session.run(work)

    async def dead(self, tenant: str, *, limit: int = 100) -> tuple[Delivery, ...]:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> tuple[Delivery, ...]:
            return tuple(_delivery(row) for row in await connection.fetch(sql.DEAD, tenant, limit))

        return await self._session.run(work)

    async def revive(self, tenant: str) -> int:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> int:
            revived: Any = await connection.fetchval(sql.REVIVE, tenant)
            return int(revived)

        return await self._session.run(work)

    async def standing(self, tenant: str) -> OutboxStanding:
        """See the port."""

        async def work(connection: asyncpg.Connection) -> OutboxStanding:
            row: Any = await connection.fetchrow(sql.STANDING, tenant)
            return OutboxStanding(due=row["due"], age=max(0.0, row["age"]), dead=row["dead"])

        return await self._session.run(work)


async def _form(
    connection: asyncpg.Connection, tenant: str, channel: str, lease: float, collecting: Collecting
) -> int | None:
    """Make a message of what waits for one of the addresses; its head."""
    looked_at: list[str] = []
    while (address := await connection.fetchval(sql.MAILBOX, tenant, channel, looked_at)) is not None:
        waiting: Any = await connection.fetchrow(sql.WAITING, tenant, channel, address)
        if not waiting["down"] and waiting["messages"] < collecting.waiting:
            head: int | None = await connection.fetchval(sql.FORM, tenant, channel, address, collecting.most, lease)
            if head is not None:
                await connection.execute(sql.COLLECT, tenant, channel, address, collecting.first, collecting.interval)
                return head
        looked_at.append(address)
    return None


def _delivery(row: Mapping[str, Any]) -> Delivery:
    values = {name: row[name] for name in Delivery.__struct_fields__ if name != "wait"}
    run_id = None if row["run_id"] is None else UUID(int=row["run_id"].int)
    return Delivery(**{**values, "run_id": run_id, "status": DeliveryStatus(row["status"])})
