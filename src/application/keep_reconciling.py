"""The reconciler as a loop beside the API: one process of several does it, under a lease."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from ..domain.errors import KubescribeError
from .ports.leadership import Leadership

NAME = "reconciler"
LEASE = 15.0
"""Seconds. A process that leads and dies is followed after so long; one that stops hands over at once."""

Pass = Callable[[], Awaitable[Sequence[str]]]
"""One pass; sentences about what could not be done."""


class Standing(NamedTuple):
    """How the loop stands, for health and metrics."""

    leads: bool
    passes: int
    finished_at: float | None
    """By the event loop's clock: when the last pass of this process ended well."""
    problems: tuple[str, ...]


class KeepReconciling:
    """Makes a pass every ``interval`` seconds, or at once when nudged, as long as this process leads.

    Never ends by itself: whatever a pass raises is said once and tried again.
    """

    def __init__(
        self,
        reconcile: Pass,
        leadership: Leadership,
        holder: UUID,
        *,
        say: Callable[[str], None],
        interval: float = 5.0,
    ) -> None:
        self._reconcile = reconcile
        self._leadership = leadership
        self._holder = holder
        self._say = say
        self._interval = interval
        self._wake = asyncio.Event()
        self.standing = Standing(False, 0, None, ())

    def nudge(self) -> None:
        """There is something to do now."""
        self._wake.set()

    async def __call__(self) -> None:
        """Go on until cancelled; then the lease is given back."""
        try:
            while True:
                await self._once()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._interval):
                        await self._wake.wait()
                self._wake.clear()
        finally:
            if self.standing.leads:
                # RunLog may be away: then the lease runs out by itself.
                with suppress(KubescribeError, TimeoutError):
                    async with asyncio.timeout(2):
                        await self._leadership.leave(NAME, self._holder)

    async def _once(self) -> None:
        passes, finished = self.standing.passes, self.standing.finished_at
        leads = self.standing.leads
        try:
            leads = await self._leadership.hold(NAME, self._holder, seconds=LEASE)
            problems = tuple(await self._reconcile()) if leads else ()
        except KubescribeError as error:
            problems = (f"the reconciler waits: {error}",)
        except Exception as error:  # a defect: the next pass may do better, and nobody else makes one
            problems = (f"the reconciler failed: {type(error).__name__}: {error}",)
        else:
            if leads:
                passes, finished = passes + 1, asyncio.get_running_loop().time()
        for problem in problems:
            if problem not in self.standing.problems:
                self._say(problem)
        self.standing = Standing(leads, passes, finished, problems)
