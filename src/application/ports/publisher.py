"""The commit point: staged rows become visible, all reports of a run at once."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from ...domain.checks import CheckFailure
from ...domain.report import Publication, Staged


class PublishRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants to publish."""

    run_id: UUID
    attempt_id: UUID
    fence: int
    actor: str
    slot: datetime | None = None
    keep: int = 5
    """How many versions stay for a rollback, the current one included."""


class Publisher(Protocol):
    """The supervisor's side of the report database.

    Raises :class:`~kubescribe.domain.errors.DatabaseUnavailable` when it is away.
    """

    async def staged(self, run_id: UUID, attempt_id: UUID) -> tuple[Staged, ...]:
        """What this attempt's worker has staged, by report name."""
        ...

    async def check(self, staged: tuple[Staged, ...]) -> tuple[CheckFailure, ...]:
        """Run every declared check (and, for a key, uniqueness and absence of nulls) on the staged rows."""
        ...

    async def publish(self, request: PublishRequest, staged: tuple[Staged, ...]) -> tuple[Publication, ...]:
        """Make all of it visible in one transaction whose last word is the ledger rows, each report in its mode.

        Raises :class:`Fenced` where the fence is not this attempt's any more or is closed, :class:`Superseded` where
        a newer slot is shown (in mode ``replace`` alone), :class:`ReportMismatch` where columns or mode are not the
        report's, :class:`ReportDependedOn` where it had to be made anew and something depends on it, and
        :class:`ChecksFailed` where a key of rows that are added is in the report already. A lost answer to COMMIT is
        settled by reading the ledger. A run that has published already returns what it published, and changes
        nothing. Readers never wait for it, unless the report's columns change: then for a moment.
        """
        ...

    async def discard(self, run_id: UUID, attempt_id: UUID | None = None) -> None:
        """Drop what was staged and not published by this attempt (None: by any attempt of the run)."""
        ...

    async def unpublished(self) -> tuple[UUID, ...]:
        """The runs of which something staged is still there that was not published, whether it yet may be or not.

        Each once, in any order.
        """
        ...

    async def retire(self, report: str, keep: int) -> tuple[int, ...]:
        """Drop versions beyond the newest ``keep``, never in a reader's way; returns those that went.

        What cannot go now, because somebody still reads it, goes next time.
        """
        ...
