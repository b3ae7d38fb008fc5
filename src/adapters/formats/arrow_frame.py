"""Batches of rows as polars frames with exact types."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl

from ...application.ports.report_reader import Row
from ...domain.errors import BadRowQuery
from ...domain.report import Column
from ...domain.report_value import Kind, kind_of, precision_of, text_of

_MOST_DIGITS = 38
"""Of Arrow's decimals, as polars has them."""

_TYPES: dict[Kind, pl.DataType] = {
    Kind.BOOLEAN: pl.Boolean(),
    Kind.DATE: pl.Date(),
    Kind.TIME: pl.Time(),
    Kind.TIMESTAMP: pl.Datetime("us"),
    Kind.MOMENT: pl.Datetime("us", "UTC"),
    Kind.INTERVAL: pl.Duration("us"),
    Kind.BYTES: pl.Binary(),
}
_NUMBERS: dict[str, pl.DataType] = {
    "smallint": pl.Int16(),
    "integer": pl.Int32(),
    "bigint": pl.Int64(),
    "real": pl.Float32(),
    "double precision": pl.Float64(),
}


def frame_schema(columns: tuple[Column, ...]) -> dict[str, pl.DataType]:
    """The types. Text is also what Arrow has no type for here: a ``numeric`` of more than 38 digits or of any number
    of them, and all types but the usual ones.
    """
    return {column.name: _type(column) for column in columns}


def frame_of(columns: tuple[Column, ...], rows: tuple[Row, ...]) -> pl.DataFrame:
    """The rows."""
    schema = frame_schema(columns)
    values = zip(*rows, strict=True) if rows else [()] * len(columns)
    series = []
    for (name, dtype), column in zip(schema.items(), values, strict=True):
        cells = [text_of(cell) for cell in column] if dtype == pl.String() else list(column)
        if dtype != pl.String():
            _check(name, dtype, cells)
        series.append(pl.Series(name, cells, dtype, strict=True))
    return pl.DataFrame(series)


def _type(column: Column) -> pl.DataType:
    if column.type in _NUMBERS:
        return _NUMBERS[column.type]
    digits = precision_of(column)
    if digits and digits[0] <= _MOST_DIGITS and 0 <= digits[1] <= digits[0]:
        return pl.Decimal(*digits)
    return _TYPES.get(kind_of(column), pl.String())


def _check(name: str, dtype: pl.DataType, cells: list[Any]) -> None:
    """Raise :class:`BadRowQuery` for what the type cannot hold, like an infinite date or a NaN among decimals."""
    for cell in cells:
        if isinstance(cell, str) or (isinstance(cell, Decimal) and not cell.is_finite()):
            raise BadRowQuery(
                f"column {name} has the value {text_of(cell)}, which {dtype} cannot hold: leave the column out, or the "
                "row, or take JSON or CSV"
            )
