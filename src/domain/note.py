"""What an attempt tells of its work while it works: inputs, outputs, metrics, progress, notes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec


class NoteKind(StrEnum):
    """The kinds of the event stream (DESIGN section 5)."""

    INPUT = "input"
    """A query was read: name, query hash, rows, bytes, seconds, schema fingerprint, snapshot."""

    OUTPUT = "output"
    """Rows were staged, or published: report, rows, bytes, seconds, version."""

    METRIC = "metric"
    """A number: name and value."""

    PROGRESS = "progress"
    """How far it is, 0 to 1, and in words."""

    NOTE = "note"
    """A sentence for people."""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the event stream, in the order of its attempt."""

    attempt_id: UUID
    seq: int
    """1, 2, 3, … within the attempt: writing the same one twice writes it once."""
    kind: NoteKind
    data: dict[str, Any]
    at: datetime | None = None
    """By the database's clock; None before it is written."""


def fraction_of(data: dict[str, Any]) -> float | None:
    """Of a progress note: from 0 to 1, what lies outside counts as the nearer end; None where it says no number."""
    fraction = data.get("fraction")
    if not isinstance(fraction, int | float):
        return None
    # Compared before it is converted: an int of 400 digits is no float.
    return float(min(1.0, max(0.0, fraction))) if fraction == fraction else 0.0
