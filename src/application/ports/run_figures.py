"""Figures about runs, for who watches."""

from __future__ import annotations

from typing import Protocol

from ...domain.figures import RunFigures


class RunFigureLog(Protocol):
    """Reads the figures of a tenant. Raises ``DatabaseUnavailable``."""

    async def figures(self, tenant: str) -> RunFigures:
        """The figures now. Its cost grows with pipelines and open runs, never with the runs that ended."""
        ...
