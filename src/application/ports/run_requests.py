"""What people ask for: runs that have a record before they have a supervisor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

import msgspec

from ...domain.request_key import RequestKey
from ...domain.run import Run


class Accepted(msgspec.Struct, frozen=True):
    """The answer to a request."""

    run: Run
    new: bool
    """False: it was asked for before under this key, and this is what became of it."""


class RunRequests(Protocol):
    """Accepts runs whose launch is due, and keeps who has launched them.

    Raises :class:`~kubescribe.domain.errors.DatabaseUnavailable` when RunLog is away; ``accept`` then has accepted the
    run or not, and with a key it may be said again.
    """

    async def accept(
        self,
        run: Run,
        *,
        key: RequestKey | None = None,
        start_deadline: float | None = None,
        facts: Mapping[str, Any] | None = None,
        method: str | None = None,
    ) -> Accepted:
        """Accept a PENDING run; its ``created_at`` and ``start_deadline_at`` are set by the database's clock.

        ``facts`` and ``method`` go into the event that says so. The key is kept in the transaction that creates the
        run, once for a tenant: of any number of calls at once one makes the run, and all are answered with it. The same
        key with another digest raises :class:`KeyReused`, which names the run. A key that is older than
        :data:`~kubescribe.domain.request_key.KEPT` is as good as none.
        """
        ...

    async def launched(self, run_id: UUID) -> Run:
        """Say that the run's supervisor was started: its start deadline counts from now.

        The run afterwards; it is as it was where the launch is not DUE any more. Raises ``RunNotFound``.
        """
        ...

    async def waiting(self, run_id: UUID, why: str) -> Run:
        """Say, in the run's message, why a run whose launch is DUE has no supervisor yet; the run afterwards.

        Raises ``RunNotFound``.
        """
        ...
