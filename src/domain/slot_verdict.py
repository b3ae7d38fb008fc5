"""What a slot's run says of the slot. What says something where there is no run is the application's to ask."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from .failure import FailureCause, SkipReason
from .run_status import RunStatus
from .slot import DETAIL_LIMIT, Slot, SlotReason, SlotState, SlotVerdict
from .storable import storable_text

WAITS = timedelta(seconds=60)
"""How long a slot waits after its window, or after the run came, for a run that is there and that nothing has begun."""
_SETTLED = timedelta(seconds=30)
"""A run that was passed over by its own supervisor is known to be so after so long."""


class SlotRun(msgspec.Struct, frozen=True, kw_only=True):
    """What matters of a slot's run: of several the one that began first, else the newest."""

    id: UUID
    status: RunStatus
    created_at: datetime
    started_at: datetime | None = None
    cause: FailureCause | None = None
    skip_reason: SkipReason | None = None
    message: str | None = None


def verdict_of(slot: Slot, run: SlotRun, now: datetime) -> SlotState | None:
    """What the run makes of the slot at ``now``; None: it is too early to say."""
    if run.status is RunStatus.SKIPPED:
        reason = SlotReason(run.skip_reason) if run.skip_reason else SlotReason.NOT_KNOWN
        return _state(SlotVerdict.SKIPPED, run, reason, run.message)
    if run.started_at is not None:
        open_, young = not run.status.terminal, now - run.started_at < _SETTLED
        if open_ and young and now < slot.window_ends:
            return None
        late_by = max(0.0, (run.started_at - slot.at).total_seconds())
        late = run.started_at > slot.window_ends
        state = _state(SlotVerdict.LATE if late else SlotVerdict.RAN, run, None, None)
        return msgspec.structs.replace(state, late_by=late_by)
    if run.status is RunStatus.CANCELLED:
        return _state(SlotVerdict.SKIPPED, run, SlotReason.CANCELLED, run.message)
    if run.status.terminal:
        return _state(SlotVerdict.MISSED, run, _reason_of(run), run.message)
    # A run that comes after the window, as of a Job that is created late, is given the same time to begin.
    if now < max(slot.window_ends, run.created_at) + WAITS:
        return None
    why = f"run {run.id} of it is {run.status}, and nothing has begun it"
    return _state(SlotVerdict.MISSED, run, SlotReason.NOT_STARTED, f"{why}: {run.message}" if run.message else why)


def _reason_of(run: SlotRun) -> SlotReason:
    if run.cause is FailureCause.CONFIG_ERROR and "can make no pod" in (run.message or ""):
        return SlotReason.ADMISSION
    return _REASONS.get(run.cause or FailureCause.UNKNOWN, SlotReason.NOT_LAUNCHED)


_REASONS = {
    FailureCause.IMAGE_PULL: SlotReason.IMAGE,
    FailureCause.QUOTA_EXCEEDED: SlotReason.QUOTA,
    FailureCause.UNSCHEDULABLE: SlotReason.UNSCHEDULABLE,
    FailureCause.UNKNOWN: SlotReason.NOT_KNOWN,
}


def _state(verdict: SlotVerdict, run: SlotRun, reason: SlotReason | None, detail: str | None) -> SlotState:
    told = None if detail is None else storable_text(detail, DETAIL_LIMIT)
    return SlotState(verdict=verdict, reason=reason, detail=told, run_id=run.id)
