"""A report, and what was published."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from ....domain.report import Publication, Report


class ColumnView(msgspec.Struct, frozen=True, kw_only=True):
    """One column, with its type as PostgreSQL writes it."""

    name: str
    type: str


class PublicationView(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the ledger."""

    run_id: UUID
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
    current: PublicationView
    versions: tuple[int, ...]
    """What a rollback may go back to, newest first."""

    @classmethod
    def of(cls, report: Report) -> ReportView:
        """The view of a report."""
        return cls(
            name=report.name,
            relation=report.relation,
            mode=report.mode,
            columns=tuple(ColumnView(name=column.name, type=column.type) for column in report.columns),
            current=PublicationView.of(report.current),
            versions=report.versions,
        )
