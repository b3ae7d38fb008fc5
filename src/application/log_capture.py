"""A payload's output on its way into RunLog: cut into lines, capped, head and tail kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from uuid import UUID

from ..domain.log import LogChunk, LogLine

PIECE = 16_384
"""Bytes: a longer line is kept in pieces of this size, so that one endless line cannot fill the memory."""

CHUNK = 262_144
"""Bytes: about how much goes into one chunk."""

Write = tuple[LogChunk, tuple[int, int] | None]
"""A chunk to keep, and the range of earlier chunks to forget with it."""


class LogCapture:
    """Collects output of one attempt. Memory is bounded by the cap, whatever the payload prints.

    The first half of ``cap`` bytes is kept as it comes. Of the rest the newest half is kept: while the payload
    floods, older lines of the tail are dropped before they are written, and chunks that were written are forgotten.
    """

    def __init__(self, attempt_id: UUID, cap: int, elapsed: Callable[[], float]) -> None:
        self.attempt_id = attempt_id
        self._half = max(cap // 2, 1024)
        self._elapsed = elapsed
        self._partial: dict[str, bytearray] = {}
        self._pending: deque[tuple[LogLine, int]] = deque()
        self._pending_bytes = 0
        self._head_bytes = 0
        self._seq = 0
        self._tail: deque[tuple[int, int]] = deque()
        self._tail_bytes = 0
        self._left_out = 0
        self._last: deque[str] = deque(maxlen=40)
        self._last_error: str | None = None

    def feed(self, stream: str, data: bytes) -> None:
        """Take bytes as they came; a line that is not ended yet waits."""
        held = self._partial.setdefault(stream, bytearray())
        held += data
        *lines, rest = held.split(b"\n")
        for line in lines:
            self._add(stream, bytes(line))
        while len(rest) > PIECE:
            self._add(stream, bytes(rest[:PIECE]))
            rest = rest[PIECE:]
        self._partial[stream] = bytearray(rest)

    def end(self) -> None:
        """Nothing more will come: lines without an end are taken as they are."""
        for stream, held in self._partial.items():
            if held:
                self._add(stream, bytes(held))
        self._partial.clear()

    def tail(self) -> tuple[str, ...]:
        """The last lines, for a death certificate."""
        return tuple(self._last)

    @property
    def last_error_line(self) -> str | None:
        """The last line that is not empty on the error output."""
        return self._last_error

    def drain(self) -> list[Write]:
        """What is to be written now, in order."""
        writes: list[Write] = []
        while self._pending:
            lines: list[LogLine] = []
            size = 0
            if self._left_out and self._head_bytes >= self._half:
                lines.append(LogLine(self._elapsed(), "ks", f"… {self._left_out} bytes left out …"))
                self._left_out = 0
            while self._pending and size < CHUNK:
                line, length = self._pending.popleft()
                lines.append(line)
                size += length
            self._pending_bytes -= size
            self._seq += 1
            writes.append((LogChunk(attempt_id=self.attempt_id, seq=self._seq, lines=tuple(lines)), self._kept(size)))
        return writes

    def _add(self, stream: str, data: bytes) -> None:
        for start in range(0, max(len(data), 1), PIECE):
            piece = data[start : start + PIECE]
            text = piece.decode("utf-8", errors="replace").rstrip("\r")
            self._pending.append((LogLine(round(self._elapsed(), 3), stream, text), len(piece) + 1))
            self._pending_bytes += len(piece) + 1
            self._last.append(text[:500])
            if stream == "err" and text.strip():
                self._last_error = text.strip()[:500]
        # Only what lies beyond the head may be dropped before it was written.
        room = self._half + max(self._half - self._head_bytes, 0)
        if self._pending_bytes > room:
            self._drop(room)

    def _drop(self, room: int) -> None:
        """Drop the oldest pending lines that are not the head's, until the rest fits."""
        head: list[tuple[LogLine, int]] = []
        head_room = self._half - self._head_bytes
        while self._pending and head_room > 0:
            entry = self._pending.popleft()
            head.append(entry)
            head_room -= entry[1]
        while self._pending and self._pending_bytes > room:
            _, length = self._pending.popleft()
            self._pending_bytes -= length
            self._left_out += length
        self._pending.extendleft(reversed(head))

    def _kept(self, size: int) -> tuple[int, int] | None:
        """Account for a chunk that is about to be written; the range of chunks that have to go for it."""
        if self._head_bytes < self._half:
            self._head_bytes += size
            return None
        self._tail.append((self._seq, size))
        self._tail_bytes += size
        first = last = 0
        while len(self._tail) > 1 and self._tail_bytes - self._tail[0][1] >= self._half:
            seq, length = self._tail.popleft()
            self._tail_bytes -= length
            self._left_out += length
            first, last = first or seq, seq
        return (first, last) if first else None
