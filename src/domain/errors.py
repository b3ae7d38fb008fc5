"""Every error that KubeScribe raises on purpose.

One base; each class carries ids as attributes and builds its own message, which says what happened, why, and
what to do next. A message never carries a secret. ``exit_code`` is the process exit code of DESIGN section 4.
"""

from __future__ import annotations

from .exit_code import ExitCode


class KubescribeError(Exception):
    """The base of all errors that a user of KubeScribe may see."""

    exit_code: ExitCode = ExitCode.PAYLOAD


class ConfigurationError(KubescribeError):
    """A setting, a declaration or a command line is wrong; nothing was started."""

    exit_code = ExitCode.USAGE


class BadDatabaseUrl(ConfigurationError):
    """A database URL cannot be used as it is. ``why`` never quotes the URL: it may hold a password."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} cannot be used: {why}")
        self.name = name
        self.why = why


class BadDuration(ConfigurationError):
    """A length of time cannot be read."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not a duration; write it like 90, 90s, 10m, 1h30m or 2d")
        self.text = text


class BadSchedule(ConfigurationError):
    """A cron expression cannot be read, or Kubernetes would not take it."""

    def __init__(self, expression: str, why: str) -> None:
        super().__init__(f"schedule {expression!r} cannot be used: {why}")
        self.expression = expression
        self.why = why


class UnknownTimezone(ConfigurationError):
    """There is no such time zone."""

    def __init__(self, name: object) -> None:
        super().__init__(f"there is no time zone {name!r}; write one like Europe/Berlin")
        self.name = name


class BadSetting(ConfigurationError):
    """A setting from the environment or ``.env`` cannot be used; ``name`` is the variable's."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} cannot be used: {why}")
        self.name = name
        self.why = why


class TemporaryError(KubescribeError):
    """Something that should come back is away; trying again later may work."""

    exit_code = ExitCode.TEMPORARY


class BadDeclaration(ConfigurationError):
    """A pipeline or a report is declared in a way that cannot work."""


class IllegalTransition(KubescribeError):
    """A run was asked to go where its state does not lead."""

    def __init__(self, run_id: object, before: str | None, after: str) -> None:
        self.run_id, self.before, self.after = run_id, before, after
        super().__init__(f"run {run_id} is {before or 'not there yet'} and cannot become {after}")


class RunNotFound(ConfigurationError):
    """There is no such run."""

    def __init__(self, run_id: object) -> None:
        self.run_id = run_id
        super().__init__(f"there is no run {run_id}; `kubescribe runs` lists them")


class AmbiguousRun(ConfigurationError):
    """A shortened run id fits several runs."""

    def __init__(self, prefix: str, fits: tuple[str, ...]) -> None:
        self.prefix, self.fits = prefix, fits
        super().__init__(f"{prefix} fits several runs: {', '.join(fits)}; give more of the id")


class AttemptNotFound(TemporaryError):
    """RunLog does not know the attempt: its claim has not arrived there, or RunLog was restored from before it."""

    def __init__(self, attempt_id: object) -> None:
        self.attempt_id = attempt_id
        super().__init__(f"RunLog does not know attempt {attempt_id}; its claim has to be told first")


class RunClosed(KubescribeError):
    """The run has its verdict, or is being cancelled: no attempt may take it any more."""

    exit_code = ExitCode.REFUSED

    def __init__(self, run_id: object, status: str) -> None:
        self.run_id, self.status = run_id, status
        super().__init__(f"run {run_id} is {status} and takes no further attempt; start a new run instead")


class RunMismatch(ConfigurationError):
    """The run exists already, and is another pipeline's or has other parameters."""

    def __init__(self, run_id: object, difference: str) -> None:
        self.run_id, self.difference = run_id, difference
        super().__init__(f"run {run_id} exists already and {difference}; leave out the id to start a new run")


class Fenced(KubescribeError):
    """A newer attempt of the run, or a verdict on it, took this attempt's right to publish."""

    exit_code = ExitCode.FENCED

    def __init__(self, run_id: object, why: str) -> None:
        self.run_id, self.why = run_id, why
        super().__init__(f"this attempt of run {run_id} was given up ({why}); it has published nothing")


class Superseded(KubescribeError):
    """A newer slot of the report was published already: this run has nothing to add."""

    exit_code = ExitCode.DONE

    def __init__(self, report: str, slot: object, newer: object) -> None:
        self.report, self.slot, self.newer = report, slot, newer
        super().__init__(f"report {report} already shows slot {newer}, which is newer than this run's slot {slot}")


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


class PipelineNotFound(ConfigurationError):
    """There is no such pipeline."""

    def __init__(self, name: str, nearest: tuple[str, ...], known: int) -> None:
        self.name, self.nearest = name, nearest
        if nearest:
            hint = f"did you mean {' or '.join(nearest)}?"
        elif known:
            hint = "`kubescribe pipelines` lists them"
        else:
            hint = "no pipeline is known at all: set KUBESCRIBE_PIPELINES=module[,module]"
        super().__init__(f"there is no pipeline {name}; {hint}")


class BadParameters(ConfigurationError):
    """A parameter is unknown, missing or of the wrong type."""

    def __init__(self, pipeline: str, problems: tuple[str, ...]) -> None:
        self.pipeline, self.problems = pipeline, problems
        super().__init__(f"pipeline {pipeline}: {'; '.join(problems)}")


class NotAuthenticated(KubescribeError):
    """Nobody knows who asks. ``why`` is for the log: whoever asks learns nothing from it."""

    exit_code = ExitCode.USAGE

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__("this needs a valid token or session; `kubescribe token create` makes a token")


class NotAllowed(KubescribeError):
    """Somebody is known, and may not do this."""

    exit_code = ExitCode.USAGE

    def __init__(self, role: str, scope: str) -> None:
        self.role, self.scope = role, scope
        super().__init__(f"this needs the scope {scope}, which these credentials (role {role}) do not have")


class TokenNotFound(ConfigurationError):
    """There is no such token."""

    def __init__(self, token_id: object) -> None:
        self.token_id = token_id
        super().__init__(f"there is no token {token_id}; `kubescribe token list` lists them")


class IdentityProviderUnavailable(TemporaryError):
    """The identity provider's keys cannot be had, so nobody's token can be judged."""

    def __init__(self, issuer: str, why: str) -> None:
        self.issuer, self.why = issuer, why
        super().__init__(f"the keys of the identity provider {issuer} cannot be read: {why}")


class DatabaseUnavailable(TemporaryError):
    """A database does not answer. The message never holds its password."""

    def __init__(self, database: str, why: str) -> None:
        self.database, self.why = database, why
        super().__init__(f"the {database} database does not answer: {why}")


class DatabaseRefused(KubescribeError):
    """A database answers and says no: wrong password, missing right, missing database or schema."""

    exit_code = ExitCode.USAGE

    def __init__(self, database: str, why: str, remedy: str) -> None:
        self.database, self.why, self.remedy = database, why, remedy
        super().__init__(f"the {database} database refused: {why}; {remedy}")


class ValueRefused(KubescribeError):
    """A database cannot hold one of the values."""

    exit_code = ExitCode.PRECONDITION

    def __init__(self, database: str, why: str) -> None:
        self.database, self.why = database, why
        super().__init__(
            f"the {database} database cannot hold one of the values: {why}. Nothing was published; mend the value in "
            "the query or the pipeline, or take such rows out"
        )


class SchemaMismatch(KubescribeError):
    """A database's schema is not the one that this program works with."""

    exit_code = ExitCode.USAGE

    def __init__(self, database: str, found: str | None, expected: str) -> None:
        self.database, self.found, self.expected = database, found, expected
        if found is None:
            what, remedy = "has no schema of KubeScribe yet", "run `kubescribe migrate`"
        elif found < expected:
            what, remedy = f"has schema {found}, which is older than {expected}", "run `kubescribe migrate`"
        elif found > expected:
            what = f"has schema {found}, which is newer than this program's {expected}"
            remedy = "install a newer KubeScribe (`kubescribe migrate` never goes back)"
        else:
            what, remedy = f"says that it has schema {found}, and lacks a part of it", "restore it from a backup"
        super().__init__(f"the {database} database {what}; {remedy}")


class QueryFailed(KubescribeError):
    """A query on the production database failed."""

    def __init__(self, name: str, why: str) -> None:
        self.name, self.why = name, why
        super().__init__(f"query {name} failed: {why}")


class SnapshotLost(KubescribeError):
    """The run's snapshot of the production database is gone: later reads would see another moment."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(
            f"the run's snapshot of the production database is gone ({why}), so a further read would see another "
            "moment than the earlier ones. Read everything first and call run.source_done(), raise "
            "KUBESCRIBE_SNAPSHOT_MAX_AGE, or declare snapshot='read' if the reads need not agree"
        )


class TablesChanged(TemporaryError):
    """Tables lost the rows of the snapshot's moment, so a query may have read less than there was."""

    def __init__(self, query: str, tables: tuple[str, ...]) -> None:
        self.query, self.tables = query, tables
        super().__init__(
            f"query {query}: {', '.join(tables)} was truncated, rewritten, replaced or lost a partition after the "
            "run's snapshot was taken, so rows of that moment may be missing. Nothing was published; run it again when "
            "that is over, and load such tables at another time, or with DELETE and INSERT, which a snapshot survives"
        )


class NotConfigured(ConfigurationError):
    """Something needs a database that no setting names."""

    def __init__(self, what: str, variable: str) -> None:
        self.what, self.variable = what, variable
        super().__init__(f"{what} needs {variable}; set it in the environment or in .env")


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


class CommandNotFound(ConfigurationError):
    """A command cannot be started."""

    def __init__(self, command: str, why: str, hint: str = "") -> None:
        self.command, self.why, self.hint = command, why, hint
        super().__init__(f"{command!r} cannot be started: {why}" + (f"; {hint}" if hint else ""))


class EmbeddedUnavailable(ConfigurationError):
    """The embedded PostgreSQL cannot be used in this folder, by this user, or on this machine."""

    def __init__(self, home: object, why: str, remedy: str) -> None:
        self.home, self.why, self.remedy = str(home), why, remedy
        super().__init__(f"no embedded PostgreSQL in {home}: {why}. To go on: {remedy}.")


class EmbeddedNotAnswering(TemporaryError):
    """The embedded PostgreSQL should work in this folder, but did not start or does not answer."""

    def __init__(self, home: object, why: str, remedy: str) -> None:
        self.home, self.why, self.remedy = str(home), why, remedy
        super().__init__(f"the embedded PostgreSQL in {home} does not answer: {why}. To go on: {remedy}.")


class CommitUnknown(DatabaseUnavailable):
    """The report database went away after it was told to commit: the ledger knows the outcome, and nobody else.

    ``what`` was to be committed; None: the publication of the run.
    """

    def __init__(self, database: str, run_id: object, why: str, what: str | None = None) -> None:
        self.run_id = run_id
        what = what or f"run {run_id} was published"
        super().__init__(
            database,
            f"{why}. Whether {what} is not known yet: its ledger says so once the database is back",
        )


class LaunchRefused(KubescribeError):
    """No supervisor could be started for a run."""

    def __init__(self, run_id: object, why: str) -> None:
        self.run_id, self.why = run_id, why
        super().__init__(f"no supervisor could be started for run {run_id}: {why}")


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


_NARROWER = "ask for less: filter by the key, or sort by it"


class AnchorNotSent(TemporaryError):
    """The head of the chain of events could not be sent outside; it is tried again."""

    def __init__(self, target: str, why: str) -> None:
        self.target, self.why = target, why
        super().__init__(f"the audit anchor could not be sent to {target}: {why}; it is tried again")


class BadAnchor(ConfigurationError):
    """A line is no anchor."""

    def __init__(self, line: int) -> None:
        self.line = line
        super().__init__(f"line {line} is no anchor; give lines as `kubescribe audit anchor` prints them")


class ChainBroken(KubescribeError):
    """The chain of events is not what was sealed."""

    exit_code = ExitCode.PRECONDITION

    def __init__(self, tenant: str, findings: int) -> None:
        self.tenant, self.findings = tenant, findings
        super().__init__(
            f"the events of tenant {tenant} are not those that were sealed ({findings} "
            f"finding{'s' if findings != 1 else ''}): somebody has changed the past. Keep the database as it is, and "
            "compare it with a backup"
        )


class PostFailed(TemporaryError):
    """A post was not answered; it may have arrived."""

    def __init__(self, where: str, why: str) -> None:
        self.where, self.why = where, why
        super().__init__(f"{where} did not answer: {why}")


class NotDelivered(KubescribeError):
    """A message was not taken by its channel, or may not have been.

    ``permanent``: trying again is useless. ``retry_after``: seconds that the channel asks to wait. ``channel_down``:
    the next message would fare no better.
    """

    def __init__(
        self, why: str, *, permanent: bool = False, retry_after: float | None = None, channel_down: bool = False
    ) -> None:
        self.why, self.permanent, self.retry_after, self.channel_down = why, permanent, retry_after, channel_down
        super().__init__(f"the message was not delivered: {why}")


class LauncherBusy(TemporaryError):
    """A supervisor cannot be started just now; the run waits, and is launched when there is room.

    ``for_all``: until then no other run can be launched either.
    """

    def __init__(self, run_id: object, why: str, *, for_all: bool = False) -> None:
        self.run_id, self.why, self.for_all = run_id, why, for_all
        super().__init__(f"run {run_id} waits for its supervisor: {why}")


class BadRequestKey(ConfigurationError):
    """An Idempotency-Key cannot be kept."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"the Idempotency-Key cannot be used: {why}")


class KeyReused(ConfigurationError):
    """An Idempotency-Key came again with another request."""

    def __init__(self, key: str, run_id: object) -> None:
        self.key, self.run_id = key, run_id
        super().__init__(
            f"the Idempotency-Key {key} was used already, for run {run_id}, and that request was another one; "
            "give a new request a new key"
        )


class CancelRefused(ConfigurationError):
    """A run that has ended cannot be cancelled."""

    def __init__(self, run_id: object, status: str) -> None:
        self.run_id, self.status = run_id, status
        super().__init__(f"run {run_id} has ended already: it is {status}, and stays so; there is nothing to cancel")


class RetryRefused(ConfigurationError):
    """A run cannot be retried."""

    def __init__(self, run_id: object, why: str) -> None:
        self.run_id, self.why = run_id, why
        super().__init__(f"run {run_id} cannot be retried: {why}")


class NotPaused(ConfigurationError):
    """A pipeline that is not paused cannot be resumed."""

    def __init__(self, pipeline: str) -> None:
        self.pipeline = pipeline
        super().__init__(f"pipeline {pipeline} is not paused; there is nothing to resume")


class PauseRefused(ConfigurationError):
    """A pause would be over before it begins."""

    def __init__(self, pipeline: str, until: object) -> None:
        self.pipeline, self.until = pipeline, until
        super().__init__(f"pipeline {pipeline} cannot be paused until {until}, which is not in the future")
