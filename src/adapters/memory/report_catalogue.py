"""What the report database shows, in memory."""

from __future__ import annotations

import difflib
from typing import Any
from uuid import UUID

import msgspec
from polars.selectors import by_name

from ...domain.errors import ReportNotFound, VersionNotKept
from ...domain.report import Publication, Report, slot_guard
from .report_database import MemoryReportDatabase, Shown


class MemoryReportCatalogue:
    """Implements :class:`~kubescribe.application.ports.report_catalogue.ReportCatalogue`."""

    def __init__(self, database: MemoryReportDatabase, *, schema: str = "reports") -> None:
        self._database, self._schema = database, schema

    async def reports(self) -> tuple[Report, ...]:
        """See the port."""
        with self._database.transaction():
            return tuple(self._report(name) for name in sorted(self._database.shown))

    async def get(self, report: str) -> Report:
        """See the port."""
        with self._database.transaction():
            return self._report(report)

    async def ledger(self, report: str, *, limit: int = 50) -> tuple[Publication, ...]:
        """See the port."""
        with self._database.transaction():
            self._expect(report)
            return tuple(row for row in reversed(self._database.ledger) if row.report == report)[:limit]

    async def head(self, report: str, *, limit: int = 10) -> tuple[dict[str, Any], ...]:
        """See the port."""
        with self._database.transaction():
            self._expect(report)
            version = self._database.versions[self._database.shown[report].version]
            order = dict.fromkeys((*version.staged.spec.key, *version.frame.columns))
            return tuple(version.frame.sort(by_name(*order), nulls_last=True).head(limit).rows(named=True))

    async def roll_back(
        self, report: str, *, to: int | None, rollback_id: UUID, actor: str, reason: str | None
    ) -> Publication:
        """See the port."""
        with self._database.transaction():
            self._expect(report)
            for row in self._database.ledger:
                if (row.report, row.run_id) == (report, rollback_id):
                    return row
            target = self._target(report, to)
            was = next(row for row in self._database.ledger if row.version == target and row.kind == "publish")
            row = msgspec.structs.replace(
                was,
                run_id=rollback_id,
                kind="rollback",
                attempt_id=None,
                fence=None,
                actor=actor,
                reason=reason,
                published_at=self._database.now(),
            )
            ledger = [(one.kind, one.version, one.slot) for one in self._database.ledger if one.report == report]
            self._database.ledger.append(row)
            self._database.shown[report] = Shown(target, slot_guard(ledger, target))
            return row

    def _target(self, report: str, to: int | None) -> int:
        kept = self._database.kept(report)
        if to is not None:
            if to not in kept:
                raise VersionNotKept(report, to, kept)
            return to
        earlier = kept[kept.index(self._database.shown[report].version) + 1 :]
        if not earlier:
            raise VersionNotKept(report, None, kept)
        return earlier[0]

    def _expect(self, report: str) -> None:
        if report not in self._database.shown:
            raise ReportNotFound(report, tuple(difflib.get_close_matches(report, sorted(self._database.shown), n=3)))

    def _report(self, name: str) -> Report:
        self._expect(name)
        return Report(
            name=name,
            relation=f"{self._schema}.{name}",
            columns=self._database.columns[name],
            current=next(row for row in reversed(self._database.ledger) if row.report == name),
            versions=self._database.kept(name),
        )
