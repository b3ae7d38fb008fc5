"""The commit point in memory."""

from __future__ import annotations

from uuid import UUID

from ...application.ports.publisher import PublishRequest
from ...application.report_columns import differences
from ...domain.checks import CheckFailure
from ...domain.errors import Fenced, ReportMismatch, Superseded
from ...domain.report import Publication, Staged
from .report_checks import run_check
from .report_database import MemoryReportDatabase, Shown


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
            ordered = sorted(staged, key=lambda item: item.spec.name)
            for item in ordered:
                self._check_fit(request, item)
            # nothing is changed before this line, and nothing can fail after it
            for item in ordered:
                self._show(request, item)
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
            old = self._database.kept(report)[max(keep, 1) :]
            gone = tuple(sorted(set(old) - {self._database.shown[report].version})) if old else ()
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

    def _check_fit(self, request: PublishRequest, item: Staged) -> None:
        self._expect(item)
        name, shown = item.spec.name, self._database.shown.get(item.spec.name)
        if shown is not None and shown.slot is not None and request.slot is not None and shown.slot > request.slot:
            raise Superseded(name, request.slot, shown.slot)
        wrong = differences(self._database.columns.get(name, item.columns), item.columns)
        if wrong:
            raise ReportMismatch(name, wrong)

    def _show(self, request: PublishRequest, item: Staged) -> None:
        name = item.spec.name
        before = self._database.shown.get(name)
        self._database.columns[name] = item.columns
        self._database.shown[name] = Shown(item.version, request.slot or (before.slot if before else None))
        self._database.ledger.append(
            Publication(
                report=name,
                run_id=request.run_id,
                version=item.version,
                attempt_id=request.attempt_id,
                fence=request.fence,
                rows=item.rows,
                checksum=item.checksum,
                fingerprint=item.fingerprint,
                slot=request.slot,
                actor=request.actor,
                published_at=self._database.now(),
            )
        )
