"""RunLog as everybody but the supervisor sees it: accept runs, find them, give verdicts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from ...domain.attempt import Attempt, DeathCertificate
from ...domain.event import Event
from ...domain.run import Run, Transition, Trigger
from ...domain.run_mode import RunMode
from ...domain.run_status import RunStatus
from ...domain.tenant import DEFAULT_TENANT, Tenant


class RunFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs of one tenant; None means any."""

    tenant: Tenant = DEFAULT_TENANT
    pipeline: str | None = None
    statuses: tuple[RunStatus, ...] | None = None
    trigger: Trigger | None = None
    actor: str | None = None
    created_from: datetime | None = None
    """At this moment or later."""
    created_until: datetime | None = None
    """Before this moment."""
    parameters: dict[str, Any] | None = None
    """Contained in the run's: each of these with this value; in an object or a list of theirs, contained in turn."""
    retry_of: UUID | None = None
    mode: RunMode | None = None


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of runs, newest first, and where the next one begins (None: this is the last)."""

    runs: tuple[Run, ...]
    next: tuple[datetime, UUID] | None = None


class OpenRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run without a verdict, with what the database's clock says of it."""

    run: Run
    attempt: Attempt | None
    """The newest."""
    lease_expired: bool
    """The newest attempt is not ended, its lease is over, and the database was up for longer than the lease."""
    run_deadline_passed: bool
    cancelling_for: float | None = None
    """Seconds since a cancel was asked for."""
    start_deadline_passed: bool
    """The run is PENDING or UNCERTAIN, was never RUNNING, has no launch that is DUE, and its start deadline is over."""
    launch_late: bool = False
    """Its launch is DUE still, though the time of its start deadline has passed since it was accepted."""


Step = Callable[[Run, datetime], Transition]
"""Given the run as it is and the database's clock, the transition to make; raises what the domain raises."""


class RunLog(Protocol):
    """Runs and their verdicts.

    Raises :class:`~kubescribe.domain.errors.DatabaseUnavailable` when RunLog is away. ``move`` and ``create``
    write the run, its event and, where due, its outbox row in one transaction. A run of another tenant is as good as
    none for every verb that takes one; ``open_runs`` and ``move``, the reconciler's, are told of runs of all tenants.
    """

    async def create(self, run: Run, *, start_deadline: float | None = None) -> Run:
        """Accept a PENDING run; its ``created_at`` and ``start_deadline_at`` are set by the database's clock.

        A run with this id that exists already is returned as it is, with nothing written.
        """
        ...

    async def get(self, run_id: UUID, *, tenant: Tenant | None = DEFAULT_TENANT) -> Run:
        """The run; raises :class:`RunNotFound`. ``tenant`` None, of any, is for KubeScribe's own passes."""
        ...

    async def find(self, which: RunFilter, *, limit: int = 50, before: tuple[datetime, UUID] | None = None) -> RunPage:
        """A page of runs by ``(created_at, id)``, newest first, strictly before the key given."""
        ...

    async def matching(self, prefix: str, *, tenant: Tenant = DEFAULT_TENANT, limit: int = 5) -> tuple[UUID, ...]:
        """The ids of the tenant's runs that begin with (or, for people who copy the end, end with) these hex digits."""
        ...

    async def open_runs(self) -> tuple[OpenRun, ...]:
        """All runs without a verdict, oldest first."""
        ...

    async def move(
        self,
        run_id: UUID,
        expected: RunStatus,
        step: Step,
        *,
        attempt_id: UUID | None = None,
        certificate: DeathCertificate | None = None,
    ) -> Run | None:
        """Compare and set: make the step if the run is still ``expected`` (and ``attempt_id`` still its newest).

        With a certificate, the attempt ``attempt_id`` is ended with it in the same transaction, unless it has
        one. Returns the run after the step, or None when somebody else was there first; then nothing changed.
        """
        ...

    async def record(self, event: Event) -> None:
        """Write an event that belongs to no run's transition; its time is set by the database's clock."""
        ...

    async def record_once(self, event: Event, *, identity: str) -> bool:
        """Write an event as ``record`` does, unless it is there already; whether it was written.

        It is there when one of the same tenant, subject and kind has the same text in ``data[identity]``. Of any
        number of writers at once, one writes it.
        """
        ...
