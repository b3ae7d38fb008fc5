"""Whether somebody still has to start a run's supervisor."""

from __future__ import annotations

from enum import StrEnum


class Launch(StrEnum):
    """How far the launch of a run has come that was accepted before it had a supervisor.

    A run that its own supervisor brought into being has none.
    """

    DUE = "due"
    """No supervisor is known to have been started. A crash leaves it here, and the next pass starts one."""

    STARTED = "started"
    """A supervisor was started, or has taken the run. One that dies first leaves it here until the start deadline."""
