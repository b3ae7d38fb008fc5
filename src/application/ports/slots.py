"""The ledger of slots."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from ...domain.slot import Slot, SlotState, SlotVerdict
from ...domain.slot_verdict import SlotRun
from ...domain.tenant import DEFAULT_TENANT, Tenant

Key = tuple[Tenant, str]
"""A pipeline of a tenant."""


class PlanSource(StrEnum):
    """Who says when a pipeline is due."""

    DECLARED = "declared"
    """Its declaration."""

    CLUSTER = "cluster"
    """A CronJob with its label; nobody has declared it here."""


class SlotPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How far the slots of a pipeline are in the ledger."""

    tenant: Tenant
    pipeline: str
    source: PlanSource
    rule: str
    """What they were worked out from; another rule makes other slots."""
    planned_until: datetime


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """Slots to come of one pipeline."""

    plan: SlotPlan
    slots: tuple[Slot, ...]
    anew: bool = False
    """First those go that are ahead of the database's clock and have no verdict: the rule has changed."""


class Plans(msgspec.Struct, frozen=True, kw_only=True):
    """How far all are, and the database's clock."""

    now: datetime
    plans: dict[Key, SlotPlan]


class OpenSlot(msgspec.Struct, frozen=True, kw_only=True):
    """A slot whose time has come, without a verdict, and what RunLog knows of it."""

    slot: Slot
    run: SlotRun | None = None
    paused: str | None = None
    """The pause that held at its time, for people; None: none did. Only where there is no run."""
    beside: UUID | None = None
    """A run of the pipeline that was at work through its whole window. Only where that has closed without a run."""


class OpenSlots(msgspec.Struct, frozen=True, kw_only=True):
    """Those that are open, oldest first."""

    now: datetime
    """By the database's clock."""
    slots: tuple[OpenSlot, ...]


class ComeRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a slot which may change what the ledger says."""

    tenant: Tenant
    pipeline: str
    at: datetime
    """The run's slot."""
    slot: Slot | None
    """None: the ledger has not expected it."""
    run: SlotRun


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict to write."""

    slot: Slot
    """As it was read."""
    after: SlotState


class SlotFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which slots of one tenant; None means any."""

    tenant: Tenant = DEFAULT_TENANT
    pipeline: str | None = None
    verdicts: tuple[SlotVerdict, ...] | None = None
    since: datetime | None = None
    """At this moment or later."""
    until: datetime | None = None
    """Before this moment."""
    newest_first: bool = False


class SlotPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of slots by ``(at, id)``, and where the next one begins (None: this is the last)."""

    slots: tuple[Slot, ...]
    next: tuple[datetime, UUID] | None = None


class Slots(Protocol):
    """What is expected of schedules, and what became of it. Raises ``DatabaseUnavailable`` when RunLog is away.

    Right with any number of watchers at once: a slot is made once for its key, and a verdict is written only where the
    slot still is as it was read.
    """

    async def plans(self) -> Plans:
        """How far the slots of each pipeline are in the ledger, of all tenants."""
        ...

    async def plan(self, planned: Sequence[Planned], *, gone: Collection[Key] = (), strays: Sequence[Slot] = ()) -> int:
        """Add the slots that are not there, and keep how far they go; how many were added. All or nothing.

        Of pipelines that are ``gone``, the slots ahead without a verdict go, and their plans. ``strays``: slots that
        nobody has expected, and that have a run.
        """
        ...

    async def open(self, *, limit: int = 1000) -> OpenSlots:
        """The slots without a verdict whose time has come, oldest first."""
        ...

    async def come(self, within: float) -> tuple[ComeRun, ...]:
        """Runs of the last so many seconds for slots that the ledger has not expected, has as missed or as skipped.

        And, whenever they were made: those that were skipped in that time, and those for which a slot was said to wait.
        At most 1,000, the oldest slots first; rehearsals are none.
        """
        ...

    async def decide(self, decisions: Sequence[Decision]) -> tuple[Slot, ...]:
        """Write verdicts, each with its event, in one transaction; the slots as they are then.

        Left out are those whose verdict is not what it was when they were read.
        """
        ...

    async def due(self, tenant: Tenant = DEFAULT_TENANT, *, gaps: bool = False, limit: int = 100) -> tuple[Slot, ...]:
        """The slots that are expected, whose window is open, and that have neither verdict nor pause nor run; oldest
        first. ``gaps``: only those of times that a clock jumps over."""
        ...

    async def find(self, which: SlotFilter, *, limit: int = 50, after: tuple[datetime, UUID] | None = None) -> SlotPage:
        """A page, strictly after the key given; rising, or falling where ``newest_first``."""
        ...
