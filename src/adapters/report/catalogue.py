"""What the report database shows, and pointing back."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from ...domain.errors import CommitUnknown, DatabaseRefused, DatabaseUnavailable
from ...domain.report import Publication, Report, Rollback, is_report_name
from ...domain.verification import Verification
from . import rollback, verification
from .database import ReportDatabase, pause
from .listing import REPORTS, found_report, report_of
from .names import qualified, quoted
from .publication import LOCK_MILLISECONDS
from .rows import LEDGER_COLUMNS, columns, publication

_ROWS_SECONDS = 900.0
"""For one statement that reads or removes many rows."""
_IDLE_MILLISECONDS = 3000
"""A rollback whose process is stopped here must not keep publishers waiting."""


class PostgresReportCatalogue:
    """Implements :class:`~kubescribe.application.ports.report_catalogue.ReportCatalogue`.

    ``settle_timeout``: how long an answer to a rollback's COMMIT that was lost is looked for in the ledger.
    """

    def __init__(
        self,
        asyncpg_kwargs: dict[str, Any],
        *,
        connect_timeout: float = 10.0,
        schema: str = "reports",
        settle_timeout: float = 30.0,
    ) -> None:
        del schema  # every report knows its own, which a setting cannot change
        self._settle_timeout = settle_timeout
        self._database = ReportDatabase(asyncpg_kwargs, connect_timeout=connect_timeout)
        self._patient = ReportDatabase(asyncpg_kwargs, connect_timeout=connect_timeout, command_timeout=_ROWS_SECONDS)

    async def reports(self) -> tuple[Report, ...]:
        """See the port."""

        async def work(connection: Any) -> tuple[Report, ...]:
            return tuple(report_of(row) for row in await connection.fetch(REPORTS, None))

        return await self._database.run(work)

    async def get(self, report: str) -> Report:
        """See the port."""

        async def work(connection: Any) -> Report:
            return report_of(await found_report(connection, report))

        return await self._database.run(work)

    async def ledger(self, report: str, *, limit: int = 50) -> tuple[Publication, ...]:
        """See the port."""

        async def work(connection: Any) -> tuple[Publication, ...]:
            await found_report(connection, report)
            rows = await connection.fetch(
                f"SELECT {LEDGER_COLUMNS} FROM kubescribe.publication "  # noqa: S608
                "WHERE report = $1 ORDER BY id DESC LIMIT $2",
                report,
                limit,
            )
            return tuple(publication(row) for row in rows)

        return await self._database.run(work)

    async def head(self, report: str, *, limit: int = 10) -> tuple[dict[str, Any], ...]:
        """See the port."""

        async def work(connection: Any) -> tuple[dict[str, Any], ...]:
            row = await found_report(connection, report)
            names = [column.name for column in columns(row["columns"])]
            key = msgspec.json.decode(row["key"], type=tuple[str, ...])
            order = ", ".join(quoted(name) for name in dict.fromkeys((*key, *names)))
            rows = await connection.fetch(
                f"SELECT {', '.join(map(quoted, names))} FROM {qualified(row['schema_name'], report)} "  # noqa: S608
                f"ORDER BY {order} LIMIT $1",
                limit,
            )
            return tuple(dict(row) for row in rows)

        return await self._database.run(work)

    async def roll_back(
        self, report: str, *, to: int | None, rollback_id: UUID, actor: str, reason: str | None
    ) -> Publication:
        """See the port."""
        commit_sent = False

        async def work(connection: Any) -> Publication:
            nonlocal commit_sent
            commit_sent = False
            if not is_report_name(report):
                await found_report(connection, report)
            async with connection.transaction():
                await connection.execute(
                    f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}; "
                    f"SET LOCAL idle_in_transaction_session_timeout = {_IDLE_MILLISECONDS}"
                )
                # the same lock as a publisher's: the two take turns, and retiring waits for both
                await connection.execute("SELECT FROM kubescribe.report WHERE name = $1 FOR UPDATE", report)
                done = await connection.fetchrow(_DONE, report, rollback_id)
                if done is not None:
                    return publication(done)
                found = await found_report(connection, report)
                written = await rollback.roll_back(
                    connection, found, to=to, rollback_id=rollback_id, actor=actor, reason=reason
                )
                commit_sent = True
            return written

        tried, settle_until = 0, 0.0
        in_doubt: BaseException | None = None
        while True:
            tried += 1
            try:
                return await self._patient.run(work)
            except (DatabaseUnavailable, DatabaseRefused) as error:
                # An error in answer to COMMIT is an answer: it is rolled back.
                if commit_sent and isinstance(error, DatabaseUnavailable):
                    settle_until = settle_until or time.monotonic() + self._settle_timeout
                    in_doubt = in_doubt or error.__cause__ or error
                if in_doubt is None:
                    raise
                if time.monotonic() > settle_until:
                    what = f"report {report} was rolled back (rollback {rollback_id})"
                    raise CommitUnknown("report", rollback_id, str(in_doubt), what) from error
            # The next try waits for the end of this one at the report's lock, and then finds its row in the ledger.
            await pause(tried)

    async def rollbacks(
        self, *, within: timedelta = timedelta(days=7), rollback_id: UUID | None = None
    ) -> tuple[Rollback, ...]:
        """See the port."""

        async def work(connection: Any) -> tuple[Rollback, ...]:
            return await rollback.rollbacks(connection, within, rollback_id)

        return await self._database.run(work)

    async def verify(self, report: str) -> Verification:
        """See the port."""

        async def work(connection: Any) -> Verification:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await verification.verify(connection, await found_report(connection, report))

        return await self._patient.run(work)


_DONE = f"SELECT {LEDGER_COLUMNS} FROM kubescribe.publication WHERE report = $1 AND run_id = $2"  # noqa: S608
