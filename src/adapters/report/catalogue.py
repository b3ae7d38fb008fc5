"""What the report database shows, and pointing back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from ...domain.errors import CommitUnknown, DatabaseRefused, DatabaseUnavailable, ReportNotFound
from ...domain.mode import Mode
from ...domain.report import Publication, Report
from ...domain.verification import Verification
from . import rollback, verification
from .database import ReportDatabase, pause
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
            return tuple(_report(row) for row in await connection.fetch(_REPORTS, None))

        return await self._database.run(work)

    async def get(self, report: str) -> Report:
        """See the port."""

        async def work(connection: Any) -> Report:
            return _report(await _found(connection, report))

        return await self._database.run(work)

    async def ledger(self, report: str, *, limit: int = 50) -> tuple[Publication, ...]:
        """See the port."""

        async def work(connection: Any) -> tuple[Publication, ...]:
            await _found(connection, report)
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
            row = await _found(connection, report)
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
                found = await _found(connection, report)
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

    async def verify(self, report: str) -> Verification:
        """See the port."""

        async def work(connection: Any) -> Verification:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await verification.verify(connection, await _found(connection, report))

        return await self._patient.run(work)


async def _found(connection: Any, report: str) -> Mapping[str, Any]:
    rows: list[Mapping[str, Any]] = await connection.fetch(_REPORTS, report)
    if rows:
        return rows[0]
    import difflib

    names = [row["name"] for row in await connection.fetch("SELECT name FROM kubescribe.report ORDER BY name")]
    raise ReportNotFound(report, tuple(difflib.get_close_matches(report, names, n=3)))


def _report(row: Mapping[str, Any]) -> Report:
    return Report(
        name=row["name"],
        relation=f"{row['schema_name']}.{row['name']}",
        columns=columns(row["columns"]),
        mode=Mode(row["report_mode"]),
        current=publication(row),
        versions=tuple(row["versions"]),
    )


# The columns and the key are those of the version that is shown.
_REPORTS = f"""
SELECT r.name, r.schema_name, r.columns, r.mode AS report_mode, coalesce(s.spec -> 'key', r.key) AS key, p.*,
       CASE r.mode
         WHEN 'replace' THEN ARRAY (
           SELECT k.version FROM kubescribe.staged k JOIN kubescribe.publication kp
             ON kp.version = k.version AND kp.report = k.report AND kp.kind = 'publish'
           WHERE k.report = r.name AND k.condemned_at IS NULL AND kp.generation = r.generation ORDER BY kp.id DESC)
         WHEN 'append' THEN ARRAY (
           SELECT a.version FROM kubescribe.publication a
           WHERE a.report = r.name AND a.kind = 'publish' AND a.generation = r.generation AND NOT EXISTS (
             -- taken back: a later rollback went to an earlier publication
             SELECT FROM kubescribe.publication b JOIN kubescribe.publication t
               ON t.report = b.report AND t.version = b.version AND t.kind = 'publish'
             WHERE b.report = a.report AND b.kind = 'rollback' AND b.id > a.id AND t.id < a.id)
           ORDER BY a.id DESC)
         ELSE ARRAY[p.version] END AS versions
FROM kubescribe.report r
JOIN LATERAL (
  SELECT {LEDGER_COLUMNS} FROM kubescribe.publication WHERE report = r.name ORDER BY id DESC LIMIT 1) p ON true
LEFT JOIN kubescribe.staged s ON s.version = p.version
WHERE $1::text IS NULL OR r.name = $1
ORDER BY r.name COLLATE "C"
"""  # noqa: S608
_DONE = f"SELECT {LEDGER_COLUMNS} FROM kubescribe.publication WHERE report = $1 AND run_id = $2"  # noqa: S608
