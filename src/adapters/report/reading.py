"""Sessions that can only read: under a role that has no other right, in read-only transactions of limited time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ...domain.errors import DatabaseRefused
from .database import ReportDatabase, translated
from .failures import DATABASE, sqlstate
from .names import quoted
from .schema import BROWSER, FIND_VERSION_TABLE, HEAD, READ_VERSION, mismatch

_NO_SUCH_ROLE = frozenset({"22023", "42704", "42501"})
_IDLE_MILLISECONDS = 60_000
"""A reader that takes nothing for so long loses its transaction, which keeps publishers from changing columns."""


class ReadingSession:
    """Opens read-only transactions. ``role``: to be taken on after connecting; None: the login's own rights."""

    def __init__(
        self,
        asyncpg_kwargs: dict[str, Any],
        *,
        role: str | None = BROWSER,
        connect_timeout: float = 10.0,
        statement_timeout: float = 30.0,
    ) -> None:
        self.statement_timeout = statement_timeout
        self._role = role
        # the server gives up first, and says so
        patience = statement_timeout + 10.0
        self._database = ReportDatabase(asyncpg_kwargs, connect_timeout=connect_timeout, command_timeout=patience)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """A connection of asyncpg in a transaction of one moment that can write nothing. Errors are the domain's."""
        async with translated(), self._database.connection() as connection:
            await connection.execute(_BEGIN.format(milliseconds=max(1, round(self.statement_timeout * 1000))))
            if self._role is not None:
                await self._take_on(connection, self._role)
            await self._check_schema(connection)
            yield connection
            await connection.execute("ROLLBACK")

    async def _take_on(self, connection: Any, role: str) -> None:
        try:
            await connection.execute(f"SET LOCAL ROLE {quoted(role)}")
        except Exception as error:
            if sqlstate(error) not in _NO_SUCH_ROLE:
                raise
            raise DatabaseRefused(
                DATABASE,
                f"it does not let the role of REPORT_DB_URL become {role}, under which reports are browsed",
                "run `kubescribe migrate` and what `kubescribe migrate --grants PUBLISHER READER` prints as an "
                f"administrator, or set REPORT_READER_DB_URL to a login that is a member of {role}",
            ) from error

    async def _check_schema(self, connection: Any) -> None:
        if not await connection.fetchval(FIND_VERSION_TABLE):
            raise mismatch(None)
        found = await connection.fetchval(READ_VERSION)
        if found < HEAD:  # newer tables still serve
            raise mismatch(found)


# search_path: no function or operator of somebody's schema can come in for PostgreSQL's own.
_BEGIN = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {milliseconds}; "
    f"SET LOCAL idle_in_transaction_session_timeout = {_IDLE_MILLISECONDS}; "
    "SET LOCAL lock_timeout = 5000; SET LOCAL search_path = pg_catalog; SET LOCAL timezone = 'UTC'; "
    "SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'iso_8601'; SET LOCAL bytea_output = 'hex'; "
    "SET LOCAL extra_float_digits = 1; "
    "SET LOCAL synchronize_seqscans = off"
)
