"""The driver's errors in the domain's words, without passwords and without values.

They are raised ``from None``: the driver's own text, which a traceback would print, quotes rows and binds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...domain.errors import DatabaseRefused, DatabaseUnavailable, KubescribeError, QueryFailed, SnapshotLost
from ...domain.query import Query

if TYPE_CHECKING:
    import psycopg

DATABASE = "production"
VARIABLE = "PROD_DB_URL"

_AWAY = (  # the server says FATAL and means: later
    "starting up",
    "shutting down",
    "recovery mode",
    "not yet accepting connections",
    "not accepting connections",
    "too many connections",
    "too many clients",
    "remaining connection slots",
    "terminating connection",
)
_CONNECTION_LOST = ("08", "57P")
_HIDDEN = 4
"""Values of fewer characters are hidden only where the server quotes them: `1` is in many a message."""


class ServerSaid(Exception):
    """An error of the server's, or of the way there (``state`` None); ``position`` counts characters from 1."""

    def __init__(self, state: str | None, message: str, position: int | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.state, self.message, self.position, self.hint = state, message, position, hint


def driver_errors() -> tuple[type[Exception], ...]:
    """What a driver raises, and what a socket does that was closed under it."""
    import psycopg

    return psycopg.Error, ServerSaid, OSError, ValueError


def connecting(error: psycopg.Error) -> KubescribeError:
    """Why there is no session. libpq's messages never hold the password."""
    why = _first_line(error)
    lower = why.lower()
    fatal = "fatal:" in lower or "fatal :" in lower
    if fatal and not any(sign in lower for sign in _AWAY):
        why = why[lower.rindex("fatal") :].partition(":")[2].strip()
        return DatabaseRefused(DATABASE, why, f"check {VARIABLE} and the rights of its role")
    if "no password supplied" in lower or "certificate" in lower:
        return DatabaseRefused(DATABASE, why, f"check {VARIABLE}")
    return DatabaseUnavailable(DATABASE, why)


def unparsed() -> KubescribeError:
    """For a connection string that libpq cannot read; its message would quote the string."""
    return DatabaseRefused(DATABASE, "its connection string cannot be parsed", f"check {VARIABLE}")


def querying(
    error: Exception,
    query: Query,
    parameters: Mapping[str, Any],
    *,
    places: list[tuple[int, int]] | None = None,
    prefix: int = 0,
) -> KubescribeError:
    """Why a query did not give its rows: the server's message, place and hint; its detail may quote data."""
    said = _said(error)
    if said is None:
        return DatabaseUnavailable(DATABASE, f"its session ended: {error}")
    state, message = said.state, said.message
    if state in ("25P03", "25P04"):
        return SnapshotLost(message)
    if state is None or state.startswith(_CONNECTION_LOST):
        return DatabaseUnavailable(DATABASE, message)
    parts = [_without(message, parameters)]
    if state == "57014" and "statement timeout" in message:
        parts.append("make it cheaper, or raise KUBESCRIBE_STATEMENT_TIMEOUT")
    if said.position and places is not None:
        place = said.position - 1 - prefix
        before = [pair for pair in places if pair[0] <= place]
        if before:
            start, original = before[-1]
            inside = place - start if len(before) == len(places) or places[len(before)][0] > place else 0
            parts.append(f"at {query.position(min(original + inside, len(query.text)))}")
    if said.hint:
        parts.append(_without(said.hint, parameters))
    return QueryFailed(query.name, "; ".join(part.rstrip(".") for part in parts))


def lost(error: psycopg.Error) -> SnapshotLost:
    """Why the session that holds the snapshot ended."""
    return SnapshotLost(f"its session ended: {_first_line(error)}")


def _said(error: Exception) -> ServerSaid | None:
    """What either driver's error says; None for an error of neither."""
    import psycopg

    if isinstance(error, ServerSaid):
        return error
    if not isinstance(error, psycopg.Error):
        return None
    broken = isinstance(error, psycopg.OperationalError) and error.sqlstate is None
    position = error.diag.statement_position
    return ServerSaid(
        None if broken else error.sqlstate or "",
        error.diag.message_primary or _first_line(error),
        int(position) if position else None,
        error.diag.message_hint,
    )


def _first_line(error: psycopg.Error) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _without(message: str, parameters: Mapping[str, Any]) -> str:
    for name, value in parameters.items():
        for item in value if isinstance(value, (list, tuple, set, frozenset)) else [value]:
            if item is None or isinstance(item, bool):
                continue
            text = str(item)
            message = message.replace(f'"{text}"', f":{name}")
            if len(text) >= _HIDDEN:
                message = message.replace(text, f":{name}")
    return message
