"""What differs between two versions of a report."""

from __future__ import annotations

from ..domain.version_difference import VersionDifference
from .ports.report_reader import ReportReader


class CompareVersions:
    """Compares; it only looks. Time and memory are bounded by the reader: figures leave the database, and no rows."""

    def __init__(self, *, reader: ReportReader) -> None:
        self._reader = reader

    async def __call__(self, report: str, before: int, after: int | None = None) -> VersionDifference:
        """From version ``before`` to ``after`` (None: to what is shown now).

        Raises :class:`ReportNotFound`, :class:`VersionNotKept`, :class:`VersionGone`, :class:`TookTooLong`,
        :class:`DatabaseUnavailable`.
        """
        if after is None:
            after = (await self._reader.summary(report)).report.current.version
        return await self._reader.difference(report, before, after)
