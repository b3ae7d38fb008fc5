"""The ledger of slots, in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from ...application.ports.slots import (
    ComeRun,
    Decision,
    Key,
    OpenSlot,
    OpenSlots,
    Planned,
    Plans,
    SlotFilter,
    SlotPage,
)
from ...domain.pause import was_paused
from ...domain.run import Run
from ...domain.run_mode import RunMode
from ...domain.run_status import RunStatus
from ...domain.slot import Slot, SlotReason, SlotVerdict, decided_event, state_of
from ...domain.slot_verdict import SlotRun
from ...domain.storable import storable
from ...domain.tenant import DEFAULT_TENANT, Tenant
from .database import MemoryRunLogDatabase

_FAR = datetime.max.replace(tzinfo=UTC)


class MemorySlots:
    """:class:`~kubescribe.application.ports.slots.Slots` over a :class:`MemoryRunLogDatabase`."""

    def __init__(self, database: MemoryRunLogDatabase) -> None:
        self._database = database

    async def plans(self) -> Plans:
        """See the port."""
        with self._database.transaction():
            return Plans(now=self._database.now(), plans=dict(self._database.slot_plans))

    async def plan(self, planned: Sequence[Planned], *, gone: Collection[Key] = (), strays: Sequence[Slot] = ()) -> int:
        """See the port."""
        with self._database.transaction():
            for key in gone:
                self._drop_ahead(key)
                self._database.slot_plans.pop(key, None)
            added = 0
            for one in planned:
                key = (one.plan.tenant, one.plan.pipeline)
                if one.anew:
                    self._drop_ahead(key)
                self._database.slot_plans[key] = one.plan
                added += sum(self._add(slot) for slot in one.slots)
            return added + sum(self._add(slot) for slot in strays)

    async def open(self, *, limit: int = 1000) -> OpenSlots:
        """See the port."""
        with self._database.transaction():
            now = self._database.now()
            waiting = [one for one in self._in_order() if one.verdict is None and one.at <= now]
            return OpenSlots(now=now, slots=tuple(self._open(slot, now) for slot in waiting[:limit]))

    async def come(self, within: float) -> tuple[ComeRun, ...]:
        """See the port."""
        with self._database.transaction():
            since = self._database.now() - timedelta(seconds=within)
            waits = {
                one.run_id
                for one in self._database.slots.values()
                if one.verdict is SlotVerdict.MISSED and one.reason is SlotReason.NOT_STARTED
            }
            named = {
                (run.slot, run.tenant, run.pipeline)
                for run in self._database.runs.values()
                if run.slot is not None and run.mode is RunMode.PUBLISH
                if run.created_at > since
                or run.id in waits
                or (run.status is RunStatus.SKIPPED and run.finished_at is not None and run.finished_at > since)
            }
            found = []
            for at, tenant, pipeline in sorted(named):
                run = self._run(tenant, pipeline, at)
                fits = [one for one in self._its(tenant, pipeline) if one.at == at]
                slot = min(fits, key=lambda one: (not one.expected, one.id), default=None)
                if run is None or (slot is not None and not _may_change(slot, run)):
                    continue
                found.append(ComeRun(tenant=tenant, pipeline=pipeline, at=at, slot=slot, run=run))
            return tuple(found[:1000])

    async def decide(self, decisions: Sequence[Decision]) -> tuple[Slot, ...]:
        """See the port."""
        with self._database.transaction():
            now, changed = self._database.now(), []
            for one in storable(tuple(decisions)):
                known = self._database.slots.get(one.slot.id)
                if known is None or known.verdict is not one.slot.verdict:
                    continue
                state = {name: getattr(one.after, name) for name in one.after.__struct_fields__}
                decided = None if one.after.verdict is None else now
                slot = msgspec.structs.replace(known, **state, decided_at=decided)
                self._database.slots[slot.id] = slot
                self._database.record(decided_event(one.slot, one.after, now))
                changed.append(slot)
            return tuple(sorted(changed, key=lambda one: (one.at, one.id)))

    async def due(self, tenant: Tenant = DEFAULT_TENANT, *, gaps: bool = False, limit: int = 100) -> tuple[Slot, ...]:
        """See the port."""
        with self._database.transaction():
            now = self._database.now()
            return tuple(
                one
                for one in self._in_order()
                if one.verdict is None and one.expected and one.at <= now < one.window_ends
                if one.tenant == tenant and (one.oddity == "gap" or not gaps)
                if self._paused_at(one) is None and self._run(one.tenant, one.pipeline, one.at) is None
            )[:limit]

    async def find(self, which: SlotFilter, *, limit: int = 50, after: tuple[datetime, UUID] | None = None) -> SlotPage:
        """See the port."""
        with self._database.transaction():
            slots = [one for one in self._in_order() if _fits(one, which)]
        if which.newest_first:
            slots.reverse()
        if after is not None:
            slots = [
                one for one in slots if ((one.at, one.id) < after) == which.newest_first and (one.at, one.id) != after
            ]
        limit = max(1, limit)
        more, slots = len(slots) > limit, slots[:limit]
        return SlotPage(slots=tuple(slots), next=(slots[-1].at, slots[-1].id) if more else None)

    def _in_order(self) -> list[Slot]:
        return sorted(self._database.slots.values(), key=lambda one: (one.at, one.id))

    def _its(self, tenant: str, pipeline: str) -> list[Slot]:
        return [one for one in self._in_order() if (one.tenant, one.pipeline) == (tenant, pipeline)]

    def _add(self, slot: Slot) -> bool:
        key = (slot.tenant, slot.pipeline, slot.logical)
        known = {(one.tenant, one.pipeline, one.logical) for one in self._database.slots.values()}
        if slot.id in self._database.slots or key in known:
            return False
        fresh = dict.fromkeys(state_of(slot).__struct_fields__)
        self._database.slots[slot.id] = msgspec.structs.replace(slot, **fresh, decided_at=None, told=False)
        return True

    def _drop_ahead(self, key: Key) -> None:
        now = self._database.now()
        for one in self._its(*key):
            if one.at > now and one.verdict is None:
                del self._database.slots[one.id]

    def _open(self, slot: Slot, now: datetime) -> OpenSlot:
        run = self._run(slot.tenant, slot.pipeline, slot.at)
        if run is not None:
            return OpenSlot(slot=slot, run=run)
        beside = self._beside(slot) if slot.window_ends <= now else None
        return OpenSlot(slot=slot, paused=self._paused_at(slot) or self._was_paused_at(slot), beside=beside)

    def _run(self, tenant: str, pipeline: str, at: datetime) -> SlotRun | None:
        its = [
            run
            for run in self._database.runs.values()
            if (run.tenant, run.pipeline, run.slot) == (tenant, pipeline, at) and run.mode is RunMode.PUBLISH
        ]
        its.sort(key=lambda run: (run.created_at, run.id), reverse=True)
        its.sort(key=lambda run: run.started_at or _FAR)
        return _slot_run(its[0]) if its else None

    def _beside(self, slot: Slot) -> UUID | None:
        its = [
            run
            for run in self._database.runs.values()
            if (run.tenant, run.pipeline, run.mode) == (slot.tenant, slot.pipeline, RunMode.PUBLISH)
            and run.created_at <= slot.at
        ]
        its.sort(key=lambda run: (run.created_at, run.id), reverse=True)
        for run in its[:5]:
            if run.started_at is not None and (run.finished_at is None or run.finished_at >= slot.window_ends):
                return run.id
        return None

    def _paused_at(self, slot: Slot) -> str | None:
        pause = self._database.pauses.get((slot.tenant, slot.pipeline))
        return str(pause) if pause is not None and pause.since <= slot.at and pause.holds_at(slot.at) else None

    def _was_paused_at(self, slot: Slot) -> str | None:
        for event in self._database.events:
            if (event.tenant, event.subject, event.kind) == (
                slot.tenant,
                f"pipeline:{slot.pipeline}",
                "pipeline.resumed",
            ):
                since, until = datetime.fromisoformat(event.data["paused_since"]), (event.before or {}).get("until")
                held = until is None or slot.at < datetime.fromisoformat(until)
                if since <= slot.at <= event.at and held:
                    return was_paused(slot.pipeline, event.data, event.before, event.at)
        return None


def _slot_run(run: Run) -> SlotRun:
    return SlotRun(**{name: getattr(run, name) for name in SlotRun.__struct_fields__})


def _may_change(slot: Slot, run: SlotRun) -> bool:
    if slot.verdict in (SlotVerdict.MISSED, SlotVerdict.SKIPPED):
        return True
    return slot.verdict is not None and run.status is RunStatus.SKIPPED


def _fits(slot: Slot, which: SlotFilter) -> bool:
    return (
        slot.tenant == which.tenant
        and which.pipeline in (None, slot.pipeline)
        and (which.verdicts is None or slot.verdict in which.verdicts)
        and (which.since is None or slot.at >= which.since)
        and (which.until is None or slot.at < which.until)
    )
