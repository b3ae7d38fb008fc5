"""What becomes of a run when another one of its pipeline is at work."""

from __future__ import annotations

from enum import StrEnum


class Concurrency(StrEnum):
    """A pipeline's policy for all its runs, whoever asked for them: a schedule, a person, a request.

    Kubernetes' own policy of that name sees the Jobs of the schedule alone.
    """

    ALLOW = "allow"
    """They work side by side."""

    FORBID = "forbid"
    """The later one is SKIPPED."""

    QUEUE = "queue"
    """The later one waits for its turn, in the order in which they were asked for, until its start deadline."""

    REPLACE = "replace"
    """The earlier one is cancelled, and the later one begins when it is gone."""
