"""Point a report back at an earlier version, and say so in both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from ..domain.errors import DatabaseRefused, DatabaseUnavailable, SchemaMismatch
from ..domain.event import Event
from ..domain.report import Publication, Rollback
from ..domain.storable import storable_text
from ..domain.tenant import DEFAULT_TENANT, Tenant
from .ports.ids import Ids
from .ports.report_catalogue import ReportCatalogue
from .ports.run_log import RunLog

IDENTITY = "rollback"
"""What an event's data calls the id of the rollback."""

LONGEST_REASON = 2000


class RolledBack(NamedTuple):
    """What became of it."""

    publication: Publication
    """The ledger's row: of the rollback, or of what was shown already."""
    changed: bool
    """False: the report shows that version already, and nothing was written anywhere."""
    recorded: bool
    """Whether RunLog has the event; if not, ``record_rollbacks`` writes it later."""


class RollBackReport:
    """Rolls one report back. The ledger row is the commit point; RunLog's event follows."""

    def __init__(self, *, catalogue: ReportCatalogue, run_log: RunLog, ids: Ids) -> None:
        self._catalogue = catalogue
        self._run_log = run_log
        self._ids = ids

    async def __call__(
        self,
        report: str,
        *,
        to: int | None,
        actor: str,
        reason: str | None,
        tenant: Tenant = DEFAULT_TENANT,
        method: str | None = None,
    ) -> RolledBack:
        """Roll back to version ``to`` (None: the one before). ``method`` says how it was asked for, as in an event.

        Raises :class:`ReportNotFound`, :class:`VersionNotKept`, :class:`RollbackRefused`, :class:`DatabaseUnavailable`:
        nothing has changed, unless it is :class:`CommitUnknown`.
        """
        rollback_id = self._ids.new()
        reason = None if reason is None else storable_text(reason, LONGEST_REASON)
        publication = await self._catalogue.roll_back(
            report, to=to, rollback_id=rollback_id, actor=actor, reason=reason
        )
        if publication.run_id != rollback_id:
            return RolledBack(publication, changed=False, recorded=True)
        try:
            (found,) = await self._catalogue.rollbacks(rollback_id=rollback_id)
            event = event_of(found, tenant=tenant, method=method)
            await self._run_log.record_once(event, identity=IDENTITY)
        except (DatabaseUnavailable, DatabaseRefused, SchemaMismatch):
            return RolledBack(publication, changed=True, recorded=False)  # it has happened, whatever is wrong now
        return RolledBack(publication, changed=True, recorded=True)


def event_of(rollback: Rollback, *, tenant: Tenant, method: str | None = None, late: bool = False) -> Event:
    """RunLog's event; ``late``: it is written from the ledger, after RunLog could not be told."""
    after = rollback.after
    data: dict[str, object] = {IDENTITY: str(after.run_id), "rolled_back_at": after.published_at.isoformat()}
    return Event(
        subject=f"report:{after.report}",
        kind="report.rolled_back",
        actor=after.actor,
        tenant=tenant,
        method=method,
        reason=after.reason,
        at=datetime.now(UTC),  # RunLog puts its own clock's time
        before=_state(rollback.before),
        after=_state(after),
        data=data | ({"written_late": True} if late else {}),
    )


def _state(shown: Publication) -> dict[str, object]:
    return {"version": shown.version, "rows": shown.shown, "publication": str(shown.run_id)}
