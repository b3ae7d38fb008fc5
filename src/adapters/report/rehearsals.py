"""What staged rows would change, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...application.rehearsal_scope import Change, Rehearsal, Scope, difference, is_numeric, rehearsal
from ...domain.difference import ColumnTotal, ReportDifference, RowTotals
from ...domain.errors import Fenced
from ...domain.report import Column, Staged
from .database import ReportDatabase
from .names import qualified, quoted
from .rows import shape

_LIVE = """
SELECT r.columns AS report_columns, r.mode AS report_mode, r.key AS report_key, r.generation, r.schema_name, c.version
FROM kubescribe.report r JOIN kubescribe.current c ON c.report = r.name WHERE r.name = $1
"""
_STAGED = "SELECT schema_name, table_name FROM kubescribe.staged WHERE version = $1 AND condemned_at IS NULL"


class PostgresRehearsals:
    """Implements :class:`~kubescribe.application.ports.rehearsals.Rehearsals`. ``timeout``: seconds for one query."""

    def __init__(
        self, asyncpg_kwargs: dict[str, Any], *, connect_timeout: float = 10.0, timeout: float = 900.0
    ) -> None:
        self._database = ReportDatabase(asyncpg_kwargs, connect_timeout=connect_timeout, command_timeout=timeout)

    async def difference(self, staged: Staged) -> ReportDifference:
        """See the port."""

        async def work(connection: Any) -> ReportDifference:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                await connection.execute("SET LOCAL timezone = 'UTC'")
                table = await connection.fetchrow(_STAGED, staged.version)
                if table is None:
                    raise Fenced(staged.run_id, f"what it had staged for report {staged.spec.name} was discarded")
                live = await connection.fetchrow(_LIVE, staged.spec.name)
                looking = _Looking(connection, staged, qualified(table["schema_name"], table["table_name"]), live)
                return await looking.difference()

        return await self._database.run(work)


class _Looking:
    """One comparison, inside the caller's transaction. ``live``: the report's row; None: it was never published."""

    def __init__(self, connection: Any, staged: Staged, table: str, live: Mapping[str, Any] | None) -> None:
        self._connection, self._staged, self._table, self._live = connection, staged, table, live
        self._how: Rehearsal = rehearsal(staged, shape(live) if live else None)
        self._view = qualified(live["schema_name"], staged.spec.name) if live else ""

    async def difference(self) -> ReportDifference:
        before = await self._count(self._view) if self._live else 0
        scope, change, totals = self._scope(), None, None
        in_scope = await self._count(scope) if scope else 0
        if scope and self._how.by_key:
            change = await self._change(scope)
        elif scope:
            totals = await self._totals(scope), await self._totals(self._table)
        return difference(
            self._staged,
            self._how,
            version=self._live["version"] if self._live else None,
            rows_before=before,
            rows_in_scope=in_scope,
            change=change,
            totals=totals,
        )

    def _scope(self) -> str | None:
        """The live rows in scope, as something to select from; None: there are none."""
        spec = self._staged.spec
        match self._how.scope:
            case Scope.NONE:
                return None
            case Scope.ALL:
                return self._view
            case Scope.SAME_KEYS:
                named, equals = spec.key, "="
            case Scope.SAME_PARTITIONS:
                named, equals = spec.partition_by, "IS NOT DISTINCT FROM"
        same = " AND ".join(f"theirs.{quoted(name)} {equals} live.{quoted(name)}" for name in named)
        theirs = f"SELECT DISTINCT {_list(named)} FROM {self._table}"  # noqa: S608 - quoted
        return f"(SELECT * FROM {self._view} AS live WHERE EXISTS (SELECT FROM ({theirs}) AS theirs WHERE {same}))"  # noqa: S608 - quoted

    async def _count(self, what: str) -> int:
        count: int = await self._connection.fetchval(f"SELECT count(*) FROM {what} AS counted")  # noqa: S608 - quoted
        return count

    async def _change(self, scope: str) -> Change:
        key = self._staged.spec.key
        names = [column.name for column in self._how.common]
        here = "here"
        while here in names:
            here += "_"
        columns, same = _list(names), " AND ".join(f"l.{quoted(name)} = s.{quoted(name)}" for name in key)
        differs = " OR ".join(_differs(column) for column in self._how.beside(key)) or "false"
        row = await self._connection.fetchrow(
            f"SELECT count(*) FILTER (WHERE l.{here} IS NULL) AS added, "  # noqa: S608 - quoted
            f"count(*) FILTER (WHERE s.{here} IS NULL) AS removed, "
            f"count(*) FILTER (WHERE l.{here} AND s.{here} AND ({differs})) AS changed "
            f"FROM (SELECT true AS {here}, {columns} FROM {scope} AS live) AS l "
            f"FULL JOIN (SELECT true AS {here}, {columns} FROM {self._table}) AS s ON {same}"
        )
        return Change(added=row["added"], removed=row["removed"], changed=row["changed"])

    async def _totals(self, what: str) -> RowTotals:
        columns = self._how.common
        figures = ["count(*)"]
        for column in columns:
            name = quoted(column.name)
            figures.append(f"count(*) FILTER (WHERE {name} IS NULL)")
            figures.append(f"sum({name})::text" if is_numeric(column) else "NULL::text")
        row = tuple(await self._connection.fetchrow(f"SELECT {', '.join(figures)} FROM {what} AS summed"))  # noqa: S608
        totals = zip(columns, row[1::2], row[2::2], strict=True)
        return RowTotals(
            rows=row[0],
            columns=tuple(ColumnTotal(name=column.name, nulls=nulls, sum=total) for column, nulls, total in totals),
        )


def _list(names: Sequence[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def _differs(column: Column) -> str:
    name = quoted(column.name)
    return f"l.{name} IS DISTINCT FROM s.{name}"  # every type that a report may have knows equality
