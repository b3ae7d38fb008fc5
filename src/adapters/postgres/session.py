"""One connection to RunLog that is made when it is needed, and made again when it broke."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import asyncpg

from ...domain.errors import KubescribeError, SchemaMismatch
from .failures import COLLIDED, RUNLOG, disconnected, missing_part, sqlstate, translated
from .schema import HEAD, schema_version

T = TypeVar("T")

_TRIES = 5


def limits(statement_timeout: float) -> str:
    """The settings of one transaction, as SQL: they end with it, so a pooler may give the session to others.

    The last one frees our locks when this process is stopped (SIGSTOP) inside the transaction.
    """
    milliseconds = max(1, round(statement_timeout * 1000))
    return (
        f"SET LOCAL statement_timeout = {milliseconds}; "
        f"SET LOCAL lock_timeout = {milliseconds}; "
        f"SET LOCAL idle_in_transaction_session_timeout = {milliseconds}"
    )


class Session:
    """Runs pieces of work, one after the other, each in a transaction of its own.

    ``address`` is what :func:`asyncpg.connect` takes. For use in one event loop. Work has to be idempotent: it
    is done again after a collision, or when a kept connection turns out to be dead.
    """

    def __init__(self, address: Mapping[str, Any], *, connect_timeout: float, statement_timeout: float) -> None:
        self._address = {**address, "timeout": connect_timeout}
        self._begin = f"BEGIN; {limits(statement_timeout)}"
        # The server's own limit comes first: its answer says more than silence does.
        self._timeout = connect_timeout + 2 * statement_timeout
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()

    async def run(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """The work's result, committed; raises the domain's errors, and then has changed nothing or everything."""
        async with self._turn:
            for attempt in range(1, _TRIES + 1):
                kept = self._connection is not None
                try:
                    async with asyncio.timeout(self._timeout):
                        return await self._transact(work)
                except KubescribeError:
                    raise
                except Exception as error:
                    if missing_part(error):
                        raise SchemaMismatch(RUNLOG, await self._version(), HEAD) from error
                    collided = sqlstate(error) in COLLIDED
                    # A kept connection may have died unnoticed; silence is another matter, and was waited out.
                    died = kept and disconnected(error) and not isinstance(error, TimeoutError)
                    if attempt < _TRIES and (collided or died):
                        await asyncio.sleep(0.02 * attempt**2 if collided else 0)
                        continue
                    known = translated(error, self._address.get("password"))
                    if known is None:
                        raise
                    raise known from error
            raise AssertionError("unreachable")

    async def close(self) -> None:
        """Close the connection, if there is one; a later ``run`` makes a new one."""
        async with self._turn:
            connection, self._connection = self._connection, None
            if connection is not None:
                with suppress(Exception):  # it may be dead already; closing it is all that was wanted
                    await connection.close(timeout=1.0)

    async def _transact(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        connection = self._connection
        if connection is None or connection.is_closed():
            connection = self._connection = await _connect(self._address)
        try:
            await connection.execute(self._begin)
            try:
                result = await work(connection)
            except (KubescribeError, asyncpg.PostgresError) as error:
                if not disconnected(error):
                    await connection.execute("ROLLBACK")
                raise
            if (tag := await connection.execute("COMMIT")) != "COMMIT":
                raise AssertionError(f"COMMIT was answered {tag}")
            return result
        except BaseException as error:
            # Whatever else happened, a cancelled task included: nobody knows what this connection would say next.
            if not isinstance(error, KubescribeError | asyncpg.PostgresError) or disconnected(error):
                self._connection = None
                connection.terminate()
            raise

    async def _version(self) -> str | None:
        with suppress(Exception):  # it only makes the message better
            async with asyncio.timeout(self._timeout):
                if self._connection is not None:
                    return await schema_version(self._connection)
        return None


async def _connect(address: Mapping[str, Any]) -> asyncpg.Connection:
    connection: asyncpg.Connection = await asyncpg.connect(**address)
    return connection
