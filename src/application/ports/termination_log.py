"""The last word of a supervisor, for whoever completes the record when RunLog was away."""

from __future__ import annotations

from typing import Protocol

from ...domain.summary import Summary


class TerminationLog(Protocol):
    """Kubernetes' termination message, or its likeness."""

    def write(self, summary: Summary) -> None:
        """Leave the summary, at most 4 KiB of JSON. A place that cannot be written to is no error."""
        ...
