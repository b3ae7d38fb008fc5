"""Notices that time makes due, and nothing that happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from ...domain.tenant import Tenant

WeekOf = Callable[[datetime], str | None]
"""Given the database's clock: the week whose summary is due, by a name that no other week has; None: none is."""


class Reminders(Protocol):
    """Writes them for one tenant, each once, whoever else does. Raises ``DatabaseUnavailable``."""

    async def remind(self, tenant: Tenant, *, every: float) -> int:
        """A notice of each incident that people were told of ``every`` seconds ago or longer and that is still there.

        None of one that is acknowledged, or put off until later; when that time comes it is told at once. How many.
        """
        ...

    async def summarise(self, tenant: Tenant, week_of: WeekOf) -> bool:
        """A notice that the week is to be summed up, if it is due; False where it is not, or there is one already."""
        ...
