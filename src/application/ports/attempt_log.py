"""RunLog as the supervisor of an attempt sees it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from ...domain.attempt import Attempt, Whereabouts
from ...domain.concurrency import Concurrency
from ...domain.incident import IncidentTerms
from ...domain.log import LogChunk
from ...domain.note import Note
from ...domain.outcome import Outcome
from ...domain.pause import Pause
from ...domain.run import Run, Trigger
from ...domain.run_mode import RunMode
from ...domain.tenant import DEFAULT_TENANT, Tenant


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt says when it takes a run. Durations are seconds."""

    run_id: UUID
    attempt_id: UUID
    tenant: Tenant = DEFAULT_TENANT
    pipeline: str
    parameters: dict[str, Any] | None
    """None: its worker ended before it had said what they are."""
    trigger: Trigger
    actor: str
    """Who started the run, should it not be there yet."""
    reason: str | None = None
    mode: RunMode = RunMode.PUBLISH
    slot: datetime | None = None
    retry_of: UUID | None = None
    code_version: str | None = None
    may_publish: bool
    published: bool = False
    """The run is in the ledger already, by an earlier attempt: this one completes the record."""
    fence: int | None
    """Taken before the claim (DESIGN section 4: fence, then compare-and-set)."""
    whereabouts: Whereabouts
    lease: float
    run_deadline: float
    concurrency: Concurrency = Concurrency.ALLOW
    """Of its pipeline, as it is declared now."""
    start_deadline: float = 300.0
    """How long it may wait for its turn."""
    incidents: IncidentTerms = IncidentTerms()
    """What its pipeline, as it is declared now, says of its incidents: kept when the attempt takes the run."""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """The run and the attempt as they stand after the claim."""

    run: Run
    attempt: Attempt
    run_deadline_in: float
    """Seconds until the run's deadline by the database's clock; 0 or below: it has passed, or there is none."""

    @property
    def newest(self) -> bool:
        """Whether the run is (or was, at its end) this attempt's; False: it was recorded, and no more."""
        return self.run.attempt_id == self.attempt.id


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """A sign of life."""

    attempt_id: UUID
    lease: float
    """Seconds for which the lease is renewed, from now by the database's clock."""
    progress: float | None = None
    progress_text: str | None = None
    memory: int | None = None
    cpu_seconds: float | None = None


class Pulse(msgspec.Struct, frozen=True, kw_only=True):
    """What a beat is answered."""

    current: bool
    """False: the attempt was given up, or another took the run. It must stop its work."""
    cancel_asked: bool = False


class AttemptLog(Protocol):
    """The attempt's side of RunLog.

    Every verb is idempotent: said again with the same ids it changes nothing more, so that a spool may be
    replayed after an answer was lost. ``ago`` says how many seconds ago a thing happened, for what was spooled.
    Every verb raises :class:`~kubescribe.domain.errors.DatabaseUnavailable` when RunLog is away, and then has
    changed nothing or everything. All that name an attempt, ``claim`` apart, raise
    :class:`~kubescribe.domain.errors.AttemptNotFound` for one that RunLog does not know: its claim has to be told
    (again) first. Each transition writes its event, and its outbox row where one is due, in the same transaction.
    """

    async def recall(self, run_id: UUID) -> Run | None:
        """The run as it stands, or None where RunLog has never heard of it."""
        ...

    async def paused(self, run_id: UUID, pipeline: str, *, tenant: Tenant) -> Pause | None:
        """The pause that keeps the pipeline's slots from being worked on; None: there is none, or the run has begun."""
        ...

    async def claim(self, claim: Claim, *, ago: float = 0.0) -> Claimed:
        """Take the run: make it if it is not there, end an earlier attempt's hold, and hold the lease.

        An earlier attempt that had not ended gets a death certificate (cause ``fenced``) if it has none. A claim told
        again is answered with the run and the attempt as they stand, whatever became of them. Raises
        :class:`RunMismatch` where the run is another tenant's or pipeline's, or its mode or parameters differ; a run
        that no attempt has declared yet takes its parameters from the first that does.

        A run that no attempt has taken yet is taken only when the claim's ``concurrency`` lets it: this is decided in
        the same transaction, one claim of a pipeline after the other. Where another run of the pipeline is at work (an
        attempt has taken it, and it has no verdict) :class:`PipelineBusy` is raised, and then the run is on record:
        SKIPPED under FORBID, else PENDING, and under REPLACE the others are CANCELLING from now on. Under QUEUE and
        REPLACE it has to wait for older ones of its kind too. A claim that is told late asks nobody: it has worked.

        A claim takes nothing where the run is terminal or being cancelled; where the newest attempt holds a newer
        fence, for only that one can publish; nor, if one of the two holds none, where it happened before the newest
        attempt began (which only a claim told late, ``ago`` above 0, can have). Told as it happens it then raises
        :class:`RunClosed` or :class:`Fenced`, and nothing is written. Told late it is history, of which a replayed
        spool loses nothing: the attempt is recorded as one that has ended, with the next number and a provisional
        certificate, so that its notes, output and end can follow. The run is not moved, whoever holds it is not
        disturbed, and the answer is not :attr:`Claimed.newest`.
        """
        ...

    async def beat(self, beat: Beat) -> Pulse:
        """Renew the lease and update the attempt's one narrow row; never inserts a row, never moves a run back."""
        ...

    async def note(self, notes: tuple[Note, ...], *, ago: float = 0.0) -> None:
        """Keep notes; one with a (attempt, seq) that is kept already is passed over."""
        ...

    async def log(self, chunk: LogChunk, *, forget: tuple[int, int] | None = None) -> None:
        """Keep a chunk of output, and drop the chunks with ``forget[0] <= seq <= forget[1]`` of the attempt."""
        ...

    async def finish(self, attempt_id: UUID, outcome: Outcome, *, ago: float = 0.0) -> Run:
        """End the attempt, write its death certificate, and move the run; returns the run as it then stands.

        With ``outcome.published`` the run becomes SUCCEEDED from any open state, for the ledger has the last
        word. Otherwise the run moves only if this attempt is its newest and the run is RUNNING or UNCERTAIN;
        if not, the attempt alone is ended. A terminal run is never changed. Of an attempt that has ended already only
        a provisional certificate is replaced, and with it the time of its end.
        """
        ...
