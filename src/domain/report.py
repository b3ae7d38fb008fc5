"""A report: a named view in the report database, made of the versions that runs published."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from .checks import Check, NotNull, Unique
from .errors import BadDeclaration
from .mode import Mode, SchemaRule

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
"""PostgreSQL's unquoted identifiers, so that nobody ever has to quote a report's name."""


class Column(msgspec.Struct, frozen=True):
    """One column of a report: its name, and its type as PostgreSQL's ``format_type`` writes it."""

    name: str
    type: str


class ReportSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a pipeline says of a report when it hands over the rows."""

    name: str
    key: tuple[str, ...] = ()
    """Columns that identify a row: unique and never null."""
    checks: tuple[Check, ...] = ()
    mode: Mode = Mode.REPLACE
    partition_by: tuple[str, ...] = ()
    """Of mode ``replace_partition``: the columns whose values together name a partition."""
    schema: SchemaRule = SchemaRule.EXTEND

    def __post_init__(self) -> None:
        check_report_name(self.name)
        if self.mode is Mode.MERGE and not self.key:
            raise BadDeclaration(f"report {self.name}: mode merge needs key=, the columns that identify a row")
        if (self.mode is Mode.REPLACE_PARTITION) is not bool(self.partition_by):
            raise BadDeclaration(
                f"report {self.name}: mode replace_partition and partition_by= (the columns whose values name a "
                "partition) belong together"
            )

    def every_check(self) -> tuple[Check, ...]:
        """The declared checks; before them what a key implies: it is unique and never null."""
        implied: tuple[Check, ...] = (Unique(self.key), NotNull(self.key)) if self.key else ()
        return tuple(dict.fromkeys((*implied, *self.checks)))


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one report that wait in the report database, invisible to readers."""

    spec: ReportSpec
    run_id: UUID
    attempt_id: UUID
    version: int
    rows: int
    bytes: int
    """Of the version's binary COPY."""
    checksum: str
    """A :class:`~kubescribe.domain.checksum.Checksum` over the version's binary COPY in load order."""
    columns: tuple[Column, ...]
    content: str | None = None
    """The rows' :class:`~kubescribe.domain.row_sum.RowSum`, where the mode changes rows in place."""
    seconds: float
    """From the first row handed over to the last index built, by the monotonic clock."""

    @property
    def fingerprint(self) -> str:
        """The schema's fingerprint: see :func:`schema_fingerprint`."""
        return schema_fingerprint(self.columns)


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the ledger: this version of this report became visible, by this run, at this time."""

    report: str
    run_id: UUID
    """The run that published; for a rollback the id of the rollback itself."""
    version: int
    """Of what was staged; for a rollback the one whose rows are shown again."""
    kind: str = "publish"
    """``publish`` or ``rollback``."""
    mode: Mode = Mode.REPLACE
    generation: int = 1
    """Goes up by one when the report is made anew with other columns or in another mode."""
    attempt_id: UUID | None = None
    fence: int | None = None
    rows: int
    """That were staged."""
    inserted: int | None = None
    """Rows that are in the report only since; with ``updated`` and ``deleted`` where the mode changes rows in place."""
    updated: int | None = None
    """Rows that took the place of one of the same key."""
    deleted: int | None = None
    total: int | None = None
    """Rows of the report afterwards; None in the ledger of an older release, which knew ``replace`` only."""
    checksum: str
    """Of what was staged: see :class:`Staged`."""
    content: str | None = None
    """The :class:`~kubescribe.domain.row_sum.RowSum` of the report afterwards, where rows change in place."""
    fingerprint: str
    slot: datetime | None = None
    actor: str
    reason: str | None = None
    published_at: datetime

    @property
    def shown(self) -> int:
        """How many rows readers see afterwards."""
        return self.rows if self.total is None else self.total


class Rollback(msgspec.Struct, frozen=True, kw_only=True):
    """A rollback and what it took the place of, as the ledger has them."""

    before: Publication
    """The ledger's row just before it: what was shown."""
    after: Publication
    """The rollback's own row; its ``run_id`` is the id of the rollback."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report as readers see it now."""

    name: str
    relation: str
    """The view's qualified name: ``reports.airport_delays``."""
    columns: tuple[Column, ...]
    mode: Mode = Mode.REPLACE
    current: Publication
    """The ledger's last row."""
    versions: tuple[int, ...]
    """What a rollback may go back to, newest first: the kept versions, or in mode ``append`` the publications whose
    rows are in the report. Where a rollback is refused, the newest alone."""


def slot_guard(ledger: Iterable[tuple[str, int, datetime | None]], version: int) -> datetime | None:
    """The slot that a version leaves as the report's newest when it is shown again: the one it had when it was new.

    ``ledger`` is kind, version and slot of the report's publications, oldest first. A run without a slot leaves the
    slot as it is, so that what it published still keeps older slots out.
    """
    shown: datetime | None = None
    guards: dict[int, datetime | None] = {}
    for kind, shows, slot in ledger:
        if kind == "rollback":
            shown = guards.get(shows, slot)
        else:
            shown = guards[shows] = slot or shown
    return guards.get(version)


def is_report_name(name: str) -> bool:
    """Whether a report can have this name."""
    return _NAME.fullmatch(name) is not None


def check_report_name(name: str) -> None:
    """Raise :class:`BadDeclaration` unless ``name`` can be a view's name without quotes."""
    if not is_report_name(name):
        raise BadDeclaration(
            f"{name!r} cannot name a report: use lower-case letters, digits and underscores, "
            "at most 63, the first not a digit"
        )


def schema_fingerprint(columns: tuple[Column, ...]) -> str:
    """Sixteen hex digits that change whenever a column's name, type or place does."""
    import hashlib

    text = "\x1f".join(f"{column.name}\x1e{column.type}" for column in columns)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
