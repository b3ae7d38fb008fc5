"""What stands in the way of a publication or of its undoing."""

from __future__ import annotations

from ..exit_code import ExitCode
from .base import ConfigurationError, KubescribeError


class ChecksFailed(KubescribeError):
    """The rows are not as declared; nothing was published."""

    exit_code = ExitCode.PRECONDITION

    def __init__(self, failures: tuple[object, ...]) -> None:
        self.failures = failures
        super().__init__("\n".join(str(failure) for failure in failures) + "\nnothing was published")


class ReportMismatch(KubescribeError):
    """The rows, or how they are to be published, do not fit the report as it is."""

    exit_code = ExitCode.PRECONDITION

    def __init__(self, report: str, differences: tuple[str, ...], dependants: tuple[str, ...] = ()) -> None:
        self.report, self.differences, self.dependants = report, differences, dependants
        reading = f" These depend on it: {', '.join(dependants)}." if dependants else ""
        super().__init__(
            f"the rows do not fit report {report} as it is: {'; '.join(differences)}. Nothing was published.{reading} "
            "Cast or rename the columns in the pipeline, publish under another name, or say schema='recreate' to begin "
            "the report anew with this run's rows"
        )


class ReportDependedOn(KubescribeError):
    """A report cannot be made anew, because something in the report database depends on it."""

    exit_code = ExitCode.PRECONDITION

    def __init__(self, report: str, dependants: tuple[str, ...]) -> None:
        self.report, self.dependants = report, dependants
        super().__init__(
            f"report {report} cannot be made anew while these depend on it: {', '.join(dependants)}. Nothing was "
            "published. Drop them, run again, and make them again over the report's new columns"
        )


class UnsupportedType(KubescribeError):
    """A column's type cannot be kept exactly."""

    exit_code = ExitCode.PRECONDITION

    def __init__(self, where: str, column: str, kind: str, remedy: str) -> None:
        self.where, self.column, self.kind, self.remedy = where, column, kind, remedy
        super().__init__(f"{where}: column {column} has type {kind}, which cannot be kept exactly; {remedy}")


class FileUnreadable(KubescribeError):
    """A file that was to be published is not what its name says."""

    exit_code = ExitCode.PRECONDITION

    def __init__(self, file: str, why: str) -> None:
        self.file, self.why = file, why
        super().__init__(f"{file} cannot be published: {why}")


class ReportNotFound(ConfigurationError):
    """There is no such report."""

    def __init__(self, report: str, nearest: tuple[str, ...] = ()) -> None:
        self.report, self.nearest = report, nearest
        hint = f"did you mean {' or '.join(nearest)}?" if nearest else "`kubescribe reports` lists them"
        super().__init__(f"there is no report {report}; {hint}")


class VersionNotKept(ConfigurationError):
    """The version to roll back to is not there any more, or never was."""

    def __init__(self, report: str, version: int | None, kept: tuple[int, ...]) -> None:
        self.report, self.version, self.kept = report, version, kept
        what = "an earlier version" if version is None else f"version {version}"
        super().__init__(
            f"report {report} does not keep {what}; it keeps {', '.join(map(str, kept)) or 'none'} (the newest first)"
        )


class RollbackRefused(ConfigurationError):
    """A report is published in a mode that keeps nothing to go back to."""

    def __init__(self, report: str, mode: str) -> None:
        self.report, self.mode = report, mode
        super().__init__(
            f"report {report} is published in mode {mode}, which overwrites rows in place: what they were before is "
            "not kept, so there is nothing to roll back to. Run the pipeline again with the right data, or restore the "
            "report from a backup"
        )


class ReportUndeclared(ConfigurationError):
    """A pipeline hands over a report that it does not declare."""

    def __init__(self, report: str, declared: tuple[str, ...]) -> None:
        self.report, self.declared = report, declared
        what = f"it declares {', '.join(declared)}" if declared else "it declares that it writes none"
        super().__init__(f"the pipeline writes report {report}, and {what}; add it to reports=")


class ReportRepeated(ConfigurationError):
    """A pipeline hands over a report twice in one run."""

    def __init__(self, report: str) -> None:
        self.report = report
        super().__init__(
            f"report {report} was handed over before in this run; hand it over once, all frames together as an iterator"
        )


class ReportsMissing(KubescribeError):
    """A pipeline came to its end without a report that it declares; nothing was published."""

    exit_code = ExitCode.PRECONDITION

    def __init__(self, reports: tuple[str, ...]) -> None:
        self.reports = reports
        super().__init__(
            f"the pipeline ended without handing over {', '.join(reports)}, which it declares; nothing was published"
        )


class StagingIncomplete(KubescribeError):
    """The report database does not hold what the worker says that it staged."""

    def __init__(self, run_id: object, reports: tuple[str, ...]) -> None:
        self.run_id, self.reports = run_id, reports
        super().__init__(
            f"run {run_id} staged {', '.join(reports)}, and the report database does not hold it any more; "
            "nothing was published. Start the run again"
        )
