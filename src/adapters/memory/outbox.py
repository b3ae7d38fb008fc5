"""What is due to be told, in memory."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from ...application.ports.outbox import OutboxStanding, Recipients
from ...domain.delivery import PLAN_WITHIN, Delivery, DeliveryStatus
from ...domain.incident import GREW
from ...domain.storable import storable
from .database import MemoryDelivery, MemoryNotice, MemoryRunLogDatabase


class MemoryOutbox:
    """:class:`~kubescribe.application.ports.outbox.Outbox` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database

    async def plan(self, tenant: str, recipients: Recipients) -> int:
        """See the port."""
        planned = 0
        with self._database.transaction():
            now = self._database.now()
            for kept in self._due_notices(tenant):
                if (now - kept.created_at).total_seconds() > PLAN_WITHIN:
                    kept.status = "expired"
                elif recipients:
                    kept.status = "planned"
                    planned += 1
                    # That one that is known of has grown is on record, and no message.
                    for channel, address in recipients if kept.notice.kind != GREW else ():
                        self._add(kept, channel, address, now)
        return planned

    async def take(self, tenant: str, channel: str, *, lease: float) -> Delivery | None:
        """See the port."""
        with self._database.transaction():
            now = self._database.now()
            seen: set[tuple[str, str]] = set()
            for kept in sorted(self._due(tenant), key=lambda kept: (kept.delivery.notice_id, kept.delivery.id)):
                one = kept.delivery
                if one.channel != channel:
                    continue
                follows = (one.address, one.pipeline) in seen
                seen.add((one.address, one.pipeline))
                if follows or kept.next_at > now:
                    continue
                kept.delivery = msgspec.structs.replace(one, attempts=one.attempts + 1)
                kept.next_at = now + timedelta(seconds=lease)
                return msgspec.structs.replace(kept.delivery, age=(now - one.created_at).total_seconds())
        return None

    async def settle(self, delivery: Delivery) -> bool:
        """See the port."""
        delivery = storable(delivery)
        with self._database.transaction():
            kept = self._database.deliveries[delivery.id - 1]
            if kept.delivery.status is not DeliveryStatus.DUE:
                return False
            if delivery.status is not DeliveryStatus.SENT and kept.delivery.attempts != delivery.attempts:
                return False
            kept.delivery = msgspec.structs.replace(
                kept.delivery, status=delivery.status, error=delivery.error, wait=delivery.wait
            )
            if delivery.status is DeliveryStatus.DUE:
                kept.next_at = self._database.now() + timedelta(seconds=delivery.wait or 0.0)
        return True

    async def dead(self, tenant: str, *, limit: int = 100) -> tuple[Delivery, ...]:
        """See the port."""
        with self._database.transaction():
            return tuple(kept.delivery for kept in reversed(self._dead(tenant)))[:limit]

    async def revive(self, tenant: str) -> int:
        """See the port."""
        with self._database.transaction():
            dead, now = self._dead(tenant), self._database.now()
            for kept in dead:
                kept.delivery = msgspec.structs.replace(
                    kept.delivery, status=DeliveryStatus.DUE, created_at=now, attempts=0
                )
                kept.next_at = now
        return len(dead)

    async def standing(self, tenant: str) -> OutboxStanding:
        """See the port."""
        with self._database.transaction():
            now = self._database.now()
            written = [kept.created_at for kept in self._due_notices(tenant)]
            written += [kept.delivery.created_at for kept in self._due(tenant)]
            age = max(((now - time).total_seconds() for time in written), default=0.0)
            return OutboxStanding(due=len(written), age=max(0.0, age), dead=len(self._dead(tenant)))

    def _add(self, kept: MemoryNotice, channel: str, address: str, now: datetime) -> None:
        deliveries = self._database.deliveries
        made = {(one.delivery.notice_id, one.delivery.channel, one.delivery.address) for one in deliveries}
        if (kept.id, channel, address) in made:
            return
        delivery = Delivery(
            id=len(deliveries) + 1,
            notice_id=kept.id,
            kind=kept.notice.kind,
            run_id=kept.notice.run_id,
            incident_id=kept.notice.incident_id,
            pipeline=kept.notice.pipeline,
            channel=channel,
            address=address,
            created_at=kept.created_at,
            since=kept.since,
            failures=kept.failures,
        )
        deliveries.append(MemoryDelivery(delivery=delivery, tenant=kept.notice.tenant, next_at=now))

    def _due_notices(self, tenant: str) -> list[MemoryNotice]:
        return [kept for kept in self._database.notices if (kept.status, kept.notice.tenant) == ("due", tenant)]

    def _due(self, tenant: str) -> list[MemoryDelivery]:
        return self._in(tenant, DeliveryStatus.DUE)

    def _dead(self, tenant: str) -> list[MemoryDelivery]:
        return self._in(tenant, DeliveryStatus.DEAD)

    def _in(self, tenant: str, status: DeliveryStatus) -> list[MemoryDelivery]:
        return [kept for kept in self._database.deliveries if kept.tenant == tenant and kept.delivery.status is status]
