"""RunLog through SQLAlchemy: the engine, and one transaction on it with the domain's errors."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
from sqlalchemy import Pool, text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ...domain.errors import DatabaseReadOnly, DatabaseUnavailable, KubescribeError, SchemaMismatch
from .failures import COLLIDED, RUNLOG, disconnected, missing_part, sqlstate, translated
from .rows import decode_json, encode_json
from .schema import HEAD, schema_version
from .session import limits

T = TypeVar("T")

_TRIES = 4
_POOL = {"pool_size": 10, "max_overflow": 5, "pool_timeout": 10.0}
"""Connections that are kept once they were needed, and those that are made and closed when even more are. One waits for
them for 10 s: less than others wait for the whole answer."""
_USED = "kubescribe_used"
"""Of a pooled connection: a transaction has begun on it before."""


def runlog_engine(
    address: Mapping[str, Any], *, connect_timeout: float = 5.0, poolclass: type[Pool] | None = None
) -> AsyncEngine:
    """An engine for :func:`transact`; ``address`` is what :func:`asyncpg.connect` takes. Its maker disposes of it.

    With a ``poolclass``, an engine as SQLAlchemy has them, which begins and ends transactions itself.
    """

    async def connect(*_: Any, **__: Any) -> asyncpg.Connection:
        try:
            return await asyncpg.connect(**{**address, "timeout": connect_timeout})
        except Exception as error:
            known = translated(error, address.get("password"))
            if known is None:
                raise
            raise known from error

    arguments: dict[str, Any] = {"async_creator_fn": connect}
    if address.get("statement_cache_size") == 0:  # a pooler: no statement outlives its transaction, or shares a name
        arguments["prepared_statement_cache_size"] = 0
        arguments["prepared_statement_name_func"] = lambda: f"ks_{uuid4().hex}"
    ours = {"isolation_level": "AUTOCOMMIT", **_POOL}
    return create_async_engine(
        "postgresql+asyncpg://",
        connect_args=arguments,
        json_serializer=encode_json,
        json_deserializer=decode_json,
        **(ours if poolclass is None else {"poolclass": poolclass}),
    )


async def transact(engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]], *, timeout: float = 10.0) -> T:
    """The result of ``work`` in a transaction of its own, committed; done again after a collision.

    Raises the domain's errors, and then nothing was changed, or (a lost answer to COMMIT) everything.
    """
    begin = f"BEGIN; {limits(timeout)}"
    attempt = 0
    while True:
        attempt += 1
        try:
            # The server's own limit comes first: its answer says more than silence does.
            async with asyncio.timeout(3 * timeout), engine.connect() as connection:
                if (driver := await _begun(connection, begin)) is None:
                    attempt -= 1  # a connection of the pool that is dead: the next may be too, the last one is new
                    continue
                return await _finished(connection, driver, work)
        except KubescribeError:
            raise
        except PoolTimeout as error:
            raise DatabaseUnavailable(RUNLOG, "all of our connections to it are busy") from error
        except Exception as error:
            if missing_part(error):
                raise SchemaMismatch(RUNLOG, await _version(engine), HEAD) from error
            if sqlstate(error) in COLLIDED and attempt < _TRIES:
                await asyncio.sleep(0.02 * attempt**2)
                continue
            known = translated(error)
            if known is None:
                raise
            raise known from error


async def _begun(connection: AsyncConnection, begin: str) -> asyncpg.Connection | None:
    """Begin a transaction, in one message with its limits; None where a kept connection turns out to be dead.

    The driver does it, not SQLAlchemy: there every setting, and the look whether the connection lives, is a message
    of its own, and they took longer than what was asked for.
    """
    pooled = await connection.get_raw_connection()
    driver: asyncpg.Connection | None = pooled.driver_connection
    assert driver is not None
    kept = _USED in pooled.info
    try:
        await driver.execute(begin)
    except BaseException as error:
        driver.terminate()
        await connection.invalidate()
        if kept and isinstance(error, Exception) and disconnected(error) and not isinstance(error, TimeoutError):
            return None
        raise
    pooled.info[_USED] = True
    return driver


async def _finished(
    connection: AsyncConnection, driver: asyncpg.Connection, work: Callable[[AsyncConnection], Awaitable[T]]
) -> T:
    """Do the work and commit, or undo it."""
    try:
        try:
            result = await work(connection)
        except Exception as error:
            if not disconnected(error):
                await driver.execute("ROLLBACK")
            raise
        if (tag := await driver.execute("COMMIT")) != "COMMIT":
            raise AssertionError(f"COMMIT was answered {tag}")
        return result
    except BaseException as error:
        # A cancelled task included: nobody knows what this connection would say next.
        if not isinstance(error, Exception) or disconnected(error):
            driver.terminate()
            await connection.invalidate()
        raise


async def check_writable(engine: AsyncEngine, *, timeout: float = 10.0) -> None:
    """Raise :class:`DatabaseReadOnly` where RunLog answers, and takes no writes."""

    async def work(connection: AsyncConnection) -> None:
        if (await connection.execute(text("SHOW transaction_read_only"))).scalar_one() == "on":
            raise DatabaseReadOnly(RUNLOG, "its transactions are read-only")

    await transact(engine, work, timeout=timeout)


async def _version(engine: AsyncEngine) -> str | None:
    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()
        driver = raw.driver_connection
        return None if driver is None else await schema_version(driver)
