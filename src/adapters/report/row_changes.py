"""Changing the rows of the version that is shown: plain DML, inside the publishing transaction.

The report's row is locked, so nobody else changes it meanwhile; readers see the rows as they were until the commit.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ...application.report_account import Gone
from ...application.report_columns import RUN_COLUMN, VERSION_COLUMN
from ...domain.checks import CLASH, SAMPLE, CheckFailure, Unique
from ...domain.errors import ChecksFailed, StagingIncomplete
from ...domain.mode import Mode
from ...domain.report import Staged
from .names import quoted
from .row_sums import gone, sums


class RowChange:
    """One report's staged rows on their way into its ``base``, the table of the version that is shown.

    ``base`` and ``table``, which holds the staged rows, are qualified.
    """

    def __init__(self, connection: Any, item: Staged, *, base: str, base_version: int, table: str) -> None:
        self._connection, self._item = connection, item
        self._base, self._base_version, self._table = base, base_version, table

    async def apply(self) -> Gone:
        """Everything that the mode asks for; returns what the staged rows took the place of.

        Raises :class:`ChecksFailed` naming keys that are in the report already, and :class:`StagingIncomplete`
        where the staged rows are not those that were staged.
        """
        spec, left = self._item.spec, Gone()
        if spec.mode is Mode.MERGE:
            left = await self._delete(spec.key, "=")
        elif spec.mode is Mode.REPLACE_PARTITION:
            # = can be hashed and IS NOT DISTINCT FROM cannot: the few partitions with a null come apart
            left = await self._delete(spec.partition_by, "=")
            left += await self._delete(spec.partition_by, "IS NOT DISTINCT FROM")
        if spec.key and spec.mode is not Mode.MERGE:
            await self._check_key(spec.key)
        await self._insert(self._item.run_id)
        return left

    async def _delete(self, named: tuple[str, ...], equals: str) -> Gone:
        columns = ", ".join(quoted(name) for name in named)
        distinct = "" if named == self._item.spec.key else "DISTINCT "  # a key is, and to see that again costs a sort
        matches = " AND ".join(f"b.{quoted(name)} {equals} s.{quoted(name)}" for name in named)
        if equals != "=":
            matches = f"({' OR '.join(f's.{quoted(name)} IS NULL' for name in named)}) AND {matches}"
        own = [column.name for column in self._item.columns]
        returned = ", ".join(f"b.{quoted(name)}" for name in own)
        row = await self._connection.fetchrow(
            f"WITH staged AS (SELECT {distinct}{columns} FROM {self._table}), "  # noqa: S608 - quoted
            f"gone AS (DELETE FROM {self._base} AS b USING staged AS s WHERE {matches} RETURNING {returned}) "
            f"{sums(own, 'gone')}"
        )
        return gone(row)

    async def _check_key(self, key: tuple[str, ...]) -> None:
        same = " AND ".join(f"b.{quoted(name)} = s.{quoted(name)}" for name in key)
        shown = ", ".join(f"s.{quoted(name)}::text" for name in key)
        rows = await self._connection.fetch(
            f"SELECT count(*) OVER (), {shown} FROM {self._table} AS s "  # noqa: S608 - quoted
            f"WHERE EXISTS (SELECT FROM {self._base} AS b WHERE {same}) "
            f"ORDER BY {', '.join(f's.{quoted(name)}' for name in key)} LIMIT {SAMPLE}"
        )
        if rows:
            sample = tuple(dict(zip(key, tuple(row)[1:], strict=True)) for row in rows)
            name, check = self._item.spec.name, str(Unique(key))
            raise ChecksFailed(
                (CheckFailure(report=name, check=check, offenders=rows[0][0], sample=sample, detail=CLASH),)
            )

    async def _insert(self, run_id: UUID) -> None:
        names = ", ".join(quoted(column.name) for column in self._item.columns)
        status = await self._connection.execute(
            f"INSERT INTO {self._base} ({names}, {VERSION_COLUMN}, {RUN_COLUMN}) "  # noqa: S608 - quoted
            f"SELECT {names}, {self._base_version}, '{run_id}' FROM {self._table}"
        )
        if int(status.rpartition(" ")[2]) != self._item.rows:
            raise StagingIncomplete(run_id, (self._item.spec.name,))
