"""The commit point in PostgreSQL."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from ...application.ports.publisher import PublishRequest
from ...domain.checks import CheckFailure
from ...domain.errors import CommitUnknown, DatabaseRefused, DatabaseUnavailable, Fenced
from ...domain.report import Publication, Staged
from .checks import run_check
from .database import TRIES, ReportDatabase, lost_a_race, pause, translated
from .publication import Publishing
from .retirement import Retirement
from .rows import STAGED_COLUMNS, staged
from .shaping import InTheWay, NotReady


class PostgresPublisher:
    """Implements :class:`~kubescribe.application.ports.publisher.Publisher`.

    ``idle_timeout``: seconds after which the server ends a publishing transaction whose publisher has stopped.
    ``settle_timeout``: how long an answer to COMMIT that was lost is looked for in the ledger.
    ``check_timeout``: for one check. ``change_timeout``: for changing rows in place, and for waiting until another
    run has changed them. ``readers_timeout``: how long a change of columns waits for readers' transactions to end.
    """

    def __init__(
        self,
        asyncpg_kwargs: dict[str, Any],
        *,
        connect_timeout: float = 10.0,
        schema: str = "reports",
        idle_timeout: float = 3.0,
        settle_timeout: float = 60.0,
        check_timeout: float = 900.0,
        change_timeout: float = 900.0,
        readers_timeout: float = 30.0,
    ) -> None:
        self._database = ReportDatabase(asyncpg_kwargs, connect_timeout=connect_timeout)
        longest = max(check_timeout, change_timeout)
        self._patient = ReportDatabase(asyncpg_kwargs, connect_timeout=connect_timeout, command_timeout=longest)
        self._schema = schema
        self._idle_timeout, self._settle_timeout = idle_timeout, settle_timeout
        self._change_timeout, self._readers_timeout = change_timeout, readers_timeout
        self._retirement = Retirement()

    async def staged(self, run_id: UUID, attempt_id: UUID) -> tuple[Staged, ...]:
        """See the port."""

        async def work(connection: Any) -> tuple[Staged, ...]:
            rows = await connection.fetch(
                f'SELECT DISTINCT ON (report COLLATE "C") {STAGED_COLUMNS} FROM kubescribe.staged '  # noqa: S608
                "WHERE run_id = $1 AND attempt_id = $2 AND condemned_at IS NULL "
                'ORDER BY report COLLATE "C", version DESC',
                run_id,
                attempt_id,
            )
            return tuple(staged(row) for row in rows)

        return await self._database.run(work)

    async def check(self, staged: tuple[Staged, ...]) -> tuple[CheckFailure, ...]:
        """See the port. All checks see one moment, and can change nothing."""

        async def work(connection: Any) -> tuple[CheckFailure, ...]:
            failures = []
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                await connection.execute(
                    "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL synchronize_seqscans = off"
                )
                for item in staged:
                    where = await connection.fetchrow(
                        "SELECT schema_name, table_name FROM kubescribe.staged "
                        "WHERE version = $1 AND condemned_at IS NULL",
                        item.version,
                    )
                    if where is None:
                        raise Fenced(item.run_id, f"what it had staged for report {item.spec.name} was discarded")
                    for check in item.spec.every_check():
                        failures.append(
                            await run_check(connection, item, where["schema_name"], where["table_name"], check)
                        )
            return tuple(failure for failure in failures if failure)

        return await self._patient.run(work)

    async def publish(self, request: PublishRequest, staged: tuple[Staged, ...]) -> tuple[Publication, ...]:
        """See the port. Raises :class:`CommitUnknown` where the ledger could not be asked in time."""
        tried, settle_until, readers_until = 0, 0.0, 0.0
        in_doubt: BaseException | None = None
        in_place = any(item.spec.mode.in_place for item in staged)
        database = self._patient if in_place else self._database
        race_until = time.monotonic() + (self._change_timeout if in_place else 0.0)
        while True:
            tried += 1
            publishing = None
            try:
                async with translated(), database.connection() as connection:
                    publishing = Publishing(
                        connection,
                        request,
                        staged,
                        schema=self._schema,
                        idle_timeout=self._idle_timeout,
                        change_timeout=self._change_timeout,
                    )
                    await publishing.prepare()
                    return await publishing.publish()
            except (DatabaseUnavailable, DatabaseRefused, NotReady, InTheWay) as error:
                raced = isinstance(error, NotReady | InTheWay) or lost_a_race(error)
                if publishing is not None and publishing.is_unpublished:
                    in_doubt = None
                if publishing is not None and publishing.commit_sent and not raced:
                    # The next try waits at the fence for the end of this one, and then reads the ledger.
                    if isinstance(error, DatabaseRefused):
                        raise  # the server answered COMMIT with an error: it is rolled back
                    settle_until = settle_until or time.monotonic() + self._settle_timeout
                    in_doubt = in_doubt or error.__cause__ or error
                if in_doubt is not None:
                    if time.monotonic() > settle_until:
                        raise CommitUnknown("report", request.run_id, str(in_doubt)) from error
                elif isinstance(error, InTheWay):
                    readers_until = readers_until or time.monotonic() + self._readers_timeout
                    if time.monotonic() > readers_until:
                        raise DatabaseUnavailable("report", f"{_IN_THE_WAY} ({error})") from error
                elif not raced or (tried >= TRIES and time.monotonic() > race_until):
                    raise
            await pause(tried)

    async def discard(self, run_id: UUID, attempt_id: UUID | None = None) -> None:
        """See the port."""

        async def work(connection: Any) -> None:
            await self._retirement.discard(connection, run_id, attempt_id)

        await self._database.run(work)

    async def unpublished(self) -> tuple[UUID, ...]:
        """See the port."""

        async def work(connection: Any) -> tuple[UUID, ...]:
            return tuple(row["run_id"] for row in await connection.fetch(_UNPUBLISHED))

        return await self._database.run(work)

    async def retire(self, report: str, keep: int) -> tuple[int, ...]:
        """See the port."""

        async def work(connection: Any) -> tuple[int, ...]:
            return await self._retirement.retire(connection, report, keep)

        return await self._database.run(work)


_IN_THE_WAY = (
    "the columns of a report have to change, and an open transaction that reads it is in the way: it has to end first"
)
_UNPUBLISHED = """
SELECT DISTINCT run_id FROM kubescribe.staged s
WHERE NOT EXISTS (SELECT FROM kubescribe.publication p WHERE p.report = s.report AND p.version = s.version)
"""
