"""Work that is done again and again in the API's process: sealing, telling people, looking after runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from ..domain.errors import KubescribeError
from .metrics import Registry
from .ports.clock import Clock

_LONGEST_PAUSE = 60.0

log = logging.getLogger("kubescribe.loop")


class KeepDoing:
    """Does one kind of work every so many seconds, until it is cancelled. A failure is logged, and ends nothing.

    While the work fails the pause doubles, up to a minute. What it did last and when is in the registry:
    ``kubescribe_loop_age_seconds{loop}`` grows when it hangs or fails.
    """

    def __init__(
        self, name: str, work: Callable[[], Awaitable[Any]], *, every: float, clock: Clock, registry: Registry
    ) -> None:
        self._name = name
        self._work = work
        self._every = every
        self._clock = clock
        self._age = registry.gauge(
            "kubescribe_loop_age_seconds", "Since this work of the process was last done well.", ("loop",)
        )
        self._failed = registry.counter("kubescribe_loop_failures_total", "Times that this work failed.", ("loop",))
        self._well_at = clock.monotonic()

    async def __call__(self) -> None:
        """Go on until it is cancelled; what was begun then is broken off where it waits."""
        pause = self._every
        while True:
            pause = self._every if await self.once() else min(2 * pause, max(_LONGEST_PAUSE, self._every))
            await self._clock.sleep(pause)

    async def once(self) -> bool:
        """Do it once; whether it went well."""
        try:
            await self._work()
        except asyncio.CancelledError:
            raise
        except KubescribeError as error:
            log.warning("%s: %s", self._name, error, extra={"loop": self._name})
        except Exception:
            log.exception("%s failed", self._name, extra={"loop": self._name})
        else:
            self._well_at = self._clock.monotonic()
            return True
        self._failed.add(loop=self._name)
        return False

    def told(self) -> None:
        """Bring the registry up to date, just before it is read."""
        self._age.set(self._clock.monotonic() - self._well_at, loop=self._name)
