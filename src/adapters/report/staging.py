"""Where the worker puts rows before anybody may see them: psycopg and polars, in the worker's thread."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from uuid import UUID

import polars as pl
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from ...application.failpoints import failpoint
from ...application.ports.source import POSTGRES_BINARY, Relay
from ...application.report_columns import (
    VERSION_COLUMN,
    check_key,
    check_names,
    check_values,
    columns_of,
    differences,
)
from ...domain.errors import DatabaseRefused, ReportMismatch
from ...domain.report import Column, ReportSpec, Staged
from .copy_in import Filling, RelayFilling, Target
from .failures import DATABASE, meaning
from .frame_csv import SESSION
from .frame_filling import FrameFilling
from .names import qualified, quoted, version_table
from .rights import check_rights
from .rows import as_json, columns
from .schema import revoke_default_grants

_LOCK_MILLISECONDS = 5000


class PostgresStaging:
    """Implements :class:`~kubescribe.application.ports.staging.Staging`. ``conninfo`` is libpq's connection string.

    A version is made in one transaction: what is interrupted leaves nothing behind.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        schema: str = "reports",
        application_name: str = "kubescribe",
        connect_timeout: float = 10.0,
    ) -> None:
        self._conninfo, self._schema = conninfo, schema
        self._application_name, self._connect_timeout = application_name, connect_timeout

    def prepare(self) -> None:
        """See the port."""
        with self._connection() as connection:
            check_rights(connection, self._schema)

    def stage(self, spec: ReportSpec, frames: Iterable[pl.DataFrame], *, run_id: UUID, attempt_id: UUID) -> Staged:
        """See the port."""
        first, rest = _first(spec.name, frames)
        report_columns = columns_of(spec.name, first.schema)

        def check(frame: pl.DataFrame) -> None:
            if frame.schema != first.schema:
                raise ReportMismatch(spec.name, _schema_differences(spec.name, report_columns, frame))
            check_values(spec.name, frame)

        filling = FrameFilling(spec.name, chain([first], rest), check)
        return self._stage(spec, report_columns, filling, run_id, attempt_id)

    def relay(self, spec: ReportSpec, rows: Relay, *, run_id: UUID, attempt_id: UUID) -> Staged:
        """See the port."""
        if rows.format != POSTGRES_BINARY:
            raise ReportMismatch(spec.name, (f"the rows come as {rows.format}, which PostgreSQL does not read",))
        check_names(spec.name, [column.name for column in rows.columns])
        filling = RelayFilling(spec.name, rows)
        return self._stage(spec, rows.columns, filling, run_id, attempt_id)

    def _stage(
        self, spec: ReportSpec, report_columns: tuple[Column, ...], filling: Filling, run_id: UUID, attempt_id: UUID
    ) -> Staged:
        check_key(spec.name, spec.key, report_columns)
        started = time.monotonic()
        with self._connection() as connection, connection.transaction():
            connection.execute(_as_it_is(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}"))
            self._check_fit(connection, spec, report_columns)
            self._drop_former(connection, spec, run_id, attempt_id)
            version = _number(connection)
            making = _Version(connection, self._schema, version_table(spec.name, version), version, report_columns)
            making.create()
            failpoint("stage.created")
            filled = filling(making.target())
            failpoint("stage.copied")
            making.index(spec.key)
            failpoint("stage.indexed")
            checksum, size = filled.checksum or making.checksum()
            staged = Staged(
                spec=spec,
                run_id=run_id,
                attempt_id=attempt_id,
                version=version,
                rows=filled.rows,
                bytes=size,
                checksum=checksum,
                columns=report_columns,
                seconds=time.monotonic() - started,
            )
            making.record(staged)
            failpoint("stage.recorded")
        return staged

    def close(self) -> None:
        """See the port. Each operation has a connection of its own, so nothing is open between them."""

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        # a fresh one each time: one that was kept while the pipeline computed for an hour may be dead
        try:
            given = conninfo_to_dict(self._conninfo)
            timeout = {} if "connect_timeout" in given else {"connect_timeout": max(2, int(self._connect_timeout))}
            with psycopg.connect(
                self._conninfo,
                autocommit=True,
                application_name=self._application_name,
                prepare_threshold=None,
                **timeout,  # type: ignore[arg-type]
            ) as connection:
                connection.execute(SESSION)
                yield connection
        except psycopg.Error as error:
            known = meaning(error)
            if known is None:
                raise
            raise known from error

    def _check_fit(self, connection: psycopg.Connection, spec: ReportSpec, new: tuple[Column, ...]) -> None:
        """See that a publication of these columns would go through."""
        known = connection.execute(
            "SELECT columns::text FROM kubescribe.report WHERE name = %s", (spec.name,)
        ).fetchone()
        if known is not None:
            wrong = differences(columns(known[0]), new)
            if wrong:
                raise ReportMismatch(spec.name, wrong)
            return
        stranger = connection.execute(_RELATION, (self._schema, spec.name)).fetchone()
        if stranger is not None:
            raise DatabaseRefused(
                DATABASE,
                f"{self._schema}.{spec.name} is there already and is no report of KubeScribe",
                "publish under another name, or rename what is there",
            )

    def _drop_former(self, connection: psycopg.Connection, spec: ReportSpec, run_id: UUID, attempt_id: UUID) -> None:
        """What this attempt staged before for the report goes, in the same transaction."""
        former = connection.execute(_FORMER, (spec.name, run_id, attempt_id)).fetchall()
        for version, schema, table, attached in former:
            if attached:  # it was on its way to being published: whoever retires next takes it
                connection.execute(
                    "UPDATE kubescribe.staged SET condemned_at = clock_timestamp() WHERE version = %s", (version,)
                )
                continue
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(schema, table)))
            connection.execute("DELETE FROM kubescribe.staged WHERE version = %s", (version,))


class _Version:
    """One version's table, inside the transaction that makes it."""

    def __init__(
        self, connection: psycopg.Connection, schema: str, table: str, version: int, columns: tuple[Column, ...]
    ) -> None:
        self._connection, self._schema, self._table = connection, schema, table
        self._version, self._columns = version, columns
        self._name = qualified(schema, table)
        self._names = ", ".join(quoted(column.name) for column in columns)

    def create(self) -> None:
        """The table, with the CHECK that lets ATTACH skip its scan; COPY checks each row as it comes."""
        own = ", ".join(f"{quoted(column.name)} {column.type}" for column in self._columns)
        self._execute(
            f"CREATE TABLE {self._name} ({own}, {VERSION_COLUMN} bigint NOT NULL DEFAULT {self._version} "
            f"CHECK ({VERSION_COLUMN} = {self._version}))"
        )
        self._execute(revoke_default_grants(self._schema, self._table))

    def target(self) -> Target:
        """What is filled, with the types that the catalogue has: binary COPY must meet exactly those."""
        rows = self._connection.execute(_TYPES, ([column.name for column in self._columns], self._name)).fetchall()
        return Target(self._connection, self._name, tuple(Column(name, kind) for name, kind in rows))

    def index(self, key: tuple[str, ...]) -> None:
        """What readers search by, and what the planner knows."""
        if key:
            self._execute(f"CREATE INDEX ON {self._name} ({', '.join(quoted(name) for name in key)})")
        self._execute(f"ANALYZE {self._name}")

    def checksum(self) -> tuple[str, int]:
        """Over what the server now holds: for where what was sent does not tell what a COPY would write."""
        digest, size = hashlib.blake2b(digest_size=32), 0
        self._execute("SET LOCAL synchronize_seqscans = off")  # from the first row, whoever else is scanning
        statement = f"COPY {self._name} ({self._names}) TO STDOUT (FORMAT binary)"
        with self._connection.cursor() as cursor, cursor.copy(_as_it_is(statement)) as copy:
            for block in copy:
                digest.update(block)
                size += len(block)
        return f"blake2b:{digest.hexdigest()}", size

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
                as_json(staged.columns),
                as_json(staged.spec),
                staged.seconds,
            ),
        )

    def _execute(self, statement: str) -> None:
        self._connection.execute(_as_it_is(statement))


def _first(report: str, frames: Iterable[pl.DataFrame]) -> tuple[pl.DataFrame, Iterator[pl.DataFrame]]:
    """The first frame, whose schema decides, and the others."""
    remaining = iter(frames)
    first = next(remaining, None)
    if first is None:
        raise ReportMismatch(report, ("there is no frame, and so no columns: hand over an empty one with its schema",))
    return first, remaining


def _schema_differences(report: str, columns: tuple[Column, ...], frame: pl.DataFrame) -> tuple[str, ...]:
    found = differences(columns, columns_of(report, frame.schema)) or ("two frames differ in their types",)
    return tuple(f"in a later frame {difference}" for difference in found)


def _number(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT nextval('kubescribe.version_number')").fetchone()
    assert row is not None
    return int(row[0])


def _as_it_is(statement: str) -> sql.SQL:
    return sql.SQL(statement)  # type: ignore[arg-type,unused-ignore] # identifiers are quoted by `names`


_TYPES = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute a JOIN unnest(%s::text[]) WITH ORDINALITY c (name, place) ON c.name = a.attname
WHERE a.attrelid = %s::regclass ORDER BY c.place
"""
_RELATION = """
SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s
"""
_FORMER = """
SELECT s.version, s.schema_name, s.table_name,
       EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = s.schema_name AND c.relname = s.table_name)
FROM kubescribe.staged s
WHERE s.report = %s AND s.run_id = %s AND s.attempt_id = %s AND s.condemned_at IS NULL
  AND NOT EXISTS (SELECT FROM kubescribe.publication p WHERE p.report = s.report AND p.version = s.version)
"""
_RECORD = """
INSERT INTO kubescribe.staged
  (version, report, run_id, attempt_id, schema_name, table_name, rows, bytes, checksum, columns, spec, seconds)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s)
"""
