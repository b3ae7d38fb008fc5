"""The cluster's own schedules of the pipelines."""

from __future__ import annotations

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


class Schedules(Protocol):
    """What fires, and what is held.

    Raises :class:`~kubescribe.domain.errors.ClusterUnavailable` and :class:`ClusterRefused` where it cannot be seen.
    """

    async def schedules(self) -> tuple[SeenSchedule, ...]:
        """Those of all pipelines, as the cluster showed them last."""
        ...

    async def hold(self, schedule: SeenSchedule) -> None:
        """Suspend it, and mark that as ours. One that is gone is left alone."""
        ...

    async def release(self, schedule: SeenSchedule) -> None:
        """Let it fire again, and take the mark away. One that is gone is left alone."""
        ...
