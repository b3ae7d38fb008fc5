"""The chain of events, for who seals it and who checks it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from ...domain.event_chain import Anchor, Link


class Unsealed(msgspec.Struct, frozen=True, kw_only=True):
    """Events that wait for their seal; a sealer that works leaves none for longer than a few seconds."""

    events: int
    """At most ``UNSEALED_LIMIT``: more are not counted."""
    oldest: datetime | None = None
    age: float = 0.0
    """Seconds since the oldest was written, by the database's clock."""


UNSEALED_LIMIT = 10_000


class EventChain(Protocol):
    """Seals and reads the events of each tenant. Raises ``DatabaseUnavailable`` when RunLog is away."""

    async def tenants(self) -> tuple[str, ...]:
        """Every tenant that has an event, sealed or not."""
        ...

    async def seal(self, *, limit: int = 1000) -> int:
        """Seal up to ``limit`` events of each tenant; how many were sealed.

        What is sealed is whatever has been committed and has no seal, in the order of ``seq`` among itself: an event
        whose transaction took long is sealed later, and none is passed over. One sealer at a time for a tenant; of
        several, each seals what the others have not, and a crash of one leaves everything or nothing sealed.
        """
        ...

    async def links(self, tenant: str, *, after: int | None = None, limit: int = 1000) -> tuple[Link, ...]:
        """Sealed events by position, strictly after ``after`` (None: all, however low their position is)."""
        ...

    async def unsealed(self, tenant: str) -> Unsealed:
        """What waits for its seal."""
        ...

    async def head(self, tenant: str) -> Anchor | None:
        """The last link of the chain, now; None where nothing is sealed."""
        ...

    async def anchors(self, tenant: str) -> tuple[Anchor, ...]:
        """The anchors that were sent, the newest first, at most 1,000; ``at`` is when they were."""
        ...

    async def anchored(self, anchor: Anchor, sent_to: str) -> None:
        """Keep that the anchor was sent to somewhere outside."""
        ...
