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

from ...domain.errors import DatabaseUnavailable
from ...domain.report import Column, Publication, Staged


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
    columns: dict[str, tuple[Column, ...]] = field(default_factory=dict)
    """Of every report that was ever published."""
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

    def kept(self, report: str) -> tuple[int, ...]:
        """The published versions that are still there, newest first."""
        published = [row.version for row in self.ledger if row.report == report and row.kind == "publish"]
        return tuple(version for version in reversed(published) if version in self.versions)

    def is_published(self, version: int) -> bool:
        """Whether the ledger knows the version."""
        return any(row.version == version for row in self.ledger)

    def rows(self, report: str) -> pl.DataFrame:
        """What a reader sees now."""
        return self.versions[self.shown[report].version].frame

    def now(self) -> datetime:
        """The database's clock."""
        return datetime.now(UTC)
