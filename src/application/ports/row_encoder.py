"""Rows as a file: JSON, CSV, Parquet, Arrow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from ...domain.report import Column
from .report_reader import Row


class RowEncoder(Protocol):
    """One format. Encodes while rows come: what it holds at a time is a few batches, however many rows there are."""

    @property
    def media_type(self) -> str:
        """As in ``Content-Type``, with parameters."""
        ...

    @property
    def extension(self) -> str:
        """Of a file's name, without a dot."""
        ...

    @property
    def variant(self) -> str:
        """Which of the format's options are on: two of one variant write the same bytes for the same rows."""
        ...

    def encode(self, columns: tuple[Column, ...], batches: AsyncIterator[tuple[Row, ...]]) -> AsyncIterator[bytes]:
        """The file in pieces. Rows have the columns' values, in the columns' order.

        An error of ``batches`` comes through, and what was written so far is then no whole file in any format but CSV.
        """
        ...
