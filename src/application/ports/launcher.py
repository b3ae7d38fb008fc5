"""What runs the runs: here local processes, on a cluster Jobs."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec

from ...domain.attempt import Attempt
from ...domain.run import Run


class JobState(StrEnum):
    """What is known of the thing that makes a run's attempts: a Job, or a supervisor's process."""

    ALIVE = "alive"
    """It is there, and may still make an attempt or bring one to its end."""

    GONE = "gone"
    """It is over: no further attempt will come from it."""

    UNKNOWN = "unknown"
    """It cannot be seen from here: on another machine, or the cluster does not answer. This is no evidence."""


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen, and what is said of it to people."""

    state: JobState
    detail: str
    machine_restarted: bool = False
    """The machine has been started anew since: that is what ended it."""


class Launcher(Protocol):
    """Starts supervisors, looks for them, stops them, and clears away what they leave."""

    async def launch(self, run: Run) -> None:
        """Start a supervisor for a PENDING run, and return once it is started, not once it has claimed the run.

        A run whose supervisor is there already gets no second one, however often and by how many it is launched at
        once. Raises :class:`LaunchRefused`, and :class:`LauncherBusy` where it has to wait for others to end.
        """
        ...

    async def look(self, run: Run, attempt: Attempt | None) -> Sighting:
        """See whether the run's newest attempt, or its supervisor before or between two attempts, is still there."""
        ...

    async def stop(self, run: Run, attempt: Attempt | None) -> None:
        """Tell the supervisor of a run that is being cancelled, which then ends its payload gently, and itself.

        Does nothing where it cannot be reached from here: then its heartbeat tells it.
        """
        ...

    async def clean(self, attempt: Attempt) -> None:
        """End every process that belongs to the attempt and is still there. Nothing of others is touched."""
        ...
