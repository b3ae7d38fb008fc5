"""Whether readers still see the rows that were published."""

from __future__ import annotations

from ..domain.verification import Verification
from .ports.report_catalogue import ReportCatalogue


class VerifyReport:
    """Verifies one report. It only looks: RunLog is not needed, and nothing is written anywhere."""

    def __init__(self, *, catalogue: ReportCatalogue) -> None:
        self._catalogue = catalogue

    async def __call__(self, report: str) -> Verification:
        """The figures beside the ledger's; its ``differences`` are empty where they are equal.

        Raises :class:`ReportNotFound`, :class:`DatabaseUnavailable`.
        """
        return await self._catalogue.verify(report)
