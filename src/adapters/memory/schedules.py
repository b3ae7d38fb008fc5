"""Schedules that are what a test says they are."""

from __future__ import annotations

import msgspec

from ...application.ports.schedules import SeenSchedule, ToldOfSchedule
from ...domain.errors import ClusterUnavailable


class MemorySchedules:
    """The :class:`~kubescribe.application.ports.schedules.Schedules` in memory."""

    def __init__(self) -> None:
        self.shown: dict[str, SeenSchedule] = {}
        """By name."""
        self.events: dict[str, tuple[ToldOfSchedule, ...]] = {}
        """By name."""
        self.available = True

    def show(self, schedule: SeenSchedule) -> None:
        """From now on it is there, as it is here."""
        self.shown[schedule.name] = schedule

    async def schedules(self) -> tuple[SeenSchedule, ...]:
        """See the port."""
        if not self.available:
            raise ClusterUnavailable("it was taken away")
        return tuple(self.shown.values())

    async def told(self, schedule: SeenSchedule) -> tuple[ToldOfSchedule, ...]:
        """See the port."""
        return self.events.get(schedule.name, ()) if self.available else ()

    async def hold(self, schedule: SeenSchedule) -> None:
        """See the port."""
        self._change(schedule, suspended=True, ours=True)

    async def release(self, schedule: SeenSchedule) -> None:
        """See the port."""
        self._change(schedule, suspended=False, ours=False)

    def _change(self, schedule: SeenSchedule, *, suspended: bool, ours: bool) -> None:
        known = self.shown.get(schedule.name)
        if known is not None:
            self.shown[schedule.name] = msgspec.structs.replace(known, suspended=suspended, ours=ours)
