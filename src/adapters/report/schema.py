"""What the report database must hold and grant; light enough to ask before every run."""

from __future__ import annotations

from typing import Any

from ...domain.errors import SchemaMismatch
from .names import literal, qualified, quoted

HEAD = "0003"
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

BROWSER = "kubescribe_reader"
"""The role under which people browse reports. It may read what was published, and our tables about it; nothing else.

One for the whole server, like every role: it can look into a database only where it was granted something there.
"""

BROWSED = (VERSION_TABLE, "report", "staged", "current", "publication")

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

    Readers get the reports only; who browses them through KubeScribe also the kept versions. The default privileges
    name tables because PostgreSQL has no word for views alone; the publisher takes them back from every table that is
    not a report, in the transaction that makes it.
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
            f"{browser_grants(report_schema).strip()};",
            f"{_may_become(publisher)};",
            "",
        ]
    )


def browser_grants(report_schema: str) -> str:
    """SQL that makes the role :data:`BROWSER` where that is allowed, and grants it all that it needs; safe to repeat.

    What the role that runs it may not grant is left out: staging grants each new version, its administrator the rest.
    """
    tables = ", ".join(f"kubescribe.{table}" for table in BROWSED)
    return f"""
DO $browser$
DECLARE version record;
BEGIN
  IF NOT EXISTS ({_BROWSER_EXISTS}) THEN
    BEGIN
      CREATE ROLE {BROWSER} NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
    END;
  END IF;
  IF NOT EXISTS ({_BROWSER_EXISTS}) THEN
    RAISE NOTICE 'role {BROWSER} is missing: reports cannot be browsed until an administrator makes it';
    RETURN;
  END IF;
  GRANT USAGE ON SCHEMA kubescribe TO {BROWSER};
  GRANT SELECT ON {tables} TO {BROWSER};
  IF EXISTS (SELECT FROM pg_namespace WHERE nspname = {literal(report_schema)}
             AND has_schema_privilege(oid, 'USAGE WITH GRANT OPTION')) THEN
    GRANT USAGE ON SCHEMA {quoted(report_schema)} TO {BROWSER};
  END IF;
  FOR version IN
    SELECT c.oid::regclass::text AS name FROM kubescribe.staged s
    JOIN pg_namespace n ON n.nspname = s.schema_name
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.table_name
    WHERE has_table_privilege(c.oid, 'SELECT WITH GRANT OPTION')
  LOOP
    EXECUTE 'GRANT SELECT ON ' || version.name || ' TO {BROWSER}';
  END LOOP;
  IF current_setting('is_superuser') = 'off' THEN
    BEGIN
      {_may_become("CURRENT_USER", execute_only=True)};
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
  END IF;
END $browser$
"""  # noqa: S608 - names are ours or quoted


def _may_become(role: str, *, execute_only: bool = False) -> str:
    """SQL that lets ``role`` (quoted) take on :data:`BROWSER` and, where PostgreSQL can say so, not inherit from it.

    ``execute_only``: for a block of PL/pgSQL.
    """
    grant = literal(f"GRANT {BROWSER} TO {role}")
    execute = (
        f"EXECUTE {grant} || CASE WHEN current_setting('server_version_num')::integer >= 160000 "
        "THEN ' WITH INHERIT FALSE, SET TRUE' ELSE '' END"
    )
    return execute if execute_only else f"DO $member$ BEGIN {execute}; END $member$"


def revoke_default_grants(schema: str, table: str, *, browsed: bool = False) -> str:
    """SQL that takes back whatever default privileges gave to others on a table that is no report.

    ``browsed``: and that lets :data:`BROWSER` read it, where there is such a role.
    """
    name = qualified(schema, table)
    grant = f"IF EXISTS ({_BROWSER_EXISTS}) THEN GRANT SELECT ON {name} TO {BROWSER}; END IF;" if browsed else ""
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
  {grant}
END $revoke$
"""  # noqa: S608 - the name is quoted


def _regclass(name: str) -> str:
    return f"{literal(name)}::regclass"


_BROWSER_EXISTS = f"SELECT FROM pg_roles WHERE rolname = {literal(BROWSER)}"
