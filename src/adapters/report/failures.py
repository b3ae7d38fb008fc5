"""What a driver's error means: one table of SQLSTATEs for asyncpg and psycopg, without importing either."""

from __future__ import annotations

from ...domain.errors import DatabaseRefused, DatabaseUnavailable, KubescribeError, ValueRefused
from .schema import mismatch

DATABASE = "report"

TRY_AGAIN = frozenset({"40001", "40P01", "55P03"})
"""Serialization failure, deadlock, lock not available: the same transaction may well succeed a moment later."""

UNDEFINED = frozenset({"3F000", "42P01", "42703", "42883"})
"""No such schema, table, column, function: of ours, it is the migration that is missing."""

_AWAY = frozenset(
    {"53000", "53100", "53200", "53300", "53400", "55P03", "57014", "57P01", "57P02", "57P03", "57P05", "25P03"}
)
_AWAY_CLASSES = frozenset({"08", "40", "58"})

_DATA_EXCEPTION = "22"

_REMEDIES = {
    "28P01": "check the user and the password of REPORT_DB_URL",
    "28000": "check the user of REPORT_DB_URL, and that the server's pg_hba.conf lets it in",
    "3D000": "create the database, or correct its name in REPORT_DB_URL",
    "42501": (
        "give the role of REPORT_DB_URL what it needs: USAGE on schema kubescribe, SELECT, INSERT and UPDATE on its "
        "tables, USAGE and CREATE on the reports' schema, and the ownership of the tables that it published"
    ),
    "25006": "the server takes no writes: point REPORT_DB_URL at the primary; what was published before is untouched",
    "42P07": "a relation of that name is there and is no report of KubeScribe: rename it, or publish under another",
}
_OTHER_REMEDY = "the server's log has more; nothing was published"

# libpq gives no SQLSTATE for a connection that the server refused, only the server's words.
_CONNECT_WORDS = (
    ("password authentication failed", "28P01"),
    ("no password supplied", "28P01"),
    ("no pg_hba.conf entry", "28000"),
    ("is not permitted to log in", "28000"),
    ("permission denied for database", "42501"),
    ("database ", "3D000"),
    ("role ", "28000"),
)


def meaning(error: BaseException) -> KubescribeError | None:
    """The domain's error for a driver's one; None where it is no matter of the database at all."""
    if isinstance(error, KubescribeError):
        return error
    original = getattr(error, "orig", None)
    if isinstance(original, BaseException):  # SQLAlchemy's wrapping, twice around asyncpg's error
        return meaning(original.__cause__ or original)
    code = sqlstate(error)
    if code is None:
        return _without_code(error)
    why = first_line(error)
    if code in UNDEFINED and "kubescribe" in why:
        return mismatch(None)
    if code == "53100":  # disk full
        why = f"{why} (free space on the server's disk; what was published before is untouched)"
    if code in _AWAY or code[:2] in _AWAY_CLASSES:
        return DatabaseUnavailable(DATABASE, why)
    if code[:2] == _DATA_EXCEPTION:
        return ValueRefused(DATABASE, why)
    return DatabaseRefused(DATABASE, why, _REMEDIES.get(code, _OTHER_REMEDY))


def sqlstate(error: BaseException) -> str | None:
    """The server's code for the error; None where it did not come from the server."""
    code = getattr(error, "sqlstate", None)
    return code if isinstance(code, str) else None


def first_line(error: BaseException) -> str:
    """What the server or the system said, without the statement and without details that may hold values."""
    diagnostics = getattr(getattr(error, "diag", None), "message_primary", None)
    text = diagnostics or str(error) or type(error).__name__
    return str(text).strip().splitlines()[0]


def _without_code(error: BaseException) -> KubescribeError | None:
    kind = type(error)
    driver = kind.__module__.partition(".")[0]
    if driver == "psycopg":
        text = first_line(error)
        for words, code in _CONNECT_WORDS:
            if words in text and (words.strip() not in ("database", "role") or "does not exist" in text):
                return DatabaseRefused(DATABASE, text, _REMEDIES[code])
        if kind.__name__ == "ProgrammingError":  # a conninfo string that libpq cannot parse may hold the password
            return DatabaseRefused(DATABASE, "its connection string cannot be read", "check REPORT_DB_URL")
        return DatabaseUnavailable(DATABASE, text)
    if isinstance(error, TimeoutError) and not str(error):
        return DatabaseUnavailable(DATABASE, "it took too long")
    if driver == "asyncpg" or isinstance(error, OSError):
        return DatabaseUnavailable(DATABASE, first_line(error))
    return None


def is_about_the_statement(error: BaseException) -> bool:
    """Whether the server found fault with what it was asked, rather than being in trouble itself."""
    code = sqlstate(error)
    return code is not None and code not in _AWAY and code[:2] not in _AWAY_CLASSES | {"53", "57", "XX"}
