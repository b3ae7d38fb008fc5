"""Batches of rows as polars frames with exact types."""

from __future__ import annotations

import polars as pl

from ...application.ports.report_reader import Row
from ...domain.report import Column
from ...domain.report_value import precision_of, text_of

_MOST_DIGITS = 38
"""Of Arrow's decimals, as polars has them."""

_TYPES: dict[str, pl.DataType] = {
    "smallint": pl.Int16(),
    "integer": pl.Int32(),
    "bigint": pl.Int64(),
    "real": pl.Float32(),
    "double precision": pl.Float64(),
    "boolean": pl.Boolean(),
    "text": pl.String(),
    "date": pl.Date(),
    "time without time zone": pl.Time(),
    "timestamp without time zone": pl.Datetime("us"),
    "timestamp with time zone": pl.Datetime("us", "UTC"),
    "interval": pl.Duration("us"),
    "bytea": pl.Binary(),
}


def frame_schema(columns: tuple[Column, ...]) -> dict[str, pl.DataType]:
    """The types; a ``numeric`` of more than 38 digits is text, for no decimal of Arrow holds it here."""
    return {column.name: _TYPES.get(column.type) or _decimal(column) for column in columns}


def frame_of(columns: tuple[Column, ...], rows: tuple[Row, ...]) -> pl.DataFrame:
    """The rows."""
    schema = frame_schema(columns)
    values = zip(*rows, strict=True) if rows else [()] * len(columns)
    series = []
    for (name, dtype), column in zip(schema.items(), values, strict=True):
        cells = [text_of(cell) for cell in column] if dtype == pl.String() else list(column)
        series.append(pl.Series(name, cells, dtype, strict=True))
    return pl.DataFrame(series)


def _decimal(column: Column) -> pl.DataType:
    digits = precision_of(column)
    return pl.Decimal(*digits) if digits and digits[0] <= _MOST_DIGITS else pl.String()
