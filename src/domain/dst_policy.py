"""What becomes of a slot where clocks change: two words that a pipeline may say."""

from __future__ import annotations

from enum import StrEnum


class Fold(StrEnum):
    """What a time means that an autumn night shows twice."""

    ONCE = "once"
    """The first of both moments is the slot; the second is skipped."""

    TWICE = "twice"
    """Both are slots, as Kubernetes has it."""


class Gap(StrEnum):
    """What becomes of a time that a spring night jumps over."""

    RUN_AFTER = "run_after"
    """It is due at the first moment after the gap. A CronJob starts nothing then: whoever keeps the slots has to."""

    SKIP = "skip"
    """It is skipped, as Kubernetes has it."""
