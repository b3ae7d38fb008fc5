"""Making, extending and remaking the relations of a report around a publication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...application.report_columns import RUN_COLUMN, VERSION_COLUMN
from ...application.report_fit import Fit, Shape, fit
from ...domain.errors import ReportDependedOn, ReportMismatch
from ...domain.report import Column, Staged
from . import relations
from .dependants import dependants_query
from .failures import sqlstate
from .grants import granted_again
from .names import qualified, quoted, versions_parent
from .schema import revoke_default_grants

READER_MILLISECONDS = 100
"""The longest that a reader may have to wait behind a change of a report's columns, for each relation."""

IN_THE_WAY = frozenset({"55P03", "2BP01"})
"""A reader holds the report; or something began to depend on it since that was looked at."""


class InTheWay(Exception):
    """A reader's open transaction holds a report whose columns have to change: let it end, then try again."""


class NotReady(Exception):
    """Another run changed the report while this one was on its way: prepare anew, then try again."""


async def fitted(connection: Any, shape: Shape, item: Staged, schema: str) -> Fit:
    """What to do with the columns; raises :class:`ReportMismatch` that names what depends on the report as it is."""
    try:
        return fit(shape, item.spec, item.columns)
    except ReportMismatch as error:
        rows = await connection.fetch(dependants_query(schema, error.report))
        raise ReportMismatch(error.report, error.differences, tuple(row["dependant"] for row in rows)) from None


async def widen(connection: Any, item: Staged, schema: str, read_shape: Any) -> None:
    """Give the tables of a report whose rows change in place further columns, which the view does not show yet.

    In the caller's transaction, which it ends: the rows that come later take long, and no reader may wait that long.
    What is left of a publication that came to nothing is a column of nulls that nobody sees: the next one that needs
    a column of that name takes it, or drops it where its type is another.
    """
    shape = await read_shape()
    parent = qualified(schema, versions_parent(item.spec.name, shape.generation))
    statements: list[str] = []
    if fit(shape, item.spec, item.columns) is Fit.EXTEND:
        there = await table_columns(connection, parent)
        further = item.columns[len(shape.columns) :]
        wrong = [column.name for column in further if there.get(column.name, column.type) != column.type]
        missing = [column for column in further if column.name in wrong or column.name not in there]
        statements = [f"ALTER TABLE {parent} DROP COLUMN {quoted(name)}" for name in wrong]
        if missing:
            statements.append(relations.add_columns(item.spec.name, schema, shape.generation, missing))
    await commit(connection, statements)


async def commit(connection: Any, last: list[str]) -> None:
    """COMMIT, after statements for which readers may have to wait; raises :class:`InTheWay` where one holds on.

    All goes in one message: even if this process stops, the server comes to the end and lets go of the locks.
    """
    if last:
        last = [f"SET LOCAL lock_timeout = {READER_MILLISECONDS}", *last]
    try:
        await connection.execute("; ".join([*last, "COMMIT"]))
    except Exception as error:
        if sqlstate(error) in IN_THE_WAY:
            raise InTheWay(str(error)) from error
        raise


async def table_columns(connection: Any, table: str) -> dict[str, str]:
    """The columns of a table and their types, in order, without ours. ``table`` is qualified."""
    rows = await connection.fetch(_COLUMNS, table)
    return {row["name"]: row["type"] for row in rows if row["name"] not in (VERSION_COLUMN, RUN_COLUMN)}


async def make(connection: Any, item: Staged, schema: str, generation: int, table: str) -> None:
    """The parent of a new report or generation, with the version attached; no reader knows it yet."""
    await connection.execute(relations.make_parent(item, schema, generation))
    await connection.execute(revoke_default_grants(schema, versions_parent(item.spec.name, generation)))
    await connection.execute(relations.attach(item, schema, generation, table))


async def remake(connection: Any, item: Staged, schema: str, generation: int, location: Mapping[str, Any]) -> list[str]:
    """Make a new generation; returns the statements that put it in the old one's place, for the end."""
    name = item.spec.name
    if location["parent"] is not None:
        # it was attached to tables that another run has retired meanwhile
        raise ReportMismatch(name, ("it was made anew while this run was on its way: run it again",))
    rows = await connection.fetch(dependants_query(schema, name))
    if rows:
        raise ReportDependedOn(name, tuple(row["dependant"] for row in rows))
    await make(connection, item, schema, generation, qualified(location["schema_name"], location["table_name"]))
    grants = await granted_again(connection, item, schema)
    return [
        f"DROP VIEW IF EXISTS {qualified(schema, name)}",
        relations.make_view(item, schema, generation),
        *grants,
    ]


def extension(item: Staged, schema: str, shape: Shape, location: Mapping[str, Any]) -> list[str]:
    """The statements that give a report further columns and show them, for the end."""
    further: tuple[Column, ...] = item.columns[len(shape.columns) :]
    name, generation = item.spec.name, shape.generation
    view = relations.make_view(item, schema, generation, replace=True)
    if item.spec.mode.in_place:
        return [view]  # the tables have them already: see `widen`
    table = qualified(location["schema_name"], location["table_name"])
    return [
        relations.add_columns(name, schema, generation, further),
        relations.attach(item, schema, generation, table),
        view,
    ]


_COLUMNS = """
SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
