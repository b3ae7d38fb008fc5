"""How an attempt takes its run: declare, then the fence, then the claim (DESIGN section 4)."""

from __future__ import annotations

from uuid import UUID

import msgspec

from ..domain.attempt import Whereabouts
from ..domain.concurrency import Concurrency
from ..domain.errors import DatabaseRefused, DatabaseUnavailable, KubescribeError, PipelineBusy, RunClosed
from ..domain.exit_code import ExitCode
from ..domain.failure import FailureCause, SkipReason
from ..domain.incident import IncidentTerms
from ..domain.note import NoteKind
from ..domain.outcome import Outcome
from ..domain.pipeline import Pipeline
from ..domain.report import Publication
from ..domain.run import Trigger
from ..domain.run_mode import RunMode
from ..domain.run_status import RunStatus
from .attempt_end import Failure, failed, failure, outcome, refused
from .attempt_recorder import AttemptRecorder
from .failpoints import failpoint
from .fold_once import skipped_by_fold
from .notebook import Notebook
from .payload_guard import PayloadGuard
from .payload_listener import Console, PayloadListener
from .ports.attempt_log import Claim, Claimed
from .ports.clock import Clock
from .ports.fences import Fences
from .ports.payload import Declared, Refused
from .run_order import Limits, RunOrder

_BETWEEN_LOOKS = 1.0
"""Seconds between two looks whether it is the run's turn."""


class NotTaken(Exception):
    """The attempt never held the run: there is nothing to record."""

    def __init__(self, exit_code: int, message: str, published: tuple[Publication, ...] = ()) -> None:
        self.exit_code, self.message, self.published = exit_code, message, published
        super().__init__(message)


class TakenInVain(Exception):
    """The attempt holds the run, and knows its outcome before the payload could begin."""

    def __init__(
        self, outcome: Outcome, retry: bool, pipeline: Pipeline | None, published: tuple[Publication, ...] = ()
    ) -> None:
        self.outcome, self.retry, self.pipeline, self.published = outcome, retry, pipeline, published
        super().__init__(outcome.message)


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What the attempt has in hand when the payload may begin."""

    pipeline: Pipeline | None
    """None: a command, which declares nothing."""
    fence: int | None
    """None: it may not publish."""
    deadline_at: float
    """The run's deadline, by the monotonic clock."""


class TakeRun:
    """Takes the run for one attempt: the fence first, so that the newest attempt in RunLog has the newest fence."""

    def __init__(
        self,
        *,
        order: RunOrder,
        attempt_id: UUID,
        listener: PayloadListener,
        guard: PayloadGuard,
        recorder: AttemptRecorder,
        fences: Fences | None,
        notes: Notebook,
        clock: Clock,
        console: Console,
        whereabouts: Whereabouts,
        limits: Limits,
        deadline_at: float | None,
    ) -> None:
        """``deadline_at``: the run's, as an earlier attempt knew it, by the monotonic clock."""
        self._order = order
        self._attempt_id = attempt_id
        self._listener = listener
        self._guard = guard
        self._recorder = recorder
        self._fences = fences
        self._notes = notes
        self._clock = clock
        self._console = console
        self._whereabouts = whereabouts
        self._lease = limits.lease
        self._declare_within = limits.declare_within
        self._deadline_at = deadline_at
        self._declared: Declared | None = None
        self._fence: int | None = None
        self._published: tuple[Publication, ...] = ()

    async def __call__(self) -> Taken:
        """Take the run; raises :class:`NotTaken` or :class:`TakenInVain`."""
        self._guard.run_deadline = self._order.run_deadline
        if self._order.declares:
            await self._until_declared()
            failpoint("attempt.declared")
        pipeline = self._declared.pipeline if self._declared else None
        if self._order.accepted:
            await self._check()
        if pipeline is not None:
            await self._unless_skipped(pipeline)
        publishes = pipeline is not None and pipeline.may_publish and self._order.mode is RunMode.PUBLISH
        if pipeline is not None and publishes and self._fences is not None:
            await self._take_fence(self._fences, pipeline)
        failpoint("attempt.fenced")
        deadline_in = await self._claim()
        failpoint("attempt.claimed")
        deadline_at = self._clock.monotonic() + deadline_in
        # RunLog, which knows the run's deadline, may have been away for every attempt so far.
        deadline_at = min(deadline_at, self._deadline_at or deadline_at)
        return Taken(pipeline=pipeline, fence=self._fence, deadline_at=deadline_at)

    async def _until_declared(self) -> None:
        await self._guard.until_introduced(self._declare_within)
        word = self._listener.introduced.result()
        if isinstance(word, Declared):
            self._declared = word
            self._guard.run_deadline = word.pipeline.run_deadline
            return
        end = await self._guard.ended()
        if isinstance(word, Refused):
            why = Failure(FailureCause.CONFIG_ERROR, word.message, ExitCode.USAGE, False)
        else:
            why = failure(end) or Failure(FailureCause.ERROR, "its process just ended", ExitCode.PAYLOAD, False)
            why = msgspec.structs.replace(why, message=f"the pipeline could not be loaded: {why.message}")
        if isinstance(word, Refused) and not self._order.accepted:
            raise NotTaken(why.exit_code, why.message)
        # Somebody else knows of this run, or nobody would see why nothing came: it gets an end on record even though
        # it could not begin.
        await self._claim()
        raise TakenInVain(*failed(end, why), None)

    async def hold(self) -> None:
        """Claim the run without a fence, only to write down how it ended; raises :class:`NotTaken`."""
        self._guard.run_deadline = self._order.run_deadline
        await self._claim()

    async def _check(self) -> None:
        """Before the fence: a claim that will be refused must not take the right to publish from another attempt."""
        try:
            await self._recorder.check(self._said())
        except RunClosed as closed:
            raise _closed(closed) from None
        except KubescribeError as error:
            raise NotTaken(error.exit_code, str(error)) from error

    async def _unless_skipped(self, pipeline: Pipeline) -> None:
        """End a run of the schedule whose slot the pipeline's policy leaves out, before anything else is done."""
        order = self._order
        if order.slot is None or order.trigger is not Trigger.SCHEDULE:
            return
        why = skipped_by_fold(pipeline, order.slot)
        if why is None:
            return
        await self._claim(Concurrency.ALLOW)  # it has nothing to wait for, and is in nobody's way
        skipped = outcome(await self._guard.killed(), RunStatus.SKIPPED, ExitCode.DONE, message=why)
        raise TakenInVain(msgspec.structs.replace(skipped, skip_reason=SkipReason.DST), False, pipeline)

    async def _take_fence(self, fences: Fences, pipeline: Pipeline) -> None:
        try:
            if self._order.accepted:
                await self._unless_published(fences)
            self._fence = await fences.take(self._order.run_id, self._attempt_id)
            if self._order.accepted:  # again: until the fence was ours, the attempt before could still commit
                await self._unless_published(fences)
        except RunClosed as closed:
            raise NotTaken(closed.exit_code, str(closed)) from None
        except (DatabaseUnavailable, DatabaseRefused) as away:
            if not pipeline.reports:
                # It does not say that it writes a report, so there may be all the work left for it to do.
                self._notes.add(NoteKind.NOTE, {"text": f"this attempt cannot publish: {away}"})
                return
            await self._claim()
            raise TakenInVain(*refused(await self._guard.killed(), away), pipeline) from None

    async def _unless_published(self, fences: Fences) -> None:
        self._published = await fences.publications(self._order.run_id)
        if self._published:
            await self._complete_the_record()

    async def _complete_the_record(self) -> None:
        """An earlier attempt has published and could not say so: say it for that one, and end well."""
        try:
            await self._claim()
        except NotTaken:  # RunLog knows already
            message = "the run has published already"
            raise NotTaken(ExitCode.DONE, message, self._published) from None
        done = outcome(await self._guard.killed(), RunStatus.SUCCEEDED, ExitCode.DONE, published=True)
        raise TakenInVain(done, False, None, self._published)

    async def _claim(self, concurrency: Concurrency | None = None) -> float:
        """Claim the run; seconds until its deadline. ``concurrency``: other than what the pipeline declares."""
        claim = self._said()
        if concurrency is not None:
            claim = msgspec.structs.replace(claim, concurrency=concurrency)
        try:
            claimed = await self._in_turn(claim)
        except RunClosed as closed:
            raise _closed(closed) from None
        except KubescribeError as error:
            raise NotTaken(error.exit_code, str(error)) from error
        if claimed is None:
            self._console.said("RunLog does not answer; the run goes on, and its record follows when RunLog is back")
            return self._guard.run_deadline
        return claimed.run_deadline_in

    async def _in_turn(self, claim: Claim) -> Claimed | None:
        """Claim the run when the pipeline's other runs let it; raises :class:`PipelineBusy` when its time is over."""
        until = self._clock.monotonic() + (self._declared.pipeline.start_deadline if self._declared else 0.0)
        waits = False
        while True:
            try:
                return await self._recorder.claim(claim)
            except PipelineBusy as busy:
                if busy.skipped or self._guard.has_to_stop():
                    raise
                if not waits:
                    self._console.said(str(busy))
                    waits = True
                if self._clock.monotonic() >= until:
                    # It has had its time: whatever is at work still, this one is passed over.
                    claim = msgspec.structs.replace(claim, concurrency=Concurrency.FORBID)
                    continue
                await self._clock.sleep(_BETWEEN_LOOKS)

    def _said(self) -> Claim:
        """The claim, with what is known by now."""
        order, declared = self._order, self._declared
        unsaid = None if order.declares else order.parameters
        return Claim(
            run_id=order.run_id,
            attempt_id=self._attempt_id,
            tenant=order.tenant,
            pipeline=order.name,
            parameters=declared.parameters if declared else unsaid,
            trigger=order.trigger,
            actor=order.actor,
            reason=order.reason,
            mode=order.mode,
            slot=order.slot,
            code_version=declared.pipeline.code_version if declared else None,
            may_publish=self._fence is not None or bool(self._published),
            published=bool(self._published),
            fence=self._fence,
            whereabouts=self._whereabouts,
            lease=self._lease,
            run_deadline=self._guard.run_deadline,
            concurrency=declared.pipeline.concurrency if declared else Concurrency.ALLOW,
            incidents=declared.pipeline.incidents if declared else IncidentTerms(),
            start_deadline=declared.pipeline.start_deadline if declared else 300.0,
        )


def _closed(closed: RunClosed) -> NotTaken:
    """An attempt at a run that has succeeded already ends well."""
    return NotTaken(ExitCode.DONE if closed.status == RunStatus.SUCCEEDED else closed.exit_code, str(closed))
