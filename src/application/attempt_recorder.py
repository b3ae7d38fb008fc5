"""The record of one attempt, which never stands in the way of the work: what RunLog cannot take now, it gets later."""

from __future__ import annotations

import time
from uuid import UUID

from ..domain.errors import DatabaseUnavailable, Fenced, KubescribeError, RunClosed, RunMismatch
from ..domain.log import LogChunk
from ..domain.note import Note
from ..domain.outcome import Outcome
from ..domain.pause import Pause
from ..domain.run import Run
from ..domain.run_status import RunStatus
from ..domain.tenant import Tenant
from .claims import check_same
from .ports.attempt_log import AttemptLog, Claim, Claimed
from .ports.spool import ClaimEntry, Entry, FinishEntry, LogEntry, NotesEntry, Spool

REFUSALS = (RunClosed, RunMismatch, Fenced)
"""RunLog's word that the run is not this attempt's. Nothing else may end work that has begun: not that RunLog is down,
has a new password or another schema, was restored, or that its adapter has a defect."""


class AttemptRecorder:
    """Writes to RunLog or, while that is away, to the spool, and keeps the order in both.

    Once anything has been spooled, everything after it is spooled too, until :meth:`catch_up` has replayed it all.
    A spool begins with the attempt's claim, so that it is complete even for a RunLog that knows nothing of the run.
    A disk that is full or read-only (the usual root file system of a pod) keeps neither claim nor end, so they are
    kept here as well: what is lost then is output and notes, never the run.
    """

    def __init__(
        self, log: AttemptLog, spool: Spool, attempt_id: UUID, *, after: AttemptRecorder | None = None
    ) -> None:
        """``after``: the record of the attempt before, which RunLog gets first."""
        self._after = after
        self._log = log
        self._spool = spool
        self._attempt_id = attempt_id
        self._claim: ClaimEntry | None = None
        self._end: FinishEntry | None = None
        self._refused: KubescribeError | None = None
        self.behind = False
        """Whether something waits in the spool."""
        self.run: Run | None = None
        """The run as RunLog last said; None until RunLog has answered."""

    async def check(self, claim: Claim) -> None:
        """See that the run would accept this claim, before anything is taken away from an attempt that works on it.

        Raises :class:`RunClosed` and :class:`RunMismatch`; says nothing while RunLog is away.
        """
        try:
            run = await self._log.recall(claim.run_id)
        except DatabaseUnavailable:
            return
        if run is None:
            return
        if run.status.terminal or run.status is RunStatus.CANCELLING:
            raise RunClosed(run.id, run.status)
        check_same(run, claim)

    async def paused(self, run_id: UUID, pipeline: str, tenant: Tenant) -> Pause | None:
        """The pause that lets the run's slot go by; None while RunLog is away, which is not in a slot's way."""
        try:
            return await self._log.paused(run_id, pipeline, tenant=tenant)
        except DatabaseUnavailable:
            return None

    async def claim(self, claim: Claim) -> Claimed | None:
        """Take the run; None where RunLog is away, and the claim waits in the spool.

        Raises what :meth:`AttemptLog.claim` raises, :class:`DatabaseUnavailable` apart.
        """
        self._claim = ClaimEntry(time.time(), claim)
        if self._after is not None and not await self._after.catch_up():
            self._defer()
            return None
        try:
            claimed = await self._log.claim(claim)
        except DatabaseUnavailable:
            self._defer()
            return None
        self.run = claimed.run
        return claimed

    @property
    def claimed(self) -> bool:
        """Whether the attempt has taken its run, in RunLog or in the spool."""
        return self._claim is not None and self._refused is None

    async def note(self, notes: tuple[Note, ...]) -> None:
        """Keep notes."""
        await self._write(NotesEntry(time.time(), notes))

    async def log(self, chunk: LogChunk, forget: tuple[int, int] | None) -> None:
        """Keep output."""
        await self._write(LogEntry(time.time(), chunk, forget))

    async def finish(self, outcome: Outcome) -> None:
        """End the attempt; :attr:`run` then says how RunLog sees it, unless RunLog is away."""
        self._end = FinishEntry(time.time(), self._attempt_id, outcome)
        await self._write(self._end)

    async def catch_up(self) -> bool:
        """Replay the spool, if anything is in it; whether nothing waits any more.

        Raises :class:`RunClosed`, :class:`RunMismatch` and :class:`Fenced` where RunLog does not accept the claim that
        waited. What waited with it is then forgotten, for nobody will ever take it, and every later write raises so.
        """
        if not self.behind:
            return True
        try:
            if self._after is not None and not await self._after.catch_up():
                return False
            self.run = await replay(self._log, self._waiting()) or self.run
        except REFUSALS as refused:
            self._refused = refused
            self._caught_up()
            raise
        except Exception:
            return False
        self._caught_up()
        return True

    async def _write(self, entry: Entry) -> None:
        if self._refused is not None:
            raise self._refused
        if self.behind:
            self._spool.append(self._attempt_id, entry)
            return
        try:
            self.run = await apply(self._log, entry) or self.run
        except REFUSALS:
            raise
        except Exception:
            self._defer()
            self._spool.append(self._attempt_id, entry)

    def _waiting(self) -> tuple[Entry, ...]:
        entries = self._spool.entries(self._attempt_id)
        if self._claim is not None and not isinstance(entries[0] if entries else None, ClaimEntry):
            entries = (self._claim, *entries)
        if self._end is not None and not isinstance(entries[-1] if entries else None, FinishEntry):
            entries = (*entries, self._end)
        return entries

    def _caught_up(self) -> None:
        self._spool.remove(self._attempt_id)
        self.behind = False

    def _defer(self) -> None:
        self.behind = True
        if self._claim is not None:
            self._spool.append(self._attempt_id, self._claim)


async def replay(log: AttemptLog, entries: tuple[Entry, ...]) -> Run | None:
    """Write spooled entries to RunLog in order; what RunLog has already is passed over there. Returns the last run."""
    run = None
    for entry in entries:
        run = await apply(log, entry) or run
    return run


async def apply(log: AttemptLog, entry: Entry) -> Run | None:
    """Write one entry; the run where the answer tells it."""
    # The wall clock is compared with itself only, and a clock that was set back means "just now".
    ago = max(time.time() - entry.wall, 0.0)
    match entry:
        case ClaimEntry():
            return (await log.claim(entry.claim, ago=ago)).run
        case NotesEntry():
            await log.note(entry.notes, ago=ago)
        case LogEntry():
            await log.log(entry.chunk, forget=entry.forget)
        case FinishEntry():
            return await log.finish(entry.attempt_id, entry.outcome, ago=ago)
    return None
