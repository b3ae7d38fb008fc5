"""A run, attempt after attempt, until it is decided."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

from ..domain.outcome import Outcome
from ..domain.run_mode import RunMode
from ..domain.run_status import RunStatus
from ..domain.summary import Summary
from .attempt_end import Stop
from .attempt_recorder import AttemptRecorder
from .attempt_result import AttemptResult, Earlier
from .failpoints import failpoint
from .payload_listener import Console
from .ports.clock import Clock
from .ports.ids import Ids
from .ports.publisher import Publisher
from .ports.termination_log import TerminationLog
from .run_order import Limits, RunOrder
from .supervise_attempt import SuperviseAttempt

NewAttempt = Callable[[RunOrder, UUID, Earlier], tuple[SuperviseAttempt, AttemptRecorder]]
"""Given the order, the attempt's id and what came before it: the attempt, and where it is recorded."""


class ExecuteRun:
    """Executes one run as its supervisor, and makes the further attempts that the pipeline allows."""

    def __init__(
        self,
        *,
        new_attempt: NewAttempt,
        publisher: Publisher | None,
        termination_log: TerminationLog,
        clock: Clock,
        ids: Ids,
        console: Console,
        limits: Limits,
        attempt_id: UUID | None = None,
    ) -> None:
        """``attempt_id``: of the one attempt that this supervisor makes, a pod; None: it makes ids of its own."""
        self._attempt_id = attempt_id
        self._new_attempt = new_attempt
        self._publisher = publisher
        self._termination_log = termination_log
        self._clock = clock
        self._ids = ids
        self._console = console
        self._limits = limits
        self._attempt: SuperviseAttempt | None = None
        self._stop: tuple[Stop, int | None] | None = None
        self._stopped = asyncio.Event()

    def stop(self, why: Stop, signal: int | None = None) -> None:
        """Ask the run to end; an attempt under way is ended with it, and none follows."""
        self._stop = self._stop or (why, signal)
        self._stopped.set()
        if self._attempt is not None:
            self._attempt.stop(why, signal)

    def hurry(self) -> None:
        """End what was asked to end at once, without the rest of its grace period."""
        if self._attempt is not None:
            self._attempt.hurry()

    async def __call__(self, order: RunOrder) -> AttemptResult:
        """Execute the run; the last attempt's result."""
        earlier = Earlier()
        while True:
            attempt_id = self._attempt_id or self._ids.new()
            self._attempt, recorder = self._new_attempt(order, attempt_id, earlier)
            if self._stop is not None:
                self._attempt.stop(*self._stop)
            result = await self._attempt()
            if result.again_in is None:
                break
            # The next attempt's claim must not overtake what waits of this one.
            earlier = Earlier(tried=earlier.tried + 1, recorder=recorder, deadline_at=result.deadline_at)
            delay = f"{result.again_in:g} s"
            self._console.said(f"attempt {earlier.tried} failed ({result.message}); the next one in {delay}")
            await self._wait(result.again_in)
            order = _continued(order)
        await self._settle(order, attempt_id, result, recorder)
        return result

    async def _wait(self, seconds: float) -> None:
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        stopped = asyncio.ensure_future(self._stopped.wait())
        await asyncio.wait({sleeping, stopped}, return_when=asyncio.FIRST_COMPLETED)
        sleeping.cancel()
        stopped.cancel()

    async def _settle(
        self, order: RunOrder, attempt_id: UUID, result: AttemptResult, recorder: AttemptRecorder
    ) -> None:
        if result.outcome is None:
            return
        summary = _summary(order, attempt_id, result, result.outcome)
        self._termination_log.write(summary)
        failpoint("attempt.message_written")
        if not await self._catch_up(recorder):
            self._console.left_behind(summary)
        if self._publisher is None or (result.fence is None and order.mode is RunMode.PUBLISH):
            return
        from ..domain.errors import KubescribeError

        try:
            # Afterwards, and in nobody's way: what cannot go now goes the next time.
            if order.mode is RunMode.REHEARSE:
                await self._publisher.discard(order.run_id)
            elif result.outcome.status is RunStatus.SUCCEEDED:
                for one in result.published:
                    await self._publisher.retire(one.report, self._limits.keep_versions)
                if recorder.run is None or recorder.run.attempts > 1:
                    await self._publisher.discard(order.run_id)  # what earlier attempts have left
            elif result.outcome.status is not RunStatus.UNCERTAIN:
                await self._publisher.discard(order.run_id, attempt_id)
        except KubescribeError:
            return

    async def _catch_up(self, recorder: AttemptRecorder) -> bool:
        until = self._clock.monotonic() + self._limits.record_patience
        while not await _caught_up(recorder):
            if self._clock.monotonic() >= until:
                return False
            await self._clock.sleep(0.2)
        return True


async def _caught_up(recorder: AttemptRecorder) -> bool:
    """Whether nothing waits any more; what RunLog refuses does not wait either, and changes nothing here."""
    from ..domain.errors import KubescribeError

    try:
        return await recorder.catch_up()
    except KubescribeError:
        return True


def _continued(order: RunOrder) -> RunOrder:
    import msgspec

    # From the second attempt on the run exists, and an earlier attempt may have published.
    return msgspec.structs.replace(order, accepted=True)


def _summary(order: RunOrder, attempt_id: UUID, result: AttemptResult, outcome: Outcome) -> Summary:
    certificate = outcome.certificate
    return Summary(
        run_id=order.run_id,
        attempt_id=attempt_id,
        pipeline=order.name,
        status=outcome.status,
        exit_code=outcome.exit_code,
        cause=certificate.cause,
        skip_reason=outcome.skip_reason,
        payload_exit_code=certificate.exit_code,
        signal=certificate.signal,
        message=certificate.message,
        fence=result.fence,
        published=tuple(one.report for one in result.published),
        duration=outcome.duration,
    )
