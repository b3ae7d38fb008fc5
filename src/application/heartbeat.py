"""The sign of life: a thread and a connection of its own, so that nothing the supervisor does can delay it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Protocol

from .ports.attempt_log import AttemptLog, Beat, Pulse


class Beating(Protocol):
    """Starts the heartbeat of an attempt; see :class:`Heartbeat`."""

    def __call__(self, beat: Callable[[], Beat | None], on_pulse: Callable[[Pulse], None]) -> Callable[[], None]:
        """Begin to beat; returns what ends it."""
        ...


class Heartbeat:
    """Renews the lease every ``interval`` seconds until it is stopped.

    A beat that fails is tried again at the next; it never ends the work. ``on_pulse`` is called in the beat's
    thread with every answer that says the attempt has to stop.
    """

    def __init__(
        self,
        log: AttemptLog,
        close: Callable[[], Awaitable[None]],
        *,
        interval: float,
        beat: Callable[[], Beat | None],
        on_pulse: Callable[[Pulse], None],
    ) -> None:
        self._log = log
        self._close = close
        self._interval = interval
        self._beat = beat
        self._on_pulse = on_pulse
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kubescribe-heartbeat", daemon=True)

    def start(self) -> None:
        """Begin; the first beat comes after one interval, for the claim was a sign of life too."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """End; a beat that hangs on a dead connection is left behind after ``timeout`` seconds."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        asyncio.run(self._beats())

    async def _beats(self) -> None:
        try:
            # The wait blocks this thread's own loop, which has nothing else to do.
            while not self._stop.wait(self._interval):
                try:
                    beat = self._beat()
                    pulse = await self._log.beat(beat) if beat is not None else None
                except Exception:  # noqa: S112 - whatever it was: without a next beat the lease would expire for it
                    continue
                if pulse is None:
                    continue
                if not pulse.current or pulse.cancel_asked:
                    self._on_pulse(pulse)
        finally:
            await self._close()
