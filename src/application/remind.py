"""Write what time makes due to be told: incidents that are still there, and the summary of a week."""

from __future__ import annotations

from ..domain.notify_rules import Hours
from ..domain.tenant import Tenant
from ..domain.week_summary import week_due
from .ports.reminders import Reminders


class Remind:
    """One look; right with any number of processes at once."""

    def __init__(self, *, tenant: Tenant, reminders: Reminders, every: float, summary: Hours | None) -> None:
        """``every``: seconds between two messages about an incident; ``summary``: when one is due, None: never."""
        self._tenant = tenant
        self._reminders = reminders
        self._every = every
        self._summary = summary

    async def __call__(self) -> None:
        """Write what is due. Raises ``DatabaseUnavailable``."""
        await self._reminders.remind(self._tenant, every=self._every)
        summary = self._summary
        if summary is not None:
            await self._reminders.summarise(self._tenant, lambda now: week_due(summary, now))
