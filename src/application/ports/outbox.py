"""What is due to be told, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from ...domain.collecting import Collecting, Message
from ...domain.delivery import Delivery
from ...domain.notify_rules import DueNotice, Recipient

Route = Callable[[DueNotice], tuple[Recipient, ...]]
"""Who is told of a notice; asked within the transaction, perhaps twice, so it has to be a pure function."""


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

    async def plan(self, tenant: str, route: Route | None) -> int:
        """Make the deliveries of each notice that nobody has been chosen for; how many notices were planned.

        With None, as no channel is set, nothing is planned; a notice that the route leads to nobody is done with. What
        waited for longer than ``PLAN_WITHIN`` expires: nobody is told. One sender plans at a time, another gets 0.
        """
        ...

    async def take(self, tenant: str, channel: str, *, lease: float, collecting: Collecting) -> Message | None:
        """The next message that is due on the channel, its try counted, and nobody else's for ``lease`` seconds.

        What was tried before has the notices that it had. Else it is made of all that waits for an address, the oldest
        first, as far as ``collecting`` allows; but what follows a notice of the same pipeline to the same address that
        was taken and not settled waits for that, and while a message waits because the channel is down no other is
        made. What is about no pipeline (its name is empty) is in a message of its own. None: nothing is due now. The
        count is on record before this returns.
        """
        ...

    async def settle(self, delivery: Delivery) -> bool:
        """Keep what :func:`~kubescribe.domain.delivery.after` says of a message's head, for all that is in it.

        False where somebody else took it meanwhile.

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
