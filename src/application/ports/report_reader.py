"""Browsing reports: what there is, its rows in pages and as a whole, and what differs between two versions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

import msgspec

from ...domain.report import Column, Publication, Report
from ...domain.report_query import RowQuery
from ...domain.report_value import Value
from ...domain.version_difference import VersionDifference

Row = tuple[Value, ...]


class ReportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A report and how fresh it is."""

    report: Report
    key: tuple[str, ...]
    """The columns that identify a row of what is shown; empty: none do."""
    age: float
    """Seconds since the last publication or rollback, by the report database's clock."""
    slot: datetime | None
    """The slot whose data is shown."""
    made_by: Publication
    """The publication whose rows are shown last: the current one, or what a rollback went back to."""
    kept: tuple[Publication, ...]
    """The publication of each version that can be read, newest first."""


class ReportVersion(msgspec.Struct, frozen=True, kw_only=True):
    """What a question is answered from."""

    report: str
    publication: Publication
    """The one that made it."""
    columns: tuple[Column, ...]
    """Of replaced reports those that the version was published with, of others those of the report."""
    state: str
    """Says which rows these are: the same state means the same rows."""
    fixed: bool
    """Whether its rows stay as they are for as long as it is kept; False in the modes that overwrite rows."""
    rows: int
    """Without any filter."""

    @property
    def version(self) -> int:
        """Its number."""
        return self.publication.version


class RowPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of rows."""

    source: ReportVersion
    columns: tuple[Column, ...]
    """Of each row, in this order."""
    rows: tuple[Row, ...]
    next: str | None = None
    """The cursor of the next page; None: this is the last."""


class RowStream(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that come while they are read."""

    source: ReportVersion
    columns: tuple[Column, ...]
    batches: AsyncIterator[tuple[Row, ...]]
    """No batch is empty."""


class ReportReader(Protocol):
    """Reports for people who look at them. It can change nothing: a role that only reads, read-only transactions.

    All verbs raise ``DatabaseUnavailable``, ``DatabaseRefused``, and :class:`ReportNotFound` with the nearest names.
    Those that take a :class:`RowQuery` raise :class:`BadRowQuery` where it does not fit the report's columns,
    :class:`VersionNotKept` for a version that never was, :class:`VersionGone` for one that was, and
    :class:`RunDidNotPublish`; names of columns come from the catalogue, and each value is bound with its column's type.
    """

    async def summaries(self) -> tuple[ReportSummary, ...]:
        """All reports, by name."""
        ...

    async def summary(self, report: str) -> ReportSummary:
        """One report."""
        ...

    async def source(self, query: RowQuery) -> ReportVersion:
        """What the question would be answered from, without reading a row: for an ETag."""
        ...

    async def page(self, query: RowQuery, *, limit: int = 50, after: str | None = None) -> RowPage:
        """A page of at most ``limit`` rows (1 to 500), of one moment; ``after`` is an earlier page's ``next``.

        The order is total: the columns asked for, then the key, then, where the key is not known to be unique, the
        place of the row in its table. The pages of one question are of one version, whatever is published meanwhile,
        where the version is ``fixed``: each row comes once. Where it is not, each page is of its own moment: a
        row that is there all the time, with the same values in the columns of the order, comes once; one that
        comes, goes or moves meanwhile may come or not.

        Raises :class:`BadCursor` for a cursor that was changed or is another question's, :class:`VersionGone` when
        its version is not kept any more or the report was made anew, and :class:`TookTooLong`.
        """
        ...

    def stream(self, query: RowQuery, *, limit: int = 1_000_000) -> AbstractAsyncContextManager[RowStream]:
        """All rows of the question, of one moment, in batches of a few MiB; without a sort in the order they came.

        Raises :class:`TooManyRows` rather than leave out a row beyond ``limit``: at once where there is no filter,
        else when it comes to that row. Raises :class:`TookTooLong` where the reader takes too long.
        """
        ...

    async def difference(self, report: str, before: int, after: int) -> VersionDifference:
        """What differs between two kept versions, within the adapter's time: else :class:`TookTooLong`."""
        ...
