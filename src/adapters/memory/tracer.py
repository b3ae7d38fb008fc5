"""Traces in memory."""

from __future__ import annotations

from ...domain.trace import Span


class MemoryTracer:
    """:class:`~kubescribe.application.ports.tracer.Tracer` with a switch that takes it away."""

    def __init__(self) -> None:
        self.available = True
        self.spans: list[Span] = []

    async def export(self, spans: tuple[Span, ...]) -> bool:
        """See the port."""
        if self.available:
            self.spans += spans
        return self.available
