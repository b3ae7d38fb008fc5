"""What a database does, or refuses to do."""

from __future__ import annotations

from ..exit_code import ExitCode
from .base import KubescribeError, TemporaryError


class DatabaseUnavailable(TemporaryError):
    """A database does not answer. The message never holds its password."""

    def __init__(self, database: str, why: str) -> None:
        self.database, self.why = database, why
        super().__init__(f"the {database} database does not answer: {why}")


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


class DatabaseReadOnly(DatabaseUnavailable):
    """A database answers, and takes no writes for now: a standby, or a server that protects itself."""

    def __init__(self, database: str, why: str) -> None:
        super().__init__(database, why)
        self.args = (
            f"the {database} database takes no writes: {why}; where it stays so, let the URL name the primary",
        )


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
