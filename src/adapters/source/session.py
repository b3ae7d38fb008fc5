"""Sessions on the production database: read-only, limited in time, and all of one snapshot."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from . import failures, moment

if TYPE_CHECKING:
    import psycopg
    from psycopg.adapt import AdaptersMap

# Output that does not hang on a role's or a database's settings. The time zone and the order of day and month stay:
# queries may mean them. Quotes must mean what the author's text says.
_EXACT = (
    "SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL bytea_output = 'hex'; "
    "SET LOCAL extra_float_digits = 3; SET LOCAL standard_conforming_strings = on; "
    "SET LOCAL cursor_tuple_fraction = 1; "
)


class Session(NamedTuple):
    """A session whose transaction is open, in the run's snapshot or its own."""

    connection: psycopg.Connection[Any]
    snapshot: str
    refuse: Callable[[str], None]
    """Raises when nothing may be read any more; to be asked before every piece, with the query's name."""
    patience: float
    """How many seconds the server may take over one piece, where others come between."""
    longest: float
    """How many seconds all of it may take."""
    conninfo: str
    application_name: str

    def check_tables(self, name: str, changed: Sequence[str] | None) -> None:
        """To be asked when all rows of query ``name`` have come: raises where some may be missing.

        ``changed``: what the session that read them says of its tables; None: it was this one.
        """
        moment.check_tables(moment.changed_tables(self.connection) if changed is None else changed, name)

    def allow_longest(self) -> None:
        """Let the server take all that time over a statement: who hands it on looks after its patience."""
        from psycopg import sql

        self.connection.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(_milliseconds(self.longest)))


def connect(conninfo: str, application_name: str) -> psycopg.Connection[Any]:
    """A session of its own, outside any transaction."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        given = conninfo_to_dict(conninfo)
    except psycopg.Error:
        raise failures.unparsed() from None
    defaults = {"connect_timeout": 10, "keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 6}
    options = {key: value for key, value in defaults.items() if key not in given}
    try:
        return psycopg.connect(
            conninfo,
            autocommit=True,
            prepare_threshold=None,  # a pooler may stand between
            context=_Context(),
            application_name=application_name,
            client_encoding="UTF8",
            **options,  # type: ignore[arg-type]
        )
    except psycopg.Error as error:
        raise failures.connecting(error) from None


def begin(
    connection: psycopg.Connection[Any], *, snapshot: str | None, statement_timeout: float, longest: float
) -> None:
    """Open the one transaction of a session, in the snapshot or in its own. One round trip.

    The server itself ends a session that idles in it for longer than ``longest`` seconds, so that a worker that is
    stopped does not hold production's vacuum back. Where a worker is stopped in the middle of a COPY the session is
    not idle but waits for the network. There PostgreSQL 17's limit on the transaction comes through only if the server
    was not waiting already when the time was over; so the system's limit on data that nobody takes is set too.
    """
    connection.execute(
        beginning(connection, snapshot=snapshot, statement_timeout=statement_timeout, longest=longest).encode()
    )


def beginning(
    connection: psycopg.Connection[Any], *, snapshot: str | None, statement_timeout: float, longest: float
) -> str:
    """The statements of :func:`begin`, for a session on the same server."""
    from psycopg import sql

    timeouts = "SET LOCAL statement_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = {}"
    timeouts += "; SET LOCAL tcp_user_timeout = {}"
    limits = [_milliseconds(statement_timeout), _milliseconds(longest), _milliseconds(longest)]
    if connection.info.server_version >= 170000:
        timeouts += "; SET LOCAL transaction_timeout = {}"
        limits.append(_milliseconds(longest))
    imported = sql.SQL("SET TRANSACTION SNAPSHOT {}; ").format(sql.Literal(snapshot)) if snapshot else sql.SQL("")
    text = sql.Composed(
        [
            sql.SQL("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "),
            imported,
            sql.SQL(_EXACT),
            sql.SQL(timeouts).format(*limits),
        ]
    )
    return text.as_string(connection)


def export(connection: psycopg.Connection[Any]) -> str:
    """The id by which other sessions can take this one's snapshot, as long as its transaction is open."""
    row = connection.execute("SELECT pg_export_snapshot()").fetchone()
    assert row is not None
    return str(row[0])


def _milliseconds(seconds: float) -> int:
    return min(max(1, round(seconds * 1000)), 2**31 - 1)  # 0 would mean no limit


class _Context:
    """What psycopg takes its type conversions from."""

    connection = None

    @property
    def adapters(self) -> AdaptersMap:
        return _adapters()


@functools.cache
def _adapters() -> AdaptersMap:
    """psycopg's way to send values; results come as the server's text but for the plainest types."""
    import psycopg
    from psycopg.adapt import AdaptersMap
    from psycopg.types.bool import BoolLoader
    from psycopg.types.numeric import FloatLoader, IntLoader
    from psycopg.types.string import ByteaLoader, TextLoader

    adapters = AdaptersMap(psycopg.adapters)
    for info in psycopg.adapters.types:
        for oid in filter(None, (info.oid, info.array_oid)):
            adapters.register_loader(oid, TextLoader)
    adapters.register_loader(0, TextLoader)
    adapters.register_loader("bool", BoolLoader)
    adapters.register_loader("bytea", ByteaLoader)
    for name in ("int2", "int4", "int8"):
        adapters.register_loader(name, IntLoader)
    for name in ("float4", "float8"):
        adapters.register_loader(name, FloatLoader)
    return adapters
