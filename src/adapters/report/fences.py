"""The fences in PostgreSQL."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ...domain.errors import RunClosed
from ...domain.report import Publication
from .database import ReportDatabase
from .rows import LEDGER_COLUMNS, publication

_LOCK_SECONDS = 5.0
"""Longer than a publishing transaction may stand idle, so that a stopped publisher is outwaited."""

_AGAIN = frozenset({"40001", "40P01"})  # a lock not got in time is the caller's to try again

# The number of the update is drawn after the row is locked (and so a publishing transaction waited for): drawn
# before, the slower of two attempts could put the smaller number on top of the greater one.
_TAKE = """
INSERT INTO kubescribe.fence AS f (run_id, fence, attempt_id)
VALUES ($1, nextval('kubescribe.fence_number'), $2)
ON CONFLICT (run_id, part) DO UPDATE
  SET fence = nextval('kubescribe.fence_number'), attempt_id = excluded.attempt_id
  WHERE f.closed_as IS NULL
RETURNING fence
"""
# A holder that the row has only got while this waited for it is looked at again, and left alone if it is newer.
_RAISE = """
UPDATE kubescribe.fence SET fence = nextval('kubescribe.fence_number'), attempt_id = NULL
WHERE run_id = $1 AND part = 0 AND (attempt_id = $2 OR fence <= $3::bigint)
"""
_CLOSE = """
INSERT INTO kubescribe.fence AS f (run_id, fence, closed_as) VALUES ($1, nextval('kubescribe.fence_number'), $2)
ON CONFLICT (run_id, part) DO UPDATE
  SET fence = nextval('kubescribe.fence_number'), attempt_id = NULL,
      closed_as = coalesce(f.closed_as, excluded.closed_as)
"""

_CONCLUDE = """
UPDATE kubescribe.fence SET closed_as = coalesce(closed_as, $3)
WHERE run_id = $1 AND part = 0 AND attempt_id = $2 AND (closed_as IS NULL OR closed_as = $3)
RETURNING fence
"""


class PostgresFences:
    """Implements :class:`~kubescribe.application.ports.fences.Fences`."""

    def __init__(
        self,
        asyncpg_kwargs: dict[str, Any],
        *,
        connect_timeout: float = 10.0,
        schema: str = "reports",
        lock_timeout: float = _LOCK_SECONDS,
    ) -> None:
        del schema  # the fences know no report; the parameter makes the constructors alike
        self._database = ReportDatabase(asyncpg_kwargs, connect_timeout=connect_timeout)
        self._lock_timeout = lock_timeout

    async def take(self, run_id: UUID, attempt_id: UUID) -> int:
        """See the port."""

        async def work(connection: Any) -> int:
            async with connection.transaction():
                await self._limit(connection)
                fence: int | None = await connection.fetchval(_TAKE, run_id, attempt_id)
                if fence is None:
                    closed_as = await connection.fetchval(
                        "SELECT closed_as FROM kubescribe.fence WHERE run_id = $1 AND part = 0", run_id
                    )
                    raise RunClosed(run_id, closed_as)
                return fence

        return await self._database.run(work, again=_AGAIN)

    async def raise_(self, run_id: UUID, attempt_id: UUID, fence: int | None = None) -> None:
        """See the port."""
        await self._change(_RAISE, run_id, attempt_id, fence)

    async def conclude(self, run_id: UUID, attempt_id: UUID, closed_as: str) -> bool:
        """See the port."""

        async def work(connection: Any) -> bool:
            async with connection.transaction():
                await self._limit(connection)
                # Told again, as after a lost answer, it finds its own word.
                return await connection.fetchval(_CONCLUDE, run_id, attempt_id, closed_as) is not None

        return await self._database.run(work, again=_AGAIN)

    async def close(self, run_id: UUID, closed_as: str) -> None:
        """See the port."""
        await self._change(_CLOSE, run_id, closed_as)

    async def publications(self, run_id: UUID) -> tuple[Publication, ...]:
        """See the port."""

        async def work(connection: Any) -> tuple[Publication, ...]:
            rows = await connection.fetch(
                f"SELECT {LEDGER_COLUMNS} FROM kubescribe.publication "  # noqa: S608
                "WHERE run_id = $1 AND kind = 'publish' ORDER BY report COLLATE \"C\"",
                run_id,
            )
            return tuple(publication(row) for row in rows)

        return await self._database.run(work)

    async def _change(self, statement: str, *values: object) -> None:
        async def work(connection: Any) -> None:
            async with connection.transaction():
                await self._limit(connection)
                await connection.execute(statement, *values)

        await self._database.run(work, again=_AGAIN)

    async def _limit(self, connection: Any) -> None:
        await connection.execute(f"SET LOCAL lock_timeout = {int(self._lock_timeout * 1000)}")
