"""The chain of events, in memory."""

from __future__ import annotations

from ...application.ports.event_chain import UNSEALED_LIMIT, Unsealed
from ...domain.event import Event
from ...domain.event_chain import GENESIS, Anchor, Link, sealed
from .database import MemoryRunLogDatabase


class MemoryEventChain:
    """:class:`~kubescribe.application.ports.event_chain.EventChain` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database

    async def tenants(self) -> tuple[str, ...]:
        """See the port."""
        with self._database.transaction():
            return tuple(sorted({event.tenant for event in self._database.events}))

    async def seal(self, *, limit: int = 1000) -> int:
        """See the port."""
        total = 0
        with self._database.transaction():
            for tenant in sorted({event.tenant for event in self._database.events}):
                chain = self._database.chains.setdefault(tenant, [])
                head = (chain[-1].position, chain[-1].digest) if chain else (0, GENESIS)
                links = sealed(self._waiting(tenant)[:limit], position=head[0], digest=head[1])
                chain += links
                total += len(links)
        return total

    async def links(self, tenant: str, *, after: int | None = None, limit: int = 1000) -> tuple[Link, ...]:
        """See the port."""
        with self._database.transaction():
            chain = sorted(self._database.chains.get(tenant, []), key=lambda link: link.position)
            return tuple(link for link in chain if after is None or link.position > after)[:limit]

    async def unsealed(self, tenant: str) -> Unsealed:
        """See the port."""
        with self._database.transaction():
            waiting = self._waiting(tenant)[:UNSEALED_LIMIT]
            oldest = min((event.at for event in waiting), default=None)
            age = 0.0 if oldest is None else max(0.0, (self._database.now() - oldest).total_seconds())
            return Unsealed(events=len(waiting), oldest=oldest, age=age)

    async def head(self, tenant: str) -> Anchor | None:
        """See the port."""
        with self._database.transaction():
            chain = self._database.chains.get(tenant)
            if not chain:
                return None
            last = max(chain, key=lambda link: link.position)
            return Anchor(tenant=tenant, position=last.position, digest=last.digest.hex(), at=self._database.now())

    async def anchors(self, tenant: str) -> tuple[Anchor, ...]:
        """See the port."""
        with self._database.transaction():
            return tuple(anchor for anchor, _ in reversed(self._database.anchors) if anchor.tenant == tenant)[:1000]

    async def anchored(self, anchor: Anchor, sent_to: str) -> None:
        """See the port."""
        kept = Anchor(tenant=anchor.tenant, position=anchor.position, digest=anchor.digest, at=self._database.now())
        with self._database.transaction():
            self._database.anchors.append((kept, sent_to))

    def _waiting(self, tenant: str) -> list[Event]:
        done = {link.event.seq for link in self._database.chains.get(tenant, [])}
        return [event for event in self._database.events if event.tenant == tenant and event.seq not in done]
