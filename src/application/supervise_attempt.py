"""One attempt at a run, from its process's start to its record's end (DESIGN section 5)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

import msgspec

from ..domain import actor
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
from .attempt_end import CAUSE_OF_EXIT, End, Stop, failure, outcome
from .attempt_recorder import AttemptRecorder
from .failpoints import failpoint
from .log_capture import LogCapture
from .notebook import Notebook
from .payload_listener import Console, PayloadListener
from .ports.attempt_log import Beat, Claim, Pulse
from .ports.clock import Clock
from .ports.fences import Fences
from .ports.payload import Assignment, Declared, Ended, Payload, Refused
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
        self._began = clock.monotonic()
        self._capture = LogCapture(attempt_id, limits.log_cap, lambda: clock.monotonic() - self._began)
        self._notes = Notebook(attempt_id)
        self._listener = PayloadListener(payload, self._capture, self._notes, console)
        self._stopping = asyncio.Event()
        self._over = asyncio.Event()
        self._stop: Stop | None = None
        self._stop_signal: int | None = None
        self._declared: Declared | None = None
        self._run_deadline = order.run_deadline
        self._deadline_at = self._began + order.run_deadline
        self._fence: int | None = None
        self._claimed = False
        self._published: tuple[Publication, ...] = ()

    def stop(self, why: Stop, signal: int | None = None) -> None:
        """Ask the attempt to end; the first reason stays."""
        if self._stop is None:
            self._stop, self._stop_signal = why, signal
        self._stopping.set()

    async def __call__(self) -> AttemptResult:
        """Make the attempt, and record it."""
        await self._payload.start(run_id=self._order.run_id, attempt_id=self._attempt_id)
        failpoint("attempt.started")
        listening = asyncio.create_task(self._listener.listen())
        try:
            await self._take_the_run()
            return await self._work()
        except _Over as over:
            return over.result
        finally:
            await self._killed()
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
        await self._payload.assign(
            msgspec.structs.replace(
                self._assignment,
                run_id=self._order.run_id,
                attempt_id=self._attempt_id,
                run_deadline_in=self._deadline_at - self._clock.monotonic(),
                may_stage=self._fence is not None,
            )
        )
        failpoint("attempt.assigned")

    async def _until_declared(self) -> None:
        await self._first_of(self._listener.introduced)
        if not self._listener.introduced.done():
            await self._end_payload()
        word = self._listener.introduced.result()
        if isinstance(word, Declared):
            self._declared = word
            self._run_deadline = word.pipeline.run_deadline
            self._deadline_at = self._began + self._run_deadline
            return
        end = self._end(await self._listener.ended)
        if isinstance(word, Refused):
            cause, message, code, retry = FailureCause.CONFIG_ERROR, word.message, ExitCode.USAGE.value, False
        else:
            judged = failure(end)
            cause = judged.cause if judged else FailureCause.ERROR
            message = f"the pipeline could not be loaded: {judged.message if judged else 'its process just ended'}"
            code, retry = judged.exit_code if judged else ExitCode.PAYLOAD.value, bool(judged and judged.retry)
        if not self._order.accepted:
            raise _Over(AttemptResult(exit_code=code, message=message))
        # Somebody else knows of this run, so it gets an end on record even though it could not begin.
        await self._claim()
        raise _Over(await self._close(outcome(end, RunStatus.FAILED, code, cause=cause, message=message), retry))

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
            raise _Over(await self._fail(away)) from None

    async def _complete_the_record(self) -> AttemptResult:
        """An earlier attempt has published and could not say so: say it for that one, and end well."""
        message = "the run has published already"
        try:
            await self._claim()
        except _Over:  # RunLog knows already
            return AttemptResult(exit_code=ExitCode.DONE, message=message, published=self._published)
        end = self._end(await self._killed())
        return await self._close(outcome(end, RunStatus.SUCCEEDED, ExitCode.DONE, published=True), False)

    async def _claim(self) -> None:
        order, declared = self._order, self._declared
        claim = Claim(
            run_id=order.run_id,
            attempt_id=self._attempt_id,
            pipeline=order.name,
            parameters=declared.parameters if declared else order.parameters,
            trigger=order.trigger,
            actor=order.actor,
            reason=order.reason,
            slot=order.slot,
            code_version=declared.pipeline.code_version if declared else None,
            may_publish=self._fence is not None or bool(self._published),
            fence=self._fence,
            whereabouts=self._whereabouts,
            lease=self._limits.lease,
            run_deadline=self._run_deadline,
        )
        try:
            claimed = await self._recorder.claim(claim)
        except RunClosed as closed:
            code = ExitCode.DONE if closed.status == RunStatus.SUCCEEDED else closed.exit_code
            raise _Over(AttemptResult(exit_code=code, message=str(closed))) from None
        except KubescribeError as error:
            raise _Over(AttemptResult(exit_code=error.exit_code, message=str(error))) from error
        self._claimed = True
        if claimed is None:
            self._console.said("RunLog does not answer; the run goes on, and its record follows when RunLog is back")
        else:
            self._deadline_at = self._clock.monotonic() + claimed.run_deadline_in

    # -- the work ------------------------------------------------------------------------------------------------

    async def _work(self) -> AttemptResult:
        loop = asyncio.get_running_loop()

        def on_pulse(pulse: Pulse) -> None:  # in the heartbeat's thread
            loop.call_soon_threadsafe(self._felt, pulse)

        end_beating = self._beating(self._beat, on_pulse)
        flushing = asyncio.create_task(self._keep_flushing())
        try:
            end = await self._until_ended()
            failpoint("attempt.payload_ended")
            failed = failure(end)
            if failed is not None:
                done = outcome(end, RunStatus.FAILED, failed.exit_code, cause=failed.cause, message=failed.message)
                retry = failed.retry
            else:
                done, retry = await self._publication(end)
        finally:
            # Not cancelled: what it has taken from the notebook would be lost between here and RunLog.
            self._over.set()
            await flushing
        try:
            return await self._close(done, retry)
        finally:
            end_beating()

    async def _until_ended(self) -> End:
        left = max(self._deadline_at - self._clock.monotonic(), 0.0)
        deadline = asyncio.get_running_loop().call_later(left, self.stop, Stop.DEADLINE)
        try:
            await self._first_of(self._listener.ended)
        finally:
            deadline.cancel()
        if not self._listener.ended.done():
            return await self._end_payload()
        return self._end(self._listener.ended.result())

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
            cause = FailureCause.UNAVAILABLE
            code = unknown.exit_code
            return outcome(end, RunStatus.UNCERTAIN, code, cause=cause, message=str(unknown)), False
        except Superseded as newer:
            skipped = outcome(end, RunStatus.SKIPPED, ExitCode.DONE, message=str(newer))
            return msgspec.structs.replace(skipped, skip_reason=SkipReason.SUPERSEDED), False
        except Fenced as fenced:
            message = str(fenced)
            return outcome(end, RunStatus.FAILED, fenced.exit_code, cause=FailureCause.FENCED, message=message), False
        except KubescribeError as error:
            cause = CAUSE_OF_EXIT.get(error.exit_code, FailureCause.ERROR)
            failed = outcome(end, RunStatus.FAILED, error.exit_code, cause=cause, message=str(error))
            return failed, cause not in NEVER_RETRIED
        for one in self._published:
            told: dict[str, Any] = {"report": one.report, "version": one.version, "rows": one.rows}
            self._notes.add(NoteKind.OUTPUT, {**told, "published": True, "checksum": one.checksum})
        return outcome(end, RunStatus.SUCCEEDED, ExitCode.DONE, published=True), False

    async def _fail(self, error: DatabaseUnavailable | DatabaseRefused) -> AttemptResult:
        cause = CAUSE_OF_EXIT[error.exit_code]
        end = self._end(await self._killed())
        failed = outcome(end, RunStatus.FAILED, error.exit_code, cause=cause, message=str(error))
        return await self._close(failed, cause not in NEVER_RETRIED)

    # -- the end -------------------------------------------------------------------------------------------------

    async def _close(self, done: Outcome, retry: bool) -> AttemptResult:
        """Write down how it ended, and say whether another attempt follows."""
        again_in = self._again_in() if retry and done.status is RunStatus.FAILED else None
        if again_in is not None:
            done = msgspec.structs.replace(done, status=RunStatus.PENDING)
        try:
            await self._flush()
            await self._recorder.finish(done)
        except KubescribeError as error:
            # The claim had waited in the spool, and RunLog does not take it: the run has another verdict.
            self._console.said(str(error))
            if not done.published:
                done = msgspec.structs.replace(done, exit_code=error.exit_code)
        failpoint("attempt.recorded")
        return AttemptResult(
            exit_code=done.exit_code,
            message=done.message or "",
            outcome=done,
            again_in=again_in,
            fence=self._fence,
            published=self._published,
        )

    def _again_in(self) -> float | None:
        pipeline = self._declared.pipeline if self._declared else None
        declared = (pipeline.retries, pipeline.retry_delay) if pipeline else (0, 0.0)
        retries = declared[0] if self._order.retries is None else self._order.retries
        delay = declared[1] if self._order.retry_delay is None else self._order.retry_delay
        enough_time = self._clock.monotonic() + delay < self._deadline_at
        return delay if self._tried < retries and enough_time and self._stop is None else None

    async def _flush(self) -> None:
        """Write what has come since the last time, after what waits in the spool."""
        await self._recorder.catch_up()
        notes = self._notes.drain()
        if notes:
            await self._recorder.note(notes)
        for chunk, forget in self._capture.drain():
            await self._recorder.log(chunk, forget)

    async def _keep_flushing(self) -> None:
        while not self._over.is_set():
            try:
                await self._flush()
            except KubescribeError:
                # RunLog was away when we claimed, and now says that the run is closed or another one.
                self.stop(Stop.GIVEN_UP)
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), self._limits.flush)

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

    def _felt(self, pulse: Pulse) -> None:
        self.stop(Stop.CANCELLED if pulse.cancel_asked else Stop.GIVEN_UP)

    async def _first_of(self, future: asyncio.Future[Any]) -> None:
        """Wait until the future is done or the attempt is asked to stop."""
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({future, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()

    async def _end_payload(self) -> End:
        """End the payload: gently, unless the attempt was given up, for then nobody waits for its last words."""
        if self._stop is not Stop.GIVEN_UP:
            self._payload.terminate()
            await asyncio.wait({self._listener.ended}, timeout=self._limits.grace)
        return self._end(await self._killed())

    async def _killed(self) -> Ended:
        if not self._listener.ended.done():
            self._payload.kill()
        return await self._listener.ended

    def _end(self, ended: Ended) -> End:
        return End(
            ended=ended,
            raised=self._listener.raised,
            stop=self._stop,
            stop_signal=self._stop_signal,
            declares=self._order.declares,
            returned=self._listener.returned is not None,
            run_deadline=self._run_deadline,
            log_tail=self._capture.tail(),
            last_error_line=self._capture.last_error_line,
            actor=actor.supervisor(self._attempt_id),
            duration=self._clock.monotonic() - self._began,
        )
