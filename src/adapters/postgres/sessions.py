"""A run's sessions in PostgreSQL, looked for in ``pg_stat_activity``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg

from ...application.ports.sessions import SessionCheck, SessionState
from .failures import translated

# Every role sees every session's application_name; to end one it has to be its own, or pg_signal_backend's.
_ITS = """
SELECT pid, usename FROM pg_stat_activity
WHERE split_part(application_name, ':', 1) = 'ks' AND split_part(application_name, ':', 2) = $1
  AND datname = current_database() AND pid <> pg_backend_pid()
"""
_LOOK_AGAIN = 0.05
"""Seconds between two looks, until the sessions that were ended have gone."""


class PostgresSessions:
    """:class:`~kubescribe.application.ports.sessions.Sessions` of one database.

    ``address`` is what :func:`asyncpg.connect` takes. ``patience``: seconds for sessions to go that were told to.
    """

    def __init__(
        self, address: Mapping[str, Any], *, database: str, connect_timeout: float = 5.0, patience: float = 3.0
    ) -> None:
        self._address = {**address, "timeout": connect_timeout, "command_timeout": 10.0}
        self._database = database
        self._patience = patience

    async def end(self, run_id: UUID) -> SessionCheck:
        """See the port."""
        try:
            connection = await asyncpg.connect(**self._address)
            try:
                return await self._end(connection, str(run_id))
            finally:
                await connection.close(timeout=1.0)
        except Exception as error:  # whatever keeps us from looking, nobody has looked
            known = translated(error, self._address.get("password"), self._database)
            detail = str(known) if known is not None else f"{type(error).__name__}: {error}"
            return SessionCheck(database=self._database, state=SessionState.UNVERIFIED, detail=detail)

    async def _end(self, connection: asyncpg.Connection, run_id: str) -> SessionCheck:
        refused = ""
        until = asyncio.get_running_loop().time() + self._patience
        told: set[int] = set()
        while left := await connection.fetch(_ITS, run_id):
            for row in left:
                if row["pid"] in told:
                    continue
                told.add(row["pid"])
                try:
                    await connection.execute("SELECT pg_terminate_backend($1)", row["pid"])
                except asyncpg.InsufficientPrivilegeError:
                    refused = f", which belong to {row['usename']}: grant this role pg_signal_backend"
            if refused or asyncio.get_running_loop().time() > until:
                detail = f"{len(left)} could not be ended{refused}"
                return SessionCheck(database=self._database, state=SessionState.LEFT, detail=detail)
            await asyncio.sleep(_LOOK_AGAIN)
        ended = f"{len(told)} were ended" if told else ""
        return SessionCheck(database=self._database, state=SessionState.GONE, detail=ended)
