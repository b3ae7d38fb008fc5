"""A report: a named view in the report database, made of the versions that runs published."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from .checks import Check, NotNull, Unique
from .errors import BadDeclaration

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
"""PostgreSQL's unquoted identifiers, so that nobody ever has to quote a report's name."""


class Mode(StrEnum):
    """How a publication changes what readers see."""

    REPLACE = "replace"
    """The staged rows become the whole report."""


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

    def __post_init__(self) -> None:
        check_report_name(self.name)

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
    """``blake2b:`` and the hex digest over the version's binary COPY in load order."""
    columns: tuple[Column, ...]
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
    kind: str = "publish"
    """``publish`` or ``rollback``."""
    attempt_id: UUID | None = None
    fence: int | None = None
    rows: int
    checksum: str
    fingerprint: str
    slot: datetime | None = None
    actor: str
    reason: str | None = None
    published_at: datetime


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report as readers see it now."""

    name: str
    relation: str
    """The view's qualified name: ``reports.airport_delays``."""
    columns: tuple[Column, ...]
    current: Publication
    versions: tuple[int, ...]
    """The kept versions, newest first; a rollback may point at any of them."""


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


def check_report_name(name: str) -> None:
    """Raise :class:`BadDeclaration` unless ``name`` can be a view's name without quotes."""
    if not _NAME.fullmatch(name):
        raise BadDeclaration(
            f"{name!r} cannot name a report: use lower-case letters, digits and underscores, "
            "at most 63, the first not a digit"
        )


def schema_fingerprint(columns: tuple[Column, ...]) -> str:
    """Sixteen hex digits that change whenever a column's name, type or place does."""
    import hashlib

    text = "\x1f".join(f"{column.name}\x1e{column.type}" for column in columns)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
