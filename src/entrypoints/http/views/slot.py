"""A slot of the ledger."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from ....domain.slot import Slot


class SlotView(msgspec.Struct, frozen=True, kw_only=True):
    """One expected execution, and what became of it. Times are UTC."""

    id: UUID
    pipeline: str
    logical: str
    """What the schedule means by it: once for a pipeline, whatever the clocks show."""
    at: datetime
    window_ends: datetime
    """A run that begins later is late."""
    oddity: str | None
    """``fold`` or ``gap``: how a clock change has made it what it is."""
    verdict: str | None
    """``ran``, ``late``, ``skipped`` or ``missed``; null: it is still to come, or may come."""
    late_by: float | None
    """Seconds from ``at`` until its run began."""
    reason: str | None
    """Why it was skipped or missed."""
    detail: str | None
    run: UUID | None
    decided_at: datetime | None

    @classmethod
    def of(cls, slot: Slot) -> SlotView:
        """The view of a slot."""
        same = {name: getattr(slot, name) for name in cls.__struct_fields__ if name != "run"}
        return cls(**same, run=slot.run_id)
