"""Termination messages for whoever asks in the same process."""

from __future__ import annotations

from ...domain.summary import Summary


class MemoryTerminationLog:
    """The :class:`~kubescribe.application.ports.termination_log.TerminationLog` in memory."""

    def __init__(self) -> None:
        self.summaries: list[Summary] = []

    def write(self, summary: Summary) -> None:
        """Keep the summary."""
        self.summaries.append(summary)
