"""What becomes of one message to one address: from due to sent, or given up."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

import msgspec

FIRST_WAIT = 30.0
"""Seconds from the first failed try to the second."""
LONGEST_WAIT = 900.0
"""Seconds between two tries at most: so soon a server that is back gets what waited for it."""
GIVE_UP_AFTER = 3 * 86_400.0
"""Seconds of tries after which a message that nobody took is given up. What waits for its hours, behind another message
or for a sender to be there is not tried meanwhile, so that its age says nothing."""
PLAN_WITHIN = 7 * 86_400.0
"""Seconds within which somebody has to be configured to whom a notice can go; older ones expire."""
ERROR_LIMIT = 500
SAID_LIMIT = 300
"""Characters of :attr:`Delivery.said`."""


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    DUE = "due"
    """It is to be sent at ``next_at``. A sender that dies leaves it so, and it is sent again after its lease."""

    SENT = "sent"
    """The channel has taken it."""

    DEAD = "dead"
    """Given up: refused for good, or tried in vain for too long. Somebody should look; it can be made due again."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one address."""

    id: int
    notice_id: int
    """Its outbox row."""
    kind: str
    """``incident.opened``, ``incident.recovered``; older releases: ``run.failed``, ``run.lost``, ``run.recovered``.
    """
    run_id: UUID | None = None
    """None: it is about no run."""
    incident_id: int | None = None
    """None: an older release wrote it."""
    pipeline: str
    channel: str
    """``email``, ``slack``."""
    address: str
    """An address, or the name of what stands for one; never a secret."""
    created_at: datetime
    """When the notice was written, by the database's clock."""
    since: datetime | None = None
    """Since when the problem is there, or was until it ended."""
    failures: int = 1
    """How many failures, missed slots or broken promises there were since then."""
    trouble: str | None = None
    """What kind of incident it is about; None: an older release wrote it."""
    cause: str | None = None
    """Why the run failed, in a word."""
    said: str | None = None
    """What the run said when it failed, or what the incident is about; its beginning."""
    status: DeliveryStatus = DeliveryStatus.DUE
    attempts: int = 0
    """Tries, the present one included."""
    age: float = 0.0
    """Seconds since the notice was written."""
    error: str | None = None
    """Why the last try failed."""
    down: bool = False
    """The last try failed because of the channel: another message to the address would have fared no better."""
    wait: float | None = None
    """Seconds until the next try; None: there is none, or it has not been decided."""

    @property
    def message_id(self) -> str:
        """The same at every try: who gets it twice can tell. No other RunLog's, which counts from 1 as well."""
        if self.run_id is not None:
            return f"{self.notice_id}.{self.run_id}"
        about = self.kind if self.incident_id is None else f"incident-{self.incident_id}"
        return f"{self.notice_id}.{about}.{_moment(self.created_at)}"


class Taken(msgspec.Struct, frozen=True):
    """The channel has taken the message."""


class Refused(msgspec.Struct, frozen=True):
    """The channel will never take the message."""

    why: str
    down: bool = False
    """The next message would fare no better."""


class Failed(msgspec.Struct, frozen=True):
    """The channel did not take the message, or it is not known whether it did."""

    why: str
    retry_after: float | None = None
    """Seconds that the channel asked to wait."""
    down: bool = False
    """It is the channel's trouble, and not this message's."""


Answer = Taken | Refused | Failed


def after(delivery: Delivery, answer: Answer) -> Delivery:
    """The delivery after a try was answered. What is not due stays as it is."""
    if delivery.status is not DeliveryStatus.DUE:
        return delivery
    if isinstance(answer, Taken):
        return msgspec.structs.replace(delivery, status=DeliveryStatus.SENT, error=None, wait=None)
    error = answer.why[:ERROR_LIMIT]
    if isinstance(answer, Refused) or tried_for(delivery.attempts) >= GIVE_UP_AFTER:
        return msgspec.structs.replace(delivery, status=DeliveryStatus.DEAD, error=error, wait=None)
    wait = max(backoff(delivery.attempts, delivery.id), answer.retry_after or 0.0)
    return msgspec.structs.replace(delivery, error=error, wait=wait, down=answer.down)


def backoff(attempts: int, spread: int = 0) -> float:
    """Seconds to wait after so many tries: doubled each time, capped, a tenth spread so that not all come at once."""
    return _wait(attempts) * (1.0 - 0.1 * (spread * 7919 % 100) / 100)


def tried_for(attempts: int) -> float:
    """Seconds over which so many tries go, the spread left out."""
    return sum(map(_wait, range(1, min(attempts, 10_000))))


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _wait(attempts: int) -> float:
    return float(min(FIRST_WAIT * 2.0 ** min(max(attempts, 1) - 1, 20), LONGEST_WAIT))
