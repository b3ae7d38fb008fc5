"""Give every slot its verdict: what ran, what was passed over, and what nobody did (DESIGN section 1, promise 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from ..domain.errors import ClusterRefused, ClusterUnavailable
from ..domain.pipeline import Pipeline
from ..domain.slot import Slot, SlotReason, SlotState, SlotVerdict, state_of
from ..domain.slot_verdict import verdict_of
from ..domain.tenant import Tenant
from .plan_slots import PlanSlots
from .ports.clock import Clock
from .ports.schedules import Schedules, SeenSchedule, ToldOfSchedule
from .ports.slots import ComeRun, Decision, Key, OpenSlot, SlotFilter, Slots
from .slot_silence import Looked, beside, silence
from .watched_schedule import WatchedSchedule, stray, watched_schedules

_ON_A_CLUSTER, _HERE = timedelta(seconds=30), timedelta(seconds=5)
"""After its window a slot waits so long for a run that nobody has heard of yet."""
_CLUSTER_AWAY = timedelta(seconds=90)
"""So long where the cluster cannot be asked: a verdict comes at most two minutes after the window."""
_OVERLAP, _FIRST = 60.0, 3 * 86_400.0
"""Seconds of runs that each look takes twice, for what is committed late, and that the first one takes."""
_SET_BACK = 60.0
_ANEW = 30.0
_REOPENED = 1000
_ASKED = 100
"""CronJobs whose events are asked for in one pass; of the others their status has to be enough."""


_Asked = tuple[tuple[Pipeline, ...], tuple[SeenSchedule, ...] | None]


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What a pass did."""

    decided: tuple[Slot, ...] = ()
    """With their new verdicts."""
    problems: tuple[str, ...] = ()
    schedules: dict[Key, WatchedSchedule] = {}
    """Those whose slots are kept."""
    anew: bool = False
    """This process has not looked for a while: another one may have, and have died before it did what follows."""


class WatchSlots:
    """One pass over the slots whose time has come. Right with any number at once, and after a crash at any step.

    A verdict and its event are one transaction, and a slot has it at most two minutes after its window has closed.
    A run that comes after all changes it: MISSED becomes LATE or RAN, and whatever the run was skipped for is SKIPPED.
    """

    def __init__(
        self,
        *,
        slots: Slots,
        clock: Clock,
        tenant: Tenant,
        declared: Callable[[], Sequence[Pipeline]],
        schedules: Schedules | None,
        fires: bool = True,
    ) -> None:
        """``declared``: the tenant's pipelines. ``schedules``: the cluster's, None where there is none.

        ``fires``: something starts the slots: a cluster, or a process beside this one. Without it nothing new is
        expected, and what is expected already has its verdict.
        """
        self._slots = slots
        self._clock = clock
        self._tenant = tenant
        self._declared = declared
        self._schedules = schedules
        self._fires = fires or schedules is not None
        self._plan = PlanSlots(slots=slots)
        self._now: datetime | None = None
        self._looked_at: float | None = None
        self._suspended: dict[Key, tuple[datetime, datetime]] = {}
        self._read: tuple[_Asked, tuple[dict[Key, WatchedSchedule], tuple[str, ...]]] | None = None

    async def __call__(self) -> Watched:
        """Plan, look, decide. Raises :class:`DatabaseUnavailable`; the next pass goes on where this one stopped."""
        began = self._clock.monotonic()
        seen, away = await self._see()
        declared = self._declared()
        watched, problems = self._schedules_of(declared, seen)
        if self._fires and away is None:
            # A process that has no pipelines at all was started without them, and takes nothing of others away.
            ours = self._tenant if declared else None
            await self._plan(watched, ours=ours, cluster=seen is not None, now=self._now)
        opened = await self._slots.open()
        if self._was_set_back(opened.now, began):
            await self._reopen(watched, opened.now)
        self._note_suspended(seen, opened.now)
        decisions = await self._judged(opened.slots, watched, away, opened.now)
        decided = list(await self._slots.decide(decisions))
        decided += await self._come(watched, began, opened.now)
        anew = self._looked_at is None or began - self._looked_at > _ANEW
        self._now, self._looked_at = opened.now, began
        return Watched(decided=tuple(decided), problems=problems, schedules=watched, anew=anew)

    def _schedules_of(
        self, declared: Sequence[Pipeline], seen: Sequence[SeenSchedule] | None
    ) -> tuple[dict[Key, WatchedSchedule], tuple[str, ...]]:
        """The same objects as long as nothing has changed: reading a thousand schedules costs more than a pass."""
        asked = (tuple(declared), None if seen is None else tuple(seen))
        if self._read is None or self._read[0] != asked:
            self._read = (asked, watched_schedules(self._tenant, *asked))
        return self._read[1]

    async def _see(self) -> tuple[Sequence[SeenSchedule] | None, str | None]:
        if self._schedules is None:
            return None, None
        try:
            return await self._schedules.schedules(), None
        except (ClusterUnavailable, ClusterRefused) as error:
            return None, str(error)

    async def _judged(
        self, opened: Sequence[OpenSlot], watched: dict[Key, WatchedSchedule], away: str | None, now: datetime
    ) -> list[Decision]:
        told: dict[Key, tuple[ToldOfSchedule, ...]] = {}
        decisions = []
        for one in opened:
            state = await self._state(one, watched.get((one.slot.tenant, one.slot.pipeline)), away, now, told)
            if state is not None:
                decisions.append(Decision(slot=one.slot, after=state))
        return decisions

    async def _state(
        self,
        one: OpenSlot,
        watched: WatchedSchedule | None,
        away: str | None,
        now: datetime,
        told: dict[Key, tuple[ToldOfSchedule, ...]],
    ) -> SlotState | None:
        """The verdict; None: not yet."""
        slot = one.slot
        jumped_over = slot.oddity == "gap" and not slot.expected  # a run of this moment is another slot's
        if one.run is not None and not jumped_over:
            return verdict_of(slot, one.run, now)
        if one.paused is not None:
            return SlotState(verdict=SlotVerdict.SKIPPED, reason=SlotReason.PAUSED, detail=one.paused)
        if now < slot.window_ends + (_HERE if self._schedules is None else _ON_A_CLUSTER):
            return None
        if not slot.expected:
            return SlotState(verdict=SlotVerdict.SKIPPED, reason=SlotReason.DST, detail=_DST[slot.oddity == "gap"])
        if one.beside is not None and watched is not None and watched.forbids:
            return beside(one.beside)
        if away is not None and now < slot.window_ends + _CLUSTER_AWAY:
            return None
        seen = None if watched is None else watched.seen
        looked = Looked(
            cluster=self._schedules is not None,
            away=away,
            seen=seen,
            was_suspended=self._was_suspended_at(slot),
            told=await self._told(seen, told),
        )
        return silence(slot, watched, looked)

    async def _told(
        self, seen: SeenSchedule | None, told: dict[Key, tuple[ToldOfSchedule, ...]]
    ) -> tuple[ToldOfSchedule, ...]:
        if seen is None or self._schedules is None or (seen.suspended and not seen.ours):
            return ()
        key = (seen.tenant, seen.pipeline)
        if key not in told and len(told) < _ASKED:
            told[key] = await self._schedules.told(seen)
        return told.get(key, ())

    async def _come(self, watched: dict[Key, WatchedSchedule], began: float, now: datetime) -> tuple[Slot, ...]:
        """What runs that came since the last pass make of slots that had a verdict, or that nobody has expected."""
        since = _FIRST
        if self._now is not None and self._looked_at is not None:
            # A machine that slept has a monotonic clock that stood still, and runs were made meanwhile.
            since = max(began - self._looked_at, (now - self._now).total_seconds())
        come = await self._slots.come(since + _OVERLAP)
        strays = [
            stray(one.tenant, one.pipeline, one.at, watched.get((one.tenant, one.pipeline)))
            for one in come
            if one.slot is None
        ]
        if strays:
            await self._slots.plan([], strays=strays)
        return await self._slots.decide([made for one in come if (made := _changed(one, now)) is not None])

    async def _reopen(self, watched: dict[Key, WatchedSchedule], now: datetime) -> None:
        """The clock was set back: what it had seen go by without a run is ahead again, and may run."""
        for tenant in {key[0] for key in watched}:
            which, after = SlotFilter(tenant=tenant, verdicts=(SlotVerdict.MISSED,), since=now), None
            while True:
                page = await self._slots.find(which, limit=_REOPENED, after=after)
                await self._slots.decide(
                    [
                        Decision(slot=slot, after=SlotState(verdict=None))
                        for slot in page.slots
                        if slot.run_id is None and slot.at > now
                    ]
                )
                if (after := page.next) is None:
                    break

    def _was_set_back(self, now: datetime, began: float) -> bool:
        """Whether the database's clock went back since the last pass; of the time before the first nobody knows."""
        if self._now is None or self._looked_at is None:
            return True
        return (now - self._now).total_seconds() < began - self._looked_at - _SET_BACK

    def _note_suspended(self, seen: Sequence[SeenSchedule] | None, now: datetime) -> None:
        """Who suspends and resumes leaves no trace on the CronJob: what was seen meanwhile is all that is known."""
        for one in seen or ():
            key = (one.tenant, one.pipeline)
            first, last = self._suspended.get(key, (now, now))
            if one.suspended and not one.ours:
                before = first if now - last < 2 * _CLUSTER_AWAY else now
                self._suspended[key] = (before, now)
            elif key in self._suspended and now - last > timedelta(hours=1):
                del self._suspended[key]

    def _was_suspended_at(self, slot: Slot) -> bool:
        span = self._suspended.get((slot.tenant, slot.pipeline))
        return span is not None and span[0] <= slot.at <= span[1]


_DST = {
    False: "the clock shows this time for the second time, and the pipeline runs once for both",
    True: "the clock jumps over this time",
}


def _changed(one: ComeRun, now: datetime) -> Decision | None:
    if one.slot is None or (one.slot.oddity == "gap" and not one.slot.expected):
        return None
    state = verdict_of(one.slot, one.run, now)
    if state is None or state == state_of(one.slot) or _says_less(one.slot, state):
        return None
    return Decision(slot=one.slot, after=state)


def _says_less(slot: Slot, state: SlotState) -> bool:
    """Of a run that has not begun nobody needs to hear twice that it has not."""
    waits = state.reason is SlotReason.NOT_STARTED
    return waits and (slot.verdict is SlotVerdict.SKIPPED or slot.reason is SlotReason.NOT_STARTED)
