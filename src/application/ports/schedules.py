"""The cluster's own schedules of the pipelines."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from ...domain.tenant import Tenant


class SeenSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """A CronJob of a pipeline."""

    namespace: str
    name: str
    tenant: Tenant
    pipeline: str
    suspended: bool
    ours: bool = False
    """It was suspended for a pause of RunLog's; False: whoever suspended it has reasons of their own."""
    fires: bool = True
    """It has a schedule; False: its pipeline runs when somebody asks, and it stays suspended."""
    uid: str = ""
    schedule: str = ""
    timezone: str = "UTC"
    created_at: datetime | None = None
    last_fired_at: datetime | None = None
    """The newest slot for which the cluster has made a Job."""
    starting_deadline: float | None = None
    """Seconds after which the cluster does not start a slot any more; None: it always does."""
    forbids: bool = False
    """The cluster fires no slot while a Job of an earlier one is at work."""


class ToldOfSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the cluster has said of a CronJob; it forgets them after an hour or so."""

    since: datetime
    """When it said so first."""
    at: datetime
    """When it said so last."""
    reason: str
    """One word of its own: ``JobAlreadyActive``, ``FailedCreate``, ``MissSchedule``."""
    message: str


class Schedules(Protocol):
    """What fires, and what is held.

    Raises :class:`~kubescribe.domain.errors.ClusterUnavailable` and :class:`ClusterRefused` where it cannot be seen.
    """

    async def schedules(self) -> tuple[SeenSchedule, ...]:
        """Those of all pipelines, as the cluster showed them last."""
        ...

    async def told(self, schedule: SeenSchedule) -> tuple[ToldOfSchedule, ...]:
        """What the cluster has said of it, oldest first; empty where nobody can say. Never raises."""
        ...

    async def hold(self, schedule: SeenSchedule) -> None:
        """Suspend it, and mark that as ours. One that is gone is left alone."""
        ...

    async def release(self, schedule: SeenSchedule) -> None:
        """Let it fire again, and take the mark away. One that is gone is left alone."""
        ...
