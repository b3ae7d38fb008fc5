"""Questions to a report that cannot be answered."""

from __future__ import annotations

from ..exit_code import ExitCode
from .base import ConfigurationError, KubescribeError

_NARROWER = "ask for less: filter by the key, or sort by it"


class BadRowQuery(ConfigurationError):
    """Rows of a report are asked for in a way that its columns do not allow."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class BadCursor(ConfigurationError):
    """A cursor was changed on its way, or belongs to another question."""

    def __init__(self, why: str) -> None:
        super().__init__(f"this cursor {why}; begin again with the first page")
        self.why = why


class VersionGone(KubescribeError):
    """What was to be read on is not there any more: HTTP would say 410."""

    exit_code = ExitCode.USAGE

    def __init__(self, report: str, version: int, why: str) -> None:
        self.report, self.version, self.why = report, version, why
        super().__init__(
            f"version {version} of report {report} is gone: {why}. Begin again with a version that is there"
        )


class RunDidNotPublish(ConfigurationError):
    """A report is asked for as of a run that left no publication of it."""

    def __init__(self, report: str, run_id: object) -> None:
        self.report, self.run_id = report, run_id
        super().__init__(
            f"run {run_id} published nothing into report {report}; `kubescribe reports {report}` lists those that did"
        )


class TooManyRows(ConfigurationError):
    """A download would be longer than is allowed."""

    def __init__(self, report: str, limit: int) -> None:
        self.report, self.limit = report, limit
        super().__init__(
            f"report {report} has more than {limit} rows that fit; filter them, or read the report with SQL"
        )


class TookTooLong(KubescribeError):
    """A question about a report was not answered within its time."""

    exit_code = ExitCode.TEMPORARY

    def __init__(self, report: str, what: str, seconds: float) -> None:
        self.report, self.seconds = report, seconds
        super().__init__(f"{what} of report {report} took longer than {seconds:g} s and was given up; {_NARROWER}")
