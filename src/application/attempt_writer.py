"""Brings an attempt's notes and output to its record, as they come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from ..domain.errors import KubescribeError
from ..domain.outcome import Outcome
from .attempt_recorder import AttemptRecorder
from .log_capture import LogCapture
from .notebook import Notebook


class AttemptWriter:
    """Writes what the notebook and the capture hold: every ``interval`` seconds, and at the end."""

    def __init__(self, recorder: AttemptRecorder, notes: Notebook, capture: LogCapture, *, interval: float) -> None:
        self._recorder = recorder
        self._notes = notes
        self._capture = capture
        self._interval = interval
        self._over = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    def start(self, on_refusal: Callable[[], None]) -> None:
        """Begin to write in the background; ``on_refusal`` is called when RunLog does not take the attempt's claim."""
        self._writing = asyncio.create_task(self._keep_writing(on_refusal))

    async def stop(self) -> None:
        """End the writing in the background, between two writes."""
        if self._writing is not None:
            # Not cancelled: what it has taken from the notebook would be lost between here and RunLog.
            self._over.set()
            await self._writing

    async def finish(self, outcome: Outcome) -> KubescribeError | None:
        """Write the rest and the end; the error where RunLog does not take it, because the run has another verdict."""
        try:
            await self._write()
            await self._recorder.finish(outcome)
        except KubescribeError as refused:
            return refused
        return None

    async def _write(self) -> None:
        """What waits in the spool comes first: the order is kept."""
        await self._recorder.catch_up()
        notes = self._notes.drain()
        if notes:
            await self._recorder.note(notes)
        for chunk, forget in self._capture.drain():
            await self._recorder.log(chunk, forget)

    async def _keep_writing(self, on_refusal: Callable[[], None]) -> None:
        while not self._over.is_set():
            try:
                await self._write()
            except KubescribeError:
                # RunLog was away when we claimed, and now says that the run is closed, or another one.
                on_refusal()
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), self._interval)
