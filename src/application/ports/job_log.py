"""RunLog as it is completed from what a cluster shows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from ...domain.attempt import Attempt


class JobLog(Protocol):
    """What RunLog lacks of runs and attempts that were seen elsewhere; many are asked for at once.

    Raises :class:`~kubescribe.domain.errors.DatabaseUnavailable` when RunLog is away.
    """

    async def unknown(self, run_ids: Collection[UUID]) -> frozenset[UUID]:
        """Those that are no runs of any tenant."""
        ...

    async def settled(self, run_ids: Collection[UUID]) -> frozenset[UUID]:
        """Those that are runs with a verdict."""
        ...

    async def unfinished(self, attempt_ids: Collection[UUID]) -> frozenset[UUID]:
        """Those of which nobody has said how they ended: no attempts, or ones without a certificate of their own.

        A certificate that another attempt wrote when it took the run over, or a provisional one, is not their own.
        """
        ...

    async def certify(self, attempt: Attempt) -> bool:
        """Write down how an attempt ended that could not say so itself; whether there was anything to write.

        ``attempt`` has its end and its certificate. One that is not there becomes an attempt of its run, with the next
        number; one that is there, and has no certificate of its own, gets this one. No run is moved. Times are not
        before the run's own; the start of an attempt that is there stays. Raises :class:`RunNotFound`.
        """
        ...
