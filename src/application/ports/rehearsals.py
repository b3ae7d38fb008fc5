"""Comparing what is staged with what readers see."""

from __future__ import annotations

from typing import Protocol

from ...domain.difference import ReportDifference
from ...domain.report import Staged


class Rehearsals(Protocol):
    """Looks at staged rows and at live reports, and changes nothing."""

    async def difference(self, staged: Staged) -> ReportDifference:
        """What publishing would change, all of one moment; what was staged satisfies its checks already.

        Raises :class:`~kubescribe.domain.errors.DatabaseUnavailable`, and :class:`Fenced` where it was discarded.
        """
        ...
