"""Connections to the report database, with asyncpg alone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from .failures import TRY_AGAIN, meaning, sqlstate

T = TypeVar("T")

TRIES = 5
"""How often a transaction that lost a race is run again."""

_CLOSE_SECONDS = 2.0


class ReportDatabase:
    """Opens a connection for each operation: they are rare, and an idle supervisor holds none."""

    def __init__(
        self,
        asyncpg_kwargs: dict[str, Any],
        *,
        connect_timeout: float = 10.0,
        command_timeout: float = 30.0,
    ) -> None:
        self._kwargs = {
            "command_timeout": command_timeout,
            **asyncpg_kwargs,
            "timeout": connect_timeout,
            "server_settings": {"application_name": "kubescribe", **asyncpg_kwargs.get("server_settings", {})},
        }

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """One connection, gone afterwards whatever happened. Errors keep the driver's types: see :func:`translated`."""
        connection = await asyncpg.connect(**self._kwargs)
        try:
            yield connection
        except BaseException:
            connection.terminate()  # the server rolls back; waiting for a goodbye could take for ever
            raise
        try:
            await connection.close(timeout=_CLOSE_SECONDS)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection.terminate()  # the work is done, and a lost goodbye changes nothing

    async def run(self, work: Callable[[Any], Awaitable[T]], *, again: frozenset[str] = TRY_AGAIN) -> T:
        """Do ``work`` on a connection, again with jitter where it lost a race; errors are the domain's."""
        for tried in range(1, TRIES + 1):
            try:
                async with translated(), self.connection() as connection:
                    return await work(connection)
            except Exception as error:
                if tried == TRIES or not lost_a_race(error, again):
                    raise
            await pause(tried)
        raise AssertionError("unreachable")


def lost_a_race(error: BaseException, again: frozenset[str] = TRY_AGAIN) -> bool:
    """Whether the server gave up this transaction in favour of another: it may be run again as it is."""
    return sqlstate(error.__cause__ or error) in again


async def pause(tried: int) -> None:
    """Wait before the next try: longer each time up to a second, never as long as somebody else."""
    await asyncio.sleep(random.uniform(0, min(1.0, 0.02 * 2**tried)))  # noqa: S311 - jitter


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Errors of the driver leave as the domain's, chained to what they were."""
    try:
        yield
    except Exception as error:
        known = meaning(error)
        if known is None or known is error:
            raise
        raise known from error
