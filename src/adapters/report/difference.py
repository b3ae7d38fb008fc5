"""The difference of two relations of one report in SQL.

One pass over each relation, in the caller's transaction, with a connection of asyncpg; the server's hash tables spill
to its disk, and nothing but figures leaves it. The caller bounds the time with ``statement_timeout``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ...domain.report import Column
from ...domain.version_difference import ColumnDifference, VersionDifference, common_columns, only_in
from .names import quoted
from .row_query import compared


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two relations."""

    relation: str
    """As it may stand in FROM: a qualified and quoted name, or a query in brackets."""
    columns: tuple[Column, ...]
    """The report's, without ours."""


async def difference(connection: Any, before: Side, after: Side, *, key: Sequence[str] = ()) -> VersionDifference:
    """What differs. ``key``: columns that are unique and never null in both relations; empty: rows are compared whole.

    A key of which a column is not common to both is none. Values are equal as PostgreSQL compares them: NaN is
    NaN, -0 is 0, and 1.0 is 1.00.
    """
    common = common_columns(before.columns, after.columns)
    names = [column.name for column in common]
    gone, new = only_in(before.columns, after.columns), only_in(after.columns, before.columns)
    if key and set(key) <= set(names):
        row = await connection.fetchrow(keyed_query(before.relation, after.relation, common, key))
        counts = dict(zip([name for name in names if name not in key], row["columns"] or (), strict=True))
        return VersionDifference(
            key=tuple(key),
            rows_before=row["rows_before"],
            rows_after=row["rows_after"],
            added=row["added"],
            removed=row["removed"],
            changed=row["changed"],
            columns=tuple(ColumnDifference(name=name, changed=counts.get(name, 0)) for name in names),
            columns_before=gone,
            columns_after=new,
        )
    row = await connection.fetchrow(whole_query(before.relation, after.relation, common))
    was, now = [await connection.fetchrow(figures_query(one.relation, common)) for one in (before, after)]
    return VersionDifference(
        rows_before=was["rows"],
        rows_after=now["rows"],
        added=row["added"],
        removed=row["removed"],
        columns=tuple(
            ColumnDifference(
                name=name, nulls_before=nulls[0], nulls_after=nulls[1], sum_before=sums[0], sum_after=sums[1]
            )
            for name, nulls, sums in zip(
                names,
                zip(was["nulls"], now["nulls"], strict=True),
                zip(was["sums"], now["sums"], strict=True),
                strict=True,
            )
        ),
        columns_before=gone,
        columns_after=new,
    )


def keyed_query(before: str, after: str, columns: Sequence[Column], key: Sequence[str]) -> str:
    """Rows that came, went and changed, found by their key; ``columns``: changes of each column outside the key."""
    by_name = {column.name: column for column in columns}
    same = " AND ".join(f"{compared(by_name[name], 'b')} = {compared(by_name[name], 'a')}" for name in key)
    was, now = f"b.{quoted(key[0])} IS NOT NULL", f"a.{quoted(key[0])} IS NOT NULL"
    others = [
        f"{compared(column, 'b')} IS DISTINCT FROM {compared(column, 'a')}"
        for column in columns
        if column.name not in key
    ]
    each = ", ".join(f"count(*) FILTER (WHERE {was} AND {now} AND {other})" for other in others)
    return (
        f"SELECT count(*) FILTER (WHERE {was}) AS rows_before, count(*) FILTER (WHERE {now}) AS rows_after, "  # noqa: S608 - quoted
        f"count(*) FILTER (WHERE NOT ({was})) AS added, count(*) FILTER (WHERE NOT ({now})) AS removed, "
        f"count(*) FILTER (WHERE {was} AND {now} AND ({' OR '.join(others) or 'false'})) AS changed, "
        f"ARRAY[{each}]::bigint[] AS columns FROM {before} AS b FULL JOIN {after} AS a ON {same}"
    )


def whole_query(before: str, after: str, columns: Sequence[Column]) -> str:
    """Rows that are there more often or less often than before, as whole rows."""
    aliases = [f"c{place}" for place in range(len(columns))]
    one = ", ".join(f"{compared(column)} AS {alias}" for column, alias in zip(columns, aliases, strict=True))
    listed, grouped = (f"{one}, " if one else ""), (f" GROUP BY {', '.join(aliases)}" if one else "")
    return (
        "SELECT coalesce(sum(greatest(more, 0)), 0)::bigint AS added, "  # noqa: S608 - quoted
        "coalesce(sum(greatest(-more, 0)), 0)::bigint AS removed FROM (SELECT sum(side) AS more FROM ("
        f"SELECT {listed}1 AS side FROM {after} AS a UNION ALL SELECT {listed}-1 FROM {before} AS b) AS sides{grouped}"
        ") AS counted"
    )


def figures_query(relation: str, columns: Sequence[Column]) -> str:
    """Rows, and for each column the nulls, and the sum where it is one of numbers."""
    nulls = ", ".join(f"count(*) - count({quoted(column.name)})" for column in columns)
    sums = ", ".join(f"sum({quoted(column.name)})::text" if _adds_up(column) else "NULL" for column in columns)
    return (
        f"SELECT count(*) AS rows, ARRAY[{nulls}]::bigint[] AS nulls, ARRAY[{sums}]::text[] AS sums "  # noqa: S608 - quoted
        f"FROM {relation} AS r"
    )


def _adds_up(column: Column) -> bool:
    return column.type in _NUMBERS or column.type.startswith("numeric")


_NUMBERS = frozenset({"smallint", "integer", "bigint", "real", "double precision"})
