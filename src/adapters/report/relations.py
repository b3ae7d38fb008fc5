"""The relations of a report, as SQL: the parent over its versions, the view that readers follow, and their changes."""

from __future__ import annotations

from collections.abc import Iterable

from ...application.report_columns import RUN_COLUMN, VERSION_COLUMN
from ...domain.report import Column, Staged
from .names import literal, qualified, quoted, versions_parent


def make_parent(item: Staged, schema: str, generation: int) -> str:
    """The partitioned table."""
    own = [f"{quoted(column.name)} {column.type}" for column in item.columns]
    own.append(f"{VERSION_COLUMN} bigint NOT NULL")
    if item.spec.mode.in_place:
        own.append(f"{RUN_COLUMN} uuid NOT NULL")
    parent = qualified(schema, versions_parent(item.spec.name, generation))
    return f"CREATE TABLE {parent} ({', '.join(own)}) PARTITION BY LIST ({VERSION_COLUMN})"


def attach(item: Staged, schema: str, generation: int, table: str) -> str:
    """Make the version a partition. ``table`` is qualified."""
    parent = qualified(schema, versions_parent(item.spec.name, generation))
    return f"ALTER TABLE {parent} ATTACH PARTITION {table} FOR VALUES IN ({item.version})"


def add_columns(report: str, schema: str, generation: int, columns: Iterable[Column]) -> str:
    """Further columns for the parent and all its partitions, null in every row: nothing is rewritten."""
    added = ", ".join(f"ADD COLUMN {quoted(column.name)} {column.type}" for column in columns)
    return f"ALTER TABLE {qualified(schema, versions_parent(report, generation))} {added}"


def make_view(item: Staged, schema: str, generation: int, *, replace: bool = False) -> str:
    """The view; ``replace``: or give the one that is there further columns.

    A report that was made anew has versions that an older snapshot does not know. Such a reader would follow the
    pointer of its own time to rows that are not there, and see an empty report: it gets an error instead, of the
    kind after which a transaction is run again. It is refused twice. Of several versions PostgreSQL asks for the
    one that is shown before it looks at any. Of a single one it does not, and where that has no rows never: for
    this there is a condition that names no column, which is tried once before rows are looked for.
    """
    names = ", ".join(quoted(column.name) for column in item.columns)
    shown = f"FROM kubescribe.current WHERE report = {literal(item.spec.name)}"
    version, guard = "version", ""
    if generation > 1:
        refused = f"CASE generation WHEN {generation} THEN version ELSE kubescribe.refuse_older_snapshot(report) END"
        version, guard = refused, f" AND (SELECT {refused} IS NOT NULL {shown})"
    return (
        f"CREATE {'OR REPLACE ' if replace else ''}VIEW {qualified(schema, item.spec.name)} AS "  # noqa: S608 - quoted
        f"SELECT {names} FROM {qualified(schema, versions_parent(item.spec.name, generation))} "
        f"WHERE {VERSION_COLUMN} = (SELECT {version} {shown}){guard}"
    )
