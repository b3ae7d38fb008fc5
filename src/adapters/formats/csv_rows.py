"""Rows as CSV (RFC 4180), with a first line of names."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from ...application.ports.report_reader import Row
from ...domain.report import Column
from ...domain.report_value import Kind, kind_of, text_of

_QUOTED = re.compile('[",\r\n]')
_FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""What a cell begins with that a spreadsheet takes for a formula, or skips on its way to one; the wide forms too."""
_PLAIN_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT})
_NUMBER = re.compile(r"-?[0-9][0-9.]*(?:e[+-]?[0-9]+)?")


class CsvRows:
    """Implements :class:`~kubescribe.application.ports.row_encoder.RowEncoder`.

    UTF-8, lines end in CRLF. A null is nothing between two commas, an empty text is ``""``. ``formula_safe``: an
    apostrophe goes before any cell or name that a spreadsheet would take for a formula; numbers stay numbers. Off,
    every cell is the value's text and nothing else: for programs.
    """

    media_type = "text/csv; charset=utf-8; header=present"
    extension = "csv"

    def __init__(self, *, formula_safe: bool = True) -> None:
        self._formula_safe = formula_safe

    @property
    def variant(self) -> str:
        """See the port."""
        return "csv-safe" if self._formula_safe else "csv"

    async def encode(
        self, columns: tuple[Column, ...], batches: AsyncIterator[tuple[Row, ...]]
    ) -> AsyncIterator[bytes]:
        """See the port."""
        names = [self._cell(column.name, number=False) for column in columns]
        yield (",".join(names) + "\r\n").encode()
        numbers = [kind_of(column) in _PLAIN_NUMBERS for column in columns]
        async for rows in batches:
            lines = [
                ",".join(
                    [self._cell(text_of(value), number=number) for value, number in zip(row, numbers, strict=True)]
                )
                for row in rows
            ]
            yield ("\r\n".join(lines) + "\r\n").encode()

    def _cell(self, text: str | None, *, number: bool) -> str:
        if text is None:
            return ""
        if self._formula_safe and _FORMULA.match(text) and not (number and _NUMBER.fullmatch(text)):
            text = "'" + text
        if not text or _QUOTED.search(text):
            return '"' + text.replace('"', '""') + '"'
        return text
