"""What is due to be told, and what became of it."""

from __future__ import annotations

from typing import Protocol

import msgspec

from ...domain.delivery import Delivery

Recipients = tuple[tuple[str, str], ...]
"""Channel and address of each."""


class OutboxStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How much waits."""

    due: int
    """Notices and deliveries that are to be sent; at most 10,000 are counted."""
    age: float
    """Seconds since the oldest of them was written."""
    dead: int
    """Deliveries that were given up, and that nobody has looked after; at most 10,000 are counted."""


class Outbox(Protocol):
    """The notices of one tenant at a time. Raises ``DatabaseUnavailable``.

    Rows are found by their status and never by "newer than the last", so that none is passed over whose transaction
    took long. Any number of senders may work at once; a delivery is with one of them until its lease is over.
    """

    async def plan(self, tenant: str, recipients: Recipients) -> int:
        """Make a delivery to each recipient for each notice that has none yet; how many notices were planned.

        Without recipients nothing is planned. What waited for longer than ``PLAN_WITHIN`` expires: nobody is told.
        """
        ...

    async def take(self, tenant: str, channel: str, *, lease: float) -> Delivery | None:
        """The next delivery that is due on the channel, with ``attempts`` counted up and nobody else's for ``lease``.

        The oldest first. One that follows another of the same pipeline to the same address waits until that is settled.
        None: nothing is due now. The count is on record before this returns.
        """
        ...

    async def settle(self, delivery: Delivery) -> bool:
        """Keep what :func:`~kubescribe.domain.delivery.after` says; False where somebody else took it meanwhile.

        What was sent is kept as sent in any case.
        """
        ...

    async def dead(self, tenant: str, *, limit: int = 100) -> tuple[Delivery, ...]:
        """What was given up, the newest first."""
        ...

    async def revive(self, tenant: str) -> int:
        """Make everything that was given up due again; how many."""
        ...

    async def standing(self, tenant: str) -> OutboxStanding:
        """How much waits, cheap at any size."""
        ...
