"""What is due to be told, in memory."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from ...application.ports.outbox import OutboxStanding, Route
from ...domain.collecting import Collecting, Message
from ...domain.delivery import PLAN_WITHIN, SAID_LIMIT, Delivery, DeliveryStatus
from ...domain.incident import IncidentKind
from ...domain.notify_rules import DueNotice, Recipient
from ...domain.storable import storable
from .database import MemoryDelivery, MemoryMailbox, MemoryNotice, MemoryRunLogDatabase


class MemoryOutbox:
    """:class:`~kubescribe.application.ports.outbox.Outbox` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database

    async def plan(self, tenant: str, route: Route | None) -> int:
        """See the port."""
        planned = 0
        with self._database.transaction():
            now = self._database.now()
            for kept in self._due_notices(tenant):
                if (now - kept.created_at).total_seconds() > PLAN_WITHIN:
                    kept.status = "expired"
                elif route is not None:
                    planned += 1
                    to = route(_due(kept, now))
                    kept.status = "planned" if to else "silent"
                    for recipient in to:
                        self._add(kept, recipient, now)
        return planned

    async def take(self, tenant: str, channel: str, *, lease: float, collecting: Collecting) -> Message | None:
        """See the port."""
        with self._database.transaction():
            now = self._database.now()
            mine = sorted(self._due(tenant), key=lambda kept: (kept.delivery.notice_id, kept.delivery.id))
            mine = [kept for kept in mine if kept.delivery.channel == channel]
            parts = self._again(mine, now) or self._form(tenant, channel, mine, now, collecting)
            if not parts:
                return None
            head = next(kept for kept in parts if kept.lead == kept.delivery.id)
            head.delivery = msgspec.structs.replace(head.delivery, attempts=head.delivery.attempts + 1)
            head.next_at = now + timedelta(seconds=lease)
            told = tuple(self._seen(tenant, kept.delivery, now) for kept in parts)
            return Message(self._seen(tenant, head.delivery, now), told)

    async def settle(self, delivery: Delivery) -> bool:
        """See the port."""
        delivery = storable(delivery)
        with self._database.transaction():
            kept = self._database.deliveries[delivery.id - 1]
            if kept.delivery.status is not DeliveryStatus.DUE:
                return False
            if delivery.status is not DeliveryStatus.SENT and kept.delivery.attempts != delivery.attempts:
                return False
            told = {name: getattr(delivery, name) for name in ("status", "error", "wait", "down")}
            kept.delivery = msgspec.structs.replace(kept.delivery, **told)
            kept.next_at = self._database.now() + timedelta(seconds=delivery.wait or 0.0)
            if delivery.status is not DeliveryStatus.DUE:
                told["attempts"] = kept.delivery.attempts
                for one in self._database.deliveries:
                    if one.lead == delivery.id and one.delivery.status is DeliveryStatus.DUE:
                        one.delivery = msgspec.structs.replace(one.delivery, **told)
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
                kept.delivery = msgspec.structs.replace(kept.delivery, status=DeliveryStatus.DUE, attempts=0)
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

    def _again(self, mine: list[MemoryDelivery], now: datetime) -> list[MemoryDelivery]:
        """What was tried before, and is due once more."""
        heads = [kept for kept in mine if kept.lead == kept.delivery.id and kept.next_at <= now]
        for head in sorted(heads, key=lambda kept: kept.delivery.id):
            one = head.delivery
            if not any(
                kept.lead is not None
                and kept.lead < one.id
                and (kept.delivery.address, kept.delivery.pipeline) == (one.address, one.pipeline)
                for kept in mine
            ):
                return [kept for kept in mine if kept.lead == one.id]
        return []

    def _form(
        self, tenant: str, channel: str, mine: list[MemoryDelivery], now: datetime, collecting: Collecting
    ) -> list[MemoryDelivery]:
        """A message of what waits for one address."""
        for address in dict.fromkeys(kept.delivery.address for kept in mine if kept.lead is None):
            box = self._database.mailboxes[tenant, channel, address]
            here = [kept for kept in mine if kept.delivery.address == address]
            heads = [kept for kept in here if kept.lead == kept.delivery.id]
            if box.opens_at > now or any(kept.delivery.down for kept in heads) or len(heads) >= collecting.waiting:
                continue
            blocked = {kept.delivery.pipeline for kept in here if kept.lead is not None}
            chosen: list[MemoryDelivery] = []
            for kept in here:
                if kept.lead is None and kept.delivery.pipeline not in blocked:
                    if kept.next_at > now:
                        blocked.add(kept.delivery.pipeline)
                    elif len(chosen) < collecting.most:
                        chosen.append(kept)
            if chosen:
                # What is about no pipeline is a message of its own.
                general = chosen[0].delivery.pipeline == ""
                chosen = [kept for kept in chosen if (kept.delivery.pipeline == "") is general]
                for kept in chosen:
                    kept.lead = chosen[0].delivery.id
                gap = collecting.first if now > box.quiet_at else collecting.interval
                box.opens_at = now + timedelta(seconds=gap)
                box.quiet_at = box.opens_at + timedelta(seconds=collecting.interval)
                return chosen
        return []

    def _seen(self, tenant: str, delivery: Delivery, now: datetime) -> Delivery:
        run = None if delivery.run_id is None else self._database.runs.get(delivery.run_id)
        incident = None
        if delivery.incident_id is not None:
            incident = self._database.incidents.get((tenant, delivery.incident_id))
        message = None if run is None else run.message
        if incident is not None and (message is None or incident.kind is not IncidentKind.FAILING):
            message = incident.why
        return msgspec.structs.replace(
            delivery,
            age=(now - delivery.created_at).total_seconds(),
            trouble=None if incident is None else incident.kind.value,
            cause=None if run is None or run.cause is None else run.cause.value,
            said=None if message is None else message[:SAID_LIMIT],
        )

    def _add(self, kept: MemoryNotice, recipient: Recipient, now: datetime) -> None:
        deliveries = self._database.deliveries
        made = {(one.delivery.notice_id, one.delivery.channel, one.delivery.address) for one in deliveries}
        if (kept.id, recipient.channel, recipient.address) in made:
            return
        delivery = Delivery(
            id=len(deliveries) + 1,
            notice_id=kept.id,
            kind=kept.notice.kind,
            run_id=kept.notice.run_id,
            incident_id=kept.notice.incident_id,
            pipeline=kept.notice.pipeline,
            channel=recipient.channel,
            address=recipient.address,
            created_at=kept.created_at,
            since=kept.since,
            failures=kept.failures,
        )
        next_at = now + timedelta(seconds=recipient.wait)
        deliveries.append(MemoryDelivery(delivery=delivery, tenant=kept.notice.tenant, next_at=next_at))
        long_ago = now - timedelta(days=1)
        self._database.mailboxes.setdefault(
            (kept.notice.tenant, recipient.channel, recipient.address),
            MemoryMailbox(opens_at=long_ago, quiet_at=long_ago),
        )

    def _due_notices(self, tenant: str) -> list[MemoryNotice]:
        return [kept for kept in self._database.notices if (kept.status, kept.notice.tenant) == ("due", tenant)]

    def _due(self, tenant: str) -> list[MemoryDelivery]:
        return self._in(tenant, DeliveryStatus.DUE)

    def _dead(self, tenant: str) -> list[MemoryDelivery]:
        return self._in(tenant, DeliveryStatus.DEAD)

    def _in(self, tenant: str, status: DeliveryStatus) -> list[MemoryDelivery]:
        return [kept for kept in self._database.deliveries if kept.tenant == tenant and kept.delivery.status is status]


def _due(kept: MemoryNotice, now: datetime) -> DueNotice:
    return DueNotice(
        id=kept.id,
        kind=kept.notice.kind,
        pipeline=kept.notice.pipeline,
        tenant=kept.notice.tenant,
        failures=kept.failures,
        now=now,
    )
