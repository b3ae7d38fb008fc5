"""A payload's output on its way into RunLog: cut into lines, capped, head and tail kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple
from uuid import UUID

from ..domain.log import LogChunk, LogLine

PIECE = 16_384
"""Bytes: a longer line is kept in pieces of this size, so that one endless line cannot fill the memory."""

CHUNK = 262_144
"""About how much goes into one chunk."""

OVERHEAD = 24
"""What a line costs beside its text, on record and in memory: a flood of empty lines is a flood too."""

LAST = 40
"""Lines of a death certificate's log tail."""

Write = tuple[LogChunk, tuple[int, int] | None]
"""A chunk to keep, and the range of earlier chunks to forget with it."""


class _Block(NamedTuple):
    """Whole lines, or a piece of a long one, as they came. They become text only if they are kept."""

    at: float
    stream: str
    data: bytes
    weight: int

    def lines(self) -> Iterator[LogLine]:
        for line in self.data.removesuffix(b"\n").split(b"\n"):
            yield LogLine(self.at, self.stream, _text(line))


class LogCapture:
    """Collects output of one attempt. What is kept, and the memory until then, are bounded by the cap.

    The first half of ``cap`` is kept as it comes. Of the rest the newest half is kept: while the payload floods,
    older lines of the tail are dropped before they are written, and chunks that were written are forgotten. Both
    are said: where lines were dropped, and, once all is written, between head and tail. The cap counts the payload's
    bytes, and ``OVERHEAD`` for each line.
    """

    def __init__(self, attempt_id: UUID, cap: int, elapsed: Callable[[], float]) -> None:
        self.attempt_id = attempt_id
        self._half = max(cap // 2, 1024)
        self._elapsed = elapsed
        self._block = min(CHUNK // 4, self._half // 8)
        self._piece = min(PIECE, self._block - OVERHEAD)
        self._chunk = min(CHUNK, self._half // 4)
        self._partial: dict[str, bytes] = {}
        self._head: deque[_Block] = deque()
        self._head_room = self._half
        self._tail: deque[_Block] = deque()
        self._tail_weight = 0
        self._written: deque[tuple[int, int, int]] = deque()
        """Of the tail: seq, weight and bytes of each chunk that is kept so far."""
        self._written_weight = 0
        self._seq = 0
        self._gap = 0
        """The number between head and tail, kept free for what is said there at the end."""
        self._dropped = 0
        """Bytes, since that was last said."""
        self._left_out = 0
        self._over = False
        self._last: deque[str] = deque(maxlen=LAST)
        self._last_error: str | None = None

    def feed(self, stream: str, data: bytes) -> None:
        """Take bytes as they came; a line that is not ended yet waits."""
        data = self._partial.pop(stream, b"") + data
        end = data.rfind(b"\n") + 1
        self._take(stream, data[:end])
        rest = data[end:]
        while len(rest) > self._piece:
            self._take(stream, rest[: self._piece])
            rest = rest[self._piece :]
        if rest:
            self._partial[stream] = rest

    def end(self) -> None:
        """Nothing more will come: lines without an end are taken as they are."""
        for stream, rest in self._partial.items():
            self._take(stream, rest)
        self._partial.clear()
        self._over = True

    def tail(self) -> tuple[str, ...]:
        """The last lines, for a death certificate."""
        return tuple(self._last)

    @property
    def last_error_line(self) -> str | None:
        """The last line that is not empty on the error output."""
        return self._last_error

    def drain(self) -> Iterator[Write]:
        """What is to be written now, in order; what comes in meanwhile waits for the next time."""
        waiting = len(self._head) + len(self._tail)
        while waiting > 0 and (self._head or self._tail):
            queue = self._head or self._tail
            lines: list[LogLine] = []
            if queue is self._tail and self._dropped:
                lines.append(LogLine(round(self._elapsed(), 3), "ks", f"… {self._dropped} bytes left out …"))
                self._dropped = 0
            weight = size = 0
            while queue and (not weight or weight + queue[0].weight <= self._chunk):
                block = queue.popleft()
                lines.extend(block.lines())
                weight += block.weight
                size += len(block.data)
                waiting -= 1
            self._seq += 1
            forget = None
            if queue is self._tail and not self._gap:
                self._gap, self._seq = self._seq, self._seq + 1
            if queue is self._tail:
                self._tail_weight -= weight
                forget = self._forgotten_for(weight, size)
            yield LogChunk(attempt_id=self.attempt_id, seq=self._seq, lines=tuple(lines)), forget
        if self._over and self._left_out:
            text = f"… {self._left_out} bytes of this output were left out in all; its beginning and its end are kept …"
            self._left_out = 0
            line = LogLine(round(self._elapsed(), 3), "ks", text)
            yield LogChunk(attempt_id=self.attempt_id, seq=self._gap, lines=(line,)), None

    def _take(self, stream: str, data: bytes) -> None:
        """Cut whole lines (or one piece of a line) into blocks, each small beside the cap, and queue them."""
        start, at = 0, round(self._elapsed(), 3)
        while start < len(data):
            room = self._piece
            while True:
                stop = data.rfind(b"\n", start, start + room) + 1 or data.find(b"\n", start, start + self._piece) + 1
                stop = stop or min(start + self._piece, len(data))
                ends = data.count(b"\n", start, stop)
                weight = stop - start + OVERHEAD * max(ends, 1)
                if weight <= self._block or ends <= 1:
                    break
                room = (stop - start) * self._block // weight
            self._queue(_Block(at, stream, data[start:stop], weight))
            start = stop
        if data:
            self._remember(stream, data)

    def _queue(self, block: _Block) -> None:
        if block.weight <= self._head_room:
            self._head.append(block)
            self._head_room -= block.weight
            return
        self._head_room = 0  # from now on it is the tail, or the head would go on after a gap
        self._tail.append(block)
        self._tail_weight += block.weight
        while self._tail_weight > self._half:
            gone = self._tail.popleft()
            self._tail_weight -= gone.weight
            self._dropped += len(gone.data)
            self._left_out += len(gone.data)

    def _forgotten_for(self, weight: int, size: int) -> tuple[int, int] | None:
        """Account for a chunk of the tail that is about to be written; the range of chunks that have to go for it."""
        self._written.append((self._seq, weight, size))
        self._written_weight += weight
        first = last = 0
        while self._written_weight > self._half:
            last, weight, size = self._written.popleft()
            first = first or last
            self._written_weight -= weight
            self._left_out += size
        return (first, last) if first else None

    def _remember(self, stream: str, data: bytes) -> None:
        data = data.removesuffix(b"\n")
        for line in data.rsplit(b"\n", LAST)[-LAST:]:
            self._last.append(_text(line[:2000])[:500])
        if stream == "err" and (told := data.rstrip()):
            self._last_error = _text(told[told.rfind(b"\n") + 1 :][:2000]).strip()[:500]


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").rstrip("\r")
