"""Start what was missed, as far as a pipeline declares that it wants that."""

from __future__ import annotations

from collections.abc import Iterable

from ..domain.catch_up import CatchUp
from ..domain.errors import KubescribeError, TemporaryError
from ..domain.slot import Slot, SlotReason, SlotVerdict
from ..domain.tenant import Tenant
from .fire_slots import StartSlot
from .ports.pauses import Pauses
from .ports.slots import SlotFilter, Slots
from .watch_slots import Watched
from .watched_schedule import BACK, WatchedSchedule

_DECIDED = tuple(SlotVerdict)
_NOT_IN_TIME = (SlotVerdict.MISSED, SlotVerdict.LATE, SlotVerdict.SKIPPED)
_PAGE = 500
_HELD = (SlotReason.SUSPENDED_OUTSIDE,)
"""Somebody wants it not to run: what was missed so is not made good."""


class CatchUpSlots:
    """Looks at the pipelines that have missed something; and at all that catch up at first, and where another process
    looked after the slots meanwhile, which may have died between a verdict and what follows from it.

    Each missed slot is started once at most: its run has the slot's id.
    """

    def __init__(self, *, slots: Slots, start: StartSlot, pauses: Pauses, tenant: Tenant) -> None:
        self._slots, self._start, self._pauses, self._tenant = slots, start, pauses, tenant
        self._begun = False
        self._left: set[str] = set()
        """Pipelines that have missed something and were not looked at since: RunLog was away."""

    async def __call__(self, passed: Watched) -> tuple[str, ...]:
        """Start them; a sentence for each that cannot be started.

        Raises :class:`DatabaseUnavailable`, and then goes on with the next pass.
        """
        self._begun &= not passed.anew
        self._left |= {one.pipeline for one in passed.decided if one.verdict is SlotVerdict.MISSED and not one.run_id}
        wanted = [
            one
            for one in passed.schedules.values()
            if one.catch_up is not CatchUp.NONE and one.tenant == self._tenant
            if not self._begun or one.pipeline in self._left
        ]
        problems: list[str] = []
        for one in wanted:
            if await self._pauses.current(one.pipeline, tenant=one.tenant) is None:
                for slot in await self._of(one):
                    try:
                        await self._start(slot, reason=_WHY)
                    except TemporaryError:
                        raise
                    except KubescribeError as error:
                        problems.append(f"pipeline {one.pipeline} cannot catch up: {error}")
            self._left.discard(one.pipeline)
        self._begun = True
        self._left.clear()
        return tuple(problems)

    async def _of(self, one: WatchedSchedule) -> Iterable[Slot]:
        """What is to be started, the oldest first."""
        which = SlotFilter(tenant=one.tenant, pipeline=one.pipeline, verdicts=_DECIDED, newest_first=True)
        decided = (await self._slots.find(which, limit=_PAGE)).slots
        newest = next((slot for slot in decided if slot.expected), None)  # a clock change takes none before it away
        if newest is None:
            return ()
        if one.catch_up is CatchUp.LATEST:
            found = [newest]  # where a later one has run there is nothing to make good
        else:
            found = await self._not_in_time(one, newest, max(1, one.catch_up_limit))
        return [slot for slot in reversed(found) if _may_be_made_good(slot)]

    async def _not_in_time(self, one: WatchedSchedule, newest: Slot, limit: int) -> list[Slot]:
        """The newest so many that are to be made good, or were: what is older than these stays missed for good."""
        which = SlotFilter(
            tenant=one.tenant,
            pipeline=one.pipeline,
            verdicts=_NOT_IN_TIME,
            since=newest.at - BACK,
            newest_first=True,
        )
        found, after = list[Slot](), None
        while True:
            page = await self._slots.find(which, limit=_PAGE, after=after)
            found += [slot for slot in page.slots if slot.run_id == slot.id or _may_be_made_good(slot)]
            if (after := page.next) is None or len(found) >= limit:
                return found[:limit]


_WHY = "its slot was missed, and the pipeline catches up"


def _may_be_made_good(slot: Slot) -> bool:
    return slot.verdict is SlotVerdict.MISSED and slot.run_id is None and slot.expected and slot.reason not in _HELD
