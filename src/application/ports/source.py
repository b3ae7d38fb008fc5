"""The production database, read in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from ...domain.report import Column

if TYPE_CHECKING:
    import polars

POSTGRES_BINARY = "PostgreSQL binary COPY"
ARROW_IPC = "Arrow IPC"


class InputRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a query read: kept on the run's record."""

    name: str
    query_hash: str
    """Sixteen hex digits of BLAKE2b over the query's text, parameters apart."""
    rows: int
    bytes: int
    """Of the frames in memory; of what was handed on, for a relay."""
    seconds: float
    fingerprint: str
    """Of the result's columns and types."""
    snapshot: str | None
    """The snapshot's id: equal for reads that saw one moment."""


class Reading(Protocol):
    """A query under way: iterate it to its end, then ask for its record."""

    def __iter__(self) -> Iterator[polars.DataFrame]:
        """Frames of at most the batch's rows, in the query's order; at least one, with the schema, if no rows."""
        ...

    def record(self) -> InputRecord:
        """What was read so far."""
        ...


class Relay(Protocol):
    """A query under way whose rows are handed on undecoded: iterate it to its end, then ask for its record."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """What a report needs to take the rows as they are."""
        ...

    @property
    def format(self) -> str:
        """What the bytes are: :data:`POSTGRES_BINARY` or :data:`ARROW_IPC`."""
        ...

    def __iter__(self) -> Iterator[bytes | bytearray]:
        """The bytes in pieces, rows in the query's order. An error comes before the end is reached, never after."""
        ...

    def record(self) -> InputRecord:
        """What was handed on so far."""
        ...


class Source(Protocol):
    """Read-only access to the production database; called by the worker, in its own thread.

    Everything is read in one snapshot (DESIGN section 5) unless it was opened with ``snapshot="read"``. Raises
    :class:`DatabaseUnavailable`, :class:`DatabaseRefused`, :class:`QueryFailed` (with the query's name),
    :class:`SnapshotLost`, :class:`UnsupportedType`.
    """

    def read(self, query: str, parameters: Mapping[str, Any], *, name: str, batch: int | None) -> Reading:
        """Start a query. ``:name`` in the text is a typed bind, never formatted in; ``\\:`` is a colon.

        ``batch`` None gives the whole result as one frame: only then may types depend on all the values.
        """
        ...

    def relay(self, query: str, parameters: Mapping[str, Any], *, name: str) -> Relay:
        """Start a query whose rows go to a report as they are; the query and its binds as for ``read``.

        Raises :class:`UnsupportedType` for a type that another database could not take as it is.
        """
        ...

    def done(self) -> None:
        """Release the snapshot and its connections: nothing will be read any more."""
        ...
