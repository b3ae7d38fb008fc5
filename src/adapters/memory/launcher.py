"""A launcher whose processes are what a test says they are."""

from __future__ import annotations

from uuid import UUID

from ...application.ports.launcher import JobState, Sighting
from ...domain.attempt import Attempt
from ...domain.run import Run


class MemoryLauncher:
    """The :class:`~kubescribe.application.ports.launcher.Launcher` in memory.

    An attempt is ALIVE unless :meth:`end` was called for it; an unknown one is ALIVE too.
    """

    def __init__(self) -> None:
        self.launched: list[UUID] = []
        self.cleaned: list[UUID] = []
        self._sightings: dict[UUID, Sighting] = {}

    def end(self, attempt_id: UUID, state: JobState = JobState.GONE, *, machine_restarted: bool = False) -> None:
        """Say what is to be seen of an attempt from now on."""
        self._sightings[attempt_id] = Sighting(
            state=state, detail=f"its supervisor is {state}", machine_restarted=machine_restarted
        )

    async def launch(self, run: Run) -> None:
        """Note that a supervisor is wanted."""
        self.launched.append(run.id)

    async def look(self, run: Run, attempt: Attempt | None) -> Sighting:
        """What was said of the attempt."""
        if attempt is None:
            return Sighting(state=JobState.UNKNOWN, detail="no attempt has taken the run yet")
        return self._sightings.get(attempt.id, Sighting(state=JobState.ALIVE, detail="its supervisor is there"))

    async def clean(self, attempt: Attempt) -> None:
        """From now on the attempt is gone."""
        self.cleaned.append(attempt.id)
        self.end(attempt.id)
