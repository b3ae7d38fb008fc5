"""The schedules whose slots are kept: those that are declared, and those that the cluster shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from ..domain.catch_up import CatchUp
from ..domain.concurrency import Concurrency
from ..domain.dst_policy import Fold, Gap
from ..domain.errors import KubescribeError
from ..domain.expected_slot import expected_slots
from ..domain.pipeline import Pipeline
from ..domain.schedule import Schedule
from ..domain.schedule_density import shortest_interval
from ..domain.slot import Slot, slot_id
from ..domain.tenant import Tenant
from .ports.schedules import SeenSchedule
from .ports.slots import Key, PlanSource

USUAL_WINDOW = 300.0
"""Seconds from a slot's time until its window closes, where nobody says another."""
AHEAD = timedelta(hours=48)
BACK = timedelta(days=7)
_MOST = 3000
"""Slots of an ``@every`` that are kept ahead: one a minute for two days, and some."""


class WatchedSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """One pipeline's schedule."""

    tenant: Tenant
    pipeline: str
    schedule: Schedule
    source: PlanSource
    fold: Fold = Fold.TWICE
    gap: Gap = Gap.SKIP
    window: float = USUAL_WINDOW
    """Seconds."""
    catch_up: CatchUp = CatchUp.NONE
    catch_up_limit: int = 0
    forbids: bool = False
    """While a run is at work none is begun."""
    seen: SeenSchedule | None = None
    """Its CronJob; None: none was seen, or there is no cluster."""

    @property
    def key(self) -> Key:
        """Which pipeline's."""
        return (self.tenant, self.pipeline)

    @property
    def rule(self) -> str:
        """What its slots follow from, as text."""
        schedule = self.schedule
        text = f"{schedule.expression}; {schedule.timezone}; {self.fold}; {self.gap}; {self.window:g}"
        return text if self.anchor is None else f"{text}; {self.anchor.timestamp() % self._interval:g}"

    @property
    def anchor(self) -> datetime | None:
        """Of ``@every`` on a cluster: the moment from which that counts; else None."""
        if not self._is_every or self.seen is None:
            return None
        return self.seen.last_fired_at or self.seen.created_at

    def slots(self, after: datetime, until: datetime, *, anchor: datetime | None) -> tuple[Slot, ...]:
        """Its slots with ``after < at <= until``, those included that a clock change takes away; rising."""
        window = timedelta(seconds=self.window)
        found = expected_slots(
            self.schedule, self.fold, self.gap, after, until, anchor=self.anchor or anchor, skipped=True
        )
        return tuple(
            Slot(
                id=slot_id(self.tenant, self.pipeline, one.logical),
                tenant=self.tenant,
                pipeline=self.pipeline,
                logical=one.logical,
                at=one.at,
                window_ends=one.at + window,
                oddity=one.oddity,
                expected=not one.skipped,
            )
            for one in found
        )

    @property
    def ahead(self) -> timedelta:
        """How far ahead its slots are kept."""
        return self._reach(AHEAD)

    @property
    def back(self) -> timedelta:
        """After an absence the slots of so long are worked out, and those before are not."""
        return self._reach(BACK)

    @property
    def counts_on(self) -> bool:
        """It is ``@every``: each slot follows from the one before."""
        return self._is_every

    def _reach(self, usual: timedelta) -> timedelta:
        return min(usual, _MOST * timedelta(seconds=self._interval)) if self._is_every else usual

    @property
    def _is_every(self) -> bool:
        return self.schedule.expression.startswith("@every")

    @property
    def _interval(self) -> float:
        return shortest_interval(self.schedule.expression).total_seconds()


def stray(tenant: Tenant, pipeline: str, at: datetime, watched: WatchedSchedule | None) -> Slot:
    """The slot of a run that the ledger has not expected."""
    logical = f"{at.astimezone(UTC).replace(tzinfo=None).isoformat()} UTC, not expected"
    window = timedelta(seconds=USUAL_WINDOW if watched is None else watched.window)
    return Slot(
        id=slot_id(tenant, pipeline, logical),
        tenant=tenant,
        pipeline=pipeline,
        logical=logical,
        at=at,
        window_ends=at + window,
    )


def watched_schedules(
    tenant: Tenant, declared: Iterable[Pipeline], seen: Sequence[SeenSchedule] | None
) -> tuple[dict[Key, WatchedSchedule], tuple[str, ...]]:
    """All, and a sentence for each that cannot be read. ``seen``: None where there is no cluster.

    A declaration comes before a CronJob that says otherwise: then its slots are missed, and nobody has to guess which
    of both is meant.
    """
    by_key = {(one.tenant, one.pipeline): one for one in seen or ()}
    watched: dict[Key, WatchedSchedule] = {}
    problems: list[str] = []
    for pipeline in declared:
        if pipeline.schedule is not None:
            known = by_key.get((tenant, pipeline.name))
            deadline = 0.0 if known is None else known.starting_deadline or 0.0
            watched[tenant, pipeline.name] = WatchedSchedule(
                tenant=tenant,
                pipeline=pipeline.name,
                schedule=Schedule(pipeline.schedule, pipeline.timezone),
                source=PlanSource.DECLARED,
                fold=pipeline.fold,
                gap=pipeline.gap,
                window=max(pipeline.start_deadline, deadline),
                catch_up=pipeline.catch_up,
                catch_up_limit=pipeline.catch_up_limit,
                forbids=pipeline.concurrency is Concurrency.FORBID or (known is not None and known.forbids),
                seen=known,
            )
    for key, one in by_key.items():
        if key in watched or not one.fires:
            continue
        try:
            schedule = Schedule(one.schedule, one.timezone)
        except KubescribeError as error:
            problems.append(f"CronJob {one.namespace}/{one.name}: its slots are not kept: {error}")
            continue
        watched[key] = WatchedSchedule(
            tenant=one.tenant,
            pipeline=one.pipeline,
            schedule=schedule,
            source=PlanSource.CLUSTER,
            window=one.starting_deadline or USUAL_WINDOW,
            forbids=one.forbids,
            seen=one,
        )
    return watched, tuple(problems)
