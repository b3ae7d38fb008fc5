"""One attempt at a run, from its process's start to its record's end (DESIGN section 5)."""

from __future__ import annotations

import asyncio
from uuid import UUID

import msgspec

from ..domain.attempt import Whereabouts
from ..domain.errors import CommandNotFound, Fenced, KubescribeError, RunClosed, RunMismatch
from ..domain.exit_code import ExitCode
from ..domain.failure import SkipReason
from ..domain.outcome import Outcome
from ..domain.pause import Pause
from ..domain.pipeline import Pipeline
from ..domain.report import Publication
from ..domain.run import Trigger
from ..domain.run_mode import RunMode
from ..domain.run_status import RunStatus
from .attempt_end import End, Stop, failed, failure, outcome, refused
from .attempt_publication import AttemptPublication
from .attempt_recorder import AttemptRecorder
from .attempt_result import AttemptResult, Earlier
from .attempt_writer import AttemptWriter
from .failpoints import failpoint
from .further_attempt import FurtherAttempt
from .heartbeat import Beating
from .log_capture import LogCapture
from .notebook import Notebook
from .payload_guard import PayloadGuard
from .payload_listener import Console, PayloadListener
from .ports.attempt_log import Beat, Pulse
from .ports.clock import Clock
from .ports.fences import Fences
from .ports.payload import Assignment, Ended, Payload
from .ports.publisher import Publisher, PublishRequest
from .ports.rehearsals import Rehearsals
from .run_order import Limits, RunOrder
from .take_run import NotTaken, TakenInVain, TakeRun


class SuperviseAttempt:
    """Takes the run, lets the payload work, publishes what it staged, and writes down how it ended."""

    def __init__(
        self,
        *,
        order: RunOrder,
        earlier: Earlier,
        attempt_id: UUID,
        payload: Payload,
        recorder: AttemptRecorder,
        fences: Fences | None,
        publisher: Publisher | None,
        rehearsals: Rehearsals | None = None,
        beating: Beating,
        clock: Clock,
        console: Console,
        whereabouts: Whereabouts,
        assignment: Assignment,
        limits: Limits,
    ) -> None:
        self._order = order
        self._earlier = earlier
        self._attempt_id = attempt_id
        self._payload = payload
        self._recorder = recorder
        self._publisher = publisher
        self._rehearsals = rehearsals
        self._fences = fences
        self._beating = beating
        self._clock = clock
        self._console = console
        self._assignment = assignment
        self._limits = limits
        self._began = began = clock.monotonic()
        capture = LogCapture(attempt_id, limits.log_cap, lambda: clock.monotonic() - began)
        self._notes = Notebook(attempt_id)
        self._listener = PayloadListener(payload, capture, self._notes, console)
        self._guard = PayloadGuard(payload, self._listener, capture, clock, grace=limits.grace, declares=order.declares)
        self._writer = AttemptWriter(recorder, self._notes, capture, interval=limits.flush)
        self._take_run = TakeRun(
            order=order,
            attempt_id=attempt_id,
            listener=self._listener,
            guard=self._guard,
            recorder=recorder,
            fences=fences,
            notes=self._notes,
            clock=clock,
            console=console,
            whereabouts=whereabouts,
            limits=limits,
            deadline_at=earlier.deadline_at,
        )
        self._further = FurtherAttempt(order, earlier, self._guard, self._listener, clock)
        self._pipeline: Pipeline | None = None
        self._fence: int | None = None
        self._deadline_at = began + order.run_deadline
        self._published: tuple[Publication, ...] = ()

    def stop(self, why: Stop, signal: int | None = None) -> None:
        """Ask the attempt to end; the first reason stays."""
        self._guard.stop(why, signal)

    def hurry(self) -> None:
        """Do not wait for the end of the grace period."""
        self._guard.hurry()

    async def __call__(self) -> AttemptResult:
        """Make the attempt, and record it.

        A pipeline's worker starts at once, for it has to declare itself before the run can be taken, and waits then
        for its assignment. A command would be at work at once, so the run is taken first.
        """
        try:
            if self._guard.has_to_stop():
                return await self._never_begun()
            if (pause := await self._pause()) is not None:
                return await self._passed_over(pause)
            if not self._order.declares:
                await self._take()
                if self._guard.has_to_stop():
                    return await self._never_begun()
            try:
                await self._payload.start(run_id=self._order.run_id, attempt_id=self._attempt_id)
            except CommandNotFound as error:
                return await self._close(*refused(self._guard.described(Ended(exit_code=127)), error))
        except NotTaken as not_taken:
            return AttemptResult(exit_code=not_taken.exit_code, message=not_taken.message)
        failpoint("attempt.started")
        listening = asyncio.create_task(self._listener.listen())
        try:
            if self._order.declares:
                await self._take()
                await self._payload.assign(self._assigned())
                failpoint("attempt.assigned")
            return await self._work()
        except NotTaken as not_taken:
            return AttemptResult(
                exit_code=not_taken.exit_code, message=not_taken.message, published=not_taken.published
            )
        except TakenInVain as vain:
            self._pipeline, self._published = vain.pipeline, vain.published
            return await self._close(vain.outcome, vain.retry)
        finally:
            await self._guard.killed()
            await listening

    async def _never_begun(self) -> AttemptResult:
        """The supervisor was asked to end between two attempts, or before the first."""
        end = self._guard.described(Ended(exit_code=0))
        why = failure(end)
        assert why is not None
        if not self._order.accepted and self._order.declares:
            return AttemptResult(exit_code=why.exit_code, message=why.message)
        if not self._recorder.claimed:
            await self._take_run.hold()
        return await self._close(*failed(end, why))

    async def _pause(self) -> Pause | None:
        """Only a slot is let go by: what somebody has asked for goes on, and so does what has begun."""
        order = self._order
        if order.trigger is not Trigger.SCHEDULE or self._earlier.tried:
            return None
        return await self._recorder.paused(order.run_id, order.name, order.tenant)

    async def _passed_over(self, pause: Pause) -> AttemptResult:
        await self._take_run.hold()
        skipped = outcome(
            self._guard.described(Ended(exit_code=0)), RunStatus.SKIPPED, ExitCode.DONE, message=str(pause)
        )
        return await self._close(msgspec.structs.replace(skipped, skip_reason=SkipReason.PAUSED), False)

    async def _take(self) -> None:
        taken = await self._take_run()
        self._pipeline, self._fence, self._deadline_at = taken.pipeline, taken.fence, taken.deadline_at

    def _assigned(self) -> Assignment:
        return msgspec.structs.replace(
            self._assignment,
            run_id=self._order.run_id,
            attempt_id=self._attempt_id,
            run_deadline_in=self._deadline_at - self._clock.monotonic(),
            may_stage=self._fence is not None or self._order.mode is RunMode.REHEARSE,
        )

    async def _work(self) -> AttemptResult:
        loop = asyncio.get_running_loop()

        def on_pulse(pulse: Pulse) -> None:  # in the heartbeat's thread
            loop.call_soon_threadsafe(self.stop, Stop.CANCELLED if pulse.cancel_asked else Stop.GIVEN_UP)

        end_beating = self._beating(self._beat, on_pulse)
        self._writer.start(on_refusal=lambda: self.stop(Stop.GIVEN_UP))
        try:
            end = await self._guard.until_ended(self._deadline_at)
            failpoint("attempt.payload_ended")
            why = failure(end)
            if why is not None:
                return await self._close(*failed(end, why))
            return await self._close(*await self._publication(end))
        finally:
            await self._writer.stop()
            end_beating()

    async def _publication(self, end: End) -> tuple[Outcome, bool]:
        """Publish, or rehearse, what was staged; the outcome, and whether another attempt may help."""
        reports = self._listener.returned.reports if self._listener.returned else ()
        rehearses = self._order.mode is RunMode.REHEARSE
        if not reports or self._publisher is None or (self._fence is None and not rehearses):
            return outcome(end, RunStatus.SUCCEEDED, ExitCode.DONE), False
        request = PublishRequest(
            run_id=self._order.run_id,
            attempt_id=self._attempt_id,
            fence=self._fence or 0,
            actor=self._order.actor,
            slot=self._order.slot,
            keep=self._limits.keep_versions,
        )
        publication = AttemptPublication(
            publisher=self._publisher, rehearsals=self._rehearsals, guard=self._guard, notes=self._notes
        )
        if rehearses:
            return await publication.rehearse(end, request, reports, self._deadline_at)
        done = await publication.publish(end, request, reports, self._deadline_at)
        self._published = publication.published
        return done

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

    async def _close(self, done: Outcome, retry: bool) -> AttemptResult:
        """Write down how it ended, and say whether another attempt follows."""
        await self._writer.stop()
        again_in = (
            self._further.due_in(self._pipeline, self._deadline_at)
            if retry and done.status is RunStatus.FAILED
            else None
        )
        done = msgspec.structs.replace(done, duration=self._clock.monotonic() - self._began)
        if again_in is not None or (
            done.status is RunStatus.FAILED and self._further.is_anothers(retry, self._pipeline)
        ):
            done = msgspec.structs.replace(done, status=RunStatus.PENDING)
        elif done.status in (RunStatus.FAILED, RunStatus.SKIPPED):
            done = await self._conclude(done)
        late = await self._writer.finish(done)
        if late is not None:
            self._console.said(str(late))
            if isinstance(late, RunClosed | RunMismatch | Fenced):
                again_in = None
            if not done.published:
                done = msgspec.structs.replace(done, exit_code=late.exit_code)
        elif self._overruled(done):
            # A further attempt of ours would take the run away from the one that has it now.
            again_in = None
            done = msgspec.structs.replace(done, exit_code=ExitCode.FENCED)
            if self._guard.why is not Stop.CANCELLED:
                self._console.said("the attempt had been given up: what became of it decides nothing any more")
        failpoint("attempt.recorded")
        return AttemptResult(
            exit_code=done.exit_code,
            message=done.message or "",
            outcome=done,
            again_in=again_in,
            fence=self._fence,
            published=self._published,
            deadline_at=self._deadline_at,
        )

    async def _conclude(self, done: Outcome) -> Outcome:
        """Close the fence before the verdict: under a run that has failed nobody may publish, RunLog or not."""
        closed_as = RunStatus.CANCELLED if self._guard.why is Stop.CANCELLED else done.status
        if self._fences is None or self._fence is None:
            return done
        try:
            if await self._fences.conclude(self._order.run_id, self._attempt_id, closed_as):
                return done
        except KubescribeError:
            # The reconciler closes it when the report database is back, and then gives the verdict.
            return msgspec.structs.replace(done, status=RunStatus.UNCERTAIN)
        return msgspec.structs.replace(done, exit_code=ExitCode.FENCED)

    def _overruled(self, done: Outcome) -> bool:
        """Whether RunLog has answered that the run is not this attempt's to decide."""
        run = self._recorder.run
        if done.published or self._recorder.behind or run is None or run.status is RunStatus.SUCCEEDED is done.status:
            return False
        return (run.attempt_id, run.status) != (self._attempt_id, done.status)
