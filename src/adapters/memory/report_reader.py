"""Browsing reports in memory."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import polars as pl

from ...application.ports.report_reader import ReportSummary, ReportVersion, Row, RowPage, RowStream
from ...application.report_columns import RUN_COLUMN
from ...application.row_cursor import Place, Position, cursor_after, order_values, read_cursor
from ...application.row_plan import Line as LedgerLine
from ...application.row_plan import OrderColumn, Plan, check_limit, choose, plan
from ...domain.errors import TooManyRows, VersionGone
from ...domain.mode import Mode
from ...domain.report_query import Condition, Operator, RowQuery
from ...domain.report_value import Value
from ...domain.version_difference import VersionDifference
from .report_catalogue import MemoryReportCatalogue
from .report_database import MemoryReportDatabase
from .report_difference import difference
from .report_rows import PLACE_COLUMN, own, widened

_BATCH = 1000


_Line = tuple[Row, tuple[Value | Place, ...]]


@dataclass(frozen=True)
class _Source:
    version: ReportVersion
    frame: pl.DataFrame
    key: tuple[str, ...]
    unique: bool
    number: int


class MemoryReportReader:
    """Implements :class:`~kubescribe.application.ports.report_reader.ReportReader`. Text is ordered by code points."""

    def __init__(self, database: MemoryReportDatabase) -> None:
        self._database = database
        self._catalogue = MemoryReportCatalogue(database)

    async def summaries(self) -> tuple[ReportSummary, ...]:
        """See the port."""
        return tuple([await self.summary(report.name) for report in await self._catalogue.reports()])

    async def summary(self, report: str) -> ReportSummary:
        """See the port."""
        found = await self._catalogue.get(report)
        with self._database.transaction():
            published = {row.version: row for row in self._database.ledger if row.kind == "publish"}
            made_by = published[found.current.version]
            guard = self._database.shown[report].slot
            return ReportSummary(
                report=found,
                key=self._database.shapes[report].key,
                age=max((self._database.now() - found.current.published_at).total_seconds(), 0.0),
                slot=made_by.slot if found.mode is Mode.REPLACE else guard,
                made_by=made_by,
                kept=tuple(published[version] for version in found.versions[:100]),
            )

    async def source(self, query: RowQuery) -> ReportVersion:
        """See the port."""
        source = await self._source(query)
        _plan(query, source)
        return source.version

    async def page(self, query: RowQuery, *, limit: int = 50, after: str | None = None) -> RowPage:
        """See the port."""
        check_limit(limit)
        position = None if after is None else read_cursor(query, after)
        source = await self._source(query, None if position is None else position.version)
        asked = _plan(query, source, position)
        lines = _lines(source.frame, asked)
        lines.sort(key=_by(asked.order))
        if position is not None:
            values = order_values(asked, position)
            lines = [line for line in lines if _compare(asked.order, line[1], values) > 0]
        cursor = None
        if len(lines) > limit:
            here = position or Position("", source.version.version, len(source.version.columns), str(source.number), ())
            cursor = cursor_after(query, asked, here, lines[limit - 1][1])
        rows = tuple(line[0] for line in lines[:limit])
        return RowPage(source=source.version, columns=asked.columns, rows=rows, next=cursor)

    @asynccontextmanager
    async def stream(self, query: RowQuery, *, limit: int = 1_000_000) -> AsyncIterator[RowStream]:
        """See the port."""
        source = await self._source(query)
        asked = _plan(query, source)
        if not asked.conditions and source.version.rows > limit:
            raise TooManyRows(query.report, limit)
        lines = _lines(source.frame, asked)
        if query.sort:
            lines.sort(key=_by(asked.order))

        async def batches() -> AsyncIterator[tuple[Row, ...]]:
            for start in range(0, len(lines), _BATCH):
                if len(lines) > limit:
                    raise TooManyRows(query.report, limit)
                yield tuple(line[0] for line in lines[start : start + _BATCH])

        yield RowStream(source=source.version, columns=asked.columns, batches=batches())

    async def difference(self, report: str, before: int, after: int) -> VersionDifference:
        """See the port."""
        was, now = [await self._source(RowQuery(report=report, version=version)) for version in (before, after)]
        same_key = was.unique and now.unique and set(was.key) == set(now.key)
        return difference(
            own(was.frame), own(now.frame), was.version.columns, now.version.columns, key=now.key if same_key else ()
        )

    async def _source(self, query: RowQuery, pinned: int | None = None) -> _Source:
        found = await self._catalogue.get(query.report)
        with self._database.transaction():
            ledger = [row for row in self._database.ledger if row.report == query.report]
            lines = [LedgerLine(row.kind, row.version, row.run_id, row.generation) for row in ledger]
            choice = choose(query, found.mode, lines, found.versions, pinned)
            number = self._database.shown[query.report].version if found.mode.in_place else choice.version
            if number not in self._database.versions:
                raise VersionGone(query.report, choice.version, "its rows are not there")
            version = self._database.versions[number]
            frame = version.frame
            if found.mode.in_place:
                frame = _remaining(widened(frame, self._database.widest[query.report]), choice.without)
            published = next(row for row in ledger if row.version == choice.version and row.kind == "publish")
            key = version.staged.spec.key
            return _Source(
                version=ReportVersion(
                    report=query.report,
                    publication=published,
                    columns=found.columns if found.mode.in_place else version.staged.columns,
                    state=choice.state,
                    fixed=found.mode in (Mode.REPLACE, Mode.APPEND),
                    rows=frame.height,
                ),
                frame=frame,
                key=key,
                unique=bool(key) and found.mode in (Mode.REPLACE, Mode.MERGE),
                number=number,
            )


def _plan(query: RowQuery, source: _Source, position: Position | None = None) -> Plan:
    there = source.version.columns if position is None else source.version.columns[: position.width]
    if position is not None and position.table != str(source.number):
        raise VersionGone(query.report, position.version, "the report was made anew")
    return plan(query, there, source.key, unique=source.unique)


def _remaining(frame: pl.DataFrame, without: tuple[UUID, ...]) -> pl.DataFrame:
    if not without:
        return frame
    return frame.filter(~pl.col(RUN_COLUMN).is_in([str(run_id) for run_id in without]))


def _lines(frame: pl.DataFrame, asked: Plan) -> list[_Line]:
    """The chosen columns of the rows that fit, each with its values of the order."""
    places = {name: place for place, name in enumerate(frame.columns)}
    lines: list[_Line] = []
    for number, raw in enumerate(frame.iter_rows()):
        row = [_value(value) for value in raw]
        if all(_fits(one, row[places[one.column.name]]) for one in asked.conditions):
            place = raw[places[PLACE_COLUMN]] if PLACE_COLUMN in places else number
            order = tuple((0, place) if one.column is None else row[places[one.column.name]] for one in asked.order)
            lines.append((tuple(row[places[column.name]] for column in asked.columns), order))
    return lines


def _value(value: Any) -> Value:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    result: Value = value
    return result


def _fits(one: Condition, value: Value) -> bool:
    if one.operator is Operator.IS_NULL:
        return (value is None) is one.values[0]
    if one.operator is Operator.NE:
        return value is None or _sign(value, one.values[0]) != 0
    if value is None:
        return False
    if one.operator is Operator.IN:
        return any(_sign(value, other) == 0 for other in one.values)
    if one.operator is Operator.CONTAINS:
        return str(one.values[0]) in str(value)
    return _HOLDS[one.operator](_sign(value, one.values[0]))


def _by(order: Sequence[OrderColumn]) -> Callable[[_Line], Any]:
    def compare(one: _Line, other: _Line) -> int:
        return _compare(order, one[1], other[1])

    return functools.cmp_to_key(compare)


def _compare(order: Sequence[OrderColumn], one: tuple[Any, ...], other: tuple[Any, ...]) -> int:
    for column, left, right in zip(order, one, other, strict=True):
        if left is None or right is None:
            sign = (left is None) - (right is None)  # nulls come last in both directions
        else:
            sign = -_sign(left, right) if column.descending else _sign(left, right)
        if sign:
            return sign
    return 0


def _sign(left: Any, right: Any) -> int:
    """-1, 0 or 1; NaN is itself, and above every other number."""
    if left != left or right != right:
        return int(left != left) - int(right != right)
    return int(left > right) - int(left < right)


_HOLDS: dict[Operator, Callable[[int], bool]] = {
    Operator.EQ: lambda sign: sign == 0,
    Operator.LT: lambda sign: sign < 0,
    Operator.LE: lambda sign: sign <= 0,
    Operator.GT: lambda sign: sign > 0,
    Operator.GE: lambda sign: sign >= 0,
}
