"""The production database as a source: PostgreSQL."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ...application.ports.source import Reading, Relay
from ...domain.errors import KubescribeError, QueryFailed, SnapshotLost
from ...domain.query import Query
from . import failures
from .session import Session, begin, connect, export

if TYPE_CHECKING:
    import psycopg

    from .reading import PostgresReading
    from .relaying import PostgresRelay

Under = TypeVar("Under", "PostgresReading", "PostgresRelay")


class PostgresSource:
    """A :class:`~kubescribe.application.ports.source.Source`; safe to use from several threads.

    A holder session exports a snapshot with the first read and stays; each read is a session of its own in that
    snapshot. With ``snapshot="read"`` there is no holder, and each read has its own. No transaction of ours gets
    older than ``snapshot_max_age`` seconds. The server's time zone setting is the role's; all else that would change
    how a value is written is set.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        application_name: str,
        statement_timeout: float = 900.0,
        snapshot_max_age: float = 900.0,
        snapshot: str = "run",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._conninfo, self._application_name = conninfo, application_name
        self._statement_timeout, self._max_age = statement_timeout, snapshot_max_age
        self._shared = snapshot == "run"
        self._clock = clock
        self._lock = threading.Lock()
        self._holder: psycopg.Connection[Any] | None = None
        self._snapshot: tuple[str, float] | None = None
        self._lost: str | None = None
        self._done = False
        self._open: set[PostgresReading | PostgresRelay] = set()

    def read(self, query: str, parameters: Mapping[str, Any], *, name: str, batch: int | None) -> Reading:
        """Start a query on a session of its own, in the run's snapshot."""
        from .reading import PostgresReading

        if batch is not None and batch < 1:
            raise QueryFailed(name, f"a batch of {batch} rows is none; ask for at least 1")
        asked = Query(query, name=name)
        asked.check(parameters)
        return self._started(asked, lambda session: PostgresReading(session, asked, parameters, batch=batch))

    def relay(self, query: str, parameters: Mapping[str, Any], *, name: str) -> Relay:
        """The same, for the rows as the server writes them in COPY's binary format."""
        from .relaying import PostgresRelay

        asked = Query(query, name=name)
        asked.check(parameters)
        return self._started(asked, lambda session: PostgresRelay(session, asked, parameters))

    def _started(self, query: Query, start: Callable[[Session], Under]) -> Under:
        with self._lock:
            self._check_done(query.name)
            self._forget_finished()
            if self._shared:
                self._hold()
        connection = connect(self._conninfo, self._application_name)
        try:
            snapshot, taken = self._enter(connection, query)
            under_way = start(
                Session(
                    connection,
                    snapshot,
                    refuse=lambda name: self._check(name, taken),
                    patience=self._statement_timeout,
                    longest=self._max_age + 1,
                    conninfo=self._conninfo,
                    application_name=self._application_name,
                )
            )
            with self._lock:
                self._check_done(query.name)
                self._open.add(under_way)
        except BaseException:
            connection.close()
            raise
        return under_way

    def done(self) -> None:
        """Release the snapshot and end every session, also those of queries under way."""
        with self._lock:
            self._done = True
            readings, self._open = self._open, set()
            holder, self._holder = self._holder, None
        for reading in readings:
            reading.close()
        if holder is not None:
            with suppress(Exception):
                holder.close()

    def _enter(self, connection: psycopg.Connection[Any], query: Query) -> tuple[str, float]:
        """Begin the session's transaction; gives the snapshot's id and when it was taken."""
        import psycopg

        try:
            if self._snapshot is None:
                self._begin(connection, None)
                return export(connection), self._clock()
            self._begin(connection, self._snapshot[0])
        except (
            psycopg.errors.InvalidParameterValue,
            psycopg.errors.UndefinedObject,
            psycopg.errors.ObjectNotInPrerequisiteState,
        ) as error:
            raise self._lose(f"the server does not know it any more: {error.diag.message_primary}") from None
        except psycopg.Error as error:
            raise failures.querying(error, query, {}) from None
        with self._lock:
            # Ids are used again: only a holder that is alive now proves that what was imported is ours.
            self._check_done(query.name)
            self._check_holder()
            return self._snapshot

    def _hold(self) -> None:
        """Take the snapshot with the first read, and never a second one."""
        import psycopg

        if self._snapshot is None and self._lost is None:
            holder = connect(self._conninfo, self._application_name)
            try:
                self._begin(holder, None)
                self._snapshot = (export(holder), self._clock())
            except psycopg.Error as error:
                holder.close()
                raise failures.connecting(error) from None
            except BaseException:
                holder.close()
                raise
            self._holder = holder
        self._check_age(self._snapshot[1] if self._snapshot else self._clock())

    def _check_holder(self) -> None:
        import psycopg

        assert self._holder is not None
        try:
            self._holder.execute("SELECT 1")
        except psycopg.Error as error:
            self._holder.close()
            why = failures.lost(error)
            self._lost = self._lost or why.why
            raise SnapshotLost(self._lost) from None

    def _check(self, name: str, taken: float) -> None:
        """Asked before every fetch."""
        self._check_done(name)
        age = self._clock() - taken
        if age > self._max_age:
            raise self._lose(self._too_old(age)) if self._shared else SnapshotLost(self._too_old(age))

    def _check_age(self, taken: float) -> None:
        if self._lost is not None:
            raise SnapshotLost(self._lost)
        age = self._clock() - taken
        if age > self._max_age:
            raise self._lose(self._too_old(age))

    def _check_done(self, name: str) -> None:
        if self._done:
            raise QueryFailed(
                name, "the production database was released: run.source_done() was called, or the run is over"
            )

    def _too_old(self, age: float) -> str:
        return f"it is {age:.0f} s old, and may be {self._max_age:.0f} s"

    def _lose(self, why: str) -> KubescribeError:
        """Say that the snapshot is gone, to every later read too, and stop holding production's vacuum back."""
        self._lost = self._lost or why
        if self._holder is not None:
            with suppress(Exception):
                self._holder.close()
        return SnapshotLost(self._lost)

    def _begin(self, connection: psycopg.Connection[Any], snapshot: str | None) -> None:
        begin(
            connection,
            snapshot=snapshot,
            statement_timeout=self._statement_timeout,
            longest=self._max_age + 1,
        )

    def _forget_finished(self) -> None:
        self._open = {reading for reading in self._open if not reading.closed}
