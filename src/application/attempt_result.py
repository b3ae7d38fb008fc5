"""What came of an attempt, for whoever decides whether another one follows."""

from __future__ import annotations

import msgspec

from ..domain.outcome import Outcome
from ..domain.report import Publication
from .attempt_recorder import AttemptRecorder


class AttemptResult(msgspec.Struct, frozen=True, kw_only=True):
    """How an attempt ended, recorded or on its way to RunLog."""

    exit_code: int
    message: str = ""
    outcome: Outcome | None = None
    """None: it never took the run."""
    again_in: float | None = None
    """Seconds after which another attempt is due; None: this was the last."""
    fence: int | None = None
    published: tuple[Publication, ...] = ()
    deadline_at: float | None = None
    """The run's deadline, by the monotonic clock."""


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """What this supervisor knows from its earlier attempts at the run."""

    tried: int = 0
    """How many there were."""
    recorder: AttemptRecorder | None = None
    """Of the last one: RunLog gets what waits in it before anything of the next one."""
    deadline_at: float | None = None
    """The run's deadline, by the monotonic clock."""
