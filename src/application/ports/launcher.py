"""What runs the runs: here local processes, on a cluster Jobs."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec

from ...domain.attempt import Attempt, DeathCertificate
from ...domain.run import Run
from ...domain.summary import Summary


class JobState(StrEnum):
    """What is known of the thing that makes a run's attempts: a Job, or a supervisor's process."""

    ALIVE = "alive"
    """It is there, and may still make an attempt or bring one to its end."""

    GONE = "gone"
    """It is over: no further attempt will come from it."""

    MISSING = "missing"
    """It was there once, and a look that misses nothing does not find it; nobody saw it end. It is gone, unless the
    look went to another place: only a silence that is longer than a lease makes this evidence."""

    UNKNOWN = "unknown"
    """It cannot be seen from here: on another machine, or the cluster does not answer. This is no evidence."""


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen, and what is said of it to people."""

    state: JobState
    detail: str
    machine_restarted: bool = False
    """The machine has been started anew since: that is what ended it."""
    deleted: bool = False
    """Somebody has deleted it while it was at work: with GONE, what ended it; with ALIVE, what is ending it."""
    certificate: DeathCertificate | None = None
    """What the platform itself says of the end, or of why nothing has begun yet; None: it says nothing."""
    hopeless: bool = False
    """Nothing will ever come of it, for the reason in ``certificate``; without it, something still may."""
    ended_well: bool = False
    """The platform saw its end, with exit code 0: of a supervisor of ours, that is no result by itself."""
    summary: Summary | None = None
    """The last word of its newest supervisor, left for a RunLog that was away."""
    present: bool = False
    """Processes of it are there that may not have taken the run."""
    supervised: bool = True
    """A supervisor of ours is inside; without one, its exit code 0 is a result."""
    followed: bool = False
    """Its end is there to be seen by :class:`~kubescribe.application.observe_jobs.ObserveJobs`, which tells it."""


class Launcher(Protocol):
    """Starts supervisors, looks for them, stops them, and clears away what they leave."""

    async def launch(self, run: Run) -> None:
        """Start a supervisor for a PENDING run, and return once it is started, not once it has claimed the run.

        A run whose supervisor is there already gets no second one, however often and by how many it is launched at
        once. Raises :class:`LaunchRefused`, and :class:`LauncherBusy` where it has to wait: for others to end,
        or for what may still be allowed.
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

    async def clean(self, run: Run, attempt: Attempt | None) -> None:
        """End every process that belongs to the attempt (None: to the run) and is still there, and nothing of others.

        What has ended by itself and may still be looked at (a Job, its pods' logs) may stay.
        """
        ...
