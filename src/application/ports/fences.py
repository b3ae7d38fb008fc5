"""The fences in the report database: who may still publish."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from ...domain.report import Publication


class Fences(Protocol):
    """One fence a run (DESIGN section 6). It needs no RunLog, and survives RunLog's being restored.

    Raises :class:`~kubescribe.domain.errors.DatabaseUnavailable` when the report database is away.
    """

    async def take(self, run_id: UUID, attempt_id: UUID) -> int:
        """Take the sequence's next number for this attempt, which invalidates every earlier attempt's.

        Raises :class:`RunClosed` where the run's fence is closed. Taking again for the same attempt, as after a
        lost answer, returns a number that is valid.
        """
        ...

    async def raise_(self, run_id: UUID, attempt_id: UUID, fence: int | None = None) -> None:
        """Give up the attempt, and every older one: none of them can publish any more. The run stays open.

        Raises the run's fence if this attempt holds it, or one whose number is not above ``fence``, the last that
        the attempt is known to have taken (None: none is known). Any other holder is a newer one and keeps its
        fence: the one that is given up is out anyway. Waits for a publishing transaction of theirs that is under way.
        """
        ...

    async def conclude(self, run_id: UUID, attempt_id: UUID, closed_as: str) -> bool:
        """Close the run as the verdict of the attempt that holds its fence; False where it does not hold it.

        For an attempt's own end without a publication: no other attempt may publish under a run that has failed.
        """
        ...

    async def close(self, run_id: UUID, closed_as: str) -> None:
        """Let nobody take or publish under this run any more. The first ``closed_as`` stays.

        Waits for a publishing transaction that is under way, so that a ledger look-up *afterwards* is final.
        """
        ...

    async def publications(self, run_id: UUID) -> tuple[Publication, ...]:
        """The ledger's rows of the run (``kind = publish``), by report name; empty: it has published nothing."""
        ...
