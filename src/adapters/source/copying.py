"""Which driver takes the rows of a query that is copied out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...domain.database_url import DatabaseUrl
from ...domain.errors import BadDatabaseUrl
from .copy_out import CopyOut
from .failures import ServerSaid
from .session import beginning, export

if TYPE_CHECKING:
    from .copy_stream import CopyStream
    from .session import Session

_CONNECT_SECONDS = 10.0


def whole(session: Session, text: str, form: str, quoted: Sequence[str] = ()) -> CopyOut:
    """The rows by psycopg, on this session: the server's own timeout is the limit on all of it.

    ``form`` is COPY's ``binary`` or ``csv``, ``quoted`` the columns that are quoted whatever they hold.
    """
    return CopyOut(session.connection, text, _options(form, quoted))


def streamed(session: Session, text: str, form: str, quoted: Sequence[str] = (), *, size: int) -> CopyOut | CopyStream:
    """The rows for somebody who takes his time between blocks of ``size`` bytes.

    By asyncpg, with half of the work that psycopg has for each row, at the price of one more session, which reads in
    the snapshot of this one; this one is closed then. By psycopg where that cannot be.
    """
    other = _other(session, text, form, quoted, size)
    if other is not None:
        return other
    session.allow_longest()
    return CopyOut(session.connection, text, _options(form, quoted), patience=session.patience, size=size)


def _other(session: Session, text: str, form: str, quoted: Sequence[str], size: int) -> CopyStream | None:
    address = _address(session)
    if address is None:
        return None
    from .copy_stream import CopyStream, Statement

    begin = beginning(
        session.connection,
        snapshot=export(session.connection),
        statement_timeout=session.longest,
        longest=session.longest,
    )
    options: dict[str, Any] = {"format": form}
    if quoted:
        options["force_quote"] = list(quoted)
    try:
        stream = CopyStream(Statement(address, begin, text, options), patience=session.patience, size=size)
    except (ServerSaid, ValueError):
        return None
    try:
        session.connection.execute("SELECT 1")  # ids are used again: only as long as this lives it was its snapshot
    except BaseException:
        stream.close()
        raise
    session.connection.close()
    return stream


def _address(session: Session) -> dict[str, Any] | None:
    """The server that the session is on, for asyncpg; None where asyncpg could not be told how to get there."""
    try:
        address = DatabaseUrl.parse(session.conninfo, "PROD_DB_URL").for_asyncpg()
    except BadDatabaseUrl:
        return None
    info = session.connection.info
    address.pop("target_session_attrs", None)
    address["server_settings"] = {
        **address.get("server_settings", {}),
        "application_name": session.application_name,
    }
    return {"timeout": _CONNECT_SECONDS, **address, "host": info.host, "port": info.port}


def _options(form: str, quoted: Sequence[str]) -> str:
    if not quoted:
        return f"FORMAT {form}"
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in quoted)
    return f"FORMAT {form}, FORCE_QUOTE ({names})"
