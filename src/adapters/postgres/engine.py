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
from .failures import COLLIDED, RUNLOG, missing_part, sqlstate, translated
from .rows import decode_json, encode_json
from .schema import HEAD, schema_version
from .session import limits

T = TypeVar("T")

_TRIES = 4
_POOL = {"pool_pre_ping": True, "pool_size": 5, "pool_timeout": 10.0}
"""One waits 10 s for a connection of the pool: less than others wait for the whole answer."""


def runlog_engine(
    address: Mapping[str, Any], *, connect_timeout: float = 5.0, poolclass: type[Pool] | None = None
) -> AsyncEngine:
    """An engine; ``address`` is what :func:`asyncpg.connect` takes. Whoever makes it disposes of it."""

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
    return create_async_engine(
        "postgresql+asyncpg://",
        connect_args=arguments,
        json_serializer=encode_json,
        json_deserializer=decode_json,
        **(_POOL if poolclass is None else {"poolclass": poolclass}),
    )


async def transact(engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]], *, timeout: float = 10.0) -> T:
    """The result of ``work`` in a transaction of its own, committed; done again after a collision.

    Raises the domain's errors, and then nothing was changed, or (a lost answer to COMMIT) everything.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            # The server's own limit comes first: its answer says more than silence does.
            async with asyncio.timeout(3 * timeout), engine.begin() as connection:
                for setting in limits(timeout).split("; "):
                    await connection.execute(text(setting))
                return await work(connection)
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
    raise AssertionError("unreachable")


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
