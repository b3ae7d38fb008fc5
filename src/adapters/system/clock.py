"""The machine's clock."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """:class:`~kubescribe.application.ports.clock.Clock` by the operating system."""

    def monotonic(self) -> float:
        """See the port."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """See the port."""
        # The event loop may wake a timer up to one resolution of its clock early.
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:  # noqa: ASYNC110 - nothing else happens to wait for
            await asyncio.sleep(left)
