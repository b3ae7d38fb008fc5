"""Follow a run to its end: its events and its output, as they come, and resumable after any of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import msgspec

from ..domain.event import Event
from ..domain.log import LogChunk
from ..domain.tenant import DEFAULT_TENANT, Tenant
from .ports.changes import Changes
from .ports.run_history import RunHistory
from .ports.run_log import RunLog

PAGE = 200


class Output(msgspec.Struct, frozen=True):
    """A chunk of output, with the place after which following can go on."""

    attempt: int
    """The attempt's number."""
    chunk: LogChunk

    @property
    def place(self) -> tuple[int, int]:
        """The attempt's number and the chunk's."""
        return self.attempt, self.chunk.seq


class FollowRun:
    """Follows one run. Nothing is left out and nothing comes twice, whatever is missed of the notices.

    Events of one run are numbered in the order in which they were committed: whoever writes one holds the run's row.
    """

    def __init__(self, *, run_log: RunLog, history: RunHistory, changes: Changes, poll: float = 2.0) -> None:
        """``poll``: seconds after which it looks again though nobody has told it to."""
        self._run_log = run_log
        self._history = history
        self._changes = changes
        self._poll = poll

    async def events(self, run_id: UUID, *, after: int = 0, tenant: Tenant = DEFAULT_TENANT) -> AsyncIterator[Event]:
        """The events with a ``seq`` above ``after``, until the run's last; raises :class:`RunNotFound` at once."""
        async with self._changes.watch(run_id, tenant=tenant) as watch:
            while True:
                # The state is read first: what was written before the end is then seen for certain.
                ended = (await self._run_log.get(run_id, tenant=tenant)).status.terminal
                events = await self._history.events(run_id, after=after, limit=PAGE, tenant=tenant)
                for event in events:
                    after = event.seq or after
                    yield event
                if len(events) == PAGE:
                    continue
                if ended:
                    return
                await watch.changed(self._poll)

    async def output(
        self, run_id: UUID, *, after: tuple[int, int] = (0, 0), tenant: Tenant = DEFAULT_TENANT
    ) -> AsyncIterator[Output]:
        """The output after the place given, attempt by attempt; raises :class:`RunNotFound` at once."""
        seen: dict[int, int] = {after[0]: after[1]}
        async with self._changes.watch(run_id, tenant=tenant) as watch:
            while True:
                ended = (await self._run_log.get(run_id, tenant=tenant)).status.terminal
                full = False
                for attempt in await self._history.attempts(run_id, tenant=tenant):
                    if attempt.number < after[0]:
                        continue
                    last = seen.get(attempt.number, 0)
                    chunks = await self._history.output(attempt.id, after=last, limit=PAGE, tenant=tenant)
                    for chunk in chunks:
                        seen[attempt.number] = chunk.seq
                        yield Output(attempt.number, chunk)
                    full = full or len(chunks) == PAGE
                if full:
                    continue
                if ended:
                    return
                await watch.changed(self._poll)
