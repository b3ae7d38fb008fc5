"""Complete RunLog with the rollbacks that it could not be told of."""

from __future__ import annotations

from .ports.report_catalogue import ReportCatalogue
from .ports.run_log import RunLog


class RecordRollbacks:
    """To be written."""

    def __init__(self, *, catalogue: ReportCatalogue, run_log: RunLog) -> None:
        self._catalogue, self._run_log = catalogue, run_log
