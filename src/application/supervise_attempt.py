"""One attempt at a run, from its process's start to its record's end (DESIGN section 5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

import msgspec

from ..domain.attempt import Whereabouts
from ..domain.errors import (
    CommitUnknown,
    DatabaseRefused,
    DatabaseUnavailable,
    Fenced,
    KubescribeError,
    RunClosed,
    Superseded,
)
from ..domain.exit_code import ExitCode
from ..domain.failure import FailureCause, SkipReason
from ..domain.note import NoteKind
from ..domain.outcome import NEVER_RETRIED, Outcome
from ..domain.report import Publication
from ..domain.run_status import RunStatus
from .attempt_end import CAUSE_OF_EXIT, End, Failure, Stop, failure, outcome
from .attempt_recorder import AttemptRecorder
from .attempt_writer import AttemptWriter
from .failpoints import failpoint
from .log_capture import LogCapture
from .notebook import Notebook
from .payload_guard import PayloadGuard
from .payload_listener import Console, PayloadListener
from .ports.attempt_log import Beat, Claim, Pulse
from .ports.clock import Clock
from .ports.fences import Fences
from .ports.payload import Assignment, Declared, Payload, Refused
from .ports.publisher import PublishRequest
from .publish_reports import PublishReports
from .run_order import Limits, RunOrder


class Beating(Protocol):
    """Starts the heartbeat of an attempt; see :class:`Heartbeat`."""

    def __call__(self, beat: Callable[[], Beat | None], on_pulse: Callable[[Pulse], None]) -> Callable[[], None]:
        """Begin to beat; returns what ends it."""
        ...


class AttemptResult(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended, recorded or on its way to RunLog."""

    exit_code: int
    message: str = ""
    outcome: Outcome | None = None
    """None: it never took the run."""
    again_in: float | None = None
    """Seconds after which another attempt is due; None: this was the last."""
    fence: int | None = None
    published: tuple[Publication, ...] = ()


class _Over(Exception):
    """The attempt is over before its payload could begin."""

    def __init__(self, result: AttemptResult) -> None:
        self.result = result


class SuperviseAttempt:
    """Takes the run, lets the payload work, publishes what it staged, and writes down how it ended."""

    def __init__(
        self,
        *,
        order: RunOrder,
        tried: int,
        attempt_id: UUID,
        payload: Payload,
        recorder: AttemptRecorder,
        fences: Fences | None,
        publish: PublishReports | None,
        beating: Beating,
        clock: Clock,
        console: Console,
        whereabouts: Whereabouts,
        assignment: Assignment,
        limits: Limits,
    ) -> None:
        """``tried``: how many attempts this supervisor has made before."""
        self._order = order
        self._tried = tried
        self._attempt_id = attempt_id
        self._payload = payload
        self._recorder = recorder
        self._fences = fences
        self._publish = publish
        self._beating = beating
        self._clock = clock
        self._console = console
        self._whereabouts = whereabouts
        self._assignment = assignment
        self._limits = limits
        began = clock.monotonic()
        capture = LogCapture(attempt_id, limits.log_cap, lambda: clock.monotonic() - began)
        self._notes = Notebook(attempt_id)
        self._listener = PayloadListener(payload, capture, self._notes, console)
        self._guard = PayloadGuard(payload, self._listener, capture, clock, grace=limits.grace, declares=order.declares)
        self._writer = AttemptWriter(recorder, self._notes, capture, interval=limits.flush)
        self._declared: Declared | None = None
        self._deadline_in(order.run_deadline, order.run_deadline)
        self._fence: int | None = None
        self._published: tuple[Publication, ...] = ()

    def stop(self, why: Stop, signal: int | None = None) -> None:
        """Ask the attempt to end; the first reason stays."""
        self._guard.stop(why, signal)

    async def __call__(self) -> AttemptResult:
        """Make the attempt, and record it. Raises :class:`CommandNotFound` where there is nothing to start."""
        await self._payload.start(run_id=self._order.run_id, attempt_id=self._attempt_id)
        failpoint("attempt.started")
        listening = asyncio.create_task(self._listener.listen())
        try:
            await self._take_the_run()
            return await self._work()
        except _Over as over:
            return over.result
        finally:
            await self._guard.killed()
            await listening

    # -- taking the run ------------------------------------------------------------------------------------------

    async def _take_the_run(self) -> None:
        if self._order.declares:
            await self._until_declared()
            failpoint("attempt.declared")
        await self._take_fence()
        failpoint("attempt.fenced")
        await self._claim()
        failpoint("attempt.claimed")
        assignment = msgspec.structs.replace(
            self._assignment,
            run_id=self._order.run_id,
            attempt_id=self._attempt_id,
            run_deadline_in=self._deadline_at - self._clock.monotonic(),
            may_stage=self._fence is not None,
        )
        await self._payload.assign(assignment)
        failpoint("attempt.assigned")

    async def _until_declared(self) -> None:
        await self._guard.until_introduced()
        word = self._listener.introduced.result()
        if isinstance(word, Declared):
            self._declared = word
            self._deadline_in(word.pipeline.run_deadline, word.pipeline.run_deadline)
            return
        end = await self._guard.ended()
        if isinstance(word, Refused):
            failed = Failure(FailureCause.CONFIG_ERROR, word.message, ExitCode.USAGE, False)
        else:
            failed = failure(end) or Failure(FailureCause.ERROR, "its process just ended", ExitCode.PAYLOAD, False)
            failed = msgspec.structs.replace(failed, message=f"the pipeline could not be loaded: {failed.message}")
        if not self._order.accepted:
            raise _Over(AttemptResult(exit_code=failed.exit_code, message=failed.message))
        # Somebody else knows of this run, so it gets an end on record even though it could not begin.
        await self._claim()
        raise _Over(await self._close(*_failed(end, failed)))

    async def _take_fence(self) -> None:
        pipeline = self._declared.pipeline if self._declared else None
        if pipeline is None or not pipeline.may_publish or self._fences is None:
            return
        try:
            if self._order.accepted:
                self._published = await self._fences.publications(self._order.run_id)
                if self._published:
                    raise _Over(await self._complete_the_record())
            self._fence = await self._fences.take(self._order.run_id, self._attempt_id)
        except RunClosed as closed:
            raise _Over(AttemptResult(exit_code=closed.exit_code, message=str(closed))) from None
        except (DatabaseUnavailable, DatabaseRefused) as away:
            if not pipeline.reports:
                # It does not say that it writes a report, so there may be all the work left for it to do.
                self._notes.add(NoteKind.NOTE, {"text": f"this attempt cannot publish: {away}"})
                return
            await self._claim()
            raise _Over(await self._close(*_refused(await self._guard.killed(), away))) from None

    async def _complete_the_record(self) -> AttemptResult:
        """An earlier attempt has published and could not say so: say it for that one, and end well."""
        try:
            await self._claim()
        except _Over:  # RunLog knows already
            message = "the run has published already"
            return AttemptResult(exit_code=ExitCode.DONE, message=message, published=self._published)
        end = await self._guard.killed()
        return await self._close(outcome(end, RunStatus.SUCCEEDED, ExitCode.DONE, published=True), retry=False)

    async def _claim(self) -> None:
        order, declared = self._order, self._declared
        unsaid = None if order.declares else order.parameters
        claim = Claim(
            run_id=order.run_id,
            attempt_id=self._attempt_id,
            pipeline=order.name,
            parameters=declared.parameters if declared else unsaid,
            trigger=order.trigger,
            actor=order.actor,
            reason=order.reason,
            slot=order.slot,
            code_version=declared.pipeline.code_version if declared else None,
            may_publish=self._fence is not None or bool(self._published),
            published=bool(self._published),
            fence=self._fence,
            whereabouts=self._whereabouts,
            lease=self._limits.lease,
            run_deadline=self._guard.run_deadline,
        )
        try:
            claimed = await self._recorder.claim(claim)
        except RunClosed as closed:
            code = ExitCode.DONE if closed.status == RunStatus.SUCCEEDED else closed.exit_code
            raise _Over(AttemptResult(exit_code=code, message=str(closed))) from None
        except KubescribeError as error:
            raise _Over(AttemptResult(exit_code=error.exit_code, message=str(error))) from error
        if claimed is None:
            self._console.said("RunLog does not answer; the run goes on, and its record follows when RunLog is back")
        else:
            self._deadline_in(claimed.run_deadline_in, self._guard.run_deadline)

    def _deadline_in(self, seconds: float, whole: float) -> None:
        self._deadline_at = self._clock.monotonic() + seconds
        self._guard.run_deadline = whole

    # -- the work ------------------------------------------------------------------------------------------------

    async def _work(self) -> AttemptResult:
        loop = asyncio.get_running_loop()

        def on_pulse(pulse: Pulse) -> None:  # in the heartbeat's thread
            loop.call_soon_threadsafe(self.stop, Stop.CANCELLED if pulse.cancel_asked else Stop.GIVEN_UP)

        end_beating = self._beating(self._beat, on_pulse)
        self._writer.start(on_refusal=lambda: self.stop(Stop.GIVEN_UP))
        try:
            end = await self._guard.until_ended(self._deadline_at)
            failpoint("attempt.payload_ended")
            failed = failure(end)
            if failed is not None:
                return await self._close(*_failed(end, failed))
            return await self._close(*await self._publication(end))
        finally:
            await self._writer.stop()
            end_beating()

    async def _publication(self, end: End) -> tuple[Outcome, bool]:
        """Publish what was staged; the outcome, and whether another attempt may help."""
        reports = self._listener.returned.reports if self._listener.returned else ()
        if not reports or self._publish is None or self._fence is None:
            return outcome(end, RunStatus.SUCCEEDED, ExitCode.DONE), False
        request = PublishRequest(
            run_id=self._order.run_id,
            attempt_id=self._attempt_id,
            fence=self._fence,
            actor=self._order.actor,
            slot=self._order.slot,
            keep=self._limits.keep_versions,
        )
        try:
            self._published = await self._publish(request, reports)
        except CommitUnknown as unknown:
            cause, message = FailureCause.UNAVAILABLE, str(unknown)
            return outcome(end, RunStatus.UNCERTAIN, unknown.exit_code, cause=cause, message=message), False
        except Superseded as newer:
            skipped = outcome(end, RunStatus.SKIPPED, ExitCode.DONE, message=str(newer))
            return msgspec.structs.replace(skipped, skip_reason=SkipReason.SUPERSEDED), False
        except Fenced as fenced:
            return outcome(
                end, RunStatus.FAILED, fenced.exit_code, cause=FailureCause.FENCED, message=str(fenced)
            ), False
        except KubescribeError as error:
            return _refused(end, error)
        for one in self._published:
            told: dict[str, Any] = {"report": one.report, "version": one.version, "rows": one.rows}
            self._notes.add(NoteKind.OUTPUT, {**told, "published": True, "checksum": one.checksum})
        return outcome(end, RunStatus.SUCCEEDED, ExitCode.DONE, published=True), False

    def _beat(self) -> Beat | None:
        if self._recorder.behind:
            return None  # RunLog does not know of this attempt yet, or is away
        usage = self._payload.usage()
        return Beat(
            attempt_id=self._attempt_id,
            lease=self._limits.lease,
            progress=self._notes.progress,
            progress_text=self._notes.progress_text,
            memory=usage.memory,
            cpu_seconds=usage.cpu_seconds,
        )

    # -- the end -------------------------------------------------------------------------------------------------

    async def _close(self, done: Outcome, retry: bool) -> AttemptResult:
        """Write down how it ended, and say whether another attempt follows."""
        await self._writer.stop()
        again_in = self._again_in() if retry and done.status is RunStatus.FAILED else None
        if again_in is not None:
            done = msgspec.structs.replace(done, status=RunStatus.PENDING)
        refused = await self._writer.finish(done)
        if refused is not None:
            self._console.said(str(refused))
            if not done.published:
                done = msgspec.structs.replace(done, exit_code=refused.exit_code)
        elif self._overruled(done):
            # A further attempt of ours would take the run away from the one that has it now.
            again_in = None
            done = msgspec.structs.replace(done, exit_code=ExitCode.FENCED)
            self._console.said("the attempt had been given up: what became of it decides nothing any more")
        failpoint("attempt.recorded")
        return AttemptResult(
            exit_code=done.exit_code,
            message=done.message or "",
            outcome=done,
            again_in=again_in,
            fence=self._fence,
            published=self._published,
        )

    def _overruled(self, done: Outcome) -> bool:
        """Whether RunLog has answered that the run is not this attempt's to decide."""
        run = self._recorder.run
        if done.published or self._recorder.behind or run is None or run.status is RunStatus.SUCCEEDED is done.status:
            return False
        return (run.attempt_id, run.status) != (self._attempt_id, done.status)

    def _again_in(self) -> float | None:
        pipeline = self._declared.pipeline if self._declared else None
        retries, delay = self._order.retries, self._order.retry_delay
        if retries is None:
            retries = pipeline.retries if pipeline else 0
        if delay is None:
            delay = pipeline.retry_delay if pipeline else 0.0
        if self._listener.raised is not None and self._listener.raised.after is not None:
            delay = max(delay, self._listener.raised.after)
        in_time = self._clock.monotonic() + delay < self._deadline_at
        return delay if self._tried < retries and in_time and not self._guard.stopped else None


def _failed(end: End, failed: Failure) -> tuple[Outcome, bool]:
    done = outcome(end, RunStatus.FAILED, failed.exit_code, cause=failed.cause, message=failed.message)
    return done, failed.retry and failed.cause not in NEVER_RETRIED


def _refused(end: End, error: KubescribeError) -> tuple[Outcome, bool]:
    """The outcome of an attempt that one of our own errors ended."""
    cause = CAUSE_OF_EXIT.get(error.exit_code, FailureCause.ERROR)
    return _failed(end, Failure(cause, str(error), error.exit_code, True))
