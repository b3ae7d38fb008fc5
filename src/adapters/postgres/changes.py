"""Being told of what is committed to RunLog, by LISTEN and NOTIFY."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import asyncpg

from ...domain.tenant import Tenant

CHANNEL = "kubescribe_run"
"""On which the triggers of migration 0002 tell ``tenant/run id``."""

_AGAIN = 5.0
"""Seconds between two tries to listen to a RunLog that is away."""


class PostgresWatch:
    """A :class:`~kubescribe.application.ports.changes.Watch`."""

    def __init__(self, changes: PostgresChanges) -> None:
        self._changes = changes
        self.told = asyncio.Event()

    async def changed(self, timeout: float) -> bool:
        """See the port."""
        try:
            async with asyncio.timeout(timeout):
                await self._changes.listen()
                await self.told.wait()
        except TimeoutError:
            return False
        self.told.clear()
        return True


class PostgresChanges:
    """:class:`~kubescribe.application.ports.changes.Changes` over one connection for everybody who watches.

    ``address`` is what :func:`asyncpg.connect` takes; a transaction-mode pooler passes no notices on, and then the
    timeouts of those who watch are all there is. For use in one event loop.
    """

    def __init__(self, address: Mapping[str, Any], *, connect_timeout: float = 5.0) -> None:
        self._address = {**address, "timeout": connect_timeout}
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()
        self._tried = 0.0
        self._watches: dict[str, set[PostgresWatch]] = {}

    @asynccontextmanager
    async def watch(self, run_id: UUID, *, tenant: Tenant) -> AsyncIterator[PostgresWatch]:
        """See the port."""
        watch, what = PostgresWatch(self), f"{tenant}/{run_id}"
        self._watches.setdefault(what, set()).add(watch)
        try:
            await self.listen()
            yield watch
        finally:
            self._watches[what].discard(watch)
            if not self._watches[what]:
                del self._watches[what]

    async def listen(self) -> None:
        """Listen, unless this is done already or was tried in vain a moment ago."""
        async with self._turn:
            if self._connection is not None and not self._connection.is_closed():
                return
            if time.monotonic() < self._tried + _AGAIN:
                return
            self._tried = time.monotonic()
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection: asyncpg.Connection = await asyncpg.connect(**self._address)
                await connection.add_listener(CHANNEL, self._heard)
                self._connection = connection
                # What was written while nobody listened was not told.
                for watches in self._watches.values():
                    for watch in watches:
                        watch.told.set()

    async def close(self) -> None:
        """Give the connection back."""
        async with self._turn:
            connection, self._connection = self._connection, None
            if connection is not None:
                with suppress(Exception):  # it may be dead already; closing it is all that was wanted
                    await connection.remove_listener(CHANNEL, self._heard)
                    await connection.close(timeout=1.0)

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        for watch in self._watches.get(str(payload), ()):
            watch.told.set()
