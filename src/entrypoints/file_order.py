"""What ``kubescribe publish`` is asked for, as the supervisor tells it the worker."""

from __future__ import annotations

import msgspec

PARQUET, CSV = ".parquet", ".csv"
STDIN = "-"
"""The file name that stands for CSV on standard input."""


class FileOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is published from where."""

    report: str
    path: str
    """Where the worker finds the rows."""
    file: str
    """What the user calls it: that is what goes on record."""
    key: tuple[str, ...] = ()
