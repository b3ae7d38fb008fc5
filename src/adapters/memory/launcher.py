"""A launcher whose processes are what a test says they are."""

from __future__ import annotations

from uuid import UUID

from ...application.ports.launcher import JobState, Sighting
from ...domain.attempt import Attempt
from ...domain.errors import LauncherBusy, LaunchRefused
from ...domain.run import Run


class MemoryLauncher:
    """The :class:`~kubescribe.application.ports.launcher.Launcher` in memory.

    An attempt is ALIVE unless :meth:`end` was called for it; an unknown one is ALIVE too.
    """

    def __init__(self, limit: int | None = None) -> None:
        """``limit``: how many supervisors may be there at once; :meth:`leave` ends one."""
        self.launched: list[UUID] = []
        self.asked: list[UUID] = []
        """All that were to be launched, also in vain."""
        self.stopped: list[UUID] = []
        self.refuses: str | None = None
        """Why every launch is refused, from when this is set."""
        self.doubts: str | None = None
        """Why nobody can know whether a launch is refused, from when this is set and until it is None again."""
        self._limit = limit
        self._there: set[UUID] = set()
        self.cleaned: list[UUID] = []
        self._sightings: dict[UUID, Sighting] = {}

    def end(self, attempt_id: UUID, state: JobState = JobState.GONE, *, machine_restarted: bool = False) -> None:
        """Say what is to be seen of an attempt from now on."""
        self._sightings[attempt_id] = Sighting(
            state=state, detail=f"its supervisor is {state}", machine_restarted=machine_restarted
        )

    def leave(self, run_id: UUID) -> None:
        """The run's supervisor ends."""
        self._there.discard(run_id)

    async def launch(self, run: Run) -> None:
        """Note that a supervisor is wanted."""
        self.asked.append(run.id)
        if self.refuses is not None:
            raise LaunchRefused(run.id, self.refuses)
        if self.doubts is not None:
            raise LauncherBusy(run.id, self.doubts, in_doubt=True)
        if run.id in self._there:
            return
        if self._limit is not None and len(self._there) >= self._limit:
            why = f"{self._limit} supervisors are at work, and no more may be at once"
            raise LauncherBusy(run.id, why, for_all=True)
        self._there.add(run.id)
        self.launched.append(run.id)

    async def look(self, run: Run, attempt: Attempt | None) -> Sighting:
        """What was said of the attempt; before it, whether the run was launched."""
        if attempt is None and run.id in self.launched:
            there = run.id in self._there
            return Sighting(
                state=JobState.ALIVE if there else JobState.GONE,
                detail=f"its supervisor {'is starting' if there else 'ended before it could take the run'}",
            )
        if attempt is None:
            return Sighting(state=JobState.UNKNOWN, detail="no attempt has taken the run yet")
        return self._sightings.get(attempt.id, Sighting(state=JobState.ALIVE, detail="its supervisor is there"))

    async def stop(self, run: Run, attempt: Attempt | None) -> None:
        """Note that the supervisor was told."""
        self.stopped.append(run.id)

    async def clean(self, run: Run, attempt: Attempt | None) -> None:
        """From now on the attempt is gone."""
        if attempt is None:
            self._there.discard(run.id)
            return
        self.cleaned.append(attempt.id)
        self.end(attempt.id)
