"""Whether the publishing role may do its work, asked before the work begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.errors import DatabaseRefused
from .failures import DATABASE
from .schema import FIND_VERSION_TABLE, HEAD, READ_VERSION, SEQUENCES, TABLE_RIGHTS, mismatch

if TYPE_CHECKING:
    import psycopg


def check_rights(connection: psycopg.Connection, schema: str) -> None:
    """Raise :class:`DatabaseRefused` naming every right that is missing, :class:`SchemaMismatch` for missing tables."""
    _check_server(connection)
    if not _one(connection, FIND_VERSION_TABLE):
        raise mismatch(None)
    role = str(_one(connection, "SELECT current_user"))
    missing = []
    if not _one(connection, "SELECT has_schema_privilege('kubescribe', 'USAGE')"):
        missing.append("USAGE on schema kubescribe")
    for table, rights in TABLE_RIGHTS.items():
        lacking = [
            right
            for right in rights
            if not _one(connection, "SELECT has_table_privilege(c.oid, %s)" + _OF_KUBESCRIBE, right, table)
        ]
        if lacking:
            missing.append(f"{', '.join(lacking)} on table kubescribe.{table}")
    for name in SEQUENCES:
        if not _one(connection, "SELECT has_sequence_privilege(c.oid, %s)" + _OF_KUBESCRIBE, "USAGE", name):
            missing.append(f"USAGE on sequence kubescribe.{name}")
    missing += _of_report_schema(connection, schema)
    if missing:
        raise DatabaseRefused(
            DATABASE,
            f"role {role} lacks {'; '.join(missing)}",
            f"grant it as an administrator (`kubescribe migrate --grants {role} READER`); nothing was started",
        )
    revision = str(_one(connection, READ_VERSION))
    if revision < HEAD:  # newer tables still serve this release
        raise mismatch(revision)


def _of_report_schema(connection: psycopg.Connection, schema: str) -> list[str]:
    if not _one(connection, "SELECT count(*) FROM pg_namespace WHERE nspname = %s", schema):
        return [f"schema {schema}, which is not there (CREATE SCHEMA {schema})"]
    lacking = [
        right
        for right in ("USAGE", "CREATE")
        if not _one(connection, "SELECT has_schema_privilege(%s, %s)", schema, right)
    ]
    return [f"{' and '.join(lacking)} on schema {schema}"] if lacking else []


def _check_server(connection: psycopg.Connection) -> None:
    if _one(connection, "SHOW transaction_read_only") == "on":
        raise DatabaseRefused(
            DATABASE,
            "it takes no writes (it is a standby, or default_transaction_read_only is on)",
            "point REPORT_DB_URL at the primary",
        )
    encoding = _one(connection, "SHOW server_encoding")
    if encoding != "UTF8":
        raise DatabaseRefused(
            DATABASE,
            f"its encoding is {encoding}, which cannot hold every text",
            "create a database with ENCODING 'UTF8'",
        )


_OF_KUBESCRIBE = (
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'kubescribe' AND c.relname = %s"
)


def _one(connection: psycopg.Connection, query: str, *values: str) -> object:
    row = connection.execute(query.encode(), values or None).fetchone()
    return None if row is None else row[0]
