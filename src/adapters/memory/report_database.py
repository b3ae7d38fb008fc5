"""What a report database holds, in memory: the state that the adapters beside it share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

import polars as pl

from ...application.report_account import in_effect
from ...application.report_fit import Shape
from ...domain.errors import DatabaseUnavailable
from ...domain.mode import Mode
from ...domain.report import Publication, Staged
from .report_rows import own, widened


@dataclass
class Fence:
    """Who may still publish under a run."""

    number: int
    attempt_id: UUID | None = None
    closed_as: str | None = None


@dataclass
class Version:
    """Rows of one version of a report, published or not."""

    staged: Staged
    frame: pl.DataFrame
    """Where rows change in place, with the id of the run that wrote each."""


@dataclass
class Shown:
    """What readers of a report see."""

    version: int
    slot: datetime | None


@dataclass
class MemoryReportDatabase:
    """One lock for everything, as if each operation were a serial transaction. ``available`` takes it away."""

    available: bool = True
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    fences: dict[UUID, Fence] = field(default_factory=dict)
    versions: dict[int, Version] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    """Of every report that was ever published."""
    widest: dict[str, pl.DataFrame] = field(default_factory=dict)
    """No rows, and the columns of what was published last."""
    shown: dict[str, Shown] = field(default_factory=dict)
    ledger: list[Publication] = field(default_factory=list)
    """Only ever appended to."""
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Be alone with the state. Raises :class:`DatabaseUnavailable` while it is switched off."""
        with self._lock:
            if not self.available:
                raise DatabaseUnavailable("report", "it is switched off")
            yield

    def history(self, report: str) -> list[Publication]:
        """The ledger of the report's tables as they are now, oldest first."""
        generation = self.shapes[report].generation if report in self.shapes else None
        return [row for row in self.ledger if (row.report, row.generation) == (report, generation)]

    def kept(self, report: str) -> tuple[int, ...]:
        """What a rollback may go back to, newest first."""
        history = self.history(report)
        if not history:
            return ()
        match self.shapes[report].mode:
            case Mode.REPLACE:
                published = (row.version for row in reversed(history) if row.kind == "publish")
                return tuple(version for version in published if version in self.versions)
            case Mode.APPEND:
                return tuple(row.version for row in reversed(in_effect(history)))
            case _:
                return (history[-1].version,)

    def is_published(self, version: int) -> bool:
        """Whether the ledger knows the version."""
        return any(row.version == version for row in self.ledger)

    def rows(self, report: str) -> pl.DataFrame:
        """What a reader sees now."""
        version = self.versions[self.shown[report].version]
        return own(widened(version.frame, self.widest[report]))

    def now(self) -> datetime:
        """The database's clock."""
        return datetime.now(UTC)
