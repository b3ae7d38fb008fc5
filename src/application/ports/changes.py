"""Being told that something was written about a run, so that nobody has to ask again and again."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from ...domain.tenant import Tenant


class Watch(Protocol):
    """One who waits."""

    async def changed(self, timeout: float) -> bool:
        """Wait until something was written since the watch began or since the last answer; False after ``timeout`` s.

        It is a hint: True may come without a reason, and while RunLog is away nobody is told. So whoever waits looks
        again after every answer, whatever it is.
        """
        ...


class Changes(Protocol):
    """Tells of events, notes and output as they are committed. Never raises: without it there is the timeout."""

    def watch(self, run_id: UUID, *, tenant: Tenant) -> AbstractAsyncContextManager[Watch]:
        """Watch one run of a tenant; what is written after the watch was entered is not missed."""
        ...
