"""Point a report back at an earlier version, and say so in both databases."""

from __future__ import annotations

from datetime import UTC, datetime

from ..domain.errors import DatabaseRefused, DatabaseUnavailable, SchemaMismatch
from ..domain.event import Event
from ..domain.report import Publication
from .ports.ids import Ids
from .ports.report_catalogue import ReportCatalogue
from .ports.run_log import RunLog


class RollBackReport:
    """Rolls one report back. The ledger row is the commit point; RunLog's event follows."""

    def __init__(self, *, catalogue: ReportCatalogue, run_log: RunLog, ids: Ids) -> None:
        self._catalogue = catalogue
        self._run_log = run_log
        self._ids = ids

    async def __call__(
        self, report: str, *, to: int | None, actor: str, reason: str | None
    ) -> tuple[Publication, bool]:
        """Roll back to version ``to`` (None: the one before); the publication, and whether RunLog has the event.

        Raises :class:`ReportNotFound`, :class:`VersionNotKept`, :class:`DatabaseUnavailable`: nothing has changed,
        unless it is :class:`CommitUnknown`.
        """
        publication = await self._catalogue.roll_back(
            report, to=to, rollback_id=self._ids.new(), actor=actor, reason=reason
        )
        event = Event(
            subject=f"report:{report}",
            kind="report.rolled_back",
            actor=actor,
            at=datetime.now(UTC),  # RunLog puts its own clock's time
            data={"version": publication.version, "reason": reason, "rollback": str(publication.run_id)},
        )
        try:
            await self._run_log.record(event)
        except (DatabaseUnavailable, DatabaseRefused, SchemaMismatch):
            return publication, False  # it has happened, whatever is wrong with RunLog
        return publication, True
