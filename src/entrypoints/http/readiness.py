"""Which dependencies are there; asked at most once a second, whoever wants to know."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from ...application.ports.clock import Clock
from ...domain.errors import DatabaseReadOnly, DatabaseRefused, KubescribeError, SchemaMismatch

Check = Callable[[], Awaitable[None]]
"""Asks a dependency whether it is there; raises the domain's error."""

PATIENCE = 2.0
"""Seconds after which a dependency that says nothing is away."""
_KEPT = 1.0


class Readiness:
    """Asks all at once. The names of dependencies are for everybody; what is wrong with one is not."""

    def __init__(self, checks: Mapping[str, Check], clock: Clock) -> None:
        self._checks = checks
        self._clock = clock
        self._turn = asyncio.Lock()
        self._states: dict[str, str] = {}
        self._asked: float | None = None

    async def __call__(self) -> dict[str, str]:
        """``ok``, ``away``, ``read-only``, ``refused`` or ``schema`` by dependency."""
        async with self._turn:
            if self._asked is None or self._clock.monotonic() - self._asked >= _KEPT:
                states = await asyncio.gather(*map(_state, self._checks.values()))
                self._states = dict(zip(self._checks, states, strict=True))
                self._asked = self._clock.monotonic()
            return self._states


async def _state(check: Check) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            await check()
    except SchemaMismatch:
        return "schema"
    except DatabaseRefused:
        return "refused"
    except DatabaseReadOnly:
        return "read-only"
    except (KubescribeError, TimeoutError):
        return "away"
    return "ok"
