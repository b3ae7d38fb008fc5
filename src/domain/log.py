"""What an attempt's payload printed."""

from __future__ import annotations

from uuid import UUID

import msgspec


class LogLine(msgspec.Struct, frozen=True, array_like=True):
    """One line, or a piece of a very long one."""

    at: float
    """Seconds since the attempt began."""
    stream: str
    """``out`` or ``err``, or ``ks`` for KubeScribe's own word (such as what was left out)."""
    text: str


class LogChunk(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive lines of one attempt, in the order in which they arrived."""

    attempt_id: UUID
    seq: int
    """1, 2, 3, … within the attempt; a chunk that was forgotten leaves a gap."""
    lines: tuple[LogLine, ...]
