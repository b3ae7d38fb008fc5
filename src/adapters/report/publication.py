"""The publishing transaction: plain DML under the fence, except for the first publication of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...application.failpoints import failpoint
from ...application.ports.publisher import PublishRequest
from ...application.report_columns import VERSION_COLUMN, differences
from ...domain.errors import Fenced, ReportMismatch, Superseded
from ...domain.report import Publication, Staged
from .names import literal, qualified, quoted, versions_parent
from .rows import LEDGER_COLUMNS, as_json, columns, publication
from .schema import revoke_default_grants

LOCK_MILLISECONDS = 1000
"""How long a publisher waits for another one, before it lets go of all it holds and tries again."""

_STATEMENT_MILLISECONDS = 10_000


class NotAttached(Exception):
    """Another run made the report while this one was on its way: attach the version, then try again."""


class Publishing:
    """One try to publish.

    ``commit_sent`` says whether the server may have been told to commit, ``is_unpublished`` whether the ledger, asked
    under the fence's lock, knew of nothing: then no earlier try has come through, or ever will.
    """

    def __init__(
        self, connection: Any, request: PublishRequest, staged: tuple[Staged, ...], *, schema: str, idle_timeout: float
    ) -> None:
        self._connection, self._request, self._schema = connection, request, schema
        self._staged = tuple(sorted(staged, key=lambda item: item.spec.name))
        self._idle_milliseconds = int(idle_timeout * 1000)
        self.commit_sent = False
        self.is_unpublished = False

    async def attach(self) -> None:
        """Make the versions partitions of their reports, which no reader notices. Reports yet to be made come later."""
        for row in await self._connection.fetch(_LOCATIONS, [item.version for item in self._staged]):
            if row["report_schema"] is None or row["attached"] or not self._fits(row):
                continue  # what does not fit is refused later, after the fence had its say
            async with self._connection.transaction():
                await self._connection.execute(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
                await self._connection.execute(_attach(row, row["report_schema"]))
        failpoint("publish.attached")

    def _fits(self, location: Mapping[str, Any]) -> bool:
        item = next(item for item in self._staged if item.version == location["version"])
        return not differences(columns(location["report_columns"]), item.columns)

    async def publish(self) -> tuple[Publication, ...]:
        """Everything or nothing. Raises the driver's errors, the port's, and :class:`NotAttached`."""
        await self._connection.execute(
            f"BEGIN; SET LOCAL lock_timeout = {LOCK_MILLISECONDS}; "
            f"SET LOCAL statement_timeout = {_STATEMENT_MILLISECONDS}; "
            # a publisher that is stopped here must not keep its successor waiting
            f"SET LOCAL idle_in_transaction_session_timeout = {self._idle_milliseconds}"
        )
        fence = await self._connection.fetchrow(_LOCK_FENCE, self._request.run_id)
        published = await self._ledger()
        if published or not self._staged:
            await self._connection.execute("ROLLBACK")
            return published
        self.is_unpublished = True
        self._check_fence(fence)
        failpoint("publish.fence_checked")
        await self._lock_reports()
        published = await self._write_ledger()
        failpoint("publish.ledger_written")
        await self._connection.executemany(
            _POINT, [(item.spec.name, item.version, self._request.slot) for item in self._staged]
        )
        failpoint("publish.pointed")
        self.commit_sent = True
        await self._connection.execute("COMMIT")
        failpoint("publish.committed")
        return published

    async def _ledger(self) -> tuple[Publication, ...]:
        # in a statement after the lock, so that it sees whatever the transaction waited for has written
        rows = await self._connection.fetch(_PUBLISHED, self._request.run_id)
        return tuple(publication(row) for row in rows)

    def _check_fence(self, fence: Mapping[str, Any] | None) -> None:
        request = self._request
        if fence is not None and fence["closed_as"] is not None:
            raise Fenced(request.run_id, f"the run was closed as {fence['closed_as']}")
        if fence is None or (fence["fence"], fence["attempt_id"]) != (request.fence, request.attempt_id):
            raise Fenced(request.run_id, "a newer attempt holds the fence")

    async def _lock_reports(self) -> None:
        """Make sure of every report: locked in name order, fit for the rows, and with everything it is made of."""
        names = [item.spec.name for item in self._staged]
        made = await self._connection.fetch(
            _MAKE_REPORTS,
            names,
            [as_json(item.columns) for item in self._staged],
            [as_json(item.spec.key) for item in self._staged],
            self._schema,
        )
        new = {row["name"] for row in made}
        reports = {row["name"]: row for row in await self._connection.fetch(_LOCK_REPORTS, names)}
        shown = {row["report"]: row["slot"] for row in await self._connection.fetch(_SLOTS, names)}
        locations = {
            row["version"]: row
            for row in await self._connection.fetch(_LOCATIONS, [item.version for item in self._staged])
        }
        for item in self._staged:
            name, slot = item.spec.name, shown.get(item.spec.name)
            if slot is not None and self._request.slot is not None and slot > self._request.slot:
                raise Superseded(name, self._request.slot, slot)
            wrong = differences(columns(reports[name]["columns"]), item.columns)
            if wrong:
                raise ReportMismatch(name, wrong)
            location = locations.get(item.version)
            if location is None:
                raise Fenced(self._request.run_id, f"what it had staged for report {name} was discarded")
            await self._complete(item, reports[name], location, is_new=name in new)

    async def _complete(
        self, item: Staged, report: Mapping[str, Any], location: Mapping[str, Any], *, is_new: bool
    ) -> None:
        schema, name = report["schema_name"], item.spec.name
        if is_new:
            parent = versions_parent(name)
            await self._connection.execute(_make_parent(item, schema, parent))
            await self._connection.execute(revoke_default_grants(schema, parent))
            await self._connection.execute(_attach(location, schema))
        elif not location["attached"]:
            raise NotAttached
        if is_new or not report["has_view"]:  # a foreign view of that name is refused, a dropped one made again
            await self._connection.execute(_make_view(item, schema))

    async def _write_ledger(self) -> tuple[Publication, ...]:
        request = self._request
        written = [
            await self._connection.fetchrow(
                _WRITE_LEDGER,
                item.spec.name,
                request.run_id,
                item.version,
                request.attempt_id,
                request.fence,
                item.rows,
                item.checksum,
                item.fingerprint,
                request.slot,
                request.actor,
            )
            for item in self._staged
        ]
        await self._connection.executemany(
            "UPDATE kubescribe.report SET key = $2 WHERE name = $1",
            [(item.spec.name, as_json(item.spec.key)) for item in self._staged],
        )
        return tuple(publication(row) for row in written)


def _attach(location: Mapping[str, Any], report_schema: str) -> str:
    parent = qualified(report_schema, versions_parent(location["report"]))
    table = qualified(location["schema_name"], location["table_name"])
    return f"ALTER TABLE {parent} ATTACH PARTITION {table} FOR VALUES IN ({location['version']})"


def _make_parent(item: Staged, schema: str, parent: str) -> str:
    columns_sql = ", ".join(f"{quoted(column.name)} {column.type}" for column in item.columns)
    return (
        f"CREATE TABLE {qualified(schema, parent)} ({columns_sql}, {VERSION_COLUMN} bigint NOT NULL) "
        f"PARTITION BY LIST ({VERSION_COLUMN})"
    )


def _make_view(item: Staged, schema: str) -> str:
    names = ", ".join(quoted(column.name) for column in item.columns)
    return (
        f"CREATE VIEW {qualified(schema, item.spec.name)} AS "  # noqa: S608 - quoted
        f"SELECT {names} FROM {qualified(schema, versions_parent(item.spec.name))} "
        f"WHERE {VERSION_COLUMN} = (SELECT version FROM kubescribe.current WHERE report = {literal(item.spec.name)})"
    )


_LOCK_FENCE = "SELECT fence, attempt_id, closed_as FROM kubescribe.fence WHERE run_id = $1 AND part = 0 FOR UPDATE"
_PUBLISHED = (
    f"SELECT {LEDGER_COLUMNS} FROM kubescribe.publication "  # noqa: S608
    "WHERE run_id = $1 AND kind = 'publish' ORDER BY report COLLATE \"C\""
)
_LOCATIONS = """
SELECT s.version, s.report, s.schema_name, s.table_name, r.schema_name AS report_schema, r.columns AS report_columns,
       EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = t.oid) AS attached
FROM kubescribe.staged s
JOIN pg_namespace n ON n.nspname = s.schema_name
JOIN pg_class t ON t.relnamespace = n.oid AND t.relname = s.table_name
LEFT JOIN kubescribe.report r ON r.name = s.report
WHERE s.version = ANY ($1) AND s.condemned_at IS NULL
ORDER BY s.report COLLATE "C"
"""
# Reports are made and locked in one order, so that runs which publish overlapping sets wait and never deadlock.
_MAKE_REPORTS = """
INSERT INTO kubescribe.report (name, columns, key, schema_name)
SELECT name, columns::jsonb, key::jsonb, $4
FROM unnest($1::text[], $2::text[], $3::text[]) AS new (name, columns, key)
ORDER BY name COLLATE "C"
ON CONFLICT (name) DO NOTHING
RETURNING name
"""
_LOCK_REPORTS = """
SELECT name, schema_name, columns, EXISTS (
         SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = r.schema_name AND c.relname = r.name AND c.relkind = 'v') AS has_view
FROM kubescribe.report r WHERE name = ANY ($1) ORDER BY name COLLATE "C" FOR UPDATE OF r
"""
_SLOTS = "SELECT report, slot FROM kubescribe.current WHERE report = ANY ($1)"
_WRITE_LEDGER = f"""
INSERT INTO kubescribe.publication
  (report, run_id, version, kind, attempt_id, fence, rows, checksum, fingerprint, slot, actor)
VALUES ($1, $2, $3, 'publish', $4, $5, $6, $7, $8, $9, $10)
RETURNING {LEDGER_COLUMNS}
"""  # noqa: S608
# A run without a slot leaves the slot as it is: what it published is not older than what it replaced.
_POINT = """
INSERT INTO kubescribe.current AS c (report, version, slot) VALUES ($1, $2, $3)
ON CONFLICT (report) DO UPDATE SET version = excluded.version, slot = coalesce(excluded.slot, c.slot)
"""
