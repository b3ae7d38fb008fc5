"""What the report database must hold and grant; light enough to ask before every run."""

from __future__ import annotations

from typing import Any

from ...domain.errors import SchemaMismatch
from .names import literal, qualified, quoted

HEAD = "0002"
"""The newest revision of ``migrations``; a test holds it equal to Alembic's."""

VERSION_TABLE = "report_schema_version"
"""Not Alembic's usual name: the run record may live in the same database."""

TABLE_RIGHTS = {
    VERSION_TABLE: ("SELECT",),
    "fence": ("SELECT", "INSERT", "UPDATE"),
    "report": ("SELECT", "INSERT", "UPDATE"),
    "staged": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "current": ("SELECT", "INSERT", "UPDATE"),
    "publication": ("SELECT", "INSERT"),
}
"""What the publishing role needs on the tables of schema ``kubescribe``: the least that works."""

SEQUENCES = ("fence_number", "version_number", "publication_id_seq")

FIND_VERSION_TABLE = f"""
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'kubescribe' AND c.relname = '{VERSION_TABLE}'
"""  # noqa: S608
READ_VERSION = f"SELECT version_num FROM kubescribe.{VERSION_TABLE}"  # noqa: S608


async def schema_is_current(connection: Any) -> bool:
    """Whether the tables are those of this release. ``connection`` is asyncpg's."""
    return await found_revision(connection) == HEAD


async def found_revision(connection: Any) -> str | None:
    """The revision of the tables; None where there are none. ``connection`` is asyncpg's."""
    if not await connection.fetchval(FIND_VERSION_TABLE):
        return None
    revision: str | None = await connection.fetchval(READ_VERSION)
    return revision


def mismatch(found: str | None) -> SchemaMismatch:
    """The error for tables that are not those of this release."""
    return SchemaMismatch("report", found, HEAD)


def grants_sql(publisher_role: str, reader_role: str, report_schema: str = "reports") -> str:
    """What an administrator runs once, after ``kubescribe migrate``, as SQL for psql.

    Readers get the reports only. The default privileges name tables because PostgreSQL has no word for views
    alone; the publisher takes them back from every table that is not a report, in the transaction that makes it.
    """
    publisher, reader, schema = quoted(publisher_role), quoted(reader_role), quoted(report_schema)
    tables = [
        f"GRANT {', '.join(rights)} ON kubescribe.{table} TO {publisher};" for table, rights in TABLE_RIGHTS.items()
    ]
    sequences = [f"GRANT USAGE ON SEQUENCE kubescribe.{name} TO {publisher};" for name in SEQUENCES]
    return "\n".join(
        [
            f"GRANT USAGE ON SCHEMA kubescribe TO {publisher};",
            *tables,
            *sequences,
            f"CREATE SCHEMA IF NOT EXISTS {schema};",
            f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {publisher};",
            f"GRANT USAGE ON SCHEMA {schema} TO {reader};",
            f"ALTER DEFAULT PRIVILEGES FOR ROLE {publisher} IN SCHEMA {schema} GRANT SELECT ON TABLES TO {reader};",
            "",
        ]
    )


def revoke_default_grants(schema: str, table: str) -> str:
    """SQL that takes back whatever default privileges gave to others on a table that is no report."""
    name = qualified(schema, table)
    return f"""
DO $revoke$
DECLARE grantee record;
BEGIN
  FOR grantee IN
    SELECT DISTINCT a.grantee AS oid FROM pg_class c, aclexplode(c.relacl) a
    WHERE c.oid = {_regclass(name)} AND a.grantee <> c.relowner
  LOOP
    EXECUTE format('REVOKE ALL ON %s FROM %s', {_regclass(name)},
                   CASE grantee.oid WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee.oid)) END);
  END LOOP;
END $revoke$
"""  # noqa: S608 - the name is quoted


def _regclass(name: str) -> str:
    return f"{literal(name)}::regclass"
