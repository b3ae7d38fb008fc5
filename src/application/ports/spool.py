"""Where an attempt's record waits while RunLog is away."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

import msgspec

from ...domain.log import LogChunk
from ...domain.note import Note
from ...domain.outcome import Outcome
from .attempt_log import Claim


class ClaimEntry(msgspec.Struct, frozen=True, tag="claim"):
    """The attempt took its run."""

    wall: float
    """When, in seconds since the epoch by the machine's own clock: only ever compared with that same clock."""
    claim: Claim


class NotesEntry(msgspec.Struct, frozen=True, tag="notes"):
    """The payload told something."""

    wall: float
    notes: tuple[Note, ...]


class LogEntry(msgspec.Struct, frozen=True, tag="log"):
    """The payload printed something."""

    wall: float
    chunk: LogChunk
    forget: tuple[int, int] | None = None


class FinishEntry(msgspec.Struct, frozen=True, tag="finish"):
    """The attempt ended."""

    wall: float
    attempt_id: UUID
    outcome: Outcome


Entry = ClaimEntry | NotesEntry | LogEntry | FinishEntry


class Spool(Protocol):
    """Entries by attempt, in the order in which they were appended; they outlive the process that wrote them."""

    def append(self, attempt_id: UUID, entry: Entry) -> None:
        """Keep an entry. A folder that is full or read-only loses it without an error: the work goes on."""
        ...

    def entries(self, attempt_id: UUID) -> tuple[Entry, ...]:
        """All entries of an attempt; a last one that was cut short by a crash is passed over."""
        ...

    def remove(self, attempt_id: UUID) -> None:
        """Forget an attempt's entries: RunLog has them all."""
        ...

    def leftover(self) -> tuple[UUID, ...]:
        """The attempts that have entries and whose writer has ended without having removed them, oldest first."""
        ...
