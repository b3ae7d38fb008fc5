"""Where traces go."""

from __future__ import annotations

from typing import Protocol

from ...domain.trace import Span


class Tracer(Protocol):
    """Takes spans that are over. Traces are for looking, so nothing waits for them and no run fails by them."""

    async def export(self, spans: tuple[Span, ...]) -> bool:
        """Send the spans; False where they may not have arrived. Never raises, and ends within half a minute."""
        ...
