"""Where the worker puts rows before anybody may see them: psycopg and polars, in the worker's thread."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from ...application.failpoints import failpoint
from ...application.ports.source import POSTGRES_BINARY, Relay
from ...application.report_columns import (
    check_named,
    check_names,
    check_values,
    columns_of,
    differences,
)
from ...application.report_fit import Fit, fit
from ...domain.errors import DatabaseRefused, ReportDependedOn, ReportMismatch
from ...domain.report import Column, ReportSpec, Staged
from .copy_in import SESSION, Filling, RelayFilling
from .dependants import dependants_query
from .failures import DATABASE, meaning
from .names import version_table
from .new_version import NewVersion
from .rights import check_rights
from .rows import shape

if TYPE_CHECKING:
    import polars as pl

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
        from .frame_filling import FrameFilling  # imports polars, which rows that come undecoded do without

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
        check_named(spec, report_columns)
        started = time.monotonic()
        with self._connection() as connection, connection.transaction():
            connection.execute(_as_it_is(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}"))
            self._check_fit(connection, spec, report_columns)
            self._drop_former(connection, spec, run_id, attempt_id)
            version = _number(connection)
            making = NewVersion(connection, self._schema, version_table(spec.name, version), version, report_columns)
            making.create(run_id if spec.mode.in_place else None)
            failpoint("stage.created")
            filled = filling(making.target())
            failpoint("stage.copied")
            making.index(spec.key, spec.partition_by)
            failpoint("stage.indexed")
            checksum, size = filled.checksum or making.checksum()
            content = making.row_sum() if spec.mode.in_place else None
            staged = Staged(
                spec=spec,
                run_id=run_id,
                attempt_id=attempt_id,
                version=version,
                rows=filled.rows,
                bytes=size,
                checksum=checksum,
                columns=report_columns,
                content=content,
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
        known = connection.cursor(row_factory=dict_row).execute(_SHAPE, (spec.name,)).fetchone()
        if known is not None:
            self._check_shape(connection, spec, new, known)
            return
        stranger = connection.execute(_RELATION, (self._schema, spec.name)).fetchone()
        if stranger is not None:
            raise DatabaseRefused(
                DATABASE,
                f"{self._schema}.{spec.name} is there already and is no report of KubeScribe",
                "publish under another name, or rename what is there",
            )

    @staticmethod
    def _check_shape(
        connection: psycopg.Connection, spec: ReportSpec, new: tuple[Column, ...], known: dict[str, Any]
    ) -> None:
        def dependants() -> tuple[str, ...]:
            query = _as_it_is(dependants_query(known["schema_name"], spec.name))
            return tuple(row[0] for row in connection.execute(query))

        try:
            how = fit(shape(known), spec, new)
        except ReportMismatch as error:
            raise ReportMismatch(error.report, error.differences, dependants()) from None
        if how is Fit.RECREATE and (depending := dependants()):
            raise ReportDependedOn(spec.name, depending)

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


_SHAPE = """
SELECT columns::text AS report_columns, mode AS report_mode, key::text AS report_key, generation, schema_name
FROM kubescribe.report WHERE name = %s
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
