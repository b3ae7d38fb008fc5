"""Browsing reports in PostgreSQL, under a role that can only read."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from ...application.ports.report_reader import ReportSummary, ReportVersion, Row, RowPage, RowStream
from ...application.row_cursor import Place, Position, cursor_after, order_values, read_cursor
from ...application.row_plan import Plan, check_limit, plan
from ...domain.errors import BadRowQuery, DatabaseRefused, KubescribeError, TookTooLong, TooManyRows, VersionGone
from ...domain.report_query import RowQuery
from ...domain.report_value import Value
from ...domain.version_difference import VersionDifference
from . import browsing
from .browsing import Source
from .difference import Side, difference
from .failures import DATABASE, UNDEFINED, first_line, sqlstate
from .listing import found_report
from .reading import ReadingSession
from .row_query import page_statement, reads, remaining, stream_statement

_BATCH_BYTES = 4 * 1024 * 1024
_BATCH_ROWS = 5000
_STRETCH = 128
"""Blocks of a table, of 8 KiB each."""


class PostgresReportReader:
    """Implements :class:`~kubescribe.application.ports.report_reader.ReportReader`.

    ``role``: under which it reads; None where the login of ``asyncpg_kwargs`` may read and nothing else. ``schema``:
    the only one whose tables are read. ``statement_timeout``: seconds for a page, and for the next batch of a
    stream; ``stream_timeout``: for a whole stream, ``difference_timeout`` for a difference.
    """

    def __init__(
        self,
        asyncpg_kwargs: dict[str, Any],
        *,
        role: str | None,
        schema: str = "reports",
        connect_timeout: float = 10.0,
        statement_timeout: float = 30.0,
        stream_timeout: float = 900.0,
        difference_timeout: float = 60.0,
    ) -> None:
        self._schema, self._stream_timeout = schema, stream_timeout

        def session(seconds: float) -> ReadingSession:
            return ReadingSession(asyncpg_kwargs, role=role, connect_timeout=connect_timeout, statement_timeout=seconds)

        self._session, self._patient = session(statement_timeout), session(difference_timeout)

    async def summaries(self) -> tuple[ReportSummary, ...]:
        """See the port."""
        async with self._session.transaction() as connection:
            return await browsing.summaries(connection)

    async def summary(self, report: str) -> ReportSummary:
        """See the port."""
        async with self._session.transaction() as connection:
            return await browsing.summary(connection, await found_report(connection, report))

    async def source(self, query: RowQuery) -> ReportVersion:
        """See the port."""
        async with self._session.transaction() as connection:
            source = await self._source(connection, query)
            self._plan(query, source)
            return source.version

    async def page(self, query: RowQuery, *, limit: int = 50, after: str | None = None) -> RowPage:
        """See the port."""
        check_limit(limit)
        position = None if after is None else read_cursor(query, after)
        async with self._session.transaction() as connection:
            source = await self._source(connection, query, position)
            asked = self._plan(query, source, position)
            values = None if position is None else order_values(asked, position)
            with _said(source, "a page", self._session.statement_timeout):
                rows = await _page(connection, source, asked, limit + 1, values)
        width = len(asked.columns)
        read = reads(asked.columns)
        shown = tuple(read(tuple(row)[:width]) for row in rows[:limit])
        cursor = None
        if len(rows) > limit:
            here = position or Position(
                question="",
                version=source.version.version,
                width=len(source.version.columns),
                table=source.identity(asked.located),
                values=(),
            )
            cursor = cursor_after(query, asked, here, _order_values(asked, tuple(rows[limit - 1])[width:]))
        return RowPage(source=source.version, columns=asked.columns, rows=shown, next=cursor)

    @asynccontextmanager
    async def stream(self, query: RowQuery, *, limit: int = 1_000_000) -> AsyncIterator[RowStream]:
        """See the port."""
        async with self._session.transaction() as connection:
            source = await self._source(connection, query)
            asked = self._plan(query, source)
            if not asked.conditions and source.version.rows > limit:
                raise TooManyRows(query.report, limit)
            statement = stream_statement(source.table, asked, in_order=bool(query.sort), without=source.without)
            with _said(source, "the download", self._session.statement_timeout):
                cursor = await connection.cursor(statement.text, *statement.values)
            yield RowStream(
                source=source.version, columns=asked.columns, batches=self._batches(cursor, source, asked, limit)
            )

    async def difference(self, report: str, before: int, after: int) -> VersionDifference:
        """See the port."""
        async with self._patient.transaction() as connection:
            sources = [
                await self._source(connection, RowQuery(report=report, version=version)) for version in (before, after)
            ]
            sides = [Side(relation=remaining(one.table, one.without), columns=one.version.columns) for one in sources]
            same_key = all(one.unique for one in sources) and set(sources[0].key) == set(sources[1].key)
            with _said(sources[0], f"the difference to version {after}", self._patient.statement_timeout):
                return await difference(connection, *sides, key=sources[1].key if same_key else ())

    async def _source(self, connection: Any, query: RowQuery, position: Position | None = None) -> Source:
        found: Mapping[str, Any] = await found_report(connection, query.report)
        source = await browsing.source(connection, found, query, None if position is None else position.version)
        if source.schema != self._schema:
            raise DatabaseRefused(
                DATABASE,
                f"report {query.report} is in schema {source.schema}, and only {self._schema} is browsed",
                "set KUBESCRIBE_REPORT_SCHEMA to the schema that the report was published in",
            )
        return source

    @staticmethod
    def _plan(query: RowQuery, source: Source, position: Position | None = None) -> Plan:
        there = source.version.columns if position is None else source.version.columns[: position.width]
        asked = plan(query, there, source.key, unique=source.unique)
        if position is not None and position.table != source.identity(asked.located):
            raise VersionGone(query.report, position.version, "the report was made anew, or its table was rewritten")
        return asked

    async def _batches(self, cursor: Any, source: Source, asked: Plan, limit: int) -> AsyncIterator[tuple[Row, ...]]:
        read = reads(asked.columns)
        until, count = time.monotonic() + self._stream_timeout, 0
        size = max(1, min(_BATCH_ROWS, _BATCH_BYTES // source.row_bytes))
        while True:
            if time.monotonic() > until:
                raise TookTooLong(source.version.report, "the download", self._stream_timeout)
            with _said(source, "the download", self._session.statement_timeout):
                rows = await cursor.fetch(size)
            if not rows:
                return
            count += len(rows)
            if count > limit:
                raise TooManyRows(source.version.report, limit)
            yield tuple(read(tuple(row)) for row in rows)


async def _page(
    connection: Any, source: Source, asked: Plan, limit: int, after: tuple[Value | Place, ...] | None
) -> list[Any]:
    """The first rows of the order, behind ``after``.

    No index has the order of the places, but a stretch of the table has: it is read from where the page begins, and
    four times as far when that is not enough for the page.
    """
    by_place = len(asked.order) == 1 and asked.located and not asked.order[0].descending
    start = after[0][0] if after and isinstance(after[0], tuple) else 0
    stretch = _STRETCH
    while True:
        end = start + stretch if by_place and start + stretch < source.blocks else None
        statement = page_statement(
            source.table, asked, limit=limit, without=source.without, after=after, before_block=end
        )
        rows: list[Any] = await connection.fetch(statement.text, *statement.values)
        if end is None or len(rows) == limit:
            return rows
        stretch *= 4


def _order_values(asked: Plan, last: tuple[Any, ...]) -> tuple[Value | Place, ...]:
    read = [None if one.column is None else reads((one.column,)) for one in asked.order]
    return tuple(value if make is None else make((value,))[0] for make, value in zip(read, last, strict=True))


class _said:  # noqa: N801 - reads as what it does
    """Errors of reading a table, with what they mean for whoever asked."""

    def __init__(self, source: Source, what: str, seconds: float) -> None:
        self._source, self._what, self._seconds = source, what, seconds

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        version = self._source.version
        if error is None or isinstance(error, KubescribeError):
            return
        if sqlstate(error) == "57014":
            raise TookTooLong(version.report, self._what, self._seconds) from error
        if (sqlstate(error) or "").startswith("22"):
            why = f"report {version.report} cannot be asked for this value: {first_line(error)}"
            raise BadRowQuery(why) from error
        if sqlstate(error) in UNDEFINED:
            why = "it was retired while it was looked for"
            raise VersionGone(version.report, version.version, why) from error
