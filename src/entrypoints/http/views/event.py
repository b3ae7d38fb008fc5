"""An event of the audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from ....domain.event import Event


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, and when."""

    seq: int
    subject: str
    kind: str
    actor: str
    at: datetime
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> EventView:
        """The view of an event."""
        return cls(
            seq=event.seq or 0,
            subject=event.subject,
            kind=event.kind,
            actor=event.actor,
            at=event.at,
            data=event.data,
        )
