"""What the report database shows: reports, their versions, their ledger; and pointing back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from ...domain.report import Publication, Report, Rollback
from ...domain.verification import Verification


class ReportCatalogue(Protocol):
    """The reports as readers see them. Raises ``DatabaseUnavailable`` when the report database is away."""

    async def reports(self) -> tuple[Report, ...]:
        """All reports that were ever published, by name."""
        ...

    async def get(self, report: str) -> Report:
        """One report; raises :class:`ReportNotFound` with the nearest names."""
        ...

    async def ledger(self, report: str, *, limit: int = 50) -> tuple[Publication, ...]:
        """The publications of a report, rollbacks included, newest first."""
        ...

    async def head(self, report: str, *, limit: int = 10) -> tuple[dict[str, Any], ...]:
        """The first rows that a reader sees, ordered by the report's key if it has one, else by its columns."""
        ...

    async def roll_back(
        self, report: str, *, to: int | None, rollback_id: UUID, actor: str, reason: str | None
    ) -> Publication:
        """Show the report again as it was after the publication of version ``to``, and say so in the ledger.

        ``to`` is one of the report's ``versions``; None: the one before what is shown. In mode ``replace`` it points
        the report at that version; in mode ``append`` it takes the rows of every later publication out. The report's
        newest slot is then what it was when that version was published: older slots stay superseded.

        Where readers are shown that version already nothing changes, and the ledger's last row comes back: its
        ``run_id`` is another one's.

        One transaction, safe to repeat with the same ``rollback_id``. A lost answer to COMMIT is settled by reading
        the ledger; raises :class:`CommitUnknown` where it could not be asked in time, and any other error only where
        nothing has changed. Raises :class:`ReportNotFound`, :class:`VersionNotKept`, and :class:`RollbackRefused` in
        the modes that overwrite rows.
        """
        ...

    async def rollbacks(
        self, *, within: timedelta = timedelta(days=7), rollback_id: UUID | None = None
    ) -> tuple[Rollback, ...]:
        """The rollbacks of all reports of this last time, by the report database's clock; oldest first.

        ``rollback_id``: of these the one with this id.
        """
        ...

    async def verify(self, report: str) -> Verification:
        """Count the rows that readers see, and sum them up, beside the ledger's figures; all of one moment.

        In mode ``replace`` the checksum is over the rows' binary COPY in load order; in the others it is their
        :class:`~kubescribe.domain.row_sum.RowSum`. Changes nothing. Raises :class:`ReportNotFound`.
        """
        ...
