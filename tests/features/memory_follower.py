"""Following a log in memory."""

from __future__ import annotations

import asyncio
import queue
import threading
from uuid import UUID

from kubescribe.adapters.memory.changes import MemoryChanges
from kubescribe.adapters.memory.database import MemoryRunLogDatabase
from kubescribe.adapters.memory.run_history import MemoryRunHistory
from kubescribe.adapters.memory.run_log import MemoryRunLog
from kubescribe.application.follow_run import FollowRun


class MemoryFollower:
    """A :class:`~.world.Follower`: the use case, in a thread of its own."""

    place = None

    def __init__(self, runlog: MemoryRunLogDatabase, run_id: UUID) -> None:
        self._follow = FollowRun(
            run_log=MemoryRunLog(runlog), history=MemoryRunHistory(runlog), changes=MemoryChanges(runlog), poll=0.05
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=lambda: asyncio.run(self._read(run_id)), daemon=True).start()

    def line(self) -> str | None:
        return self._lines.get(timeout=20)

    def leave(self) -> None:
        """It ends with the run."""

    async def _read(self, run_id: UUID) -> None:
        async for told in self._follow.output(run_id):
            for line in told.chunk.lines:
                self._lines.put(line.text)
        self._lines.put(None)
