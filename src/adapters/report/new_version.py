"""A version's table, while it is being made."""

from __future__ import annotations

from uuid import UUID

import psycopg
from psycopg import sql

from ...application.report_columns import RUN_COLUMN, VERSION_COLUMN
from ...domain.checksum import Checksum
from ...domain.report import Column, Staged
from .copy_in import Target
from .names import qualified, quoted
from .row_sums import SETTINGS, gone, sums
from .rows import as_json
from .schema import revoke_default_grants


class NewVersion:
    """One version's table, inside the transaction that makes it; nobody else sees it before that ends."""

    def __init__(
        self, connection: psycopg.Connection, schema: str, table: str, version: int, columns: tuple[Column, ...]
    ) -> None:
        self._connection, self._schema, self._table = connection, schema, table
        self._version, self._columns = version, columns
        self._name = qualified(schema, table)
        self._names = ", ".join(quoted(column.name) for column in columns)

    def create(self, signed_by: UUID | None) -> None:
        """The table, with the CHECK that lets ATTACH skip its scan; COPY checks each row as it comes.

        ``signed_by``: the run whose id each row gets; None: in mode ``replace`` the version says it.
        """
        own = ", ".join(f"{quoted(column.name)} {column.type}" for column in self._columns)
        if signed_by is not None:
            own += f", {RUN_COLUMN} uuid NOT NULL DEFAULT '{signed_by}'"
        self._execute(
            f"CREATE TABLE {self._name} ({own}, {VERSION_COLUMN} bigint NOT NULL DEFAULT {self._version} "
            f"CHECK ({VERSION_COLUMN} = {self._version}))"
        )
        self._execute(revoke_default_grants(self._schema, self._table, browsed=True))

    def target(self) -> Target:
        """What is filled, with the types that the catalogue has: binary COPY must meet exactly those."""
        rows = self._connection.execute(_TYPES, ([column.name for column in self._columns], self._name)).fetchall()
        return Target(self._connection, self._name, tuple(Column(name, kind) for name, kind in rows))

    def index(self, key: tuple[str, ...], partition: tuple[str, ...]) -> None:
        """What readers and later publications search by, and what the planner knows."""
        for names in dict.fromkeys((key, partition)):
            if names:
                self._execute(f"CREATE INDEX ON {self._name} ({', '.join(quoted(name) for name in names)})")
        self._execute(f"ANALYZE {self._name}")

    def checksum(self) -> tuple[str, int]:
        """Over what the server now holds: for where what was sent does not tell what a COPY would write."""
        checksum = Checksum()
        self._execute("SET LOCAL synchronize_seqscans = off")  # from the first row, whoever else is scanning
        statement = f"COPY {self._name} ({self._names}) TO STDOUT (FORMAT binary)"
        with self._connection.cursor() as cursor, cursor.copy(_as_it_is(statement)) as copy:
            for block in copy:
                checksum.update(block)
        return str(checksum), checksum.size

    def row_sum(self) -> str:
        """What a report that these rows come into has to add to its sum."""
        self._execute(SETTINGS)
        row = self._connection.execute(_as_it_is(sums([c.name for c in self._columns], self._name))).fetchone()
        assert row is not None
        return str(gone(row).sum)

    def record(self, staged: Staged) -> None:
        """The row by which the publisher finds it."""
        self._connection.execute(
            _RECORD,
            (
                staged.version,
                staged.spec.name,
                staged.run_id,
                staged.attempt_id,
                self._schema,
                self._table,
                staged.rows,
                staged.bytes,
                staged.checksum,
                staged.content,
                as_json(staged.columns),
                as_json(staged.spec),
                staged.seconds,
            ),
        )

    def _execute(self, statement: str) -> None:
        self._connection.execute(_as_it_is(statement))


def _as_it_is(statement: str) -> sql.SQL:
    return sql.SQL(statement)  # type: ignore[arg-type,unused-ignore] # identifiers are quoted by `names`


_TYPES = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute a JOIN unnest(%s::text[]) WITH ORDINALITY c (name, place) ON c.name = a.attname
WHERE a.attrelid = %s::regclass ORDER BY c.place
"""
_RECORD = """
INSERT INTO kubescribe.staged
  (version, report, run_id, attempt_id, schema_name, table_name, rows, bytes, checksum, content, columns, spec, seconds)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s)
"""
