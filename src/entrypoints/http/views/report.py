"""A report, its publications and its rows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from ....application.ports.report_reader import ReportSummary, ReportVersion, RowPage
from ....application.roll_back_report import RolledBack
from ....domain.report import Column, Publication
from .trigger import Reason


class ColumnView(msgspec.Struct, frozen=True, kw_only=True):
    """One column, with its type as PostgreSQL writes it."""

    name: str
    type: str

    @classmethod
    def of(cls, column: Column) -> ColumnView:
        """The view of a column."""
        return cls(name=column.name, type=column.type)


class PublicationView(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the ledger."""

    run_id: UUID
    """The run that published; of a rollback its own id."""
    version: int
    kind: str
    """``publish`` or ``rollback``."""
    mode: str
    rows: int
    """That readers saw afterwards."""
    inserted: int | None
    updated: int | None
    deleted: int | None
    checksum: str
    slot: datetime | None
    actor: str
    reason: str | None
    published_at: datetime

    @classmethod
    def of(cls, one: Publication) -> PublicationView:
        """The view of a publication."""
        same = (name for name in cls.__struct_fields__ if name != "rows")
        return cls(**{name: getattr(one, name) for name in same}, rows=one.shown)


class ReportView(msgspec.Struct, frozen=True, kw_only=True):
    """A report as readers see it now."""

    name: str
    relation: str
    """The view to read in the report database."""
    mode: str
    columns: tuple[ColumnView, ...]
    key: tuple[str, ...]
    """The columns that identify a row; empty: none do."""
    current: PublicationView
    """The ledger's last row."""
    made_by: PublicationView
    """The publication whose rows are shown last: the current one, or what a rollback went back to."""
    age: float
    """Seconds since it was published or rolled back."""
    slot: datetime | None
    """The slot whose data is shown."""
    versions: tuple[int, ...]
    """What a rollback may go back to, newest first."""
    kept: tuple[PublicationView, ...]
    """Of each version that can be read, newest first."""

    @classmethod
    def of(cls, summary: ReportSummary) -> ReportView:
        """The view of a report."""
        report = summary.report
        return cls(
            name=report.name,
            relation=report.relation,
            mode=report.mode,
            columns=tuple(map(ColumnView.of, report.columns)),
            key=summary.key,
            current=PublicationView.of(report.current),
            made_by=PublicationView.of(summary.made_by),
            age=summary.age,
            slot=summary.slot,
            versions=report.versions,
            kept=tuple(map(PublicationView.of, summary.kept)),
        )


class RowsView(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a report's rows."""

    report: str
    version: int
    run_id: UUID
    published_at: datetime
    fixed: bool
    """Whether the version's rows stay as they are for as long as it is kept."""
    columns: tuple[ColumnView, ...]
    items: tuple[dict[str, Any], ...]
    """By column. Numbers that a parser could round, times and everything else are text."""
    next: str | None
    """The ``cursor`` of the next page; null: this is the last."""

    @classmethod
    def of(cls, page: RowPage, items: list[dict[str, Any]]) -> RowsView:
        """The view of a page; ``items`` are its rows as JSON has them."""
        source: ReportVersion = page.source
        return cls(
            report=source.report,
            version=source.version,
            run_id=source.publication.run_id,
            published_at=source.publication.published_at,
            fixed=source.fixed,
            columns=tuple(map(ColumnView.of, page.columns)),
            items=tuple(items),
            next=page.next,
        )


class RollbackRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to go back to, and why."""

    to: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] | None = None
    """The version; null: the one before what is shown."""
    reason: Reason | None = None


class RolledBackView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a rollback."""

    publication: PublicationView
    changed: bool
    """False: the report shows that version already."""
    recorded: bool
    """Whether the event is on record; if not, it is written later from the ledger."""

    @classmethod
    def of(cls, done: RolledBack) -> RolledBackView:
        """The view of a rollback."""
        return cls(publication=PublicationView.of(done.publication), changed=done.changed, recorded=done.recorded)
