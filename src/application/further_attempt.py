"""Whether another attempt at the run follows, and whose it is to make."""

from __future__ import annotations

from ..domain.pipeline import Pipeline
from .attempt_end import Stop
from .attempt_result import Earlier
from .payload_guard import PayloadGuard
from .payload_listener import PayloadListener
from .ports.clock import Clock
from .run_order import RunOrder


class FurtherAttempt:
    """The rules for an attempt that has failed: by its order, its pipeline's declaration, and what was seen."""

    def __init__(
        self, order: RunOrder, earlier: Earlier, guard: PayloadGuard, listener: PayloadListener, clock: Clock
    ) -> None:
        self._order, self._earlier = order, earlier
        self._guard, self._listener, self._clock = guard, listener, clock

    def is_anothers(self, retry: bool, pipeline: Pipeline | None) -> bool:
        """Whether another pod of the same Job may follow: a Job replaces one whose node was drained, for instance."""
        if not self._order.one_attempt:
            return False
        if self._guard.why in (Stop.TERMINATED, Stop.GIVEN_UP):
            # Given up, it may hold the newest fence still: closed by it, the pod that takes its place could not begin.
            return True
        declared = pipeline.retries if pipeline else 0
        return retry and (self._order.retries or declared) > 0

    def due_in(self, pipeline: Pipeline | None, deadline_at: float) -> float | None:
        """Seconds until the supervisor itself makes it; None: it does not. ``pipeline`` None: it was never declared."""
        if self._order.one_attempt:
            return None
        retries, delay = self._order.retries, self._order.retry_delay
        if retries is None:
            retries = pipeline.retries if pipeline else 0
        if delay is None:
            delay = pipeline.retry_delay if pipeline else 0.0
        if self._listener.raised is not None and self._listener.raised.after is not None:
            delay = max(delay, self._listener.raised.after)
        in_time = self._clock.monotonic() + delay < deadline_at
        return delay if self._earlier.tried < retries and in_time and not self._guard.has_to_stop() else None
