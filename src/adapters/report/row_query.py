"""A question for rows as SQL: names from the catalogue, quoted; every value a parameter of its column's type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from ...application.report_columns import RUN_COLUMN
from ...application.row_cursor import Place
from ...application.row_plan import OrderColumn, Plan
from ...domain.report import Column
from ...domain.report_query import Condition, Operator
from ...domain.report_value import Kind, Value, kind_of, text_of, value_of_text
from .names import quoted

_TABLE = "r"
"""The table's alias. A bare name in ORDER BY would be that of a result, which is text where the column is not."""
_PLACE = f"{_TABLE}.ctid"
_COMPARED = {
    Operator.EQ: "=",
    Operator.NE: "IS DISTINCT FROM",
    Operator.LT: "<",
    Operator.LE: "<=",
    Operator.GT: ">",
    Operator.GE: ">=",
}


AS_TEXT = frozenset({Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.MOMENT, Kind.INTERVAL})
"""The server writes and reads these as text, for it knows infinities, years and months that Python does not."""

_TYPES = {
    Kind.DECIMAL: "numeric",  # the column's own would round what is asked for
    Kind.BOOLEAN: "boolean",
    Kind.TEXT: "text",
    Kind.DATE: "date",
    Kind.TIME: "time without time zone",
    Kind.TIMESTAMP: "timestamp without time zone",
    Kind.MOMENT: "timestamp with time zone",
    Kind.INTERVAL: "interval",
    Kind.BYTES: "bytea",
    Kind.UUID: "uuid",
    Kind.OTHER: "text",
}
_NUMBERS = frozenset({"smallint", "integer", "bigint", "real", "double precision"})


class Statement(msgspec.Struct, frozen=True):
    """SQL and its parameters, for asyncpg."""

    text: str
    values: tuple[Any, ...]


class _Parameters:
    """Numbers the values."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def add(self, value: Any, kind: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{kind}"

    def of(self, column: Column, value: Value) -> str:
        """A value of the column."""
        if kind_of(column) in AS_TEXT and not isinstance(value, timedelta):
            return f"{self.add(text_of(value), 'text')}::{_type(column)}"
        return self.add(value, _type(column))

    def any_of(self, column: Column, values: Sequence[Value]) -> str:
        """An array of values of the column."""
        if kind_of(column) in AS_TEXT - {Kind.INTERVAL}:
            return f"{self.add([text_of(value) for value in values], 'text[]')}::{_type(column)}[]"
        return self.add(list(values), f"{_type(column)}[]")


def reads(columns: Sequence[Column]) -> Callable[[Sequence[Any]], tuple[Value, ...]]:
    """What makes a row of values of what asyncpg brings for these columns."""
    kinds = [kind_of(column) for column in columns]
    written = [(place, kind) for place, kind in enumerate(kinds) if kind in AS_TEXT]

    def read(row: Sequence[Any]) -> tuple[Value, ...]:
        if not written:
            return tuple(row)
        values = list(row)
        for place, kind in written:
            values[place] = value_of_text(kind, values[place])
        return tuple(values)

    return read


def page_statement(
    table: str,
    plan: Plan,
    *,
    limit: int,
    without: Sequence[UUID] = (),
    after: tuple[Value | Place, ...] | None = None,
    before_block: int | None = None,
) -> Statement:
    """The chosen columns and then those of the order, of at most ``limit`` rows. ``table`` is qualified and quoted.

    ``before_block``: only rows that lie before this block of the table.
    """
    parameters = _Parameters()
    where = _where(plan, parameters, without)
    if after is not None:
        where.append(_behind(plan.order, after, parameters))
    if before_block is not None:
        where.append(f"{_PLACE} < {parameters.add((before_block, 0), 'tid')}")
    names = [_read(column) for column in plan.columns]
    names += [_PLACE if one.column is None else _read(one.column) for one in plan.order]
    order = ", ".join(f"{_name(one)}{' DESC' if one.descending else ''}{_nulls(one)}" for one in plan.order)
    text = (
        f"SELECT {', '.join(names)} FROM {table} AS {_TABLE}{_clause(where)} ORDER BY {order} "  # noqa: S608 - quoted
        f"LIMIT {parameters.add(limit, 'bigint')}"
    )
    return Statement(text, tuple(parameters.values))


def stream_statement(table: str, plan: Plan, *, in_order: bool, without: Sequence[UUID] = ()) -> Statement:
    """The chosen columns of all rows; ``in_order``: sorted, else as they lie in the table."""
    parameters = _Parameters()
    where = _where(plan, parameters, without)
    order = ", ".join(f"{_name(one)}{' DESC' if one.descending else ''}{_nulls(one)}" for one in plan.order)
    names = ", ".join(_read(column) for column in plan.columns)
    text = f"SELECT {names} FROM {table} AS {_TABLE}{_clause(where)}{f' ORDER BY {order}' if in_order else ''}"  # noqa: S608 - quoted
    return Statement(text, tuple(parameters.values))


def remaining(table: str, without: Sequence[UUID]) -> str:
    """The table without what later runs wrote, as it may stand in FROM. The ids are UUIDs, and no text of anybody."""
    if not without:
        return table
    runs = ", ".join(f"'{run_id}'::uuid" for run_id in without)
    return f"(SELECT * FROM {table} WHERE {RUN_COLUMN} <> ALL (ARRAY[{runs}]))"  # noqa: S608 - quoted


def _where(plan: Plan, parameters: _Parameters, without: Sequence[UUID]) -> list[str]:
    where = [_condition(one, parameters) for one in plan.conditions]
    if without:
        where.append(f"{RUN_COLUMN} <> ALL ({parameters.add(list(without), 'uuid[]')})")
    return where


def _clause(where: list[str]) -> str:
    return f" WHERE {' AND '.join(where)}" if where else ""


def _condition(one: Condition, parameters: _Parameters) -> str:
    name = compared(one.column, _TABLE)
    if one.operator is Operator.IS_NULL:
        return f"{name} IS {'' if one.values[0] else 'NOT '}NULL"
    if one.operator is Operator.IN:
        return f"{name} = ANY ({parameters.any_of(one.column, one.values)})"
    value = parameters.of(one.column, one.values[0])
    if one.operator is Operator.CONTAINS:
        return f"strpos({name}, {value}) > 0"
    return f"{name} {_COMPARED[one.operator]} {value}"


def _behind(order: Sequence[OrderColumn], after: tuple[Value | Place, ...], parameters: _Parameters) -> str:
    """The rows that come after these values in the order."""
    if len({one.descending for one in order}) == 1 and not any(one.nullable for one in order):
        # one comparison of rows, which an index on the key answers
        values = [_bound(one, value, parameters) for one, value in zip(order, after, strict=True)]
        sign = "<" if order[0].descending else ">"
        return f"({', '.join(map(_name, order))}) {sign} ({', '.join(values)})"
    ways: list[str] = []
    equal: list[str] = []
    for one, value in zip(order, after, strict=True):
        name = _name(one)
        if value is None:  # nulls come last: only further nulls can follow
            equal.append(f"{name} IS NULL")
            continue
        bound = _bound(one, value, parameters)
        beyond = f"{name} {'<' if one.descending else '>'} {bound}"
        ways.append(" AND ".join([*equal, f"({beyond} OR {name} IS NULL)" if one.nullable else beyond]))
        equal.append(f"{name} = {bound}")
    return f"({' OR '.join(f'({way})' for way in ways)})"


def _bound(one: OrderColumn, value: Value | Place, parameters: _Parameters) -> str:
    if one.column is None or isinstance(value, tuple):
        return parameters.add(value, "tid")
    return parameters.of(one.column, value)


def compared(column: Column, alias: str = "") -> str:
    """The column in a comparison or an order; types of which not all know equality are compared as their text."""
    name = f"{alias}.{quoted(column.name)}" if alias else quoted(column.name)
    return f'{name}::text COLLATE "C"' if kind_of(column) is Kind.OTHER else name


def _read(column: Column) -> str:
    name = f"{_TABLE}.{quoted(column.name)}"
    return f"{name}::text" if kind_of(column) in AS_TEXT | {Kind.OTHER} else name


def _name(one: OrderColumn) -> str:
    return _PLACE if one.column is None else compared(one.column, _TABLE)


def _nulls(one: OrderColumn) -> str:
    return " NULLS LAST" if one.nullable else ""


def _type(column: Column) -> str:
    """The name of the column's type; never any other text that the catalogue may hold."""
    return column.type if column.type in _NUMBERS else _TYPES[kind_of(column)]
