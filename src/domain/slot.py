"""A slot: one expected execution of a scheduled pipeline, and what became of it (DESIGN section 1, promise 6)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

import msgspec

from .actor import RECONCILER
from .event import Event
from .tenant import DEFAULT_TENANT, Tenant

DETAIL_LIMIT = 1000
"""The most characters of a slot's detail."""

_SLOTS = UUID("6f1d0c5e-8a0b-5e0f-9d5a-2f6f1c7f3b11")
"""Never changes: the ids of slots, and of the runs that are made for them, are derived from it."""


class SlotVerdict(StrEnum):
    """What became of a slot. Before it has one it is expected, or its window has not closed."""

    RAN = "ran"
    """A run of it began within its window, however it ended."""

    LATE = "late"
    """A run of it began, after its window had closed."""

    SKIPPED = "skipped"
    """There was nothing to do, and somebody had decided so."""

    MISSED = "missed"
    """Nothing ran, and nobody had decided so. It becomes LATE, RAN or SKIPPED where a run comes after all."""


class SlotReason(StrEnum):
    """Why a slot was skipped or missed."""

    PAUSED = "paused"
    """Skipped: its pipeline was paused; the detail says by whom and why."""

    CONCURRENCY = "concurrency"
    """Skipped: another run of the pipeline was at work."""

    DST = "dst"
    """Skipped: the clock was changed, and the pipeline's rule lets this one go by."""

    SUPERSEDED = "superseded"
    """Skipped: a newer slot of its report was published already."""

    CANCELLED = "cancelled"
    """Skipped: somebody cancelled its run before that began."""

    SUSPENDED_OUTSIDE = "suspended_outside"
    """Missed: its CronJob is suspended, and not by a pause of ours."""

    CONTROLLER_AWAY = "controller_away"
    """Missed: what fires slots did not."""

    NOT_INSTALLED = "not_installed"
    """Missed: the cluster has no CronJob of the pipeline, or one with another schedule."""

    QUOTA = "quota"
    """Missed: a quota or a limit refused its Job or its pod."""

    ADMISSION = "admission"
    """Missed: the cluster's admission refused its Job or its pod."""

    IMAGE = "image"
    """Missed: its image could not be pulled."""

    UNSCHEDULABLE = "unschedulable"
    """Missed: no node took its pod in time."""

    NOT_STARTED = "not_started"
    """Missed so far: there is a run, and nothing has begun it."""

    NOT_LAUNCHED = "not_launched"
    """Missed: its run ended before it began, for the cause that the run has."""

    NOT_KNOWN = "not_known"
    """Missed: what there is to look at does not say why."""


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the ledger. Times are aware."""

    id: UUID
    """Of :func:`slot_id`. A run that KubeScribe itself makes for the slot has this id, so there is one at most."""
    tenant: Tenant = DEFAULT_TENANT
    pipeline: str
    logical: str
    """Its key: once for a pipeline, whatever the clocks show."""
    at: datetime
    window_ends: datetime
    """A run that begins later is late."""
    oddity: str | None = None
    """``fold`` or ``gap``: how a clock change has made it what it is; None: none has."""
    expected: bool = True
    """False: the pipeline's rule for clock changes lets it go by."""
    verdict: SlotVerdict | None = None
    late_by: float | None = None
    """Seconds from ``at`` until its run began; None where none has."""
    reason: SlotReason | None = None
    detail: str | None = None
    """For people."""
    run_id: UUID | None = None
    decided_at: datetime | None = None
    told: bool = False
    """Whether a missed one has been turned into something that somebody is told."""


class SlotState(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a slot that a verdict writes."""

    verdict: SlotVerdict | None
    late_by: float | None = None
    reason: SlotReason | None = None
    detail: str | None = None
    run_id: UUID | None = None


def slot_id(tenant: Tenant, pipeline: str, logical: str) -> UUID:
    """The slot's id: the same wherever and however often it is made."""
    return uuid5(_SLOTS, f"{tenant}/{pipeline}/{logical}")


def state_of(slot: Slot) -> SlotState:
    """What the slot says now."""
    return SlotState(**{name: getattr(slot, name) for name in SlotState.__struct_fields__})


def decided_event(slot: Slot, after: SlotState, at: datetime) -> Event:
    """The event of a verdict, or of a verdict's change."""
    what = after.verdict.value if after.verdict is not None else "reopened"
    data: dict[str, Any] = {"slot": slot.at.isoformat(), "logical": slot.logical}
    return Event(
        subject=f"pipeline:{slot.pipeline}",
        kind=f"slot.{what}",
        actor=RECONCILER,
        at=at,
        tenant=slot.tenant,
        data=data,
        before=_told(state_of(slot)) if slot.verdict is not None else None,
        after=_told(after),
    )


def _told(state: SlotState) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(state)
    return told
