"""The reconciler as a loop beside the API: one process of several does it, under a lease."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from ..domain.errors import KubescribeError
from .metrics import Registry
from .ports.leadership import Leadership

NAME = "reconciler"
LEASE = 15.0
"""Seconds. A process that leads and dies is followed after so long; one that stops hands over at once."""

Pass = Callable[[], Awaitable[Sequence[str]]]
"""One pass; sentences about what could not be done."""


class Standing(NamedTuple):
    """How the loop stands."""

    leads: bool
    well_at: float
    """By the event loop's clock: when a pass of this process last came to its end, or another process was seen to lead;
    at first, when it began."""
    problems: tuple[str, ...]


class KeepReconciling:
    """Makes a pass every ``interval`` seconds, or at once when nudged, as long as this process leads.

    Never ends by itself: whatever a pass raises is said once and tried again. How it stands is in the registry:
    ``kubescribe_reconcile_age_seconds`` grows while nobody is known to look after the runs.
    """

    def __init__(
        self,
        reconcile: Pass,
        leadership: Leadership,
        holder: UUID,
        *,
        say: Callable[[str], None],
        registry: Registry,
        interval: float = 5.0,
    ) -> None:
        self._reconcile = reconcile
        self._leadership = leadership
        self._holder = holder
        self._say = say
        self._interval = interval
        self._wake = asyncio.Event()
        self._age = registry.gauge(
            "kubescribe_reconcile_age_seconds",
            "Since the reconciler of this process last made a pass, or saw that another process leads.",
        )
        self._leads = registry.gauge("kubescribe_reconcile_leads", "Whether this process looks after the runs.")
        self.standing: Standing | None = None
        """None: it has not begun."""

    def nudge(self) -> None:
        """There is something to do now."""
        self._wake.set()

    async def __call__(self) -> None:
        """Go on until cancelled; then the lease is given back."""
        self.standing = Standing(False, asyncio.get_running_loop().time(), ())
        try:
            while True:
                self.standing = await self._once(self.standing)
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

    def age(self) -> float | None:
        """Seconds since :attr:`Standing.well_at`; None: it has not begun."""
        return None if self.standing is None else asyncio.get_running_loop().time() - self.standing.well_at

    def told(self) -> None:
        """Bring the registry up to date, just before it is read; nothing is said of a loop that has not begun."""
        age = self.age()
        if self.standing is not None and age is not None:
            self._age.set(age)
            self._leads.set(float(self.standing.leads))

    async def _once(self, before: Standing) -> Standing:
        leads, well_at = before.leads, before.well_at
        try:
            leads = await self._leadership.hold(NAME, self._holder, seconds=LEASE)
            problems = tuple(await self._reconcile()) if leads else ()
        except KubescribeError as error:
            problems = (f"the reconciler waits: {error}",)
        except Exception as error:  # a defect: the next pass may do better, and nobody else makes one
            problems = (f"the reconciler failed: {type(error).__name__}: {error}",)
        else:
            well_at = asyncio.get_running_loop().time()
        for problem in problems:
            if problem not in before.problems:
                self._say(problem)
        return Standing(leads, well_at, problems)
