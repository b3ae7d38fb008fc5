"""Follow a run to its end: its events and its output, as they come, and resumable after any of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

import msgspec

from ..domain.event import Event
from ..domain.log import LogChunk
from ..domain.tenant import DEFAULT_TENANT, Tenant
from .ports.changes import Changes
from .ports.run_history import RunHistory
from .ports.run_log import RunLog

PAGE = 200


Place = Mapping[int, int]
"""How far somebody has read: by attempt's number the ``seq`` of its last chunk that was told, 0 for none."""


class Output(msgspec.Struct, frozen=True):
    """A chunk of output, with the place after which following can go on."""

    attempt: int
    """The attempt's number."""
    chunk: LogChunk
    place: Place


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
        self,
        run_id: UUID,
        *,
        after: Place | None = None,
        attempt: int | None = None,
        tenant: Tenant = DEFAULT_TENANT,
    ) -> AsyncIterator[Output]:
        """The output after the place given, attempt by attempt; raises :class:`RunNotFound` at once.

        An attempt that was given up may say something when its successor has begun already: so the place is one of all
        attempts. Those before the first that it names are not told. ``attempt``: of this one alone.
        """
        seen = dict(after or {})
        first = min(seen, default=0)
        async with self._changes.watch(run_id, tenant=tenant) as watch:
            while True:
                ended = (await self._run_log.get(run_id, tenant=tenant)).status.terminal
                attempts = [
                    one
                    for one in await self._history.attempts(run_id, tenant=tenant)
                    if one.number >= first and attempt in (None, one.number)
                ]
                for one in attempts:
                    seen.setdefault(one.number, 0)
                for one in attempts:
                    full = True
                    while full:
                        last = seen[one.number]
                        chunks = await self._history.output(one.id, after=last, limit=PAGE, tenant=tenant)
                        for chunk in chunks:
                            seen[one.number] = chunk.seq
                            yield Output(one.number, chunk, dict(seen))
                        full = len(chunks) == PAGE
                if ended:
                    return
                await watch.changed(self._poll)
