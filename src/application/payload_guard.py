"""A payload under guard: waited for, stopped when it must stop, and gone when we say that it is gone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

from ..domain import actor
from .attempt_end import End, Stop
from .log_capture import LogCapture
from .payload_listener import PayloadListener
from .ports.clock import Clock
from .ports.payload import Ended, Payload

T = TypeVar("T")


class PayloadGuard:
    """Waits for a payload, within its deadline, and ends it when the attempt is asked to stop."""

    def __init__(
        self,
        payload: Payload,
        listener: PayloadListener,
        capture: LogCapture,
        clock: Clock,
        *,
        grace: float,
        declares: bool,
    ) -> None:
        """``grace``: seconds between SIGTERM and SIGKILL."""
        self._payload = payload
        self._listener = listener
        self._capture = capture
        self._clock = clock
        self._grace = grace
        self._declares = declares
        self._began = clock.monotonic()
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._why: Stop | None = None
        self._signal: int | None = None
        self.run_deadline = 0.0
        """Seconds, for the message of a payload that took longer."""
        self._declare_within = 0.0

    def has_to_stop(self) -> bool:
        """Whether the attempt was asked to stop."""
        return self._why is not None

    @property
    def why(self) -> Stop | None:
        """Why the attempt was asked to stop, if it was."""
        return self._why

    def stop(self, why: Stop, signal: int | None = None) -> None:
        """Ask the attempt to end; the first reason stays."""
        if self._why is None:
            self._why, self._signal = why, signal
        self._stopping.set()

    def hurry(self) -> None:
        """Do not wait for the end of the grace period: who asked for the end has lost patience."""
        self._hurry.set()

    async def until_introduced(self, within: float) -> None:
        """Wait for the payload's first word about itself; one that has to stop, or takes longer, is ended."""
        self._declare_within = within
        with self._limit(within, Stop.START_DEADLINE):
            await _first_of(self._listener.introduced, self._stopping)
        if not self._listener.introduced.done():
            await self._end_it()

    async def until_ended(self, deadline_at: float) -> End:
        """Wait for its end; ``deadline_at`` by the monotonic clock."""
        with self._limit(deadline_at - self._clock.monotonic(), Stop.DEADLINE):
            await _first_of(self._listener.ended, self._stopping)
        if not self._listener.ended.done():
            await self._end_it()
        return await self.ended()

    async def unless_stopped(self, work: Coroutine[Any, Any, T], deadline_at: float) -> T | None:
        """The result of what follows the payload's end; None: it was broken off, because the attempt has to stop."""
        task = asyncio.ensure_future(work)
        with self._limit(deadline_at - self._clock.monotonic(), Stop.DEADLINE):
            await _first_of(task, self._stopping)
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            return None
        return task.result()

    @contextlib.contextmanager
    def _limit(self, seconds: float, why: Stop) -> Iterator[None]:
        timer = asyncio.get_running_loop().call_later(max(seconds, 0.0), self.stop, why)
        try:
            yield
        finally:
            timer.cancel()

    async def ended(self) -> End:
        """Its end, with what is known of it; waits for nothing but the end."""
        return self.described(await self._listener.ended)

    async def killed(self) -> End:
        """End it at once, unless it has ended."""
        if not self._listener.ended.done():
            self._payload.kill()
        return await self.ended()

    async def _end_it(self) -> None:
        """End it gently, unless the attempt was given up, for then nobody waits for its last words."""
        if self._why is not Stop.GIVEN_UP:
            self._payload.terminate()
            await _first_of(self._listener.ended, self._hurry, timeout=self._grace)
        await self.killed()

    def described(self, ended: Ended) -> End:
        """An end, with what is known of the attempt."""
        return End(
            ended=ended,
            raised=self._listener.raised,
            stop=self._why,
            stop_signal=self._signal,
            declares=self._declares,
            returned=self._listener.returned is not None,
            run_deadline=self.run_deadline,
            declare_within=self._declare_within,
            log_tail=self._capture.tail(),
            last_error_line=self._capture.last_error_line,
            actor=actor.supervisor(self._capture.attempt_id),
            duration=self._clock.monotonic() - self._began,
        )


async def _first_of(future: asyncio.Future[Any], event: asyncio.Event, timeout: float | None = None) -> None:
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({future, waiting}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
