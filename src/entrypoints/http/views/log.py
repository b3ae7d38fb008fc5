"""What a run printed."""

from __future__ import annotations

import re

import msgspec

from ....domain.log import LogLine

_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Terminal sequences, and control characters but tab and newline (FAULTS S-22)."""


class LogLineView(msgspec.Struct, frozen=True, kw_only=True):
    """One line, or a piece of a very long one."""

    attempt: int
    seq: int
    """Of the chunk that it came in: ask for what is ``after`` it."""
    at: float
    """Seconds since the attempt began."""
    stream: str
    """``out``, ``err``, or ``ks`` for KubeScribe's own word."""
    text: str

    @classmethod
    def of(cls, attempt: int, seq: int, line: LogLine) -> LogLineView:
        """The view of a line; nothing in it moves a terminal's cursor."""
        return cls(attempt=attempt, seq=seq, at=line.at, stream=line.stream, text=harmless(line.text))


def harmless(text: str) -> str:
    """The text without terminal sequences and control characters."""
    return _CONTROL.sub("", text)
