"""Rows as JSON: an array with an object for each row."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from ...application.ports.report_reader import Row
from ...domain.report import Column
from ...domain.report_value import Kind, Value, kind_of, text_of


class Numbers(StrEnum):
    """How numbers are written that a double cannot hold: ``bigint`` and ``numeric``. By type, never by value."""

    TEXT = "text"
    """As strings: nobody's parser rounds them."""
    NUMBER = "number"
    """As numbers with all their digits; many parsers (JavaScript's among them) make doubles of them."""


class JsonRows:
    """Implements :class:`~kubescribe.application.ports.row_encoder.RowEncoder`.

    ``smallint``, ``integer``, ``real`` and ``double precision`` are numbers; NaN and the infinities, which JSON does
    not have, are the strings ``NaN``, ``Infinity`` and ``-Infinity``. All other types but booleans are strings, as in
    :func:`~kubescribe.domain.report_value.text_of`.
    """

    media_type = "application/json"
    extension = "json"

    def __init__(self, numbers: Numbers = Numbers.TEXT) -> None:
        self._numbers = numbers

    @property
    def variant(self) -> str:
        """See the port."""
        return f"json-{self._numbers}"

    def as_objects(self, columns: tuple[Column, ...], rows: tuple[Row, ...]) -> list[dict[str, Any]]:
        """The rows as msgspec encodes them: for a page that is part of a larger document."""
        plain = [(column.name, _plain(column, self._numbers)) for column in columns]
        return [{name: make(value) for (name, make), value in zip(plain, row, strict=True)} for row in rows]

    async def encode(
        self, columns: tuple[Column, ...], batches: AsyncIterator[tuple[Row, ...]]
    ) -> AsyncIterator[bytes]:
        """See the port."""
        encoder = msgspec.json.Encoder(decimal_format="number")
        before = b"["
        async for rows in batches:
            lines = [encoder.encode(one) for one in self.as_objects(columns, rows)]
            yield before + b"\n" + b",\n".join(lines)
            before = b","
        yield b"\n]\n" if before == b"," else b"[]\n"


def _plain(column: Column, numbers: Numbers) -> Callable[[Value], Any]:
    kind = kind_of(column)
    if kind is Kind.BOOLEAN or column.type in ("smallint", "integer"):
        return lambda value: value
    if kind is Kind.FLOAT:
        return lambda value: value if value is None or _is_finite(value) else text_of(value)
    if numbers is Numbers.NUMBER and kind in (Kind.INTEGER, Kind.DECIMAL):
        return lambda value: text_of(value) if isinstance(value, Decimal) and not value.is_finite() else value
    return text_of


def _is_finite(value: Value) -> bool:
    return isinstance(value, float) and math.isfinite(value)
