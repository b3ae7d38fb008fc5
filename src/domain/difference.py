"""How a rehearsed report would change what readers see."""

from __future__ import annotations

import msgspec

from .mode import Mode


class ColumnTotal(msgspec.Struct, frozen=True, kw_only=True):
    """One column of some rows, summed up."""

    name: str
    nulls: int
    sum: str | None = None
    """Of a numeric column, exact as text; None for other types, and where all values are null."""


class RowTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows, summed up: what can be compared where no key tells which row is which."""

    rows: int
    columns: tuple[ColumnTotal, ...]


class ReportDifference(msgspec.Struct, frozen=True, kw_only=True):
    """What publishing the staged rows would do to the live report, in the mode in which they were handed over.

    Where rows have a key (or are only ever added) ``added``, ``removed`` and ``changed`` are counts of rows. Else they
    are None, and the totals tell the rows that would go from those that would come.
    """

    report: str
    mode: Mode
    version: int | None
    """Of the live report that it was compared with; None: it was never published."""
    rows_before: int
    """That readers see now."""
    rows_after: int
    """That they would see."""
    added: int | None = None
    removed: int | None = None
    changed: int | None = None
    """Rows of the same key in which any other column that both have differs."""
    totals_before: RowTotals | None = None
    totals_after: RowTotals | None = None
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    columns_retyped: tuple[str, ...] = ()
