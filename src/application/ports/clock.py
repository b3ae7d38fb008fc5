"""Time that only measures: leases and deadlines go by the database's clock, never by this one."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Durations, and waiting."""

    def monotonic(self) -> float:
        """Seconds since some moment in the past; never goes back, whatever the wall clock does."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let at least this much time pass."""
        ...
