"""The state behind the in-memory RunLog, with a clock that can be moved and a switch that takes it away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from ...application.ports.slots import SlotPlan
from ...domain.attempt import Attempt, DeathCertificate
from ...domain.delivery import Delivery
from ...domain.errors import DatabaseUnavailable
from ...domain.event import Event, Notice
from ...domain.event_chain import Anchor, Link
from ...domain.incident import (
    Incident,
    IncidentChange,
    IncidentKind,
    IncidentTerms,
    Trouble,
    mended,
    troubled,
)
from ...domain.log import LogChunk
from ...domain.note import Note
from ...domain.pause import Pause
from ...domain.run import Run, Transition
from ...domain.run_mode import RunMode
from ...domain.run_status import RunStatus
from ...domain.slot import Slot
from ...domain.storable import storable
from ...domain.tenant import Tenant


class MemoryNotice(msgspec.Struct, kw_only=True):
    """A row of the outbox."""

    id: int
    notice: Notice
    created_at: datetime
    since: datetime | None = None
    failures: int = 1
    status: str = "due"


class MemoryDelivery(msgspec.Struct, kw_only=True):
    """A row of what becomes of a notice."""

    delivery: Delivery
    tenant: str
    next_at: datetime
    lead: int | None = None
    """The head of its message; None: it is in none yet."""


class MemoryMailbox(msgspec.Struct, kw_only=True):
    """When an address may get another message, and from when on it is quiet there."""

    opens_at: datetime
    quiet_at: datetime


class MemoryRunLogDatabase:
    """What PostgreSQL is to the real RunLog: tables, transactions one at a time, and *the* clock.

    Safe for several threads, each with its own event loop. The clock stands still at ``now`` until it is moved
    by ``advance``; without ``now`` it is the system's, plus what it was advanced by. While ``available`` is
    False every transaction raises :class:`DatabaseUnavailable` and changes nothing.
    """

    def __init__(self, now: datetime | None = None) -> None:
        self.available = True
        self.runs: dict[UUID, Run] = {}
        self.attempts: dict[UUID, Attempt] = {}
        self.leases: dict[UUID, float] = {}
        self.events: list[Event] = []
        self.notes: dict[tuple[UUID, int], Note] = {}
        self.chunks: dict[tuple[UUID, int], LogChunk] = {}
        self.notices: list[MemoryNotice] = []
        self.deliveries: list[MemoryDelivery] = []
        self.reminded: dict[tuple[Tenant, int], datetime] = {}
        """When people were last told that an incident is still there."""
        self.summaries: set[tuple[Tenant, str]] = set()
        self.mailboxes: dict[tuple[str, str, str], MemoryMailbox] = {}
        """By tenant, channel and address."""
        self.incidents: dict[tuple[Tenant, int], Incident] = {}
        self.incident_terms: dict[tuple[Tenant, str], IncidentTerms] = {}
        self.chains: dict[str, list[Link]] = {}
        self.anchors: list[tuple[Anchor, str]] = []
        self.keys: dict[tuple[Tenant, str], tuple[str, UUID, datetime]] = {}
        """By tenant and key: what was asked, the run, and when."""
        self.pauses: dict[tuple[Tenant, str], Pause] = {}
        self.slots: dict[UUID, Slot] = {}
        self.slot_plans: dict[tuple[Tenant, str], SlotPlan] = {}
        self.listeners: list[Callable[[Tenant, UUID], None]] = []
        """Told, in the writer's thread, of which run something was written."""
        self._still = now
        self._advanced = timedelta()
        self._turn = threading.RLock()
        self.up_since = self.now() - timedelta(days=1)

    def now(self) -> datetime:
        """The database's clock."""
        return (self._still or datetime.now(UTC)) + self._advanced

    def advance(self, seconds: float) -> None:
        """Let time pass; below 0 it is a clock that was set back."""
        self._advanced += timedelta(seconds=seconds)

    def restart(self) -> None:
        """The database was away until just now: what it holds stays, and it is up for no time at all."""
        self.up_since = self.now()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One at a time. Decisions come before writes, so an error in here has written nothing."""
        with self._turn:
            if not self.available:
                raise DatabaseUnavailable("RunLog", "it was taken away")
            yield

    def write(self, step: Transition) -> None:
        """A transition's two parts, and what follows from a verdict for the pipeline's incident."""
        self.runs[step.after.id] = step.after
        # What a rehearsal comes to is for who asked for it.
        if step.after.mode is RunMode.PUBLISH:
            self._judge(step.after)
        self.record(storable(step.event))

    def _judge(self, run: Run) -> None:
        terms = self.incident_terms.get((run.tenant, run.pipeline), IncidentTerms())
        newest = self.newest_incident(run.tenant, run.pipeline, IncidentKind.FAILING)
        if run.status is RunStatus.SUCCEEDED:
            self.take(mended(newest, at=self.now(), run_id=run.id, recover_after=terms.recover_after))
        elif run.status in (RunStatus.FAILED, RunStatus.LOST):
            trouble = Trouble(
                tenant=run.tenant,
                pipeline=run.pipeline,
                kind=IncidentKind.FAILING,
                at=self.now(),
                why=run.cause,
                run_id=run.id,
            )
            self.trouble(trouble, incident_after=terms.incident_after)

    def newest_incident(self, tenant: Tenant, pipeline: str, kind: IncidentKind) -> Incident | None:
        """The only one of these that changes by itself."""
        key = (tenant, pipeline, kind)
        same = [one for one in self.incidents.values() if (one.tenant, one.pipeline, one.kind) == key]
        return max(same, key=lambda one: one.id, default=None)

    def trouble(self, trouble: Trouble, *, incident_after: int = 1) -> None:
        """One more has failed."""
        newest = self.newest_incident(trouble.tenant, trouble.pipeline, trouble.kind)
        number = 1 + sum(tenant == trouble.tenant for tenant, _ in self.incidents)
        self.take(troubled(newest, trouble, number=number, incident_after=incident_after))

    def take(self, change: IncidentChange | None) -> None:
        """An incident's step, if there is one to make."""
        if change is None:
            return
        after = change.after
        self.incidents[after.tenant, after.id] = after
        if change.event is not None:
            self.record(storable(change.event))
        if change.notice is not None:
            kept = MemoryNotice(
                id=len(self.notices) + 1,
                notice=change.notice,
                created_at=self.now(),
                since=after.since,
                failures=after.count,
            )
            self.notices.append(kept)

    @property
    def outbox(self) -> list[Notice]:
        """Everything that was ever due to be told."""
        return [kept.notice for kept in self.notices]

    def record(self, event: Event) -> None:
        """Write an event, with its number."""
        self.events.append(msgspec.structs.replace(event, seq=len(self.events) + 1))
        if event.run_id is not None:
            self.tell(event.tenant, event.run_id)

    def tell(self, tenant: Tenant, run_id: UUID) -> None:
        """Tell whoever listens."""
        for listener in list(self.listeners):
            listener(tenant, run_id)

    def pause_of(self, tenant: Tenant, pipeline: str) -> Pause | None:
        """The pause that holds now, if there is one."""
        pause = self.pauses.get((tenant, pipeline))
        return pause if pause is not None and pause.holds_at(self.now()) else None

    def end_attempt(self, attempt_id: UUID, at: datetime, certificate: DeathCertificate) -> None:
        """End the attempt unless it has ended, and give it the certificate unless it has one of its own."""
        attempt = self.attempts[attempt_id]
        if attempt.certificate is not None and attempt.certificate.provisional:
            attempt = msgspec.structs.replace(attempt, ended_at=None, certificate=None)
        self.attempts[attempt_id] = msgspec.structs.replace(
            attempt,
            ended_at=attempt.ended_at or max(at, attempt.started_at),
            certificate=attempt.certificate or certificate,
        )
