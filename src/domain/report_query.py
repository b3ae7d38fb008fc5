"""Which rows of a report somebody wants to see, in which order."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

import msgspec

from .errors import BadRowQuery
from .report import Column
from .report_value import Kind, Value, kind_of, parse_value

PAGE_LIMIT = 500
"""The most rows of one page."""
_MOST_FILTERS = 32
_MOST_VALUES = 500
_MOST_SORTS = 16


class Operator(StrEnum):
    """How a column is compared with what is asked for."""

    EQ = "eq"
    NE = "ne"
    """Every row that ``eq`` leaves out, nulls included."""
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    IN = "in"
    """One of several values."""
    IS_NULL = "is_null"
    """Its value is ``true`` or ``false``."""
    CONTAINS = "contains"
    """Of text: the characters occur in it, upper and lower case being two."""


ORDERING = frozenset({Operator.LT, Operator.LE, Operator.GT, Operator.GE})


class Filter(msgspec.Struct, frozen=True):
    """One condition on one column; all conditions of a question have to hold. A null fits ``ne`` and ``is_null`` only.

    Values are the text of :func:`~kubescribe.domain.report_value.text_of`; ``in`` takes several, the others one.
    """

    column: str
    operator: Operator
    values: tuple[str, ...]


class Sort(msgspec.Struct, frozen=True):
    """One column of the order; nulls come last, whatever the direction. NaN is above every other number."""

    column: str
    descending: bool = False


class RowQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A question for rows of one report."""

    report: str
    columns: tuple[str, ...] = ()
    """Empty: all of them."""
    filters: tuple[Filter, ...] = ()
    sort: tuple[Sort, ...] = ()
    """Empty: by the key; without a key in the order in which the rows came."""
    version: int | None = None
    """The report as it was after this publication; None: as it is now, or ``as_of_run``."""
    as_of_run: UUID | None = None
    """The report as this run (or rollback) left it."""


class Condition(msgspec.Struct, frozen=True):
    """A filter that is known to fit its column, with values of the column's type."""

    column: Column
    operator: Operator
    values: tuple[Value, ...]


def chosen_columns(query: RowQuery, there: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns that are asked for, in the order asked for; raises :class:`BadRowQuery`."""
    if len(set(query.columns)) < len(query.columns):
        raise BadRowQuery("a column is asked for twice; name each once")
    return tuple(_named(query, name, there) for name in query.columns) or there


def conditions(query: RowQuery, there: tuple[Column, ...]) -> tuple[Condition, ...]:
    """The filters with typed values; raises :class:`BadRowQuery` that says what is wrong with one."""
    if len(query.filters) > _MOST_FILTERS:
        raise BadRowQuery(f"there are {len(query.filters)} filters, and at most {_MOST_FILTERS} are allowed")
    return tuple(_condition(query, one, there) for one in query.filters)


def sort_columns(query: RowQuery, there: tuple[Column, ...]) -> tuple[tuple[Column, bool], ...]:
    """The columns of the order, and whether each is descending; raises :class:`BadRowQuery`."""
    names = [one.column for one in query.sort]
    if len(set(names)) < len(names):
        raise BadRowQuery("the rows are to be sorted twice by one column; name each once")
    if len(names) > _MOST_SORTS:
        raise BadRowQuery(f"the rows are to be sorted by {len(names)} columns, and at most {_MOST_SORTS} are allowed")
    return tuple((_named(query, one.column, there), one.descending) for one in query.sort)


def _condition(query: RowQuery, asked: Filter, there: tuple[Column, ...]) -> Condition:
    column = _named(query, asked.column, there)
    kind, operator = kind_of(column), asked.operator
    if operator is Operator.CONTAINS and kind not in (Kind.TEXT, Kind.OTHER):
        raise BadRowQuery(f"column {column.name} is {column.type}, and contains is for text alone")
    if operator in ORDERING and kind in (Kind.BOOLEAN, Kind.OTHER):
        raise BadRowQuery(f"column {column.name} is {column.type}, which has no order here; use eq, ne or in")
    if operator is Operator.IN:
        if not 1 <= len(asked.values) <= _MOST_VALUES:
            raise BadRowQuery(f"the filter on column {column.name} takes 1 to {_MOST_VALUES} values")
    elif len(asked.values) != 1:
        raise BadRowQuery(
            f"the filter {operator} on column {column.name} takes one value, and {len(asked.values)} came"
        )
    of = Column(column.name, "boolean") if operator is Operator.IS_NULL else column
    return Condition(column, operator, tuple(parse_value(of, text) for text in asked.values))


def _named(query: RowQuery, name: str, there: tuple[Column, ...]) -> Column:
    for column in there:
        if column.name == name:
            return column
    import difflib

    near = difflib.get_close_matches(name, [column.name for column in there], n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(column.name for column in there[:20])}"
    raise BadRowQuery(f"report {query.report} has no column {name[:70]!r}; {hint}")
