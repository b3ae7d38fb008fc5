"""The production database, read in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    import polars


class InputRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a query read: kept on the run's record."""

    name: str
    query_hash: str
    """Sixteen hex digits of BLAKE2b over the query's text, parameters apart."""
    rows: int
    bytes: int
    """Of the frames in memory."""
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

    def done(self) -> None:
        """Release the snapshot and its connections: nothing will be read any more."""
        ...
