"""What the report database shows, in memory."""

from __future__ import annotations

import difflib
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from polars.selectors import by_name

from ...application.report_account import Account, account_of_removal, in_effect
from ...domain.errors import ReportNotFound, RollbackRefused, VersionNotKept
from ...domain.mode import Mode
from ...domain.report import Publication, Report, Rollback, slot_guard
from ...domain.verification import Verification
from .report_database import MemoryReportDatabase, Shown
from .report_rows import digest, row_sum, without


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
            frame, key = self._database.rows(report), self._database.shapes[report].key
            order = dict.fromkeys((*key, *frame.columns))
            return tuple(frame.sort(by_name(*order), nulls_last=True).head(limit).rows(named=True))

    async def roll_back(
        self, report: str, *, to: int | None, rollback_id: UUID, actor: str, reason: str | None
    ) -> Publication:
        """See the port."""
        with self._database.transaction():
            self._expect(report)
            for row in self._database.ledger:
                if (row.report, row.run_id) == (report, rollback_id):
                    return row
            before, mode = self._database.history(report)[-1], self._database.shapes[report].mode
            if mode in (Mode.MERGE, Mode.REPLACE_PARTITION):
                raise RollbackRefused(report, mode)
            target = self._target(report, to)
            if target == before.version and to is not None:
                return before
            account = self._take_out(report, target, before) if mode is Mode.APPEND else None
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
                **(msgspec.structs.asdict(account) if account else {}),
            )
            ledger = [(one.kind, one.version, one.slot) for one in self._database.ledger if one.report == report]
            self._database.ledger.append(row)
            shown = self._database.shown[report].version if account else target
            self._database.shown[report] = Shown(shown, slot_guard(ledger, target))
            return row

    async def rollbacks(
        self, *, within: timedelta = timedelta(days=7), rollback_id: UUID | None = None
    ) -> tuple[Rollback, ...]:
        """See the port."""
        with self._database.transaction():
            found: list[Rollback] = []
            last: dict[str, Publication] = {}
            for row in self._database.ledger:
                recent = row.published_at > self._database.now() - within
                if row.kind == "rollback" and recent and rollback_id in (None, row.run_id):
                    found.append(Rollback(before=last[row.report], after=row))
                last[row.report] = row
            return tuple(found)

    async def verify(self, report: str) -> Verification:
        """See the port."""
        with self._database.transaction():
            self._expect(report)
            last = next(row for row in reversed(self._database.ledger) if row.report == report)
            shown = self._database.shown[report].version
            frame = self._database.versions[shown].frame
            in_place = last.content is not None
            return Verification(
                report=report,
                publication=last,
                version=shown,
                rows=frame.height,
                checksum=str(row_sum(frame)) if in_place else digest(frame)[0],
                expected_version=self._database.history(report)[0].version if in_place else last.version,
                expected_rows=last.shown,
                expected_checksum=last.content or last.checksum,
            )

    def _target(self, report: str, to: int | None) -> int:
        kept = self._database.kept(report)
        if to is not None:
            if to not in kept:
                raise VersionNotKept(report, to, kept)
            return to
        shown = self._database.history(report)[-1].version
        earlier = kept[kept.index(shown) + 1 :] if shown in kept else ()
        if not earlier:
            raise VersionNotKept(report, None, kept)
        return earlier[0]

    def _take_out(self, report: str, target: int, before: Publication) -> Account:
        """Drop the rows of every publication after the target."""
        effective = in_effect(self._database.history(report))
        place = [row.version for row in effective].index(target)
        version = self._database.versions[self._database.shown[report].version]
        version.frame, gone = without(version.frame, tuple(row.run_id for row in effective[place + 1 :]))
        return account_of_removal(before, gone)

    def _expect(self, report: str) -> None:
        if report not in self._database.shown:
            raise ReportNotFound(report, tuple(difflib.get_close_matches(report, sorted(self._database.shown), n=3)))

    def _report(self, name: str) -> Report:
        self._expect(name)
        return Report(
            name=name,
            relation=f"{self._schema}.{name}",
            columns=self._database.shapes[name].columns,
            mode=self._database.shapes[name].mode,
            current=next(row for row in reversed(self._database.ledger) if row.report == name),
            versions=self._database.kept(name),
        )
