"""Time that passes only when it is told to."""

from __future__ import annotations

import asyncio


class MemoryClock:
    """:class:`~kubescribe.application.ports.clock.Clock` that stands still; who sleeps makes it pass."""

    def __init__(self, start: float = 0.0) -> None:
        self._time = start

    def monotonic(self) -> float:
        """See the port."""
        return self._time

    async def sleep(self, seconds: float) -> None:
        """See the port; returns at once, and lets other tasks go on."""
        self.advance(max(0.0, seconds))
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if seconds < 0:
            raise ValueError(f"a monotonic clock does not go back ({seconds} s)")
        self._time += seconds
