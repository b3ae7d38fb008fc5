"""Keep the slots of every schedule in the ledger, two days ahead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ..domain.tenant import Tenant
from .ports.slots import Key, Planned, PlanSource, SlotPlan, Slots
from .watched_schedule import WatchedSchedule

_AGAIN, _SOON = timedelta(hours=1), timedelta(minutes=5)
_TOO_FAR = timedelta(days=1)
"""Further ahead than they are kept, slots were planned by a clock that was wrong."""
_AT_ONCE = 20_000
"""Slots that go into one transaction."""


class PlanSlots:
    """Adds what is missing. Most times it has nothing to do, and asks nobody.

    What was planned by a schedule that has changed goes, as far as it is ahead and has no verdict. After an absence it
    goes on from where the ledger ends, so that what nobody saw is there all the same.
    """

    def __init__(self, *, slots: Slots) -> None:
        self._slots = slots
        self._again_at: dict[Key, datetime] = {}
        self._rules: dict[Key, str] = {}
        self._planned_for: Mapping[Key, WatchedSchedule] | None = None
        self._next: datetime | None = None
        self._asked_at: datetime | None = None

    async def __call__(
        self, watched: Mapping[Key, WatchedSchedule], *, ours: Tenant | None, cluster: bool, now: datetime | None
    ) -> int:
        """How many slots were added. ``now``: the database's clock as it was known last; None: it was not.

        ``ours``: the tenant whose declarations these are, None where there are none, and ``cluster``: whether the
        CronJobs were seen; of others nothing is taken away. Raises :class:`DatabaseUnavailable`.
        """
        if now is not None and self._asked_at is not None and now < self._asked_at:
            self._rules, self._next = {}, None  # the clock was set back: what was done until when says nothing now
        self._asked_at = now
        if watched is self._planned_for and now is not None and self._next is not None and now < self._next:
            return 0
        rules = {key: one.rule for key, one in watched.items()}
        if now is not None and rules == self._rules and all(now < self._again_at[key] for key in rules):
            return 0
        known = await self._slots.plans()
        now, added = known.now, 0
        gone = [
            key for key, plan in known.plans.items() if key not in watched and _may_go(plan, ours=ours, cluster=cluster)
        ]
        batch: list[Planned] = []
        for key, one in watched.items():
            planned = self._planned(one, known.plans.get(key), now)
            if planned is not None:
                batch.append(planned)
            if sum(len(part.slots) for part in batch) >= _AT_ONCE:
                added += await self._slots.plan(batch)
                batch = []
        if batch or gone:
            added += await self._slots.plan(batch, gone=gone)
        self._rules = rules
        self._again_at = {key: self._again_at[key] for key in rules}
        self._planned_for, self._next = watched, min(self._again_at.values(), default=None)
        return added

    def _planned(self, one: WatchedSchedule, known: SlotPlan | None, now: datetime) -> Planned | None:
        """What is to be added; None: nothing."""
        changed = known is not None and (known.rule != one.rule or known.planned_until - now > one.ahead + _TOO_FAR)
        keep = max(one.ahead / 2, one.ahead - _AGAIN)
        if known is not None and not changed and known.planned_until - now > keep:
            self._again_at[one.key] = max(known.planned_until - keep, now + _SOON)
            return None
        after = now if known is None else min(known.planned_until, now) if changed else known.planned_until
        anchor = now if known is None or changed else after
        after, until = max(after, now - one.back), now + one.ahead
        slots = one.slots(after, until, anchor=anchor)
        if one.counts_on:  # the next ones are counted from a slot
            until = slots[-1].at if slots else anchor.replace(microsecond=0)
        self._again_at[one.key] = max(until - keep, now + _SOON)
        plan = SlotPlan(tenant=one.tenant, pipeline=one.pipeline, source=one.source, rule=one.rule, planned_until=until)
        return None if known == plan else Planned(plan=plan, slots=slots, anew=changed)


def _may_go(plan: SlotPlan, *, ours: Tenant | None, cluster: bool) -> bool:
    if plan.source is PlanSource.CLUSTER:
        return cluster
    return plan.tenant == ours
