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
    method: str | None
    """How it was asked for: ``cli``, or the route."""
    reason: str | None
    before: dict[str, Any] | None
    """What a change of state has changed."""
    after: dict[str, Any] | None
    at: datetime
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> EventView:
        """The view of an event."""
        same = {name: getattr(event, name) for name in cls.__struct_fields__ if name != "seq"}
        return cls(seq=event.seq or 0, **same)
