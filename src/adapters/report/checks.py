"""The declared checks as SQL over a version that no reader sees yet."""

from __future__ import annotations

from typing import Any

from ...domain.checks import SAMPLE, Between, Check, CheckFailure, NotNull, Rows, Sql, Unique
from ...domain.report import Staged
from .failures import first_line, is_about_the_statement
from .names import qualified, quoted

_COMPARED_AS = {
    "smallint": "numeric",
    "integer": "numeric",
    "bigint": "numeric",
    "date": "timestamp without time zone",
}
"""Bounds get the column's own type, or a wider one where 0.5 or noon would be rounded to fit."""


async def run_check(connection: Any, staged: Staged, schema: str, table: str, check: Check) -> CheckFailure | None:
    """One check inside the caller's transaction, which it leaves usable; None where it holds."""
    try:
        async with connection.transaction():
            return await _Checking(connection, staged, qualified(schema, table), check).run()
    except Exception as error:
        if not is_about_the_statement(error):
            raise
        return _failure(staged, check, None, detail=first_line(error))


class _Checking:
    def __init__(self, connection: Any, staged: Staged, table: str, check: Check) -> None:
        self._connection, self._staged, self._table, self._check = connection, staged, table, check
        self._types = {column.name: column.type for column in staged.columns}

    async def run(self) -> CheckFailure | None:
        check = self._check
        if isinstance(check, Sql):
            return await self._sql(check)
        if isinstance(check, Rows):
            return await self._rows(check)
        named = (check.column,) if isinstance(check, Between) else check.columns
        unknown = [name for name in named if name not in self._types]
        if unknown or not named:
            detail = f"there is no column {', '.join(unknown)}" if unknown else "it names no column"
            return _failure(self._staged, check, None, detail=detail)
        if isinstance(check, Unique):
            return await self._unique(check)
        if isinstance(check, NotNull):
            return await self._where(named, " OR ".join(f"{quoted(name)} IS NULL" for name in named))
        return await self._between(check)

    async def _rows(self, check: Rows) -> CheckFailure | None:
        count = await self._connection.fetchval(f"SELECT count(*) FROM {self._table}")  # noqa: S608
        if (check.min is None or count >= check.min) and (check.max is None or count <= check.max):
            return None
        return _failure(self._staged, check, None, detail=f"there are {count} rows")

    async def _unique(self, check: Unique) -> CheckFailure | None:
        columns = ", ".join(quoted(name) for name in check.columns)
        rows = await self._connection.fetch(
            f"SELECT count(*) OVER (), {_as_text(check.columns)} FROM {self._table} "  # noqa: S608
            f"GROUP BY {columns} HAVING count(*) > 1 ORDER BY {columns} LIMIT {SAMPLE}"
        )
        return self._found(check.columns, rows)

    async def _where(self, named: tuple[str, ...], condition: str, *values: object) -> CheckFailure | None:
        key = self._staged.spec.key
        shown = tuple(dict.fromkeys((*key, *named))) if key else tuple(self._types)
        rows = await self._connection.fetch(
            f"SELECT count(*) OVER (), {_as_text(shown)} FROM {self._table} WHERE {condition} LIMIT {SAMPLE}",  # noqa: S608
            *values,
        )
        return self._found(shown, rows)

    async def _between(self, check: Between) -> CheckFailure | None:
        column = quoted(check.column)
        kind = self._types[check.column]
        kind = _COMPARED_AS.get(kind, "numeric" if kind.startswith("numeric") else kind)
        conditions, values = [], []
        for sign, bound in (("<", check.min), (">", check.max)):
            if bound is not None:
                values.append(str(bound))
                conditions.append(f"{column} {sign} ${len(values)}::text::{kind}")
        if not conditions:
            return None
        return await self._where((check.column,), " OR ".join(conditions), *values)

    async def _sql(self, check: Sql) -> CheckFailure | None:
        columns = ", ".join(quoted(name) for name in self._types)
        query = check.query.strip().rstrip(";")
        # a common table expression needs no right to make a temporary view, and NOT MATERIALIZED costs as little
        start = f"WITH staged AS NOT MATERIALIZED (SELECT {columns} FROM {self._table})\nSELECT "  # noqa: S608
        prepared = await self._connection.prepare(f"{start}* FROM (\n{query}\n) AS offenders")
        names = tuple(attribute.name for attribute in prepared.get_attributes())
        places = [f"c{number}" for number in range(len(names))]
        values = ", ".join(["count(*) OVER ()", *(f"{place}::text" for place in places)])
        rows = await self._connection.fetch(
            f"{start}{values} FROM (\n{query}\n) AS offenders({', '.join(places)}) LIMIT {SAMPLE}"
        )
        return self._found(names, rows)

    def _found(self, names: tuple[str, ...], rows: list[Any]) -> CheckFailure | None:
        if not rows:
            return None
        sample = tuple(dict(zip(names, tuple(row)[1:], strict=True)) for row in rows)
        return _failure(self._staged, self._check, rows[0][0], sample=sample)


def _as_text(names: tuple[str, ...]) -> str:
    return ", ".join(f"{quoted(name)}::text" for name in names)


def _failure(
    staged: Staged,
    check: Check,
    offenders: int | None,
    *,
    sample: tuple[dict[str, Any], ...] = (),
    detail: str | None = None,
) -> CheckFailure:
    return CheckFailure(report=staged.spec.name, check=str(check), offenders=offenders, sample=sample, detail=detail)
