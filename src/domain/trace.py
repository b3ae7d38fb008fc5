"""A run as a trace: its ids follow from the run's own, so whoever works on it finds the same without being told."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from uuid import UUID

import msgspec

AttributeValue = str | int | float | bool


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a run's life."""

    name: str
    """``run``, ``attempt``, ``read``, ``transform``, ``stage``, ``publish``."""
    run_id: UUID
    """The trace's id, bit for bit."""
    id: int
    """64 bits, never 0."""
    parent: int | None
    """None: the root."""
    start: datetime
    end: datetime
    attributes: tuple[tuple[str, AttributeValue], ...] = ()
    error: str | None = None
    """Why it failed; None where it did not."""


def span_id(run_id: UUID, *key: object) -> int:
    """The id of a span, from what it is about: the same for everybody, and never 0."""
    text = "/".join(map(str, ("kubescribe", run_id, *key)))
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") or 1


def traceparent(run_id: UUID, attempt_id: UUID) -> str:
    """``TRACEPARENT`` of the W3C for what an attempt's payload does: it belongs below the attempt's span."""
    return f"00-{run_id.hex}-{span_id(run_id, 'attempt', attempt_id):016x}-01"
