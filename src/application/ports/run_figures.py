"""Figures about runs, for who watches."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from ...domain.figures import RunFigures
from ...domain.week_summary import PipelineWeek


class RunFigureLog(Protocol):
    """Reads the figures of a tenant. Raises ``DatabaseUnavailable``."""

    async def figures(self, tenant: str) -> RunFigures:
        """The figures now. Its cost grows with pipelines and open runs, never with the runs that ended."""
        ...

    async def between(self, tenant: str, begin: datetime, end: datetime) -> tuple[PipelineWeek, ...]:
        """The runs accepted from ``begin`` until before ``end``, by pipeline; no rehearsals. It counts them."""
        ...
