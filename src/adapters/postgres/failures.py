"""What PostgreSQL and the way to it say, in the domain's errors."""

from __future__ import annotations

import ssl

import asyncpg

from ...domain.errors import DatabaseReadOnly, DatabaseRefused, DatabaseUnavailable, KubescribeError

RUNLOG = "RunLog"

_AWAY = {
    "40001": "its transactions kept colliding",
    "40P01": "its transactions kept colliding",
    "53100": "its disk is full",
    "53300": "it has too many connections",
    "55P03": "somebody holds a lock",
    "57014": "a statement took too long",
    "57P01": "it is shutting down, or somebody ended the connection",
    "57P03": "it is starting or shutting down",
}
_AWAY_CLASSES = ("08", "53", "57", "58")
_ENDED_TRANSACTIONS = ("25P03", "25P04")
_REFUSED = {
    "28": "check the user and the password in RUNLOG_DB_URL, and the server's pg_hba.conf",
    "3D": "check the database's name in RUNLOG_DB_URL, or create it",
    "42501": "grant the missing right, or run `kubescribe migrate` as the database's owner",
    "3F": "run `kubescribe migrate`",
    "54": "something is larger than PostgreSQL can keep: make names and parameters shorter",
}
_READ_ONLY = "25006"
COLLIDED = ("40001", "40P01")
_MISSING = ("42P01", "42703")
_OF_THE_DRIVER = (asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The second one: it was used just when the server's word that it ends the connection came in."""


def root(error: BaseException) -> BaseException:
    """The driver's own error below what SQLAlchemy wraps around it."""
    while not isinstance(error, (asyncpg.PostgresError, OSError, *_OF_THE_DRIVER)):
        if error.__cause__ is None:
            break
        error = error.__cause__
    return error


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's five characters, or the empty text where the server had no part in it."""
    return str(getattr(root(error), "sqlstate", None) or "")


def missing_part(error: BaseException) -> bool:
    """Whether a table or a column is not there."""
    return sqlstate(error) in _MISSING


def disconnected(error: BaseException) -> bool:
    """Whether the connection is of no more use; what was asked may have happened or not."""
    error = root(error)
    if isinstance(error, asyncpg.PostgresError):
        return sqlstate(error).startswith(("08", "57P", "25P"))
    return isinstance(error, (OSError, *_OF_THE_DRIVER))


def translated(error: BaseException, secret: str | None = None, database: str = RUNLOG) -> KubescribeError | None:
    """The domain's error for a failure of the database; None for a mistake in our own statements.

    ``secret`` is the password: should the driver's text hold it, the message does not.
    """
    error = root(error)
    code, text = sqlstate(error), str(error).strip() or type(error).__name__
    if secret:
        text = text.replace(secret, "***")
    for prefix, remedy in _REFUSED.items():
        if code.startswith(prefix):
            return DatabaseRefused(database, text, remedy)
    if isinstance(error, ssl.SSLCertVerificationError):
        return DatabaseRefused(database, text, "check sslmode and sslrootcert in RUNLOG_DB_URL")
    if isinstance(error, asyncpg.ClientConfigurationError):
        return DatabaseRefused(database, text, "check RUNLOG_DB_URL")
    if code == _READ_ONLY:
        return DatabaseReadOnly(database, text)
    if code in _AWAY:
        return DatabaseUnavailable(database, f"{_AWAY[code]} ({text})")
    if code.startswith(_AWAY_CLASSES) or code in _ENDED_TRANSACTIONS:
        return DatabaseUnavailable(database, text)
    if isinstance(error, TimeoutError):
        return DatabaseUnavailable(database, "no answer in time")
    if isinstance(error, (OSError, *_OF_THE_DRIVER)):
        return DatabaseUnavailable(database, text)
    return None
