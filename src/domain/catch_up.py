"""What becomes of slots that nobody started."""

from __future__ import annotations

from enum import StrEnum


class CatchUp(StrEnum):
    """What a pipeline declares for slots that were missed while whoever starts them was away."""

    NONE = "none"
    """They stay missed; a start deadline's worth of delay is all that is made good."""

    LATEST = "latest"
    """The newest of them is started."""

    ALL = "all"
    """They are started, the oldest first; of many only the newest ``catch_up_limit``."""
