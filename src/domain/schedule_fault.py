"""What a schedule can be warned about."""

from __future__ import annotations

from enum import StrEnum


class ScheduleFault(StrEnum):
    """One kind of finding, by the word with which a pipeline acknowledges it (``lint_ok``)."""

    GAP = "gap"
    """A slot is at a time that the clock jumps over."""

    FOLD = "fold"
    """A slot is at a time that the clock shows twice."""

    NEVER = "never"
    """No slot ever comes."""

    RUN_DEADLINE = "run_deadline"
    """A run may take longer than the time to the next slot."""

    START_DEADLINE = "start_deadline"
    """A slot may be started when the next one is due already, or has no time to be started at all."""

    CROWD = "crowd"
    """Many pipelines start at the same moment."""
