"""Filling a version's table: COPY of CSV, of binary, or of another server's own bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any, NamedTuple, Protocol, TypeVar

import psycopg
from psycopg import sql
from psycopg.copy import Copy, QueuedLibpqWriter

from ...application.ports.source import Relay
from ...domain.checksum import Checksum
from ...domain.errors import ReportMismatch
from ...domain.report import Column

Data = TypeVar("Data", bytes, "bytes | bytearray")

SESSION = (
    "SET datestyle = 'ISO, YMD'; SET timezone = 'UTC'; SET intervalstyle = 'postgres'; SET client_encoding = 'UTF8'"
)
"""What the session that reads CSV must be set to."""

_WAITING = 64
"""Pieces of at most 128 KiB between who makes them and the thread that sends them."""


class Target(NamedTuple):
    """The table that is filled."""

    connection: psycopg.Connection
    name: str
    """Quoted."""
    columns: tuple[Column, ...]
    """Those that are filled; types as the server's catalogue has them."""

    @property
    def names(self) -> str:
        """The columns, quoted."""
        return ", ".join('"' + column.name.replace('"', '""') + '"' for column in self.columns)


class Filled(NamedTuple):
    """What went in."""

    rows: int
    checksum: tuple[str, int] | None = None
    """Digest and bytes of the version's binary COPY; None: it has to be read back."""


class Filling(Protocol):
    """One way to fill a table; used once."""

    def __call__(self, target: Target) -> Filled:
        """Put every row there, in order."""
        ...


class RelayFilling:
    """The bytes that another server wrote in COPY's binary format for columns of these very types."""

    def __init__(self, report: str, rows: Relay) -> None:
        self._report, self._rows = report, rows

    def __call__(self, target: Target) -> Filled:
        """See the protocol."""
        digest = Digest()
        with copying(target, "binary") as (cursor, copy):
            for block in self._rows:
                copy.write(digest.added(block))
        same = digest.is_that_of_the_copy(target)
        filled = Filled(cursor.rowcount, digest.result() if same else None)
        return check_count(self._report, filled, self._rows.record().rows)


class Digest:
    """The checksum of what is sent in COPY's binary format."""

    def __init__(self) -> None:
        self._checksum = Checksum()

    def added(self, data: Data) -> Data:
        """The next bytes, which it gives back."""
        self._checksum.update(data)
        return data

    def result(self) -> tuple[str, int]:
        """The checksum as reports have it, and how many bytes it is over."""
        return str(self._checksum), self._checksum.size

    @staticmethod
    def is_that_of_the_copy(target: Target) -> bool:
        """Whether the server would write the bytes again that it was sent.

        It does for every type that it keeps as it came, and tests prove it for each. Not so for an array (which may
        say that it might hold a null, and says so no more when there is none), nor where text is kept in another
        encoding.
        """
        utf8 = target.connection.info.parameter_status("server_encoding") == "UTF8"
        return utf8 and not any(column.type.endswith("[]") for column in target.columns)


@contextmanager
def copying(target: Target, form: str) -> Iterator[tuple[psycopg.Cursor, Copy]]:
    """COPY into the table, sending in a thread of its own; after the block the cursor knows how many rows went in."""
    statement = f"COPY {target.name} ({target.names}) FROM STDIN (FORMAT {form}, FREEZE)"
    text = sql.SQL(statement)  # type: ignore[arg-type,unused-ignore] # identifiers are quoted
    cursor = target.connection.cursor()  # not closed: a closed one has forgotten how many rows there were
    with cursor.copy(text, writer=_Writer(cursor)) as copy:
        yield cursor, copy


def check_count(report: str, filled: Filled, rows: int) -> Filled:
    """Raise unless as many rows went in as were handed over."""
    if filled.rows != rows:
        raise ReportMismatch(report, (f"{rows} rows were handed over, and the server counted {filled.rows}",))
    return filled


class _Writer(QueuedLibpqWriter):
    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        super().__init__(cursor)
        self._queue = Queue(_WAITING)  # type: ignore[assignment] # psycopg's own would keep 128 MiB
