"""The commit point in memory."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import polars as pl

from ...application.ports.publisher import PublishRequest
from ...application.report_account import Account, account_of_change, account_of_first
from ...application.report_fit import Fit, Shape, fit
from ...domain.checks import CheckFailure
from ...domain.errors import ChecksFailed, Fenced, Superseded
from ...domain.report import Publication, Staged
from .report_checks import clash, run_check
from .report_database import MemoryReportDatabase, Shown
from .report_rows import clashing, kept_beside, signed, widened


class MemoryPublisher:
    """Implements :class:`~kubescribe.application.ports.publisher.Publisher`."""

    def __init__(self, database: MemoryReportDatabase) -> None:
        self._database = database

    async def staged(self, run_id: UUID, attempt_id: UUID) -> tuple[Staged, ...]:
        """See the port."""
        with self._database.transaction():
            found = {
                version.staged.spec.name: version.staged
                for _, version in sorted(self._database.versions.items())
                if (version.staged.run_id, version.staged.attempt_id) == (run_id, attempt_id)
            }
            return tuple(found[name] for name in sorted(found))

    async def check(self, staged: tuple[Staged, ...]) -> tuple[CheckFailure, ...]:
        """See the port."""
        with self._database.transaction():
            failures = []
            for item in staged:
                self._expect(item)
                frame = self._database.versions[item.version].frame
                failures += [run_check(item, frame, check) for check in item.spec.every_check()]
            return tuple(failure for failure in failures if failure)

    async def publish(self, request: PublishRequest, staged: tuple[Staged, ...]) -> tuple[Publication, ...]:
        """See the port."""
        with self._database.transaction():
            published = self._published(request.run_id)
            if published or not staged:
                return published
            self._check_fence(request)
            plans = [self._planned(request, item) for item in sorted(staged, key=lambda item: item.spec.name)]
            # nothing is changed before this line, and nothing can fail after it
            for plan in plans:
                self._show(request, plan)
            return self._published(request.run_id)

    async def discard(self, run_id: UUID, attempt_id: UUID | None = None) -> None:
        """See the port."""
        with self._database.transaction():
            for number, version in list(self._database.versions.items()):
                its = version.staged.run_id == run_id and attempt_id in (None, version.staged.attempt_id)
                if its and not self._database.is_published(number):
                    del self._database.versions[number]

    async def unpublished(self) -> tuple[UUID, ...]:
        """See the port."""
        with self._database.transaction():
            left = (one for number, one in self._database.versions.items() if not self._database.is_published(number))
            return tuple(dict.fromkeys(one.staged.run_id for one in left))

    async def retire(self, report: str, keep: int) -> tuple[int, ...]:
        """See the port."""
        with self._database.transaction():
            if report not in self._database.shown:
                return ()
            versions = [row.version for row in self._database.ledger if row.report == report and row.kind == "publish"]
            keeping = {*self._database.kept(report)[: max(keep, 1)], self._database.shown[report].version}
            gone = tuple(sorted(set(versions) & set(self._database.versions) - keeping))
            for version in gone:
                del self._database.versions[version]
            return gone

    def _published(self, run_id: UUID) -> tuple[Publication, ...]:
        rows = [row for row in self._database.ledger if row.run_id == run_id and row.kind == "publish"]
        return tuple(sorted(rows, key=lambda row: row.report))

    def _check_fence(self, request: PublishRequest) -> None:
        fence = self._database.fences.get(request.run_id)
        if fence is not None and fence.closed_as is not None:
            raise Fenced(request.run_id, f"the run was closed as {fence.closed_as}")
        if fence is None or (fence.number, fence.attempt_id) != (request.fence, request.attempt_id):
            raise Fenced(request.run_id, "a newer attempt holds the fence")

    def _expect(self, item: Staged) -> None:
        if item.version not in self._database.versions:
            raise Fenced(item.run_id, f"what it had staged for report {item.spec.name} was discarded")

    def _planned(self, request: PublishRequest, item: Staged) -> _Plan:
        self._expect(item)
        database, spec, name = self._database, item.spec, item.spec.name
        staged = database.versions[item.version].frame
        shape, shown = database.shapes.get(name), database.shown.get(name)
        how = None if shape is None else fit(shape, spec, item.columns)
        if shape is None or shown is None or how is Fit.RECREATE:
            after = Shape(columns=item.columns, mode=spec.mode, key=spec.key)
            if shape is not None:
                after = shape.takes(spec, item.columns)
            frame = signed(staged, request.run_id) if spec.mode.in_place else staged
            return _Plan(item, after, item.version, frame, account_of_first(item))
        if not spec.mode.in_place:
            if shown.slot is not None and request.slot is not None and shown.slot > request.slot:
                raise Superseded(name, request.slot, shown.slot)
            return _Plan(item, shape.takes(spec, item.columns), item.version, staged, account_of_first(item))
        kept, gone = kept_beside(widened(database.versions[shown.version].frame, staged), spec, staged)
        if spec.key and (clashes := clashing(kept, spec.key, staged)).height:
            raise ChecksFailed((clash(item, clashes),))
        frame = pl.concat([kept, signed(staged, request.run_id)])
        account = account_of_change(database.history(name)[-1], item, gone)
        return _Plan(item, shape.takes(spec, item.columns), shown.version, frame, account)

    def _show(self, request: PublishRequest, plan: _Plan) -> None:
        item, name = plan.item, plan.item.spec.name
        before = self._database.shown.get(name)
        staged = self._database.versions[item.version].frame
        self._database.shapes[name], self._database.widest[name] = plan.shape, staged.clear()
        if item.version != plan.version:
            del self._database.versions[item.version]
        self._database.versions[plan.version].frame = plan.frame
        self._database.shown[name] = Shown(plan.version, request.slot or (before.slot if before else None))
        self._database.ledger.append(
            Publication(
                report=name,
                run_id=request.run_id,
                version=item.version,
                mode=item.spec.mode,
                generation=plan.shape.generation,
                attempt_id=request.attempt_id,
                fence=request.fence,
                rows=item.rows,
                inserted=plan.account.inserted,
                updated=plan.account.updated,
                deleted=plan.account.deleted,
                total=plan.account.total,
                checksum=item.checksum,
                content=plan.account.content,
                fingerprint=item.fingerprint,
                slot=request.slot,
                actor=request.actor,
                published_at=self._database.now(),
            )
        )


class _Plan(NamedTuple):
    """What one report becomes."""

    item: Staged
    shape: Shape
    version: int
    """Whose rows are shown."""
    frame: pl.DataFrame
    account: Account
