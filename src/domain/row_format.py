"""The files in which rows of a report come."""

from __future__ import annotations

from enum import StrEnum


class RowFormat(StrEnum):
    """One of them."""

    JSON = "json"
    """An array of objects; what a double cannot hold is text."""
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"
    """An Arrow IPC stream."""

    @property
    def is_text(self) -> bool:
        """Whether a terminal can show it."""
        return self in (RowFormat.JSON, RowFormat.CSV)
