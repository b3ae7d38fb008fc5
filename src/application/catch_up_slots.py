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
_HELD = (SlotReason.SUSPENDED_OUTSIDE,)
"""Somebody wants it not to run: what was missed so is not made good."""


class CatchUpSlots:
    """Looks at the pipelines that have missed something, and at first, after a crash maybe, at all that catch up.

    Each missed slot is started once at most: its run has the slot's id.
    """

    def __init__(self, *, slots: Slots, start: StartSlot, pauses: Pauses, tenant: Tenant) -> None:
        self._slots, self._start, self._pauses, self._tenant = slots, start, pauses, tenant
        self._begun = False

    async def __call__(self, passed: Watched) -> tuple[str, ...]:
        """Start them; a sentence for each that cannot be started.

        Raises :class:`DatabaseUnavailable`, and then goes on with the next pass.
        """
        missed = {one.pipeline for one in passed.decided if one.verdict is SlotVerdict.MISSED and one.run_id is None}
        wanted = [
            one
            for one in passed.schedules.values()
            if one.catch_up is not CatchUp.NONE and one.tenant == self._tenant
            if not self._begun or one.pipeline in missed
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
        self._begun = True
        return tuple(problems)

    async def _of(self, one: WatchedSchedule) -> Iterable[Slot]:
        """What is to be started, the oldest first."""
        which = SlotFilter(tenant=one.tenant, pipeline=one.pipeline, verdicts=_DECIDED, newest_first=True)
        newest = (await self._slots.find(which, limit=1)).slots
        if not newest:
            return ()
        if one.catch_up is CatchUp.LATEST:
            found = newest  # where a later one has run there is nothing to make good
        else:
            since = newest[0].at - BACK
            limit = max(1, one.catch_up_limit)
            which = SlotFilter(
                tenant=one.tenant, pipeline=one.pipeline, verdicts=(SlotVerdict.MISSED,), since=since, newest_first=True
            )
            found = (await self._slots.find(which, limit=limit)).slots
        return [slot for slot in reversed(found) if _may_be_made_good(slot)]


_WHY = "its slot was missed, and the pipeline catches up"


def _may_be_made_good(slot: Slot) -> bool:
    return slot.verdict is SlotVerdict.MISSED and slot.run_id is None and slot.expected and slot.reason not in _HELD
